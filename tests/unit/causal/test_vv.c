/* test_vv - version vectors against sets of dots and a plain map.
 *
 * Does:   small universe: every vector of three actors and seqs up to three, every pair and
 *         triple, against the set of its dots as bits. Big universe: random ones against an
 *         array indexed by actor.
 * Not:    -
 * Holds:  V1 to V3; the laws of a lattice.
 * Limits: -
 * See:    causal/vv.h.
 */
#include "unit.h"

#include "causal/causal.h"

/* --- the small universe: a vector is a set of dots, a set of dots is 9 bits */

#define ACTORS 3U
#define SEQS 3U
#define VECTORS 64U /* (SEQS + 1) to the power of ACTORS */

/* Ids far apart, so that order and not distance is what is tested. */
static const uint32_t actor_ids[ACTORS] = {1, 7, UINT32_MAX};

/* The index-th vector of the small universe: a number of base 4, one digit an actor. */
static uint32_t digit_of(uint32_t index, uint32_t actor)
{
    return index >> (2 * actor) & 3;
}

static void small_vv(uint32_t index, struct vv *vv)
{
    vv_init(vv);
    for (uint32_t a = 0; a < ACTORS; a++)
        assert_true(vv_set(vv, actor_ids[a], digit_of(index, a)));
    vv_check(vv);
}

static uint32_t small_dots(uint32_t index)
{
    uint32_t dots = 0;
    for (uint32_t a = 0; a < ACTORS; a++)
        for (uint32_t seq = 1; seq <= digit_of(index, a); seq++)
            dots |= 1U << (a * SEQS + seq - 1);
    return dots;
}

/* The dots of vv, asked one by one. */
static uint32_t dots_of(const struct vv *vv)
{
    uint32_t dots = 0;
    for (uint32_t a = 0; a < ACTORS; a++)
        for (uint32_t seq = 1; seq <= SEQS; seq++)
            if (vv_covers(vv, (struct dot){actor_ids[a], seq}))
                dots |= 1U << (a * SEQS + seq - 1);
    return dots;
}

static bool subset(uint32_t low, uint32_t high)
{
    return (low & ~high) == 0;
}

static enum vv_order order_by_dots(uint32_t a, uint32_t b)
{
    if (a == b)
        return VV_EQUAL;
    if (subset(a, b))
        return VV_BEFORE;
    return subset(b, a) ? VV_AFTER : VV_CONCURRENT;
}

static void small_vectors_hold_their_dots(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VECTORS; i++) {
        struct vv vv;
        small_vv(i, &vv);
        assert_int_equal(dots_of(&vv), small_dots(i));
        for (uint32_t a = 0; a < ACTORS; a++)
            assert_int_equal(vv_get(&vv, actor_ids[a]), digit_of(i, a));
        assert_int_equal(vv_get(&vv, 2), 0);
        assert_int_equal(vv_get(&vv, 8), 0);
        assert_true(vv_covers(&vv, (struct dot){0, 0}));
    }
}

static void small_pairs_compare_as_sets(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VECTORS; i++) {
        for (uint32_t j = 0; j < VECTORS; j++) {
            struct vv a;
            struct vv b;
            small_vv(i, &a);
            small_vv(j, &b);
            assert_int_equal(vv_compare(&a, &b), order_by_dots(small_dots(i), small_dots(j)));
            assert_int_equal(vv_contains(&a, &b), subset(small_dots(j), small_dots(i)));
        }
    }
}

/* What pruning i by the stable vector j must leave: whole entries, not dots. */
static uint32_t pruned_dots(uint32_t i, uint32_t j)
{
    uint32_t kept = i;
    for (uint32_t a = 0; a < ACTORS; a++)
        if (digit_of(i, a) <= digit_of(j, a))
            kept &= ~(3U << (2 * a));
    return small_dots(kept);
}

static void small_pairs_merge_meet_and_prune_as_sets(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VECTORS; i++) {
        for (uint32_t j = 0; j < VECTORS; j++) {
            struct vv b;
            struct vv merged;
            struct vv met;
            struct vv pruned;
            small_vv(i, &merged);
            small_vv(i, &met);
            small_vv(i, &pruned);
            small_vv(j, &b);
            assert_true(vv_merge(&merged, &b));
            vv_meet(&met, &b);
            vv_prune(&pruned, &b);
            vv_check(&merged);
            vv_check(&met);
            vv_check(&pruned);
            assert_int_equal(dots_of(&merged), small_dots(i) | small_dots(j));
            assert_int_equal(dots_of(&met), small_dots(i) & small_dots(j));
            assert_int_equal(dots_of(&pruned), pruned_dots(i, j));
            assert_int_equal(dots_of(&b), small_dots(j));
        }
    }
}

/* --- laws, by the operations alone */

static struct vv merge_of(const struct vv *a, const struct vv *b)
{
    struct vv result;
    vv_copy(&result, a);
    assert_true(vv_merge(&result, b));
    return result;
}

