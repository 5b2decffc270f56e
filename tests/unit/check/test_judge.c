/* test_judge - histories made by hand: good ones pass, each liar is caught by the right name.
 *
 * Does:   for every pattern the least bad history, and one beside it that is good; what the
 *         story of each says.
 * Not:    histories by chance: test_random.c.
 * Holds:  -
 * Limits: -
 * See:    judged.h for the steps; src/check/README.md for the patterns.
 */
#include "unit.h"

#include "judged.h"

/* Bad patterns by the names of the paper (section 5.2 and 5.3), and the session guarantees that one
 * of them is told as. */
static const char *const papers[] = {
    "ThinAirRead",      "CyclicCO",        "WriteCOInitRead",  "WriteCORead",         "CyclicCF",
    "read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads", "convergence",
    "lost-write",       "future",
};

struct good {
    const char *what;  /* as a sentence */
    const char *steps; /* see judged_steps */
    const char *near;  /* names of bad patterns that it nearly is; NULL: none */
};

static const struct good goods[] = {
    {"no line at all", "", NULL},
    {"one session", "w a x 1; r a x 1; w a x 2; r a x 2; f n1 x 2; f n2 x 2", "read-your-writes"},
    {"another session is late", "w a x 1; w a x 2; r b x 1; r b x 2; f n1 x 2",
     "WriteCORead monotonic-reads"},
    {"a stranger sees nothing yet", "w a x 1; r b x -; r b x 1; f n1 x 1", "WriteCOInitRead"},
    {"concurrent writes, one order", "w a x 1; w b x 2; r c x 1; r c x 2; r d x 2; f n1 x 2",
     "CyclicCF"},
    {"the earlier of two strangers wins", "w a x 1; w b x 2; r c x 1; f n1 x 1; f n2 x 1",
     "convergence lost-write"},
    {"the cause of an effect is there", "w a x 1; w a y 2; r b y 2; r b x 1", "monotonic-writes"},
    {"the effect is not there yet, the cause is", "w a x 1; w a y 2; r b x 1; r b y -; r b y 2",
     "monotonic-writes"},
    {"who has read nothing owes nothing", "w a x 1; r b x 1; w b y 2; r c y -; r c x -",
     "writes-follow-reads WriteCOInitRead"},
    {"a concurrent write replaces one's own", "w a x 1; w b x 2; r a x 2; r b x 2",
     "read-your-writes"},
    {"and then comes back as the winner", "w a x 1; w b x 2; r a x 1; r b x 1; f n1 x 1", NULL},
    {"two keys, two orders",
     "w a x 1; w b x 2; w a y 3; w b y 4; r c x 1; r c x 2; r c y 4; r c y 3; f n1 x 2; f n1 y 3",
     "CyclicCF"},
    {"the store buffer", "w a x 1; r a y -; w b y 2; r b x -; r a y 2; r b x 1", "CyclicCO"},
    {"an unknown write that did not happen", "w a x 1; w a x 2 unknown; r a x 1; f n1 x 1",
     "lost-write"},
    {"an unknown write that happened", "w a x 1; w a x 2 unknown; r a x 2; f n1 x 2", NULL},
    {"an unknown write that happened late", "w a x 1; w a x 2 unknown; r a x 1; r a x 2; f n1 x 2",
     "ThinAirRead future"},
    {"an unknown write is no cause of what its session does next",
     "w a x 1 unknown; w a y 2; r b y 2; r b x -; r c x 1", NULL},
    {"an unknown write that only the end shows", "w a x 1; w a x 2 unknown; f n1 x 2; f n2 x 2",
     NULL},
    {"an unknown write may be replaced by what its session does next",
     "w a x 1 unknown; w a x 2; r b x 1; r b x 2; f n1 x 2", NULL},
    {"or replace it", "w a x 1 unknown; w a x 2; r b x 2; r b x 1; f n1 x 1", NULL},
    {"a refused write", "w a x 1; w a x 2 no; r a x 1; f n1 x 1", "ThinAirRead"},
    {"a refused read says nothing", "w a x 1; r a x - no; r a x - unknown; f n1 x 1", NULL},
    {"nothing there", "r a x -; w a x 1; d a x d1; r a x -; f n1 x -", NULL},
    {"an unknown delete that happened", "w a x 1; d a x d1 unknown; r a x -; f n1 x -", NULL},
    {"an unknown delete that did not", "w a x 1; d a x d1 unknown; r a x 1; f n1 x 1", NULL},
    {"an unknown delete that comes late",
     "w a x 1; d a x d1 unknown; w a x 2; r a x 2; r a x -; f n1 x -", NULL},
    {"deleted by a stranger", "w a x 1; d b x d1; r a x 1; r a x -; f n1 x -", NULL},
    {"deleted by one of two strangers", "w a x 1; d b x d1; d c x d2; r a x -; f n1 x -", NULL},
    {"a delete, then a write by one who has seen it",
     "w a x 1; d a x d1; c b a; w b x 2; r a x 2; f n1 x 2", NULL},
    {"a context from before", "w a x 1; c h a; w a x 2; r a x 2; r h x 1; r h x 2; f n1 x 2", NULL},
    {"a context of so many lines ago", "w a x 1; w a x 2; c h a 1; r h x 1; r h x 2", NULL},
    {"a context of no lines", "w a x 1; w a x 2; c h a 0; r h x -; r h x 1", NULL},
    {"the context of somebody unknown", "c h a; w a x 1; r h x -", NULL},
    {"one's own context", "w a x 1; c a a; r a x 1", NULL},
    {"two deletes, either may be what was seen",
     "w a x 1; d a x d1; w b x 2; d b x d2; r c x 1; r c x -; r c x 2; r c x -", NULL},
    {"deleted before it came", "w a x 1; d b x d1; r c x -; r c x 1; f n1 x 1", "WriteCOInitRead"},
    {"final reads of some keys", "w a x 1; w a y 2; f n1 x 1", NULL},
    {"causal memory forbids it (CyclicHB), for b's own order would have x = 1 come later; one "
     "order of "
     "all writes, last writer wins, explains it",
     "w a z 3; w a x 1; w a y 4; w b x 2; r b z -; r b y 4; r b x 2; f n1 x 2", "CyclicCF"},
};

