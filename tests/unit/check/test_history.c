/* test_history - lines become operations, or a sentence says why not.
 *
 * Does:   every kind of line, every refusal with its sentence and line; names; who read from whom.
 * Not:    judging: test_judge.c.
 * Holds:  -
 * Limits: -
 * See:    src/check/history.h.
 */
#include "unit.h"

#include "judged.h"

struct refusal {
    const char *lines; /* the last one is refused, or the history as a whole */
    uint32_t where;    /* the line that is named */
    const char *why;   /* the sentence */
};

static const struct refusal refusals[] = {
    {"x", 1, "a line is w, d or r and six words, c and three or four, or f and three"},
    {"w a 1 2 x 1", 1, "a line is w, d or r and six words, c and three or four, or f and three"},
    {"w a 1 2 x 1 ok ok", 1,
     "a line is w, d or r and six words, c and three or four, or f and three"},
    {"w a 1 2 x 1 ok ok ok ok ok", 1,
     "a line is w, d or r and six words, c and three or four, or f and three"},
    {"c a 1", 1, "a line is w, d or r and six words, c and three or four, or f and three"},
    {"f n x", 1, "a line is w, d or r and six words, c and three or four, or f and three"},
    {"f n x 1 2", 1, "a line is w, d or r and six words, c and three or four, or f and three"},
    {"# good\n\nw  a 1 2 x 1 ok", 3, "words have one space between them"},
    {" w a 1 2 x 1 ok", 1, "words have one space between them"},
    {"w a 1 2 x 1 ok ", 1, "words have one space between them"},
    {" ", 1, "words have one space between them"},
    {"w a 1 two x 1 ok", 1, "START and END are numbers of microseconds"},
    {"r a -1 2 x 1 ok", 1, "START and END are numbers of microseconds"},
    {"r a 1 1234567890123456789 x 1 ok", 1, "START and END are numbers of microseconds"},
    {"w a 2 1 x 1 ok", 1, "END is before START"},
    {"w a 2 3 x 1 ok\nr a 1 4 x 1 ok", 2, "a session has begun something later already"},
    {"w a 2 3 x 1 no\nc a 1 b", 2, "a session has begun something later already"},
    {"w a 1 2 x 1 OK", 1, "the fate of an operation is ok, no or unknown"},
    {"w a 1 2 x - ok", 1, "- is no value and names no delete"},
    {"d a 1 2 x - ok", 1, "- is no value and names no delete"},
    {"c a now b", 1, "TIME is a number of microseconds"},
    {"w b 1 2 x 1 ok\nc a 1 b one", 2, "COUNT is a number of lines"},
    {"w b 1 2 x 1 ok\nc a 1 b 2", 2, "OTHER does not have so many lines yet"},
    {"c a 1 b 1", 1, "OTHER does not have so many lines yet"},
    {"w a 1 2 x 1 ok\nw b 1 2 y 1 ok\nr a 1 2 x 1 ok", 2,
     "a value or the name of a delete is used twice"},
    {"w a 1 2 x 1 ok\nd a 1 2 x 1 ok", 2, "a value or the name of a delete is used twice"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct history history;
        uint32_t where = 0;
        const char *why = "nothing";
        history_init(&history);
        bool good = judged_read(&history, slice_str(refusals[i].lines), &where, &why);
        print_message("%s\n", refusals[i].lines);
        assert_false(good);
        assert_string_equal(why, refusals[i].why);
        assert_int_equal(where, refusals[i].where);
        history_fini(&history);
    }
}

static void read_good(struct history *history, const char *lines)
{
    uint32_t where = 0;
    const char *why = "";
    history_init(history);
    assert_true(judged_read(history, slice_str(lines), &where, &why));
}

static void test_lines(void **state)
{
    (void)state;
    struct history history;
    read_good(&history, "# a comment that is  no line of words\n\n"
                        "w a 0 999999999999999999 x 1 ok\n"
                        "d a 3 3 x d1 unknown\n"
                        "r b 4 5 x 1 ok\n"
                        "r b 6 7 x - ok\n"
                        "f n1 x -\n"
                        "f n1 y 5");
    assert_int_equal(history.count, 4);
    assert_int_equal(history.lines, 8);
    assert_int_equal(history.unknown, 1);
    assert_int_equal(history.refused, 0);
    assert_int_equal(history.sessions.count, 2);
    assert_int_equal(history.keys.count, 2);
    assert_int_equal(history.nodes.count, 1);
    const struct op *ops = history.ops;
    assert_int_equal(ops[0].kind, OP_WRITE);
    assert_int_equal(ops[0].line, 3);
    assert_int_equal(ops[0].end_us, UINT64_C(999999999999999999));
    assert_int_equal(ops[0].before, OP_NONE);
    assert_true(ops[0].source == OP_NONE && ops[0].taken == OP_NONE);
    assert_int_equal(ops[1].kind, OP_DELETE);
    assert_true(ops[1].unknown);
    assert_false(ops[1].observed);
    assert_int_equal(ops[1].before, 0);
    assert_int_equal(ops[2].kind, OP_READ);
    assert_int_equal(ops[2].source, 0);
    assert_int_equal(ops[3].value, NAMES_NONE);
    assert_int_equal(ops[3].source, OP_NONE);
    assert_int_equal(ops[3].before, 2);
    assert_int_equal(history.final_count, 2);
    assert_int_equal(history.finals[0].value, NAMES_NONE);
    assert_string_equal(names_text(&history.values, history.finals[1].value), "5");
    history_fini(&history);
}

