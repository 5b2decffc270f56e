/* test_index - the index of a slot under hashes that are worse than they should be.
 *
 * Does:   random inserts, removals and scans with good hashes, and with hashes that agree in the
 *         upper bits (no cut separates them), in the lower (one home group for all), in the
 *         middle (one tag), or altogether; every ref is found, none twice, and scans miss none.
 * Not:    keys: test_table.c.
 * Holds:  X1 to X4, B5.
 * Limits: -
 * See:    store/table_index.h.
 */
#include "unit.h"

#include "store/table_index.h"

#define REFS 6000U

struct run {
    struct rng rng;            /* of this test */
    struct index index;        /* under test */
    struct index_pool pool;    /* its surroundings */
    uint64_t seed;             /* of the hashes */
    uint64_t mask;             /* bits of the hash that differ between refs */
    bool there[REFS + 1];      /* refs in the index */
    bool owed[REFS + 1];       /* there since the scan began */
    uint32_t handed[REFS + 1]; /* times that the scan gave it */
};

static uint64_t hash_of(const struct run *run, uint32_t ref)
{
    return hash_seeded(slice_of(&ref, sizeof ref), run->seed) & run->mask;
}

static uint64_t pool_hash(const void *arg, uint32_t ref)
{
    return hash_of(arg, ref);
}

static void pool_fetch(const void *arg, uint32_t ref)
{
    const struct run *run = arg;
    assert_true(run->there[ref]);
}

static struct run *run_new(struct rng *rng, uint64_t mask)
{
    struct run *run = mem_zalloc(1, sizeof *run);
    rng_init(&run->rng, rng_u64(rng));
    run->seed = rng_u64(rng);
    run->mask = mask;
    run->pool = (struct index_pool){.hash = pool_hash, .fetch = pool_fetch, .table = run};
    return run;
}

static bool find(const struct run *run, uint32_t ref)
{
    struct index_probe probe;
    uint32_t place = 0;
    uint32_t found = 0;
    index__probe(&run->index, hash_of(run, ref), &probe);
    while (index__probe_next(&probe, &place))
        found += probe.refs[place] == ref;
    assert_true(found <= 1);
    return found == 1;
}

static void change(struct run *run, uint32_t puts_of_ten)
{
    uint32_t ref = 1 + (uint32_t)rng_below(&run->rng, REFS);
    bool put = rng_below(&run->rng, 10) < puts_of_ten;
    if (put == run->there[ref])
        return;
    if (put)
        index__insert(&run->index, &run->pool, hash_of(run, ref), ref);
    else
        index__remove(&run->index, &run->pool, hash_of(run, ref), ref);
    run->there[ref] = put;
    run->owed[ref] = false;
    run->handed[ref] = 0;
}

static void scan(struct run *run, uint32_t puts_of_ten)
{
    uint32_t position = 0;
    uint32_t generation = 0;
    memcpy(run->owed, run->there, sizeof run->owed);
    memset(run->handed, 0, sizeof run->handed);
    for (uint32_t steps = 0;; steps++) {
        uint32_t ref = index__scan(&run->index, &position, &generation);
        if (ref == 0)
            break;
        assert_true(steps < 100 * REFS);
        assert_true(run->there[ref]);
        run->handed[ref]++;
        for (uint64_t i = rng_below(&run->rng, 3); puts_of_ten < 11 && i > 0; i--)
            change(run, puts_of_ten);
    }
    for (uint32_t ref = 1; ref <= REFS; ref++) {
        if (run->owed[ref])
            assert_true(run->handed[ref] > 0);
        if (puts_of_ten == 11) /* at rest */
            assert_int_equal(run->handed[ref], run->there[ref]);
    }
}

static void compare(struct run *run)
{
    assert_int_equal(index__check(&run->index, &run->pool), run->pool.bytes);
    for (uint32_t ref = 1; ref <= REFS; ref++)
        assert_int_equal(find(run, ref), run->there[ref]);
    scan(run, 11);
}

static void run_all(uint64_t mask)
{
    struct rng rng = unit_rng();
    struct run *run = run_new(&rng, mask);
    static const uint32_t phases[] = {9, 5, 1, 8, 0};
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        for (uint32_t k = 0; k < 3 * REFS; k++)
            change(run, phases[i]);
        compare(run);
        scan(run, phases[i]);
        compare(run);
    }
    index__fini(&run->index, &run->pool);
    assert_int_equal(run->pool.bytes, 0);
    mem_free(run);
}

static void good_hashes(void **state)
{
    (void)state;
    run_all(UINT64_MAX);
}

static void few_upper_bits(void **state)
{
    (void)state;
    run_all(UINT64_MAX >> 14);
}

static void no_upper_bits(void **state)
{
    (void)state;
    run_all(UINT64_MAX >> 16);
}

static void one_home_group(void **state)
{
    (void)state;
    run_all(UINT64_MAX << 32);
}

static void one_tag(void **state)
{
    (void)state;
    run_all(~(UINT64_C(0xffff) << 32));
}

static void one_hash(void **state)
{
    (void)state;
    run_all(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_hashes),   cmocka_unit_test(few_upper_bits),
        cmocka_unit_test(no_upper_bits), cmocka_unit_test(one_home_group),
        cmocka_unit_test(one_tag),       cmocka_unit_test(one_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