struct bad {
    enum pattern pattern; /* that is found, once, and nothing else */
    const char *what;     /* as a sentence */
    const char *steps;    /* see judged_steps */
    const char *told;     /* part of the story */
    const char *paper;    /* its names, see papers */
};

static const struct bad bads[] = {
    {PATTERN_THIN_AIR, "reads what nobody wrote", "w a x 1; r b x 7",
     "thin-air: a value was read that nobody wrote to that key\n    line 2, 20-25 us: session b "
     "read x = 7\n",
     "ThinAirRead"},
    {PATTERN_THIN_AIR, "reads another key's value", "w a x 1; w a y 2; r b x 2", "b read x = 2",
     "ThinAirRead"},
    {PATTERN_THIN_AIR, "reads the name of a delete", "w a x 1; d a x d1; r b x d1", "x = d1",
     "ThinAirRead"},
    {PATTERN_THIN_AIR, "reads what was refused", "w a x 1; w a x 2 no; r b x 2", "x = 2",
     "ThinAirRead"},
    {PATTERN_THIN_AIR, "shows nobody's value at the end", "w a x 1; f n1 x 9",
     "at the end node n1 has x = 9", "ThinAirRead"},
    {PATTERN_FUTURE, "reads what is written only later", "r b x 1; w a x 1",
     "    line 1, 10-15 us: session b read x = 1\n    line 2, 20-25 us: session a wrote x = 1\n",
     "future"},
    {PATTERN_CYCLE, "reads its own effect", "r a x 1; w a x 1",
     "    line 1, 10-15 us: session a read x = 1\n  is a cause of\n", "CyclicCO"},
    {PATTERN_CYCLE, "two read each other's effects", "r a x 1; w a y 2; r b y 2; w b x 1",
     "so would have come before itself", "CyclicCO"},
    {PATTERN_CYCLE, "a cycle beside others that wait for it",
     "w z z 0; r a x 1; w a y 2; r b y 2; w b x 1; r b z 0; w b z 3; r c z 3",
     "so would have come before itself", "CyclicCO"},
    {PATTERN_READ_OWN, "forgets its own write", "w a x 1; w a x 2; r a x 1; f n1 x 2",
     "  what was read:\n    line 1, 10-15 us: session a wrote x = 1\n  what came after it:\n    "
     "line 2, 20-25 us: session a wrote x = 2\n  and what the reader had seen when it read:\n    "
     "line 3, 30-35 us: session a read x = 1\n",
     "read-your-writes WriteCORead"},
    {PATTERN_READ_OWN, "does not find its own write", "w a x 1; r a x -; f n1 x 1",
     "what was written, and not deleted since", "read-your-writes WriteCOInitRead"},
    {PATTERN_READ_OWN, "finds what it deleted", "w a x 1; d a x d1; r a x 1; f n1 x -",
     "session a deleted x as d1", "read-your-writes WriteCORead"},
    {PATTERN_READ_OWN, "does not find what it wrote after a delete",
     "w a x 1; d a x d1; w a x 2; r a x -; f n1 x 2", "wrote x = 2",
     "read-your-writes WriteCOInitRead"},
    {PATTERN_READ_OWN, "only an effect of the read deletes", "w a x 1; r a x -; d a x d1; f n1 x -",
     "session a read x = nothing", "read-your-writes WriteCOInitRead"},
    {PATTERN_MONOTONIC_READ, "goes back in time", "w a x 1; w a x 2; r b x 2; r b x 1; f n1 x 2",
     "session b read x = 1", "monotonic-reads WriteCORead"},
    {PATTERN_MONOTONIC_READ, "goes back to nothing", "w a x 1; r b x 1; r b x -; f n1 x 1",
     "session b read x = nothing", "monotonic-reads WriteCOInitRead"},
    {PATTERN_MONOTONIC_READ, "goes back from an unknown write",
     "w a x 1; w a x 2 unknown; r b x 2; r b x 1; f n1 x 2", "(outcome unknown) x = 2",
     "monotonic-reads WriteCORead"},
    {PATTERN_MONOTONIC_READ, "goes back from its own unknown write",
     "w a x 1; w a x 2 unknown; r a x 2; r a x 1; f n1 x 2", "(outcome unknown) x = 2",
     "monotonic-reads WriteCORead"},
    {PATTERN_MONOTONIC_READ, "sees a delete undone", "w a x 1; d a x d1; r b x 1; r b x -; r b x 1",
     "session b read x = nothing: this can only be the delete d1", "monotonic-reads WriteCORead"},
    {PATTERN_MONOTONIC_READ, "sees an unknown delete undone",
     "w a x 1; d a x d1 unknown; r b x 1; r b x -; r b x 1",
     "session b read x = nothing: this can only be the delete d1", "monotonic-reads WriteCORead"},
    {PATTERN_MONOTONIC_WRITE, "sees a delete without what came before it",
     "w a y 1; d a x d1; w b x 2; r b x -; r b y -", "only be the delete d1",
     "monotonic-writes WriteCOInitRead"},
    {PATTERN_READ_OWN, "a delete that began after the read cannot explain it",
     "w a x 1; r a x -; d b x d1; f n1 x -", "what was written, and not deleted since",
     "read-your-writes WriteCOInitRead"},
    {PATTERN_CONFLICT, "a strange delete undone", "w a x 1; d b x d1; r c x 1; r c x -; r c x 1",
     "so would have come before itself", "CyclicCF"},
    {PATTERN_CONFLICT, "a strange delete, then a final value that it had replaced",
     "w a x 1; d b x d1; r c x 1; r c x -; f n1 x 1", "so would have come before itself",
     "CyclicCF"},
    {PATTERN_CONFLICT, "a value replaced a strange delete that wins in the end",
     "w a x 1; d b x d1; c b a; r b x 1; f n1 x -", "at the end node n1 has x = nothing",
     "CyclicCF"},
    {PATTERN_MONOTONIC_WRITE, "sees the second write without the first",
     "w a x 1; w a y 2; r b y 2; r b x -; f n1 x 1; f n1 y 2", "session b read y = 2",
     "monotonic-writes WriteCOInitRead"},
    {PATTERN_MONOTONIC_WRITE, "sees the later key and the older value",
     "w a x 1; w a x 2; w a y 3; r b y 3; r b x 1; f n1 x 2; f n1 y 3", "session a wrote y = 3",
     "monotonic-writes WriteCORead"},
    {PATTERN_MONOTONIC_WRITE, "sees a deleted value after what came later",
     "w a x 1; d a x d1; w a y 2; r b y 2; r b x 1; f n1 x -; f n1 y 2", "deleted x as d1",
     "monotonic-writes WriteCORead"},
    {PATTERN_FOLLOW_READ, "sees the answer without the question",
     "w a x 1; r b x 1; w b y 2; r c y 2; r c x -; f n1 x 1; f n1 y 2",
     "    line 2, 20-25 us: session b read x = 1\n    line 3, 30-35 us: session b wrote y = 2\n",
     "writes-follow-reads WriteCOInitRead"},
    {PATTERN_FOLLOW_READ, "sees a third's write undone",
     "w a x 1; w a x 2; r b x 2; w b y 3; r c y 3; r c x 1; f n1 x 2; f n1 y 3", "wrote y = 3",
     "writes-follow-reads WriteCORead"},
    {PATTERN_FOLLOW_READ, "forgets a context taken over",
     "w a x 1; w a x 2; c b a; r b x 1; f n1 x 2", "session b took over the context of session a",
     "writes-follow-reads WriteCORead"},
    {PATTERN_FOLLOW_READ, "forgets a context of so many lines ago",
     "w a x 1; w a x 2; w a x 3; c b a 2; r b x 1; f n1 x 3", "wrote x = 2",
     "writes-follow-reads WriteCORead"},
    {PATTERN_FOLLOW_READ, "what an unknown write stood on is missed",
     "w a x 1; w a y 2 unknown; r b y 2; r b x -; f n1 x 1; f n1 y 2", "unknown) y = 2",
     "writes-follow-reads WriteCOInitRead"},
    {PATTERN_CONFLICT, "shows two readers two orders",
     "w a x 1; w b x 2; r c x 1; r c x 2; r d x 2; r d x 1",
     "whoever read the next had seen it:\n    line 3, 30-35 us: session c read x = 1\n",
     "CyclicCF"},
    {PATTERN_CONFLICT, "shows one reader two orders", "w a x 1; w b x 2; r c x 1; r c x 2; r c x 1",
     "so would have come before itself", "CyclicCF"},
    {PATTERN_CONFLICT, "shows three readers a circle",
     "w a x 1; w b x 2; w c x 3; r d x 1; r d x 2; r e x 2; r e x 3; r f x 3; r f x 1",
     "session f read x = 1", "CyclicCF"},
    {PATTERN_CONFLICT, "a circle through two keys and a cause",
     "w a x 1; w a y 2; w b y 3; w b x 4; r c y 2; r c y 3; r d x 4; r d x 1", "  is a cause of\n",
     "CyclicCF"},
    {PATTERN_CONFLICT, "ends otherwise than a reader saw",
     "w a x 1; w b x 2; r c x 1; r c x 2; f n1 x 1", "at the end node n1 has x = 1", "CyclicCF"},
    {PATTERN_CONFLICT, "two keys end in two orders",
     "w a x 1; w a y 2; w b y 3; w b x 4; f n1 x 1; f n1 y 3",
     "was there at the end, when all had been seen", "CyclicCF"},
    {PATTERN_DIVERGED, "replicas differ", "w a x 1; w b x 2; f n1 x 1; f n2 x 2",
     "    line 3: at the end node n1 has x = 1\n    line 4: at the end node n2 has x = 2\n",
     "convergence"},
    {PATTERN_DIVERGED, "a replica without a key", "w a x 1; f n1 x 1; f n2 x -",
     "n2 has x = nothing", "convergence"},
    {PATTERN_LOST, "loses a key", "w a x 1; f n1 x -",
     "but this was acknowledged or seen, and no delete can have come after it", "lost-write"},
    {PATTERN_LOST, "loses the last write", "w a x 1; w a x 2; f n1 x 1", "  but after it:\n",
     "lost-write"},
    {PATTERN_LOST, "loses a write that was read", "w a x 1; r b x 1; w b x 2; f n1 x 1",
     "session b wrote x = 2", "lost-write"},
    {PATTERN_LOST, "loses a delete", "w a x 1; d a x d1; f n1 x 1", "deleted x as d1",
     "lost-write"},
    {PATTERN_LOST, "loses what came after a delete", "w a x 1; d a x d1; w a x 2; f n1 x -",
     "wrote x = 2", "lost-write"},
    {PATTERN_LOST, "loses the acknowledged before the unknown",
     "w a x 1; w a x 2; w a x 3 unknown; f n1 x 1", "wrote x = 2", "lost-write"},
    {PATTERN_LOST, "loses an unknown write that somebody saw", "w a x 1 unknown; r b x 1; f n1 x -",
     "(outcome unknown) x = 1", "lost-write"},
};