static struct vv meet_of(const struct vv *a, const struct vv *b)
{
    struct vv result;
    vv_copy(&result, a);
    vv_meet(&result, b);
    return result;
}

static bool same(const struct vv *a, const struct vv *b)
{
    return vv_compare(a, b) == VV_EQUAL;
}

static void order_is_reflexive_and_antisymmetric(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VECTORS; i++) {
        for (uint32_t j = 0; j < VECTORS; j++) {
            struct vv a;
            struct vv b;
            small_vv(i, &a);
            small_vv(j, &b);
            assert_int_equal(same(&a, &b), i == j);
            assert_int_equal(vv_contains(&a, &b) && vv_contains(&b, &a), i == j);
            assert_int_equal(vv_compare(&a, &b) == VV_BEFORE, vv_compare(&b, &a) == VV_AFTER);
        }
    }
}

static void pair_laws(const struct vv *a, const struct vv *b)
{
    struct vv ab = merge_of(a, b);
    struct vv ba = merge_of(b, a);
    struct vv a_meets_b = meet_of(a, b);
    struct vv b_meets_a = meet_of(b, a);
    assert_true(same(&ab, &ba));
    assert_true(same(&a_meets_b, &b_meets_a));
    assert_true(vv_contains(&ab, a) && vv_contains(&ab, b));
    assert_true(vv_contains(a, &a_meets_b) && vv_contains(b, &a_meets_b));
    struct vv absorbed = merge_of(a, &a_meets_b);
    assert_true(same(&absorbed, a));
}

/* Transitive; nothing smaller than the merge bounds both, nothing greater than the meet is below
 * both; associative. */
static void triple_laws(const struct vv *a, const struct vv *b, const struct vv *c)
{
    struct vv ab = merge_of(a, b);
    struct vv bc = merge_of(b, c);
    struct vv met = meet_of(a, b);
    struct vv b_meets_c = meet_of(b, c);
    if (vv_contains(b, a) && vv_contains(c, b))
        assert_true(vv_contains(c, a));
    assert_int_equal(vv_contains(c, a) && vv_contains(c, b), vv_contains(c, &ab));
    assert_int_equal(vv_contains(a, c) && vv_contains(b, c), vv_contains(&met, c));
    struct vv left = merge_of(&ab, c);
    struct vv right = merge_of(a, &bc);
    assert_true(same(&left, &right));
    left = meet_of(&met, c);
    right = meet_of(a, &b_meets_c);
    assert_true(same(&left, &right));
}

static void laws_hold_for_all_small_triples(void **state)
{
    (void)state;
    struct vv all[VECTORS];
    for (uint32_t i = 0; i < VECTORS; i++)
        small_vv(i, &all[i]);
    for (uint32_t i = 0; i < VECTORS; i++) {
        for (uint32_t j = 0; j < VECTORS; j++) {
            pair_laws(&all[i], &all[j]);
            for (uint32_t k = 0; k < VECTORS; k++)
                triple_laws(&all[i], &all[j], &all[k]);
        }
    }
}

/* --- the big universe: a map from actor to seq */

#define BIG_ACTORS 400U

struct map {
    uint64_t seqs[BIG_ACTORS]; /* by actor - 1 */
};

static uint32_t map_size(const struct map *map)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < BIG_ACTORS; i++)
        size += map->seqs[i] > 0;
    return size;
}

/* vv says what map says, and nothing else. */
static void assert_is_map(const struct vv *vv, const struct map *map)
{
    vv_check(vv);
    assert_int_equal(vv->count, map_size(map));
    for (uint32_t i = 0; i < BIG_ACTORS; i++)
        assert_int_equal(vv_get(vv, i + 1), map->seqs[i]);
}

static uint64_t random_seq(struct rng *rng)
{
    return rng_chance(rng, 1, 8) ? rng_u64(rng) | 1 : rng_between(rng, 1, 5);
}

/* A map of up to `most` actors of those below `actors`, and its vector. */
static void random_map(struct rng *rng, uint32_t actors, uint32_t most, struct map *map,
                       struct vv *vv)
{
    *map = (struct map){{0}};
    vv_init(vv);
    uint32_t count = (uint32_t)rng_between(rng, 0, most);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t actor = (uint32_t)rng_between(rng, 1, actors);
        map->seqs[actor - 1] = random_seq(rng);
        assert_true(vv_set(vv, actor, map->seqs[actor - 1]));
    }
}

