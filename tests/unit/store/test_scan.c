/* test_scan - walking a slot while it changes.
 *
 * Does:   scans among random puts and removals, in slots that grow, shrink, are emptied, and are
 *         cut into parts meanwhile: what was there from beginning to end was handed out, and
 *         what is handed out is there; a scan of a slot at rest hands out each version once.
 * Not:    -
 * Holds:  B5.
 * Limits: -
 * See:    store/table.h; docs/protocol.md section 4.4.
 */
#include "unit.h"

#include "store/store.h"

#define KEYS_MAX 20000U

struct run {
    struct rng rng;            /* of this test */
    struct table *table;       /* under test */
    uint32_t slot;             /* all keys are in it */
    uint64_t seqs[KEYS_MAX];   /* of the version of each key, 0: none */
    uint32_t handed[KEYS_MAX]; /* how often the scan gave this version; 0 when it changed */
    uint32_t there[KEYS_MAX];  /* 1: this very version was there when the scan began */
    uint32_t keys;             /* numbers in use */
    uint64_t seq;              /* given out last */
};

static struct slice key_make(uint32_t number, char key[32])
{
    int len = snprintf(key, 32, "{tag}%u", number);
    return slice_of(key, (size_t)len);
}

static struct run *run_new(void)
{
    struct run *run = mem_zalloc(1, sizeof *run);
    char text[32];
    run->rng = unit_rng();
    run->table = table_new(rng_u64(&run->rng));
    run->slot = slot_of(key_make(0, text));
    return run;
}

static void run_free(struct run *run)
{
    table_check(run->table);
    table_free(run->table);
    mem_free(run);
}

static void put(struct run *run, uint32_t number)
{
    char text[32];
    run->seq++;
    struct version version = {.dot = {.actor = 1, .seq = run->seq},
                              .hlc = run->seq,
                              .form = VALUE_JSON,
                              .key = key_make(number, text),
                              .value = slice_of(&number, sizeof number)};
    table_put(run->table, run->slot, &version, 0);
    run->seqs[number] = run->seq;
    run->handed[number] = 0;
    run->there[number] = 0;
}

static void take_away(struct run *run, uint32_t number)
{
    char text[32];
    table_ref ref = table_find(run->table, run->slot, key_make(number, text));
    assert_int_equal(ref != 0, run->seqs[number] != 0);
    if (ref == 0)
        return;
    table_remove(run->table, ref);
    run->seqs[number] = 0;
    run->handed[number] = 0;
    run->there[number] = 0;
}

static void change(struct run *run, uint32_t puts_of_ten)
{
    uint32_t number = (uint32_t)rng_below(&run->rng, run->keys);
    if (rng_below(&run->rng, 10) < puts_of_ten)
        put(run, number);
    else
        take_away(run, number);
}

static bool scan_step(struct run *run, struct table_scan *scan)
{
    table_ref ref = table_scan_next(run->table, scan);
    if (ref == 0)
        return false;
    struct version version;
    uint32_t number = 0;
    table_view(run->table, ref, &version);
    memcpy(&number, version.value.ptr, sizeof number);
    assert_true(number < run->keys);
    assert_int_equal(version.dot.seq, run->seqs[number]);
    run->handed[number]++;
    return true;
}

static void scan_begin(struct run *run, struct table_scan *scan)
{
    for (uint32_t i = 0; i < run->keys; i++) {
        run->handed[i] = 0;
        run->there[i] = run->seqs[i] != 0;
    }
    table_scan_begin(run->table, scan, run->slot);
}

/* One scan with `changes` changes between two of its steps, on average one in `den`. */
static void scan_among_changes(struct run *run, uint32_t puts_of_ten, uint64_t num, uint64_t den)
{
    struct table_scan scan;
    scan_begin(run, &scan);
    uint64_t steps = 0;
    while (scan_step(run, &scan)) {
        steps++;
        assert_true(steps < 50 * (uint64_t)KEYS_MAX);
        while (rng_below(&run->rng, num + den) < num)
            change(run, puts_of_ten);
    }
    for (uint32_t i = 0; i < run->keys; i++)
        if (run->there[i])
            assert_true(run->handed[i] > 0);
    assert_int_equal(table_scan_next(run->table, &scan), 0);
}