/* Each pattern has an example, by name, and beside it one that nearly shows it. */
static void test_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(papers) / sizeof(papers[0]); i++) {
        uint32_t bad = 0;
        uint32_t good = 0;
        for (size_t j = 0; j < sizeof(bads) / sizeof(bads[0]); j++)
            bad += strstr(bads[j].paper, papers[i]) != NULL;
        for (size_t j = 0; j < sizeof(goods) / sizeof(goods[0]); j++)
            good += goods[j].near != NULL && strstr(goods[j].near, papers[i]) != NULL;
        print_message("%-20s %u bad, %u nearly\n", papers[i], bad, good);
        assert_true(bad > 0);
        assert_true(good > 0);
    }
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
        struct buf lines = BUF_EMPTY;
        struct judged judged;
        judged_steps(goods[i].steps, &lines);
        judged_init(&judged, buf_slice(&lines));
        if (verdict_total(&judged.verdict) > 0)
            print_message("%s: %s\n", goods[i].what,
                          pattern_name(judged.verdict.findings[0].pattern));
        assert_int_equal(verdict_total(&judged.verdict), 0);
        assert_int_equal(judged.verdict.finding_count, 0);
        judged_fini(&judged);
        buf_fini(&lines);
    }
}

/* A story as a string; the caller frees it. */
static struct buf story_of(const struct judged *judged)
{
    struct buf story = BUF_EMPTY;
    verdict_tell(&judged->verdict, &judged->order, 0, &story);
    buf_u8(&story, 0);
    return story;
}

