/* test_list - the versions of an actor in the order of their seqs, against a sorted array.
 *
 * Does:   ascending, descending and random seqs, dense and far apart (across 32 bits), seqs that
 *         occur twice; removal in any order; the bytes that are counted.
 * Not:    cursors: test_cursor.c.
 * Holds:  L1 to L3.
 * Limits: -
 * See:    store/table_list.h.
 */
#include "unit.h"

#include "store/table_list.h"

#define ITEMS_MAX 6000U

struct item {
    uint64_t seq; /* as given to the list */
    uint32_t ref; /* as given to the list */
};

struct run {
    struct rng rng;               /* of this test */
    struct list list;             /* under test */
    struct item items[ITEMS_MAX]; /* what it should hold, unsorted */
    uint32_t count;               /* of items */
};

static struct run *run_new(void)
{
    struct run *run = mem_zalloc(1, sizeof *run);
    run->rng = unit_rng();
    return run;
}

static void run_free(struct run *run)
{
    list__check(&run->list);
    list__fini(&run->list);
    assert_int_equal(run->list.bytes, 0);
    mem_free(run);
}

static void add(struct run *run, uint64_t seq)
{
    struct item item = {.seq = seq, .ref = 1 + (uint32_t)rng_below(&run->rng, UINT32_MAX)};
    for (uint32_t i = 0; i < run->count; i++)
        if (run->items[i].seq == item.seq && run->items[i].ref == item.ref)
            return;
    run->items[run->count++] = item;
    list__insert(&run->list, item.seq, item.ref);
}

static void take_away(struct run *run, uint32_t at)
{
    struct item item = run->items[at];
    run->items[at] = run->items[--run->count];
    list__remove(&run->list, item.seq, item.ref);
    assert_false(list__has(&run->list, item.seq, item.ref));
}

static int item_order(const void *a, const void *b)
{
    const struct item *left = a;
    const struct item *right = b;
    if (left->seq != right->seq)
        return left->seq < right->seq ? -1 : 1;
    return left->ref < right->ref ? -1 : left->ref > right->ref;
}

/* Asks for the successor of every seq, and of its neighbours. */
static void compare(struct run *run)
{
    list__check(&run->list);
    assert_int_equal(run->list.versions, run->count);
    qsort(run->items, run->count, sizeof *run->items, item_order);
    uint32_t above = 0;
    for (uint32_t i = 0; i < run->count; i++) {
        const struct item *item = &run->items[i];
        assert_true(list__has(&run->list, item->seq, item->ref));
        while (above < run->count && run->items[above].seq <= item->seq)
            above++;
        assert_int_equal(list__above(&run->list, item->seq),
                         above < run->count ? run->items[above].ref : 0);
        bool first = i == 0 || run->items[i - 1].seq < item->seq;
        if (first)
            assert_int_equal(list__above(&run->list, item->seq - 1), item->ref);
    }
    assert_int_equal(list__above(&run->list, 0), run->count > 0 ? run->items[0].ref : 0);
}

static void shrink_and_compare(struct run *run)
{
    compare(run);
    while (run->count > 0) {
        for (uint32_t i = 0; i < ITEMS_MAX / 6 && run->count > 0; i++)
            take_away(run, (uint32_t)rng_below(&run->rng, run->count));
        compare(run);
    }
}

static void ascending(void **state)
{
    (void)state;
    struct run *run = run_new();
    for (uint64_t seq = 1; seq < ITEMS_MAX; seq++)
        add(run, seq);
    /* 8 bytes each, and little for the directory: pages are full. */
    assert_true(run->list.bytes < ITEMS_MAX * 9);
    shrink_and_compare(run);
    run_free(run);
}

static void descending(void **state)
{
    (void)state;
    struct run *run = run_new();
    for (uint64_t seq = ITEMS_MAX - 1; seq > 0; seq--)
        add(run, seq);
    shrink_and_compare(run);
    run_free(run);
}

static void random_and_far_apart(void **state)
{
    (void)state;
    struct run *run = run_new();
    for (int width = 8; width <= 48; width += 5) {
        for (uint32_t i = 0; i < ITEMS_MAX - 10; i++)
            add(run, 1 + rng_below(&run->rng, (UINT64_C(1) << width) - 1));
        shrink_and_compare(run);
    }
    run_free(run);
}

static void around_the_32_bits(void **state)
{
    (void)state;
    struct run *run = run_new();
    for (uint32_t i = 0; i < ITEMS_MAX - 10; i++) {
        uint64_t multiple = rng_between(&run->rng, 1, 5) << 32;
        add(run, multiple - 300 + rng_below(&run->rng, 600));
    }
    shrink_and_compare(run);
    run_free(run);
}

static void in_and_out(void **state)
{
    (void)state;
    struct run *run = run_new();
    uint64_t seq = 1;
    for (uint32_t i = 0; i < 200000; i++) {
        bool more = run->count == 0 ||
                    (run->count < ITEMS_MAX && rng_chance(&run->rng, i / 40000 % 2 ? 4 : 6, 10));
        if (!more)
            take_away(run, (uint32_t)rng_below(&run->rng, run->count));
        else if (rng_chance(&run->rng, 9, 10))
            add(run, seq++);
        else
            add(run, 1 + rng_below(&run->rng, seq));
        if (i % 20000 == 0)
            compare(run);
    }
    compare(run);
    /* Thin pages were merged. */
    assert_true(run->list.bytes < 8000 || run->list.bytes < (uint64_t)run->count * 24);
    run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascending),
        cmocka_unit_test(descending),
        cmocka_unit_test(random_and_far_apart),
        cmocka_unit_test(around_the_32_bits),
        cmocka_unit_test(in_and_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
