/* gen - random valid values for the tests of wire, from a seed that is printed.
 *
 * Does:   seed, bytes, vectors, contexts, ranges, versions; copies that end where an allocation
 *         does, so that the address sanitizer sees a read beyond.
 * Not:    judging.
 * Holds:  what is made here is valid; small numbers, zero lengths and greatest values come often.
 * Limits: -
 * See:    src/wire/version.h, src/wire/msg.def.
 */
#pragma once

#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* SEED=n in the environment repeats a run. */
static inline struct rng gen_rng(void)
{
    const char *text = getenv("SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    print_message("SEED=%llu\n", (unsigned long long)seed);
    struct rng rng;
    rng_init(&rng, seed);
    return rng;
}

static inline void gen_bytes(struct rng *rng, size_t len, struct buf *out)
{
    uint8_t *at = buf_grow(out, len);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)rng_u64(rng);
}

/* A number of any size, not only a great one. */
static inline uint64_t gen_u64(struct rng *rng)
{
    return rng_u64(rng) >> rng_below(rng, 64);
}

static inline uint64_t gen_seq(struct rng *rng)
{
    if (rng_chance(rng, 1, 16))
        return LIMIT_SEQ;
    return 1 + (gen_u64(rng) & (LIMIT_SEQ - 1));
}

/* An actor above last with room for more above it. */
static inline uint32_t gen_actor(struct rng *rng, uint32_t last)
{
    return last + 1 + (uint32_t)rng_below(rng, rng_chance(rng, 1, 2) ? 3 : 1U << 24);
}

static inline void gen_vv(struct rng *rng, uint32_t count, struct vv *vv)
{
    vv_init(vv);
    uint32_t actor = 0;
    for (uint32_t i = 0; i < count; i++) {
        actor = gen_actor(rng, actor);
        assert_true(vv_set(vv, actor, gen_seq(rng)));
    }
}

/* Often none, few or as many as there may be. */
static inline uint32_t gen_count(struct rng *rng, uint32_t limit)
{
    switch (rng_below(rng, 8)) {
    case 0:
        return limit;
    case 1:
    case 2:
        return 0;
    default:
        return (uint32_t)rng_below(rng, 6);
    }
}

static inline void gen_ranges(struct rng *rng, uint32_t count, struct ranges *ranges)
{
    ranges_init(ranges);
    uint32_t actor = 0;
    for (uint32_t i = 0; i < count; i++) {
        actor = gen_actor(rng, actor);
        uint64_t low = gen_seq(rng);
        uint64_t high = rng_chance(rng, 1, 4) ? low : rng_between(rng, low, LIMIT_SEQ);
        assert_true(ranges_set(ranges, actor, low, high));
    }
}

static inline void gen_ctx(struct rng *rng, struct ctx *ctx)
{
    ctx_init(ctx);
    if (rng_chance(rng, 1, 4))
        return;
    ctx->lineage = rng_u64(rng) | 1;
    ctx->fence = gen_u64(rng);
    gen_vv(rng, gen_count(rng, LIMIT_VV_ENTRIES), &ctx->seen);
}

/* The bytes that version borrows are appended to memory, which must not grow before it is used
 * up: reserve first. */
static inline void gen_version(struct rng *rng, struct buf *memory, struct version *version)
{
    static const enum value_form forms[] = {VALUE_JSON, VALUE_RAW, VALUE_TOMBSTONE};
    version->form = forms[rng_below(rng, 3)];
    version->dot = (struct dot){gen_actor(rng, 0), gen_seq(rng)};
    version->hlc = gen_u64(rng) & LIMIT_HLC;
    struct vv deps;
    gen_vv(rng, gen_count(rng, 12), &deps);
    size_t key = 1 + rng_below(rng, 40);
    size_t value = version->form == VALUE_TOMBSTONE ? 0 : rng_below(rng, 80);
    buf_reset(memory);
    buf_reserve(memory, (size_t)deps.count * VERSION_DEP_BYTES + key + value);
    deps_encode(&deps, memory);
    version->deps = buf_slice(memory);
    gen_bytes(rng, key + value, memory);
    version->key = slice_of(version->deps.ptr + version->deps.len, key);
    version->value = slice_of(version->key.ptr + key, value);
}

/* A copy that ends where its allocation ends; mem_free((void *)copy.ptr) by gen_drop. */
static inline struct slice gen_copy(struct slice bytes)
{
    return slice_of(mem_dup(bytes.ptr, bytes.len), bytes.len);
}

static inline void gen_drop(struct slice copy)
{
    union {
        const uint8_t *borrowed;
        void *owned;
    } ptr = {.borrowed = copy.ptr};
    mem_free(ptr.owned);
}
