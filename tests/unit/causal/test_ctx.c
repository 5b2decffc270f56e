/* test_ctx - contexts: union, emptiness, what is refused.
 *
 * Does:   merge field by field against the vectors' own merge; the limit; C1, C2.
 * Not:    the vector itself: test_vv.
 * Holds:  C1, C2.
 * Limits: -
 * See:    causal/ctx.h.
 */
#include "unit.h"

#include "causal/causal.h"

static void random_ctx(struct rng *rng, struct ctx *ctx)
{
    ctx_init(ctx);
    if (rng_chance(rng, 1, 4))
        return;
    ctx->lineage = 77;
    ctx->fence = rng_below(rng, 10);
    uint32_t count = (uint32_t)rng_below(rng, 8);
    for (uint32_t i = 0; i < count; i++)
        assert_true(vv_raise(&ctx->seen, (uint32_t)rng_between(rng, 1, 12), rng_below(rng, 9)));
    ctx_check(ctx);
}

static bool same(const struct ctx *a, const struct ctx *b)
{
    return a->lineage == b->lineage && a->fence == b->fence &&
           vv_compare(&a->seen, &b->seen) == VV_EQUAL;
}

static void merge_takes_the_greater_of_everything(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 10000; round++) {
        struct ctx a;
        struct ctx b;
        struct ctx merged;
        random_ctx(&rng, &a);
        random_ctx(&rng, &b);
        ctx_copy(&merged, &a);
        assert_true(same(&merged, &a));
        assert_true(ctx_merge(&merged, &b));
        ctx_check(&merged);
        assert_int_equal(merged.lineage, a.lineage | b.lineage);
        assert_int_equal(merged.fence, a.fence > b.fence ? a.fence : b.fence);
        struct vv seen;
        vv_copy(&seen, &a.seen);
        assert_true(vv_merge(&seen, &b.seen));
        assert_int_equal(vv_compare(&seen, &merged.seen), VV_EQUAL);
        assert_true(ctx_merge(&b, &a));
        assert_true(same(&merged, &b));
    }
}

static void a_union_beyond_the_limit_changes_nothing(void **state)
{
    (void)state;
    struct ctx a;
    struct ctx b;
    ctx_init(&a);
    ctx_init(&b);
    b.lineage = 5;
    b.fence = 9;
    for (uint32_t i = 1; i <= LIMIT_VV_ENTRIES; i++) {
        assert_true(vv_set(&a.seen, 2 * i, 1));
        assert_true(vv_set(&b.seen, 2 * i, 2));
    }
    a.lineage = 5;
    struct ctx before;
    ctx_copy(&before, &a);
    assert_true(vv_set(&b.seen, 2, 0));
    assert_true(vv_set(&b.seen, 3, 1));
    assert_false(ctx_merge(&a, &b));
    assert_true(same(&a, &before));
    assert_true(vv_set(&b.seen, 3, 0));
    assert_true(ctx_merge(&a, &b));
    assert_int_equal(a.fence, 9);
    assert_int_equal(vv_get(&a.seen, 4), 2);
}

static void empty_means_nothing_seen(void **state)
{
    (void)state;
    struct ctx ctx;
    ctx_init(&ctx);
    ctx_check(&ctx);
    assert_true(ctx_is_empty(&ctx));
    ctx.lineage = 1;
    assert_false(ctx_is_empty(&ctx));
}

static void check_finds_what_is_broken(void **state)
{
    (void)state;
    struct ctx ctx;
    struct ctx other;
    ctx_init(&ctx);
    ctx.fence = 3;
    expect_assert_failure(ctx_check(&ctx)); /* C2 */
    ctx_init(&ctx);
    assert_true(vv_set(&ctx.seen, 1, 1));
    expect_assert_failure(ctx_check(&ctx)); /* C2 */
    ctx.lineage = 4;
    ctx_check(&ctx);
    ctx.seen.entries[0].seq = 0;
    expect_assert_failure(ctx_check(&ctx)); /* C1 */
    ctx_init(&ctx);
    ctx_init(&other);
    ctx.lineage = 1;
    other.lineage = 2;
    expect_assert_failure(ctx_merge(&ctx, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_takes_the_greater_of_everything),
        cmocka_unit_test(a_union_beyond_the_limit_changes_nothing),
        cmocka_unit_test(empty_means_nothing_seen),
        cmocka_unit_test(check_finds_what_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
