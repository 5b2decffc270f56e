/* micro_causal - what every request pays for causality, in nanoseconds.
 *
 * Does:   one line an operation: tokens written and read, vectors looked up, compared, merged and
 *         pruned, slots of keys, clock ticks, each for the sizes that occur; the least of five
 *         rounds.
 * Not:    what a client sees: that is bench/ of the whole server.
 * Holds:  -
 * Limits: inputs are few and stay in the cache.
 * See:    src/causal/README.md.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "placement/placement.h"

#define ROUNDS 5
#define CALLS 400000U

struct bench {
    struct siphash_key key; /* of the tokens */
    struct ctx ctx;         /* with as many entries as the line says */
    struct ctx other;       /* the same actors, other seqs */
    struct buf text;        /* ctx as a token */
    uint32_t actors;        /* entries of each */
    uint64_t sum;           /* of all results, so that no call is left out */
};

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void encode_one(struct bench *bench, uint32_t call)
{
    bench->ctx.fence = call & 0x7f;
    buf_reset(&bench->text);
    token_encode(&bench->ctx, &bench->key, &bench->text);
    bench->sum += bench->text.ptr[bench->text.len - 1];
}

static void decode_one(struct bench *bench, uint32_t call)
{
    enum token_result result = token_decode(buf_slice(&bench->text), &bench->key, &bench->other);
    bench->sum += (uint64_t)result + call;
}

static void get_one(struct bench *bench, uint32_t call)
{
    bench->sum += vv_get(&bench->ctx.seen, 1 + call % (bench->actors * 2 + 1));
}

static void contains_one(struct bench *bench, uint32_t call)
{
    bench->sum += vv_contains(&bench->ctx.seen, &bench->other.seen) + call;
}

static void compare_one(struct bench *bench, uint32_t call)
{
    bench->sum += (uint64_t)vv_compare(&bench->ctx.seen, &bench->other.seen) + call;
}

static void merge_one(struct bench *bench, uint32_t call)
{
    bench->sum += vv_merge(&bench->ctx.seen, &bench->other.seen) + call;
}

static void prune_one(struct bench *bench, uint32_t call)
{
    struct vv pruned;
    vv_copy(&pruned, &bench->ctx.seen);
    vv_prune(&pruned, &bench->other.seen);
    bench->sum += pruned.count + call;
}

static void tick_one(struct bench *bench, uint32_t call)
{
    struct hlc hlc = {bench->sum >> 1};
    bench->sum = hlc_tick(&hlc, call);
}

static void slot_one(struct bench *bench, uint32_t call)
{
    uint8_t key[17] = "key:000000000000";
    key[15] = (uint8_t)('0' + call % 10);
    bench->sum += slot_of(slice_of(key, 16));
}

/* Contexts of `actors` entries: odd ids, seqs of a few bytes. */
static void bench_fill(struct bench *bench, uint32_t actors)
{
    bench->actors = actors;
    bench->ctx.lineage = bench->other.lineage = 0x123456789abcdef0;
    vv_init(&bench->ctx.seen);
    vv_init(&bench->other.seen);
    for (uint32_t i = 0; i < actors; i++) {
        vv_set(&bench->ctx.seen, 2 * i + 1, 100000 + i);
        vv_set(&bench->other.seen, 2 * i + 1, 100000 - i);
    }
    encode_one(bench, 1);
}

static void line(struct bench *bench, const char *what, uint32_t actors,
                 void (*one)(struct bench *bench, uint32_t call))
{
    uint64_t least = UINT64_MAX;
    bench_fill(bench, actors);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns();
        for (uint32_t call = 0; call < CALLS; call++)
            one(bench, call);
        uint64_t took = now_ns() - start;
        least = took < least ? took : least;
    }
    printf("%-32s %3" PRIu32 " entries  %6.1f ns\n", what, actors, (double)least / CALLS);
}

int main(void)
{
    static const uint32_t sizes[] = {0, 2, 6, LIMIT_VV_ENTRIES};
    struct bench bench = {.text = BUF_EMPTY};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        line(&bench, "token_encode", sizes[i], encode_one);
        line(&bench, "token_decode", sizes[i], decode_one);
        line(&bench, "vv_get", sizes[i], get_one);
        line(&bench, "vv_contains", sizes[i], contains_one);
        line(&bench, "vv_compare", sizes[i], compare_one);
        line(&bench, "vv_merge", sizes[i], merge_one);
        line(&bench, "vv_copy, vv_prune", sizes[i], prune_one);
    }
    line(&bench, "hlc_tick", 0, tick_one);
    line(&bench, "slot_of, 16 bytes", 0, slot_one);
    printf("(sum of results %" PRIu64 ")\n", bench.sum);
    buf_fini(&bench.text);
    return 0;
}