/* A session goes on without what was refused and without what is unknown. */
static void test_fates(void **state)
{
    (void)state;
    struct history history;
    read_good(&history, "w a 0 1 x 1 ok\nw a 0 1 x 2 no\nw a 0 1 x 3 unknown\nr a 0 1 x 9 no\n"
                        "r a 0 1 x 9 unknown\nw a 0 1 x 4 ok\nr b 0 1 x 3 ok\nr b 0 1 x 2 ok\n"
                        "r b 0 1 y 4 ok");
    assert_int_equal(history.count, 6);
    assert_int_equal(history.refused, 3);
    assert_int_equal(history.unknown, 1);
    assert_int_equal(history.ops[1].before, 0);
    assert_int_equal(history.ops[2].before, 0);
    assert_true(history.ops[1].observed);
    assert_int_equal(history.ops[3].source, 1);
    assert_int_equal(history.ops[4].source, OP_NONE); /* refused: nobody wrote it */
    assert_int_equal(history.ops[5].source, OP_NONE); /* another key */
    history_fini(&history);
}

static void test_takes(void **state)
{
    (void)state;
    struct history history;
    read_good(&history, "c b 1 a\n"        /* nobody yet */
                        "w a 0 1 x 1 ok\n" /* 0; a's lines: 1 */
                        "w a 0 1 x 2 no\n" /*    a's lines: 2 */
                        "c b 2 a 0\n"      /*    nothing seen yet */
                        "c b 3 a 2\n"      /* 1: takes 0 */
                        "w a 0 1 x 3 ok\n" /* 2; a's lines: 3 */
                        "c b 4 a 1\n"      /* 3: takes 0 */
                        "c b 5 a\n"        /* 4: takes 2 */
                        "c b 6 b 1\n"      /*    itself */
                        "r b 6 7 x 3 ok\n" /* 5; b's lines: 7 */
                        "c a 7 b 4\n"      /* 6: takes 3 */
                        "c c 8 b 2\n"      /*    nothing */
                        "c c 9 b 3\n");    /* 7: takes 1 */
    assert_int_equal(history.count, 8);
    static const uint32_t takes[] = {1, 3, 4, 6, 7};
    static const uint32_t taken[] = {0, 0, 2, 3, 1};
    static const uint32_t before[] = {OP_NONE, 1, 3, 2, OP_NONE};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(history.ops[takes[i]].kind, OP_TAKE);
        assert_int_equal(history.ops[takes[i]].taken, taken[i]);
        assert_int_equal(history.ops[takes[i]].before, before[i]);
    }
    assert_int_equal(history.ops[5].before, 4);
    history_fini(&history);
}

static void test_names(void **state)
{
    (void)state;
    struct names names;
    names_init(&names);
    assert_int_equal(names_find(&names, SLICE_LIT("n0")), NAMES_NONE);
    for (uint32_t i = 0; i < 10000; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "n%u", i);
        assert_int_equal(names_add(&names, slice_of(text, (size_t)len)), i);
        assert_int_equal(names_add(&names, slice_of(text, (size_t)len)), i);
    }
    assert_int_equal(names.count, 10000);
    assert_int_equal(names_find(&names, SLICE_LIT("n777")), 777);
    assert_int_equal(names_find(&names, SLICE_LIT("n10000")), NAMES_NONE);
    assert_int_equal(names_find(&names, SLICE_LIT("n")), NAMES_NONE);
    assert_string_equal(names_text(&names, 9999), "n9999");
    assert_int_equal(names_add(&names, slice_of("a\0b", 3)), 10000); /* any bytes */
    assert_int_equal(names_find(&names, SLICE_LIT("a")), NAMES_NONE);
    names_fini(&names);
}

/* Joined at random, kept beside plain vectors. */
static void test_clocks(void **state)
{
    (void)state;
    enum { ENTRIES = 40, ROWS = 400 };
    struct rng rng = unit_rng();
    static uint32_t plain[ROWS][ENTRIES];
    struct clocks clocks;
    clocks_init(&clocks, ENTRIES);
    memset(plain, 0, sizeof(plain));
    for (uint32_t row = 1; row < ROWS; row++) {
        uint32_t a = (uint32_t)rng_below(&rng, row);
        uint32_t b = (uint32_t)rng_below(&rng, row);
        uint32_t entry = (uint32_t)rng_below(&rng, ENTRIES);
        uint32_t value = (uint32_t)rng_below(&rng, 100);
        assert_int_equal(clocks_join(&clocks, a, b, entry, value), row);
        for (uint32_t i = 0; i < ENTRIES; i++)
            plain[row][i] = plain[a][i] > plain[b][i] ? plain[a][i] : plain[b][i];
        if (plain[row][entry] < value)
            plain[row][entry] = value;
    }
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t i = 0; i < ENTRIES; i++)
            assert_int_equal(clocks_get(&clocks, row, i), plain[row][i]);
    assert_true(clocks.leaf_count < ROWS * clocks.width);
    clocks_fini(&clocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_fates),    cmocka_unit_test(test_takes),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