static void a_slot_at_rest_gives_each_version_once(void **state)
{
    (void)state;
    struct run *run = run_new();
    for (run->keys = 0; run->keys < KEYS_MAX; run->keys += 1 + run->keys / 3) {
        for (uint32_t i = 0; i < run->keys; i++)
            put(run, i);
        struct table_scan scan;
        scan_begin(run, &scan);
        while (scan_step(run, &scan)) {}
        for (uint32_t i = 0; i < run->keys; i++)
            assert_int_equal(run->handed[i], 1);
    }
    run_free(run);
}

static void nothing_is_missed_in_small_slots(void **state)
{
    (void)state;
    struct run *run = run_new();
    for (uint32_t round = 0; round < 2000; round++) {
        run->keys = 1 + (uint32_t)rng_below(&run->rng, 100);
        for (uint32_t i = run->keys; i < 100; i++)
            take_away(run, i);
        scan_among_changes(run, 1 + (uint32_t)rng_below(&run->rng, 9), 1 + rng_below(&run->rng, 3),
                           1 + rng_below(&run->rng, 3));
    }
    run_free(run);
}

static void nothing_is_missed_while_a_slot_grows(void **state)
{
    (void)state;
    struct run *run = run_new();
    run->keys = KEYS_MAX;
    for (uint32_t round = 0; round < 12; round++) {
        for (uint32_t i = 0; i < KEYS_MAX / 20; i++)
            change(run, 9);
        scan_among_changes(run, 9, 1, 1);
    }
    run_free(run);
}

static void nothing_is_missed_while_a_slot_shrinks(void **state)
{
    (void)state;
    struct run *run = run_new();
    run->keys = KEYS_MAX;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < KEYS_MAX; i++)
            put(run, i);
        for (uint32_t scans = 0; scans < 5; scans++)
            scan_among_changes(run, 1, 2, 3);
    }
    run_free(run);
}

/* The range drop of a slot that is given away: what is handed out is removed at once. */
static void a_slot_is_emptied_by_its_scan(void **state)
{
    (void)state;
    struct run *run = run_new();
    run->keys = KEYS_MAX;
    for (uint32_t i = 0; i < KEYS_MAX; i++)
        put(run, i);
    struct table_scan scan;
    table_scan_begin(run->table, &scan, run->slot);
    uint32_t removed = 0;
    for (table_ref ref = table_scan_next(run->table, &scan); ref != 0;
         ref = table_scan_next(run->table, &scan)) {
        table_remove(run->table, ref);
        removed++;
    }
    assert_int_equal(removed, KEYS_MAX);
    assert_int_equal(table_slot_live(run->table, run->slot), 0);
    run_free(run);
}

static void a_slot_may_be_emptied_and_filled_meanwhile(void **state)
{
    (void)state;
    struct run *run = run_new();
    run->keys = 5000;
    for (uint32_t i = 0; i < run->keys; i++)
        put(run, i);
    struct table_scan scan;
    scan_begin(run, &scan);
    for (uint32_t i = 0; i < 2500; i++)
        assert_true(scan_step(run, &scan));
    for (uint32_t i = 0; i < run->keys; i++)
        take_away(run, i);
    for (uint32_t i = 0; i < 50; i++)
        put(run, i);
    while (scan_step(run, &scan)) {}
    scan_begin(run, &scan);
    while (scan_step(run, &scan)) {}
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(run->handed[i], 1);
    run_free(run);
}

static void an_empty_slot_has_nothing(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct table_scan scan;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        table_scan_begin(table, &scan, slot);
        assert_int_equal(table_scan_next(table, &scan), 0);
        assert_int_equal(table_scan_next(table, &scan), 0);
    }
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_at_rest_gives_each_version_once),
        cmocka_unit_test(nothing_is_missed_in_small_slots),
        cmocka_unit_test(nothing_is_missed_while_a_slot_grows),
        cmocka_unit_test(nothing_is_missed_while_a_slot_shrinks),
        cmocka_unit_test(a_slot_is_emptied_by_its_scan),
        cmocka_unit_test(a_slot_may_be_emptied_and_filled_meanwhile),
        cmocka_unit_test(an_empty_slot_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