static void test_bad(void **state)
{
    (void)state;
    bool caught[PATTERN_COUNT] = {false};
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        struct buf lines = BUF_EMPTY;
        struct judged judged;
        judged_steps(bads[i].steps, &lines);
        judged_init(&judged, buf_slice(&lines));
        print_message("%s: %s\n", pattern_name(bads[i].pattern), bads[i].what);
        assert_int_equal(judged.verdict.counts[bads[i].pattern], 1);
        assert_int_equal(verdict_total(&judged.verdict), 1);
        struct buf story = story_of(&judged);
        if (strstr((const char *)story.ptr, bads[i].told) == NULL)
            print_message("%s", (const char *)story.ptr);
        assert_non_null(strstr((const char *)story.ptr, bads[i].told));
        caught[bads[i].pattern] = true;
        buf_fini(&story);
        judged_fini(&judged);
        buf_fini(&lines);
    }
    for (uint32_t i = 0; i < PATTERN_COUNT; i++)
        assert_true(caught[i]);
}

/* Names are chosen by others: they must not command the terminal of who reads the verdict, nor
 * fill it. */
static void test_names(void **state)
{
    (void)state;
    char steps[200];
    char wide[101] = {0};
    memset(wide, 'v', sizeof(wide) - 1);
    snprintf(steps, sizeof(steps), "r a \x1b[2J\xff %s", wide);
    struct buf lines = BUF_EMPTY;
    struct judged judged;
    judged_steps(steps, &lines);
    judged_init(&judged, buf_slice(&lines));
    struct buf story = story_of(&judged);
    assert_non_null(strstr((const char *)story.ptr, " read \\x1b[2J\\xff = vvvv"));
    assert_non_null(strstr((const char *)story.ptr, "vvvv... (100 bytes)"));
    assert_null(memchr(story.ptr, '\x1b', story.len));
    buf_fini(&story);
    judged_fini(&judged);
    buf_fini(&lines);
}

