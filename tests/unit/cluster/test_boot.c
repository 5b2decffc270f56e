/* test_boot - who starts, and what the others wait for.
 *
 * Does:   a table of situations, each as a script of what this node hears: whether it proposes,
 *         with whom, and the sentence it says; T9 as a story of three nodes.
 * Not:    deciding (test_register.c).
 * Holds:  O1, O2.
 * Limits: -
 * See:    src/cluster/boot.h; docs/protocol.md 6.2, T9.
 */
#include "unit.h"

#include "cluster/cluster.h"

static struct address address_of(const char *text)
{
    struct address address = {{0}};
    size_t len = strlen(text);
    assert_true(len <= LIMIT_ADDRESS_BYTES);
    memcpy(address.text, text, len);
    return address;
}

/* A node with this VIEW ("a:1,b:1"); its node id is 1 + its index there. */
static void begin(struct boot *boot, const char *view, const char *self, uint32_t shard_count,
                  bool bootstrap)
{
    struct address list[LIMIT_MEMBERS];
    uint32_t count = 0;
    uint64_t node_id = 0;
    while (*view != '\0') {
        size_t len = strcspn(view, ",");
        list[count] = (struct address){{0}};
        memcpy(list[count].text, view, len);
        if (strcmp(list[count].text, self) == 0)
            node_id = count + 1;
        count++;
        view += view[len] == ',' ? len + 1 : len;
    }
    struct address own = address_of(self);
    boot_init(boot, list, count, &own, node_id, shard_count, bootstrap);
}

static void hello(struct boot *boot, uint64_t node_id, enum hello_state said, const char *address,
                  uint32_t shard_count, const char *view)
{
    struct msg_hello msg = {.node_id = node_id,
                            .state = (uint8_t)said,
                            .shard_count = shard_count,
                            .address = slice_str(address),
                            .view = slice_str(view)};
    boot_hello(boot, node_id, &msg);
}

static void expect_sentence(const struct boot *boot, const char *wanted)
{
    struct buf text = BUF_EMPTY;
    boot_waiting_for(boot, &text);
    buf_u8(&text, 0);
    assert_string_equal((const char *)text.ptr, wanted);
    buf_fini(&text);
}

static void expect_waits(const struct boot *boot, const char *sentence)
{
    struct first_start start;
    assert_false(boot_ready(boot, &start));
    expect_sentence(boot, sentence);
}

/* ids: of the members, in the order of this node's VIEW. */
static void expect_ready(const struct boot *boot, const uint64_t *ids, uint32_t count)
{
    struct first_start start;
    memset(&start, 0, sizeof start);
    assert_true(boot_ready(boot, &start));
    assert_int_equal(start.member_count, count);
    assert_int_equal(start.shard_count, boot->shard_count);
    uint64_t acceptors[LIMIT_MEMBERS];
    assert_int_equal(boot_acceptors(boot, acceptors), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(start.members[i].node_id, ids[i]);
        assert_int_equal(acceptors[i], ids[i]);
    }
    start.lineage = 1;
    enum err err;
    struct config *config = config_first(&start, &err);
    assert_non_null(config);
    config_free(config);
    expect_sentence(boot, "this node makes the first configuration");
}

#define VIEW "a:1,b:1,c:1"

struct said {
    uint64_t node_id;       /* 0: says nothing */
    enum hello_state state; /* of it */
    const char *address;
    uint32_t shard_count;
    const char *view;
};

