/* micro_fill - what filling up costs, two replicas in one process.
 *
 * Does:   a member without anything fills up from one with a million keys of 16 bytes with values
 *         of 100; then one that has all of them already, in doubt; then one that has a million
 *         that are gone. Says how long each takes, the shares of sender and receiver, and the
 *         longest step.
 * Not:    network, disk, commits: log and frames are made, and thrown away when they were handed
 *         over. Other requests.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md section 4.4; README.md.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "replica/replica.h"

#define KEYS_DEFAULT 1000000U
#define KEY_BYTES 16U
#define VALUE_BYTES 100U

struct site {
    uint64_t node_id;        /* who */
    struct replicas *set;    /* its */
    struct replica *replica; /* of it, that of its shard */
    struct log *log;         /* its */
    struct table *table;     /* its */
    struct outbox out;       /* what it wants sent */
    struct metrics metrics;  /* its */
    double cpu_s;            /* in its calls */
    double longest_s;        /* one of these */
    uint64_t log_bytes;      /* ever made */
};

struct bench {
    struct knobs knobs;        /* of both */
    struct site source;        /* active */
    struct site sink;          /* fills up */
    struct config *configs[3]; /* one after the other; owned */
    uint64_t keys;             /* how many */
    uint64_t mono_ms;          /* the clock of both */
};

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct replica_io io_of(const struct bench *bench, struct site *site, uint64_t epoch)
{
    site->out.lineage = 42;
    site->out.epoch = epoch;
    return (struct replica_io){.out = &site->out,
                               .log = site->log,
                               .table = site->table,
                               .metrics = &site->metrics,
                               .mono_ms = bench->mono_ms,
                               .wall_ms = bench->mono_ms};
}

static void throw_log_away(struct site *site)
{
    struct log_batch batch;
    if (!log_pending(site->log))
        return;
    log_take(site->log, &batch);
    site->log_bytes += batch.bytes.len;
}

static void site_init(struct bench *bench, struct site *site, uint64_t node_id)
{
    memset(site, 0, sizeof *site);
    site->node_id = node_id;
    site->set = replicas_new(&bench->knobs, PLANT_NONE, node_id);
    site->replica = replicas_home(site->set);
    site->log = log_new();
    site->table = table_new(node_id);
    outbox_init(&site->out);
    struct log_recovery recovery;
    log_recover(site->log, NULL, 0, NULL, NULL, &recovery);
}

static void site_fini(struct site *site)
{
    replicas_free(site->set);
    log_free(site->log);
    table_free(site->table);
    outbox_fini(&site->out);
}

static void adopt(struct bench *bench, struct site *site, const struct config *config)
{
    struct replica_io io = io_of(bench, site, config->epoch);
    replicas_adopt(site->set, config, &io);
    throw_log_away(site);
}

/* ---- frames ---- */

static void take_walk(struct site *to, uint64_t from, const struct frame *frame,
                      struct replica_io *io)
{
    struct msg_walk_request request;
    struct msg_walk_begin begin;
    struct msg_walk_chunk chunk;
    struct msg_walk_ack ack;
    struct msg_walk_end end;
    if (frame->type == MSG_WALK_REQUEST && msg_walk_request_decode(frame->body, &request))
        replica_recv_walk_request(to->replica, from, &request, io);
    if (frame->type == MSG_WALK_BEGIN && msg_walk_begin_decode(frame->body, &begin))
        replica_recv_walk_begin(to->replica, from, &begin, io);
    if (frame->type == MSG_WALK_CHUNK && msg_walk_chunk_decode(frame->body, &chunk))
        replica_recv_walk_chunk(to->replica, from, &chunk, io);
    if (frame->type == MSG_WALK_ACK && msg_walk_ack_decode(frame->body, &ack))
        replica_recv_walk_ack(to->replica, from, &ack);
    if (frame->type == MSG_WALK_END && msg_walk_end_decode(frame->body, &end))
        replica_recv_walk_end(to->replica, from, &end, io);
}

static void hand(struct bench *bench, struct site *from, struct site *to, uint64_t epoch)
{
    struct outbox out = from->out;
    outbox_init(&from->out);
    struct replica_io io = io_of(bench, to, epoch);
    for (size_t i = 0; i < out.count; i++) {
        struct frame frame;
        struct msg_report report;
        frame_decode(slice_of(out.bytes.ptr + out.items[i].begin, out.items[i].len), &frame);
        if (frame.type == MSG_REPORT && msg_report_decode(frame.body, &report))
            replica_recv_report(to->replica, from->node_id, epoch, &report, &io);
        else
            take_walk(to, from->node_id, &frame, &io);
    }
    outbox_fini(&out);
}

/* What a node does in a turn: takes what came, and then sends. */
static void turn(struct bench *bench, struct site *from, struct site *to, uint64_t epoch)
{
    double begin = cpu_s();
    hand(bench, from, to, epoch);
    struct replica_io io = io_of(bench, to, epoch);
    replicas_tick(to->set, &io);
    replicas_flush(to->set, &io);
    throw_log_away(to);
    double took = cpu_s() - begin;
    to->cpu_s += took;
    to->longest_s = took > to->longest_s ? took : to->longest_s;
}

/* ---- what is measured ---- */

static void key_make(uint64_t number, char *key)
{
    memcpy(key, "key:000000000000", KEY_BYTES);
    for (uint32_t at = KEY_BYTES; number > 0 && at > 4; number /= 10)
        key[--at] = (char)('0' + number % 10);
}