/* Each of three sessions sees that the other two are wrong: all are counted, told apart. */
static void test_counts(void **state)
{
    (void)state;
    struct buf lines = BUF_EMPTY;
    struct judged judged;
    judged_steps("w a x 1; w a x 2; r a x 1; r b x 2; r b x 1; r c x 9; r a x -; f n1 x 1; "
                 "f n2 x 2; f n3 x -; f n3 y -; w a z 3",
                 &lines);
    judged_init(&judged, buf_slice(&lines));
    assert_int_equal(judged.verdict.counts[PATTERN_READ_OWN], 2);
    assert_int_equal(judged.verdict.counts[PATTERN_MONOTONIC_READ], 1);
    assert_int_equal(judged.verdict.counts[PATTERN_THIN_AIR], 1);
    assert_int_equal(judged.verdict.counts[PATTERN_LOST], 1);
    assert_int_equal(judged.verdict.counts[PATTERN_DIVERGED], 2);
    assert_int_equal(verdict_total(&judged.verdict), 7);
    assert_int_equal(judged.verdict.finding_count, 7);
    assert_int_equal(judged.verdict.unread, 1);
    judged_fini(&judged);
    buf_fini(&lines);
}

/* More findings than are kept, and more than are counted. */
static void test_many(void **state)
{
    (void)state;
    struct buf lines = BUF_EMPTY;
    struct judged judged;
    judged_steps("w a x 1; w a x 2", &lines);
    for (uint32_t i = 0; i < 2 * COUNTED_MAX; i++)
        buf_append_slice(&lines, SLICE_LIT("r a 90 90 x 1 ok\n"));
    judged_init(&judged, buf_slice(&lines));
    assert_int_equal(verdict_total(&judged.verdict), COUNTED_MAX);
    assert_int_equal(judged.verdict.finding_count, FINDINGS_MAX);
    judged_fini(&judged);
    buf_fini(&lines);
}