/* At a:1 of VIEW, one shard. */
static const struct situation {
    struct said said[2];
    const char *sentence; /* NULL: ready */
} situations[] = {
    {{{0}}, "b:1 and c:1 have not answered"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW}}, "c:1 has not answered"},
    {{{3, HELLO_EMPTY, "c:1", 1, VIEW}}, "b:1 has not answered"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW}, {3, HELLO_EMPTY, "c:1", 1, VIEW}}, NULL},
    {{{2, HELLO_EMPTY, "b:1", 0, "c:1,a:1,b:1"}, {3, HELLO_EMPTY, "c:1", 1, "b:1,c:1,a:1"}}, NULL},
    {{{2, HELLO_EMPTY, "b:1", 1, "a:1,b:1"}, {3, HELLO_EMPTY, "c:1", 1, VIEW}},
     "VIEW of b:1 lacks c:1"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW ",d:1"}, {3, HELLO_EMPTY, "c:1", 1, VIEW}},
     "VIEW of b:1 has d:1, which this node's has not"},
    {{{2, HELLO_EMPTY, "b:1", 1, "a:1,b:1,d:1"}, {3, HELLO_EMPTY, "c:1", 1, VIEW}},
     "VIEW of b:1 has d:1, which this node's has not, and lacks c:1"},
    {{{2, HELLO_EMPTY, "b:1", 1, ""}}, "c:1 has not answered; VIEW of b:1 lacks a:1"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW ",,"}},
     "c:1 has not answered; VIEW of b:1 has ?, which this node's has not"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW ",\x1b[2J:1"}},
     "c:1 has not answered; VIEW of b:1 has ?[2J:1, which this node's has not"},
    {{{2, HELLO_EMPTY, "b:1", 2, VIEW}, {3, HELLO_EMPTY, "c:1", 1, VIEW}},
     "SHARD_COUNT is 2 at b:1 and 1 here"},
    {{{2, HELLO_MEMBER, "b:1", 1, VIEW}},
     "a running cluster was found at b:1: joining it comes with a later version"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW}, {3, HELLO_DOUBT, "c:1", 1, VIEW}},
     "a running cluster was found at c:1: joining it comes with a later version"},
    {{{2, (enum hello_state)0, "b:1", 1, VIEW}, {3, HELLO_EMPTY, "c:1", 1, VIEW}},
     "a running cluster was found at b:1: joining it comes with a later version"},
    {{{1, HELLO_EMPTY, "b:1", 1, VIEW}, {3, HELLO_EMPTY, "c:1", 1, VIEW}},
     "a:1 and b:1 are one node, or one has a copy of the other's data directory"},
    {{{2, HELLO_EMPTY, "b:1", 1, VIEW}, {2, HELLO_EMPTY, "c:1", 1, VIEW}},
     "b:1 and c:1 are one node, or one has a copy of the other's data directory"},
    {{{2, HELLO_EMPTY, "d:1", 1, VIEW}, {3, HELLO_EMPTY, "c:1", 1, VIEW}}, "b:1 has not answered"},
    {{{2, HELLO_EMPTY, "a:1", 1, VIEW}, {3, HELLO_EMPTY, "c:1", 1, VIEW}}, "b:1 has not answered"},
};

static void test_situations(void **state)
{
    (void)state;
    static const uint64_t all[] = {1, 2, 3};
    for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) {
        const struct situation *situation = &situations[i];
        struct boot boot;
        begin(&boot, VIEW, "a:1", 0, false);
        for (size_t s = 0; s < 2; s++) {
            const struct said *said = &situation->said[s];
            if (said->node_id != 0)
                hello(&boot, said->node_id, said->state, said->address, said->shard_count,
                      said->view);
        }
        if (situation->sentence != NULL)
            expect_waits(&boot, situation->sentence);
        else
            expect_ready(&boot, all, 3);
    }
}

static void test_alone(void **state)
{
    (void)state;
    static const uint64_t one[] = {1};
    struct boot boot;
    begin(&boot, "a:1", "a:1", 0, false);
    expect_ready(&boot, one, 1);
    struct address self = address_of("a:1");
    boot_init(&boot, NULL, 0, &self, 1, 1, false); /* no VIEW: itself */
    expect_ready(&boot, one, 1);
}

/* O2: by bytes of the address, whatever the order of VIEW; members in the proposer's order. */
static void test_least_address_proposes(void **state)
{
    (void)state;
    const char *view = "h:9,h:10,g:7";
    static const uint64_t order[] = {1, 2, 3};
    struct boot boot;
    begin(&boot, view, "g:7", 1, false);
    hello(&boot, 1, HELLO_EMPTY, "h:9", 1, view);
    hello(&boot, 2, HELLO_EMPTY, "h:10", 1, view);
    expect_ready(&boot, order, 3);
    begin(&boot, view, "h:10", 1, false);
    hello(&boot, 1, HELLO_EMPTY, "h:9", 1, view);
    hello(&boot, 3, HELLO_EMPTY, "g:7", 1, view);
    expect_waits(&boot, "g:7 makes the first configuration");
}

