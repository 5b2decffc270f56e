/* micro_store - what a put, a get and a recovery cost in table and log alone.
 *
 * Does:   prints nanoseconds per put and get, bytes a key, the longest single put, and seconds
 *         of recovery, for N keys of 16 bytes with values of 100 (N from the command line,
 *         1,000,000 when absent). One thread, no disk: the log is kept in memory. Times are
 *         processor time.
 * Not:    what a client sees: that is bench/ of the whole server.
 * Holds:  -
 * Limits: -
 * See:    src/store/README.md.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

#define KEYS_DEFAULT 1000000U
#define KEY_BYTES 16U
#define VALUE_BYTES 100U
#define BATCH_BYTES (256U << 10)
#define ACTORS 3U

struct bench {
    uint64_t keys;             /* how many */
    struct table *table;       /* under test */
    struct log *log;           /* under test */
    struct buf *segments;      /* what the log wrote, by id - 1 */
    size_t count;              /* of segments */
    uint64_t hlc;              /* of the last version */
    uint64_t seqs[ACTORS + 1]; /* of the last version of each actor */
};

/* Of this process alone: what others take from it is not its cost. */
static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The second figure of statm: pages in memory. */
static uint64_t resident_bytes(void)
{
    char line[200] = {0};
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    size_t len = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    const char *space = len == 0 ? NULL : strchr(line, ' ');
    uint64_t pages = space == NULL ? 0 : strtoull(space, NULL, 10);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void key_make(uint64_t number, uint8_t key[KEY_BYTES], bool one_slot)
{
    memcpy(key, one_slot ? "{t}0000000000000" : "key:000000000000", KEY_BYTES);
    for (size_t i = KEY_BYTES; number > 0; number /= 10)
        key[--i] = (uint8_t)('0' + number % 10);
}

/* Spreads 0 .. keys - 1 over themselves, so that neighbours in time are none in the table. */
static uint64_t shuffled(uint64_t number, uint64_t keys)
{
    return number * UINT64_C(2654435761) % keys;
}

static void segments_take(struct bench *bench)
{
    struct log_batch batch;
    log_take(bench->log, &batch);
    if (batch.segment > bench->count) {
        bench->segments = mem_realloc(bench->segments, batch.segment * sizeof *bench->segments);
        while (bench->count < batch.segment)
            bench->segments[bench->count++] = BUF_EMPTY;
    }
    buf_append_slice(&bench->segments[batch.segment - 1], batch.bytes);
}

static void put(struct bench *bench, uint64_t number, bool one_slot, bool logged)
{
    uint8_t key[KEY_BYTES];
    uint8_t value[VALUE_BYTES] = {0};
    key_make(number, key, one_slot);
    memcpy(value, &bench->hlc, sizeof bench->hlc);
    uint32_t actor = 1 + (uint32_t)(number % ACTORS);
    struct version version = {
        .dot = {.actor = actor, .seq = ++bench->seqs[actor]},
        .hlc = ++bench->hlc,
        .form = VALUE_JSON,
        .key = slice_of(key, KEY_BYTES),
        .value = slice_of(value, VALUE_BYTES),
    };
    uint64_t position = 0;
    if (logged) {
        struct slice whole;
        position = log_append_version(bench->log, RECORD_ARRIVAL, &version, &whole);
        if (log_pending_bytes(bench->log) > BATCH_BYTES)
            segments_take(bench);
    }
    table_put(bench->table, slot_of(version.key), &version, position);
}

static void report(const char *what, double seconds, uint64_t count)
{
    printf("%-44s %8.0f ns\n", what, seconds / (double)count * 1e9);
}

static void bench_put(struct bench *bench)
{
    uint64_t before = resident_bytes();
    double begin = now_s();
    for (uint64_t i = 0; i < bench->keys; i++)
        put(bench, shuffled(i, bench->keys), false, false);
    report("put, new key", now_s() - begin, bench->keys);
    double over = (double)bench->keys;
    printf("%-44s %8.1f MB\n", "resident memory for these keys",
           (double)(resident_bytes() - before) / 1e6);
    printf("%-44s %8.1f bytes (%u of them key and value)\n", "counted memory, a key",
           (double)table_memory_bytes(bench->table) / over, KEY_BYTES + VALUE_BYTES);
    begin = now_s();
    for (uint64_t i = 0; i < bench->keys; i++)
        put(bench, shuffled(i * 7 + 3, bench->keys), false, false);
    report("put, over a version", now_s() - begin, bench->keys);
    printf("%-44s %8.1f bytes\n", "counted memory, a key, after that",
           (double)table_memory_bytes(bench->table) / over);
}

static void bench_get(struct bench *bench)
{
    uint64_t found = 0;
    double begin = now_s();
    for (uint64_t i = 0; i < bench->keys; i++) {
        uint8_t key[KEY_BYTES];
        key_make(shuffled(i * 5 + 1, bench->keys), key, false);
        struct slice slice = slice_of(key, KEY_BYTES);
        table_ref ref = table_find(bench->table, slot_of(slice), slice);
        struct version version;
        if (ref != 0) {
            table_view(bench->table, ref, &version);
            found += version.value.ptr[0] < 255 || version.value.len > 0;
        }
    }
    report("get", now_s() - begin, bench->keys);
    if (found != bench->keys)
        printf("only %" PRIu64 " keys found\n", found);
}

static bool replay(void *arg, const struct record *record, uint64_t position)
{
    struct table *table = arg;
    struct version version;
    if (record->kind == RECORD_CHECKPOINT || record->kind == RECORD_FOOTER)
        return true;
    if (!version_decode(record->body, &version))
        return false;
    table_put(table, slot_of(version.key), &version, position);
    return true;
}

static void recover(struct bench *bench, const char *what)
{
    struct log_segment *segments = mem_zalloc(bench->count, sizeof *segments);
    uint64_t bytes = 0;
    for (size_t i = 0; i < bench->count; i++) {
        segments[i] = (struct log_segment){i + 1, buf_slice(&bench->segments[i])};
        bytes += segments[i].bytes.len;
    }
    struct table *table = table_new(3);
    struct log_recovery recovery;
    double begin = now_s();
    log_recover(bench->log, segments, bench->count, replay, table, &recovery);
    printf("%-44s %8.2f s (%" PRIu64 " records, %.0f MB, state %d, %" PRIu64 " keys)\n", what,
           now_s() - begin, recovery.records, (double)bytes / 1e6, (int)recovery.state,
           table_live(table));
    table_free(table);
    mem_free(segments);
}

static void segments_free(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++)
        buf_fini(&bench->segments[i]);
    bench->count = 0;
}