static void write_all(struct bench *bench)
{
    char key[KEY_BYTES];
    uint8_t value[VALUE_BYTES] = {0};
    struct vv none;
    vv_init(&none);
    struct replica_io io = io_of(bench, &bench->source, bench->configs[0]->epoch);
    for (uint64_t i = 0; i < bench->keys; i++) {
        key_make(i, key);
        struct version version = {.form = VALUE_JSON,
                                  .key = slice_of(key, KEY_BYTES),
                                  .value = slice_of(value, VALUE_BYTES)};
        replica_write(bench->source.replica, &version, slot_of(version.key), &none, &io);
        if (i % 1000 == 0)
            throw_log_away(&bench->source);
    }
    throw_log_away(&bench->source);
}

/* Versions of an actor that is closed: nobody has them any more. */
static void put_gone(struct bench *bench, uint32_t actor)
{
    char key[KEY_BYTES];
    uint8_t value[VALUE_BYTES] = {0};
    for (uint64_t i = 0; i < bench->keys; i++) {
        key_make(bench->keys + i, key);
        struct version version = {.dot = {actor, i + 1},
                                  .hlc = i + 1,
                                  .form = VALUE_JSON,
                                  .key = slice_of(key, KEY_BYTES),
                                  .value = slice_of(value, VALUE_BYTES)};
        table_put(bench->sink.table, slot_of(version.key), &version, 8);
    }
}

/* False: it does not come about. */
static bool fill(struct bench *bench, const char *what, uint64_t looked_at)
{
    struct site *source = &bench->source;
    struct site *sink = &bench->sink;
    uint64_t epoch = bench->configs[2]->epoch;
    source->cpu_s = source->longest_s = sink->cpu_s = sink->longest_s = 0;
    uint64_t logged = sink->log_bytes;
    uint64_t turns = 0;
    double begin = cpu_s();
    while (!replica_filled(sink->replica) && turns++ < 10000000) {
        bench->mono_ms++;
        turn(bench, source, sink, epoch);
        turn(bench, sink, source, epoch);
    }
    double took = cpu_s() - begin;
    printf("%-28s %6.2f s of CPU, %9.0f keys a second; sender %.2f s, receiver %.2f s\n", what,
           took, (double)looked_at / took, source->cpu_s, sink->cpu_s);
    printf("%-28s longest step: sender %.1f ms, receiver %.1f ms; log %.0f MB, %" PRIu64 " turns\n",
           "", source->longest_s * 1e3, sink->longest_s * 1e3,
           (double)(sink->log_bytes - logged) / 1e6, turns);
    return replica_filled(sink->replica);
}

static void connect_both(struct bench *bench)
{
    replicas_peer_up(bench->source.set, bench->sink.node_id, 1);
    replicas_peer_hello(bench->source.set, bench->sink.node_id, 1);
    replicas_peer_up(bench->sink.set, bench->source.node_id, 1);
    replicas_peer_hello(bench->sink.set, bench->source.node_id, 1);
}

/* The sink begins another term, in the newest configuration, with what its table has. */
static bool fill_anew(struct bench *bench, const char *what, uint64_t looked_at)
{
    struct config *next = config_dup(bench->configs[2]);
    struct config *before = bench->configs[1];
    next->epoch++;
    next->members[1].actor = next->next_actor++;
    next->members[1].state = MEMBER_SYNCING;
    bench->configs[1] = bench->configs[2];
    bench->configs[2] = next;
    adopt(bench, &bench->source, next);
    adopt(bench, &bench->sink, next);
    config_free(before);
    connect_both(bench);
    return fill(bench, what, looked_at);
}

static bool begin(struct bench *bench)
{
    struct first_start start;
    memset(&start, 0, sizeof start);
    start.lineage = 42;
    start.shard_count = 1;
    start.member_count = 2;
    for (uint32_t i = 0; i < 2; i++) {
        start.members[i].node_id = 100 + i;
        snprintf(start.members[i].address.text, sizeof start.members[i].address.text, "10.0.0.%u:1",
                 i + 1);
    }
    enum err err = E_OK;
    bench->configs[0] = config_first(&start, &err);
    if (bench->configs[0] == NULL)
        return false;
    bench->configs[1] = config_dup(bench->configs[0]);
    bench->configs[1]->epoch++;
    bench->configs[2] = config_dup(bench->configs[1]);
    knobs_init(&bench->knobs);
    bench->mono_ms = 1000000;
    site_init(bench, &bench->source, 100);
    site_init(bench, &bench->sink, 101);
    adopt(bench, &bench->source, bench->configs[0]);
    return true;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.keys = KEYS_DEFAULT};
    if (argc > 1)
        bench.keys = strtoull(argv[1], NULL, 10);
    if (bench.keys == 0 || !begin(&bench)) {
        fprintf(stderr, "usage: %s [keys]\n", argv[0]);
        return 2;
    }
    write_all(&bench);
    bool ok = fill_anew(&bench, "empty", bench.keys);
    ok = ok && fill_anew(&bench, "has them all", bench.keys);
    put_gone(&bench, 2);
    ok = ok && fill_anew(&bench, "has as many that are gone", 2 * bench.keys);
    if (!ok || table_live(bench.sink.table) != bench.keys)
        printf("it did not fill up\n");
    site_fini(&bench.source);
    site_fini(&bench.sink);
    for (uint32_t i = 0; i < 3; i++)
        config_free(bench.configs[i]);
    return ok ? 0 : 1;
}