static void test_lost_connection_must_say_hello_again(void **state)
{
    (void)state;
    static const uint64_t back[] = {1, 7, 3};
    struct boot boot;
    begin(&boot, VIEW, "a:1", 1, false);
    hello(&boot, 2, HELLO_EMPTY, "b:1", 1, VIEW);
    hello(&boot, 3, HELLO_EMPTY, "c:1", 1, VIEW);
    boot_lost(&boot, 2);
    expect_waits(&boot, "b:1 has not answered");
    boot_lost(&boot, 1);                          /* nobody can take this node from itself */
    hello(&boot, 7, HELLO_EMPTY, "b:1", 1, VIEW); /* without its old disk (T34) */
    expect_ready(&boot, back, 3);
}

static void test_shards_need_two_each(void **state)
{
    (void)state;
    struct boot boot;
    begin(&boot, VIEW, "a:1", 2, false);
    hello(&boot, 2, HELLO_EMPTY, "b:1", 2, VIEW);
    hello(&boot, 3, HELLO_EMPTY, "c:1", 2, VIEW);
    expect_waits(&boot, "3 nodes are too few: each of 2 shards needs two");
}

static void test_bootstrap_goes_without_the_others(void **state)
{
    (void)state;
    static const uint64_t two[] = {1, 3};
    static const uint64_t last[] = {3};
    struct boot boot;
    begin(&boot, VIEW, "a:1", 1, true);
    hello(&boot, 3, HELLO_EMPTY, "c:1", 1, VIEW);
    expect_ready(&boot, two, 2);
    hello(&boot, 2, HELLO_MEMBER, "b:1", 1, VIEW);
    expect_waits(&boot,
                 "a running cluster was found at b:1: joining it comes with a later version");
    begin(&boot, VIEW, "c:1", 1, true);
    expect_ready(&boot, last, 1);
    begin(&boot, VIEW, "c:1", 2, true);
    expect_waits(&boot, "1 node is too few: each of 2 shards needs two");
}

static void test_many_missing(void **state)
{
    (void)state;
    struct boot boot;
    begin(&boot, "a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1,j:1,k:1", "a:1", 1, false);
    expect_waits(&boot, "b:1, c:1, d:1, e:1, f:1, g:1, h:1, i:1 and 2 more have not answered");
    hello(&boot, 99, HELLO_EMPTY, "k:1", 1, "");
    boot_lost(&boot, 99);
    hello(&boot, 98, HELLO_EMPTY, "b:1", 1, "a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1,j:1,k:1");
    expect_waits(&boot, "c:1, d:1, e:1, f:1, g:1, h:1, i:1, j:1 and 1 more have not answered");
    hello(&boot, 97, HELLO_EMPTY, "c:1", 1, "a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1,j:1,k:1");
    expect_waits(&boot, "d:1, e:1, f:1, g:1, h:1, i:1, j:1 and k:1 have not answered");
}

static void test_view_text(void **state)
{
    (void)state;
    struct boot boot;
    begin(&boot, "b:1,a:1", "a:1", 1, false);
    struct buf text = BUF_EMPTY;
    boot_view_text(&boot, &text);
    assert_true(slice_equal(buf_slice(&text), SLICE_LIT("b:1,a:1")));
    buf_fini(&text);
}

/* T9: A and B of one VIEW may not start without C, nor may C and an empty B without A. */
static void test_halves_cannot_start_apart(void **state)
{
    (void)state;
    struct boot a;
    begin(&a, VIEW, "a:1", 1, false);
    hello(&a, 2, HELLO_EMPTY, "b:1", 1, VIEW);
    expect_waits(&a, "c:1 has not answered");
    struct boot c;
    begin(&c, VIEW, "c:1", 1, false);
    hello(&c, 22, HELLO_EMPTY, "b:1", 1, VIEW);
    expect_waits(&c, "a:1 has not answered");
    /* Nor is it enough that all have been there, but never at once. */
    boot_lost(&a, 2);
    hello(&a, 3, HELLO_EMPTY, "c:1", 1, VIEW);
    expect_waits(&a, "b:1 has not answered");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_situations),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_least_address_proposes),
        cmocka_unit_test(test_lost_connection_must_say_hello_again),
        cmocka_unit_test(test_shards_need_two_each),
        cmocka_unit_test(test_bootstrap_goes_without_the_others),
        cmocka_unit_test(test_many_missing),
        cmocka_unit_test(test_view_text),
        cmocka_unit_test(test_halves_cannot_start_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