/* A long way from the write to the read: told in few lines. */
static void test_long_story(void **state)
{
    (void)state;
    struct buf lines = BUF_EMPTY;
    struct judged judged;
    buf_append_slice(&lines, SLICE_LIT("w s0 1 1 x v ok\n"));
    for (uint32_t i = 0; i < 50; i++) {
        char text[128];
        snprintf(text, sizeof text, "w s%u 1 1 k%u v%u ok\nr s%u 1 1 k%u v%u ok\n", i, i, i, i + 1,
                 i, i);
        buf_append_slice(&lines, slice_str(text));
    }
    buf_append_slice(&lines, SLICE_LIT("r s50 1 1 x - ok\n"));
    judged_init(&judged, buf_slice(&lines));
    assert_int_equal(judged.verdict.counts[PATTERN_FOLLOW_READ], 1);
    struct buf story = story_of(&judged);
    uint32_t told = 0;
    for (size_t i = 0; i < story.len; i++)
        told += story.ptr[i] == '\n';
    assert_in_range(told, 10, 20);
    assert_non_null(strstr((const char *)story.ptr, "more causes"));
    buf_fini(&story);
    judged_fini(&judged);
    buf_fini(&lines);
}

/* Of a long and a short way round, the short one is told. */
static void test_short_cycle(void **state)
{
    (void)state;
    struct buf lines = BUF_EMPTY;
    struct judged judged;
    buf_append_slice(&lines, SLICE_LIT("r a 0 0 x 1 ok\nw a 0 0 p 2 ok\nr b 0 0 p 2 ok\n"
                                       "w b 0 0 q 3 ok\nr c 0 0 q 3 ok\nw c 0 0 r 4 ok\n"
                                       "r d 0 0 p 2 ok\nr d 0 0 r 4 ok\nw d 0 0 x 1 ok\n"));
    judged_init(&judged, buf_slice(&lines));
    assert_int_equal(judged.verdict.counts[PATTERN_CYCLE], 1);
    assert_int_equal(judged.verdict.cycle_count, 5); /* r a, w a, r d, r d, w d */
    for (uint32_t i = 0; i < judged.verdict.cycle_count; i++)
        assert_int_equal(judged.verdict.cycle[i].by, OP_NONE);
    judged_fini(&judged);
    buf_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named),      cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_counts),     cmocka_unit_test(test_many),
        cmocka_unit_test(test_long_story), cmocka_unit_test(test_short_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