static void random_writes_match_a_map(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct map map = {{0}};
    struct vv vv;
    vv_init(&vv);
    uint32_t refused = 0;
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t actor = (uint32_t)rng_between(&rng, 1, BIG_ACTORS);
        uint64_t seq = rng_chance(&rng, 1, 4) ? 0 : random_seq(&rng);
        uint64_t *entry = &map.seqs[actor - 1];
        bool fits = seq == 0 || *entry > 0 || map_size(&map) < LIMIT_VV_ENTRIES;
        bool raise = rng_chance(&rng, 1, 2);
        bool done = raise ? vv_raise(&vv, actor, seq) : vv_set(&vv, actor, seq);
        assert_int_equal(done, fits);
        refused += !fits;
        if (fits && (!raise || seq > *entry))
            *entry = seq;
        if (step % 50 == 0)
            assert_is_map(&vv, &map);
        assert_int_equal(vv_covers(&vv, (struct dot){actor, 3}), *entry >= 3);
    }
    assert_is_map(&vv, &map);
    assert_true(refused > 0);
}

static enum vv_order order_by_map(const struct map *a, const struct map *b)
{
    bool more = false;
    bool less = false;
    for (uint32_t i = 0; i < BIG_ACTORS; i++) {
        more |= a->seqs[i] > b->seqs[i];
        less |= a->seqs[i] < b->seqs[i];
    }
    if (more && less)
        return VV_CONCURRENT;
    if (more)
        return VV_AFTER;
    return less ? VV_BEFORE : VV_EQUAL;
}

static void assert_pair_is_maps(struct vv *a, const struct map *x, const struct vv *b,
                                const struct map *y)
{
    struct map merged = *x;
    struct map met = *x;
    struct map pruned = *x;
    for (uint32_t i = 0; i < BIG_ACTORS; i++) {
        if (y->seqs[i] > x->seqs[i])
            merged.seqs[i] = y->seqs[i];
        else
            met.seqs[i] = y->seqs[i];
        if (x->seqs[i] <= y->seqs[i])
            pruned.seqs[i] = 0;
    }
    struct vv result;
    vv_copy(&result, a);
    vv_meet(&result, b);
    assert_is_map(&result, &met);
    vv_copy(&result, a);
    vv_prune(&result, b);
    assert_is_map(&result, &pruned);
    bool fits = map_size(&merged) <= LIMIT_VV_ENTRIES;
    assert_int_equal(vv_merge(a, b), fits);
    assert_is_map(a, fits ? &merged : x);
}

/* Few actors make orders and meets likely, many make the limit likely. */
static void random_pairs_match_maps(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t seen[4] = {0};
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t actors = rng_chance(&rng, 1, 2) ? BIG_ACTORS : (uint32_t)rng_between(&rng, 1, 12);
        uint32_t most = rng_chance(&rng, 1, 2) ? LIMIT_VV_ENTRIES : 4;
        struct map x;
        struct map y;
        struct vv a;
        struct vv b;
        random_map(&rng, actors, most, &x, &a);
        random_map(&rng, actors, most, &y, &b);
        enum vv_order order = order_by_map(&x, &y);
        seen[order]++;
        assert_int_equal(vv_compare(&a, &b), order);
        assert_int_equal(vv_contains(&b, &a), order == VV_EQUAL || order == VV_BEFORE);
        assert_pair_is_maps(&a, &x, &b, &y);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_true(seen[i] > 0);
}

static void a_vector_works_on_itself(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VECTORS; i++) {
        struct vv vv;
        small_vv(i, &vv);
        assert_true(vv_merge(&vv, &vv));
        assert_int_equal(dots_of(&vv), small_dots(i));
        vv_meet(&vv, &vv);
        assert_int_equal(dots_of(&vv), small_dots(i));
        vv_copy(&vv, &vv);
        assert_int_equal(dots_of(&vv), small_dots(i));
        vv_prune(&vv, &vv);
        assert_int_equal(vv.count, 0);
    }
}

static void check_finds_what_is_broken(void **state)
{
    (void)state;
    struct vv vv = {.count = 2, .entries = {{1, 5}, {2, 6}}};
    vv_check(&vv);
    vv.entries[1].actor = 1;
    expect_assert_failure(vv_check(&vv)); /* V1 */
    vv.entries[1].actor = 2;
    vv.entries[1].seq = 0;
    expect_assert_failure(vv_check(&vv)); /* V2 */
    vv.entries[1].seq = 6;
    vv.entries[0].actor = 0;
    expect_assert_failure(vv_check(&vv)); /* V2 */
    vv.count = LIMIT_VV_ENTRIES + 1;
    expect_assert_failure(vv_check(&vv)); /* V3 */
    vv_init(&vv);
    expect_assert_failure(vv_set(&vv, 0, 1));
    expect_assert_failure(vv_raise(&vv, 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_vectors_hold_their_dots),
        cmocka_unit_test(small_pairs_compare_as_sets),
        cmocka_unit_test(small_pairs_merge_meet_and_prune_as_sets),
        cmocka_unit_test(order_is_reflexive_and_antisymmetric),
        cmocka_unit_test(laws_hold_for_all_small_triples),
        cmocka_unit_test(random_writes_match_a_map),
        cmocka_unit_test(random_pairs_match_maps),
        cmocka_unit_test(a_vector_works_on_itself),
        cmocka_unit_test(check_finds_what_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