static void bench_log(struct bench *bench)
{
    struct table *full = bench->table;
    bench->table = table_new(2);
    bench->log = log_new();
    double begin = now_s();
    for (uint64_t i = 0; i < bench->keys; i++)
        put(bench, shuffled(i, bench->keys), false, true);
    segments_take(bench);
    report("put, new key, logged", now_s() - begin, bench->keys);
    recover(bench, "recovery of these writes");
    segments_free(bench);
    table_free(bench->table);
    bench->table = full;

    log_free(bench->log);
    bench->log = log_new();
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    checkpoint_begin(&checkpoint, bench->log);
    begin = now_s();
    while (checkpoint_step(&checkpoint, bench->table, bench->log, BATCH_BYTES))
        segments_take(bench);
    report("checkpoint, a key", now_s() - begin, bench->keys);
    recover(bench, "recovery of this checkpoint");
    segments_free(bench);
    log_free(bench->log);
    mem_free(bench->segments);
}

static void bench_slot(struct bench *bench)
{
    table_free(bench->table);
    bench->table = table_new(5);
    double begin = now_s();
    for (uint64_t i = 0; i < bench->keys; i++)
        put(bench, shuffled(i, bench->keys), true, false);
    report("put, new key, all in one slot", now_s() - begin, bench->keys);
    printf("%-44s %8.1f bytes\n", "counted memory, a key",
           (double)table_memory_bytes(bench->table) / (double)bench->keys);
}

/* Asking for the time takes longer than a put: a round of its own. */
static void bench_longest(struct bench *bench)
{
    table_free(bench->table);
    bench->table = table_new(6);
    double longest = 0;
    uint64_t above = 0;
    for (uint64_t i = 0; i < bench->keys; i++) {
        double begin = now_s();
        put(bench, shuffled(i, bench->keys), true, false);
        double took = now_s() - begin;
        longest = took > longest ? took : longest;
        above += took > 200e-6;
    }
    printf("%-44s %8.0f us (%" PRIu64 " took more than 200 us)\n", "the longest of these",
           longest * 1e6, above);
}

int main(int argc, char **argv)
{
    struct bench bench = {.keys = KEYS_DEFAULT, .hlc = 1};
    if (argc > 1)
        bench.keys = strtoull(argv[1], NULL, 10);
    if (bench.keys == 0) {
        fprintf(stderr, "usage: %s [keys]\n", argv[0]);
        return 2;
    }
    bench.table = table_new(1);
    bench_put(&bench);
    bench_get(&bench);
    bench_log(&bench);
    bench_slot(&bench);
    bench_longest(&bench);
    table_free(bench.table);
    return 0;
}
