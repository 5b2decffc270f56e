/* world - replicas on virtual wires, with disks, and a perfect register.
 *
 * Does:   up to six sites with a replica, a log and a table each; frames that wait until they are
 *         handed over; configurations that are decided at once and adopted as nodes adopt them; a
 *         disk each, from which a site comes back, whole, cut, or in doubt; every write that was
 *         ever made, to judge what is claimed.
 * Not:    choosing what happens: the tests do. Clients, connections, commits: node/.
 * Holds:  a frame of a newer epoch is taken after that epoch is adopted; the adoption stands in
 *         the log before what follows from it.
 * Limits: SITES_MAX, WORLD_CONFIGS, WORLD_WRITES.
 * See:    src/replica/replica.h.
 */
#pragma once

#include "unit.h"

#include "replica/replica.h"

#define SITES_MAX 6U
#define WORLD_CONFIGS 512U
#define WORLD_WRITES 65536U

struct site {
    uint64_t node_id;            /* 100 + its number, until it gets another */
    struct replicas *set;        /* under test; NULL: down */
    struct replica *replica;     /* of it, the one of its shard; NULL: down */
    struct log *log;             /* its own */
    struct table *table;         /* its own */
    struct outbox out;           /* what it wants sent */
    struct metrics metrics;      /* its own */
    const struct config *config; /* adopted */
    struct buf disk;             /* every record ever logged, one after the other */
    bool checkpointing;          /* as a node with a checkpoint under way */
    uint64_t mono_ms;            /* its clock */
    uint64_t wall_ms;            /* its wall clock */
};

/* One write, as its writer made it. */
struct made {
    struct dot dot;    /* its name */
    uint64_t hlc;      /* its time */
    bool tombstone;    /* what it wrote */
    bool acknowledged; /* by two */
    char key[16];      /* which key */
};

struct world {
    struct knobs knobs;                    /* shared */
    enum plant plant;                      /* of every replica */
    uint32_t count;                        /* sites */
    struct site sites[SITES_MAX];          /* by number */
    bool cut[SITES_MAX][SITES_MAX];        /* frames from, to are lost */
    bool linked[SITES_MAX][SITES_MAX];     /* from, to: a connection stands */
    struct config *configs[WORLD_CONFIGS]; /* every one decided; owned */
    uint32_t config_count;                 /* of them */
    struct made made[WORLD_WRITES];        /* every write */
    uint32_t made_count;                   /* of them */
};

static inline const struct config *newest(const struct world *world)
{
    return world->configs[world->config_count - 1];
}

static inline struct replica_io io_of(struct site *site)
{
    site->out.lineage = 42;
    site->out.epoch = site->config != NULL ? site->config->epoch : 1;
    return (struct replica_io){.out = &site->out,
                               .log = site->log,
                               .table = site->table,
                               .metrics = &site->metrics,
                               .tracer = NULL,
                               .mono_ms = site->mono_ms,
                               .wall_ms = site->wall_ms,
                               .checkpointing = site->checkpointing};
}

/* What was logged is on disk. */
static inline void drain(struct site *site)
{
    if (!log_pending(site->log))
        return;
    struct log_batch batch;
    log_take(site->log, &batch);
    struct slice rest = batch.bytes;
    while (rest.len > 0) {
        struct record record;
        assert_int_equal(record_decode(rest, &record), RECORD_OK);
        if (record.kind != RECORD_SEGMENT)
            buf_append_slice(&site->disk, record.whole);
        rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len);
    }
}

/* ---- configurations ---- */

/* next becomes the newest one. False: it does not apply. */
static inline bool decide(struct world *world, struct config *next)
{
    if (next == NULL)
        return false;
    config_check(next);
    assert_true(world->config_count < WORLD_CONFIGS);
    world->configs[world->config_count++] = next;
    return true;
}

static inline const struct config *config_of_epoch(const struct world *world, uint64_t epoch)
{
    for (uint32_t i = 0; i < world->config_count; i++)
        if (world->configs[i]->epoch == epoch)
            return world->configs[i];
    fail_msg("nobody decided epoch %" PRIu64, epoch);
    return NULL;
}

/* ---- sites ---- */

static inline void site_open(struct world *world, uint32_t number, uint64_t node_id)
{
    struct site *site = &world->sites[number];
    site->node_id = node_id;
    site->set = replicas_new(&world->knobs, world->plant, node_id);
    site->replica = replicas_home(site->set);
    site->log = log_new();
    site->table = table_new(1);
    site->config = NULL;
    outbox_init(&site->out);
    struct log_recovery recovery;
    log_recover(site->log, NULL, 0, NULL, NULL, &recovery);
}

static inline void site_close(struct site *site)
{
    if (site->replica == NULL)
        return;
    replicas_free(site->set);
    site->set = NULL;
    log_free(site->log);
    table_free(site->table);
    outbox_fini(&site->out);
    site->replica = NULL;
}

static inline void link_up(struct world *world, uint32_t from, uint32_t to)
{
    struct site *a = &world->sites[from], *b = &world->sites[to];
    if (from == to || a->replica == NULL || b->replica == NULL || world->cut[from][to])
        return;
    world->linked[from][to] = world->linked[to][from] = true;
    replicas_peer_up(a->set, b->node_id, 1);
    replicas_peer_hello(a->set, b->node_id, 1);
}

/* As a node does: it is logged, then it counts, then the connections that stand are told again. */
static inline void adopt(struct world *world, uint32_t number, const struct config *config)
{
    struct site *site = &world->sites[number];
    if (site->config != NULL && site->config->epoch >= config->epoch)
        return;
    struct replica_io io = io_of(site);
    struct buf body = BUF_EMPTY;
    config_encode(config, &body);
    log_append(site->log, RECORD_CONFIG, buf_slice(&body));
    buf_fini(&body);
    site->config = config;
    replicas_adopt(site->set, config, &io);
    drain(site);
    for (uint32_t other = 0; other < world->count; other++)
        if (world->linked[number][other])
            link_up(world, number, other);
}

static inline void connect_all(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        for (uint32_t j = 0; j < world->count; j++)
            link_up(world, i, j);
}

static inline void link_down(struct world *world, uint32_t from, uint32_t to)
{
    struct site *a = &world->sites[from];
    world->linked[from][to] = world->linked[to][from] = false;
    if (a->replica == NULL)
        return;
    struct replica_io io = io_of(a);
    replicas_peer_down(a->set, world->sites[to].node_id, &io);
    drain(a);
}

static inline void cut_off(struct world *world, uint32_t a, uint32_t b)
{
    link_down(world, a, b);
    link_down(world, b, a);
    world->cut[a][b] = world->cut[b][a] = true;
}

static inline void mend(struct world *world, uint32_t a, uint32_t b)
{
    world->cut[a][b] = world->cut[b][a] = false;
    link_up(world, a, b);
    link_up(world, b, a);
}

/* The configuration whose bytes these are, from the list: replicas borrow it. */
static inline const struct config *known_config(const struct world *world, struct slice bytes)
{
    struct config *config = config_decode(bytes);
    assert_non_null(config);
    uint64_t epoch = config->epoch;
    config_free(config);
    return config_of_epoch(world, epoch);
}

/* What a checkpoint repeats beside the table, at the beginning of a log that has nothing else. */
static inline void begin_again(struct site *site)
{
    struct buf body = BUF_EMPTY;
    drain(site);
    buf_reset(&site->disk);
    config_encode(site->config, &body);
    log_append(site->log, RECORD_CONFIG, buf_slice(&body));
    buf_fini(&body);
    replicas_checkpoint(site->set, site->log);
    drain(site);
}

/* Replays records into an open site. */
static inline void replay(const struct world *world, struct site *site, struct slice rest)
{
    uint64_t position = 8;
    while (rest.len > 0) {
        struct record record;
        assert_int_equal(record_decode(rest, &record), RECORD_OK);
        struct replica_io io = io_of(site);
        if (record.kind == RECORD_CONFIG) {
            site->config = known_config(world, record.body);
            replicas_adopt(site->set, site->config, &io);
        } else if (record.kind == RECORD_DOUBT) {
            replicas_doubt(site->set);
        } else if (record.kind == RECORD_IDENTITY) {
            struct read in = read_of(record.body);
            site->node_id = read_u64(&in);
            replicas_become(site->set, site->node_id, &io);
        } else {
            assert_true(replicas_replay(site->set, &record, position, &io));
        }
        position += record.whole.len;
        rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len);
    }
}

/* The process dies, and with the machine what its disk has above `keep` bytes (whole records; the
 * rest of one is cut); then it comes back. It is not connected. */
static inline void restart(struct world *world, uint32_t number, size_t keep)
{
    struct site *site = &world->sites[number];
    if (site->replica != NULL)
        drain(site);
    uint64_t first_id = 100 + number;
    site_close(site);
    size_t whole = 0;
    struct record record;
    while (whole < site->disk.len &&
           record_decode(slice_of(site->disk.ptr + whole, site->disk.len - whole), &record) ==
               RECORD_OK &&
           whole + record.whole.len <= keep)
        whole += record.whole.len;
    site->disk.len = whole;
    site_open(world, number, first_id);
    replay(world, site, buf_slice(&site->disk));
    struct replica_io io = io_of(site);
    if (site->config != NULL)
        replicas_recovered(site->set, &io);
    drain(site);
    for (uint32_t i = 0; i < world->count; i++) {
        link_down(world, i, number);
        link_down(world, number, i);
    }
}

/* It knows that its log may have lost writes, and says so in it. */
static inline void doubt(struct site *site)
{
    log_append(site->log, RECORD_DOUBT, SLICE_EMPTY);
    replicas_doubt(site->set);
    drain(site);
}

/* It takes another node id, as one whose log is not to be trusted. */
static inline void become(struct site *site, uint64_t node_id)
{
    struct buf body = BUF_EMPTY;
    buf_u64(&body, node_id);
    log_append(site->log, RECORD_IDENTITY, buf_slice(&body));
    buf_fini(&body);
    struct replica_io io = io_of(site);
    site->node_id = node_id;
    replicas_become(site->set, node_id, &io);
    drain(site);
}

/* An empty disk, and a new node id. */
static inline void wipe(struct world *world, uint32_t number, uint64_t node_id)
{
    struct site *site = &world->sites[number];
    site_close(site);
    buf_reset(&site->disk);
    site_open(world, number, 100 + number);
    become(site, node_id);
    for (uint32_t i = 0; i < world->count; i++)
        link_down(world, i, number);
}

/* Sites for the first `count` members of a cluster. */
static inline void world_init_shards(struct world *world, uint32_t count, uint32_t members,
                                     uint32_t shards, enum plant plant)
{
    memset(world, 0, sizeof(*world));
    knobs_init(&world->knobs);
    world->count = count;
    world->plant = plant;
    struct first_start start;
    memset(&start, 0, sizeof(start));
    start.lineage = 42;
    start.shard_count = shards;
    start.member_count = members;
    for (uint32_t i = 0; i < members; i++) {
        start.members[i].node_id = 100 + i;
        snprintf(start.members[i].address.text, sizeof(start.members[i].address.text),
                 "10.0.0.%u:1", i + 1);
    }
    enum err err = E_OK;
    assert_true(decide(world, config_first(&start, &err)));
    for (uint32_t i = 0; i < count; i++) {
        struct site *site = &world->sites[i];
        site->mono_ms = site->wall_ms = 1000000;
        site_open(world, i, 100 + i);
        adopt(world, i, newest(world));
        struct replica_io io = io_of(site);
        replicas_recovered(site->set, &io);
    }
}

static inline void world_init(struct world *world, uint32_t count, uint32_t members,
                              enum plant plant)
{
    world_init_shards(world, count, members, 1, plant);
}

static inline void check(const struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        if (world->sites[i].replica != NULL)
            replicas_check(world->sites[i].set, world->sites[i].table);
}

static inline void world_fini(struct world *world)
{
    check(world);
    for (uint32_t i = 0; i < world->count; i++) {
        site_close(&world->sites[i]);
        buf_fini(&world->sites[i].disk);
    }
    for (uint32_t i = 0; i < world->config_count; i++)
        config_free(world->configs[i]);
}

/* ---- writes ---- */

static inline struct dot write_at(struct world *world, uint32_t number, const char *key,
                                  const char *value, const struct vv *seen)
{
    struct site *site = &world->sites[number];
    struct replica_io io = io_of(site);
    struct vv none;
    vv_init(&none);
    struct version version = {.form = value != NULL ? VALUE_JSON : VALUE_TOMBSTONE,
                              .key = slice_str(key),
                              .value = value != NULL ? slice_str(value) : SLICE_EMPTY};
    replica_write(site->replica, &version, slot_of(version.key), seen != NULL ? seen : &none, &io);
    assert_true(world->made_count < WORLD_WRITES);
    struct made *made = &world->made[world->made_count++];
    *made = (struct made){version.dot, version.hlc, value == NULL, false, ""};
    snprintf(made->key, sizeof(made->key), "%s", key);
    drain(site);
    return version.dot;
}

/* ---- frames ---- */

static inline void take_walk(struct site *site, uint64_t from, const struct frame *frame)
{
    struct replica_io io = io_of(site);
    struct msg_walk_request request;
    struct msg_walk_begin begin;
    struct msg_walk_chunk chunk;
    struct msg_walk_ack ack;
    struct msg_walk_end end;
    struct msg_walk_stop stop;
    switch (frame->type) {
    case MSG_WALK_REQUEST:
        assert_true(msg_walk_request_decode(frame->body, &request));
        assert_true(replica_recv_walk_request(site->replica, from, &request, &io));
        return;
    case MSG_WALK_BEGIN:
        assert_true(msg_walk_begin_decode(frame->body, &begin));
        assert_true(replica_recv_walk_begin(site->replica, from, &begin, &io));
        return;
    case MSG_WALK_CHUNK:
        assert_true(msg_walk_chunk_decode(frame->body, &chunk));
        assert_true(replica_recv_walk_chunk(site->replica, from, &chunk, &io));
        return;
    case MSG_WALK_ACK:
        assert_true(msg_walk_ack_decode(frame->body, &ack));
        assert_true(replica_recv_walk_ack(site->replica, from, &ack));
        return;
    case MSG_WALK_END:
        assert_true(msg_walk_end_decode(frame->body, &end));
        assert_true(replica_recv_walk_end(site->replica, from, &end, &io));
        return;
    case MSG_WALK_STOP:
        assert_true(msg_walk_stop_decode(frame->body, &stop));
        assert_true(replica_recv_walk_stop(site->replica, from, &stop, &io));
        return;
    default:
        fail_msg("message %s is not expected here", msg_name(frame->type));
    }
}

static inline void take(struct world *world, uint64_t from, uint32_t to, const struct frame *frame)
{
    struct site *site = &world->sites[to];
    if (site->replica == NULL)
        return;
    adopt(world, to, config_of_epoch(world, frame->epoch));
    if (config_member_by_id(site->config, from) == NULL)
        return;
    struct replica_io io = io_of(site);
    struct msg_data data;
    struct msg_report report;
    struct msg_stable stable;
    if (frame->type == MSG_DATA) {
        assert_true(msg_data_decode(frame->body, &data));
        assert_true(replica_recv_data(site->replica, from, &data, &io));
    } else if (frame->type == MSG_REPORT) {
        assert_true(msg_report_decode(frame->body, &report));
        assert_true(replica_recv_report(site->replica, from, frame->epoch, &report, &io));
    } else if (frame->type == MSG_STABLE) {
        assert_true(msg_stable_decode(frame->body, &stable));
        assert_true(replicas_recv_stable(site->set, from, &stable));
    } else {
        take_walk(site, from, frame);
    }
    drain(site);
}

/* Hands over what `from` has for `to`, of one type (0: all); the rest for `to` is lost, as is
 * everything where the two are cut off. Frames for others stay. Returns how many were handed
 * over. */
static inline uint32_t hand(struct world *world, uint32_t from, uint32_t to, uint8_t only)
{
    struct site *site = &world->sites[from];
    if (site->replica == NULL)
        return 0;
    struct outbox out = site->out;
    outbox_init(&site->out);
    uint32_t count = 0;
    for (size_t i = 0; i < out.count; i++) {
        struct slice bytes = slice_of(out.bytes.ptr + out.items[i].begin, out.items[i].len);
        struct frame frame;
        assert_true(frame_decode(bytes, &frame));
        if (out.items[i].to != world->sites[to].node_id) {
            outbox_append(&site->out, bytes, (enum msg_type)frame.type, out.items[i].to);
        } else if (world->linked[from][to] && (only == 0 || frame.type == only)) {
            take(world, site->node_id, to, &frame);
            count++;
        }
    }
    outbox_fini(&out);
    return count;
}

static inline void flush(struct world *world, uint32_t number)
{
    struct site *site = &world->sites[number];
    struct replica_io io = io_of(site);
    replicas_flush(site->set, &io);
    drain(site);
}

static inline void tick(struct world *world, uint32_t number, uint64_t ms)
{
    struct site *site = &world->sites[number];
    site->mono_ms += ms;
    site->wall_ms += ms;
    if (site->replica == NULL)
        return;
    struct replica_io io = io_of(site);
    replicas_tick(site->set, &io);
    drain(site);
    flush(world, number);
}

/* Everybody ticks and everything is handed over, so many times. */
static inline void settle(struct world *world, uint32_t rounds)
{
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < world->count; i++)
            tick(world, i, 100);
        for (uint32_t i = 0; i < world->count; i++)
            for (uint32_t j = 0; j < world->count; j++)
                if (i != j)
                    hand(world, i, j, 0);
    }
}

/* Whether another member has receipted an own write of the present term. */
static inline bool receipted(const struct replica *replica, uint64_t seq)
{
    return replica_receipted(replica, (struct dot){replica_actor(replica), seq});
}

/* ---- the steward: proposes what replicas say may be proposed ---- */

static inline struct config *end_of_actor(const struct site *site, const struct retired *retired)
{
    enum err err = E_OK;
    uint64_t last = 0, whole = 0;
    uint32_t shard = config_shard_of_retired(site->config, retired);
    if (retired->state == RETIRED_SEALED)
        return replica_all_cover(site->replica, retired->actor, retired->last_seq)
                   ? config_closed(site->config, retired->actor, shard, &err)
                   : NULL;
    if (!replica_seal(site->replica, retired->actor, &last, &whole))
        return NULL;
    return config_sealed(site->config, retired->actor, shard, last, whole, site->wall_ms, &err);
}

static inline struct config *wish_of(const struct site *site)
{
    enum err err = E_OK;
    const struct member *self = config_member_by_id(site->config, site->node_id);
    if (self == NULL)
        return NULL;
    if (replica_filled(site->replica))
        return config_activate(site->config, site->node_id, self->actor, &err);
    if (replica_handed_over(site->replica))
        return config_left(site->config, site->node_id, self->actor, &err);
    if (replica_merged_all(site->replica))
        return config_merged(site->config, replica_shard(site->replica), site->wall_ms, &err);
    for (uint32_t i = 0; i < site->config->retired_count; i++) {
        struct config *next = end_of_actor(site, &site->config->retired[i]);
        if (next != NULL)
            return next;
    }
    return NULL;
}

/* One change at most, by the first site that knows the newest configuration and wants one. */
static inline bool steward(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        struct site *site = &world->sites[i];
        if (site->replica == NULL || site->config != newest(world))
            continue;
        if (!decide(world, wish_of(site)))
            continue;
        adopt(world, i, newest(world));
        return true;
    }
    return false;
}

/* Rounds in which whatever may be proposed is. */
static inline void govern(struct world *world, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        settle(world, 1);
        steward(world);
    }
}

/* ---- questions ---- */

static inline bool has(const struct world *world, uint32_t number, const char *key,
                       const char *value)
{
    struct slice name = slice_str(key);
    const struct table *table = world->sites[number].table;
    table_ref ref = table_find(table, slot_of(name), name);
    if (ref == 0)
        return value == NULL;
    struct version version;
    table_view(table, ref, &version);
    if (version.form == VALUE_TOMBSTONE)
        return value == NULL;
    return value != NULL && slice_equal(version.value, slice_str(value));
}

static inline uint64_t covers(const struct world *world, uint32_t number, uint32_t actor)
{
    return vv_get(replica_coverage(world->sites[number].replica), actor);
}

static inline uint32_t actor_of(const struct world *world, uint32_t number)
{
    const struct member *member = config_member_by_id(newest(world), world->sites[number].node_id);
    return member != NULL ? member->actor : 0;
}

/* The write stands in the table, was overwritten there, or was beaten by a tombstone that has been
 * purged. */
static inline bool is_held(const struct world *world, const struct made *made,
                           const struct table *table)
{
    struct slice key = slice_str(made->key);
    table_ref ref = table_find(table, slot_of(key), key);
    if (ref != 0)
        return table_hlc(table, ref) > made->hlc ||
               (table_hlc(table, ref) == made->hlc &&
                table_dot(table, ref).actor >= made->dot.actor);
    for (uint32_t i = 0; i < world->made_count; i++) {
        const struct made *stone = &world->made[i];
        if (stone->tombstone && strcmp(stone->key, made->key) == 0 && stone->hlc >= made->hlc)
            return true;
    }
    return false;
}

/* R1: what a site claims to cover it has. */
static inline bool holds_what_it_covers(const struct world *world, uint32_t number)
{
    const struct site *site = &world->sites[number];
    for (uint32_t i = 0; i < world->made_count; i++)
        if (vv_covers(replica_coverage(site->replica), world->made[i].dot) &&
            !is_held(world, &world->made[i], site->table))
            return false;
    return true;
}

static inline bool same_version(const struct table *a, table_ref ref, const struct table *b)
{
    struct version left, right;
    table_view(a, ref, &left);
    table_ref other = table_find(b, slot_of(left.key), left.key);
    if (other == 0)
        return left.form == VALUE_TOMBSTONE; /* purged there */
    table_view(b, other, &right);
    return dot_equal(left.dot, right.dot) && left.hlc == right.hlc && left.form == right.form &&
           slice_equal(left.value, right.value);
}

/* What a stands for is in b too, but for tombstones that were purged there. */
static inline bool contained(const struct table *a, const struct table *b)
{
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        struct table_scan scan;
        table_scan_begin(a, &scan, slot);
        for (table_ref ref = table_scan_next(a, &scan); ref != 0; ref = table_scan_next(a, &scan))
            if (!same_version(a, ref, b))
                return false;
    }
    return true;
}

static inline bool same_tables(const struct table *a, const struct table *b)
{
    return contained(a, b) && contained(b, a);
}

/* What stands on its disk makes the same site. */
static inline bool same_after_replay(struct world *world, uint32_t number)
{
    const struct site *site = &world->sites[number];
    struct world *other = mem_zalloc(1, sizeof(*other));
    memcpy(other->configs, world->configs, sizeof(world->configs));
    other->config_count = world->config_count;
    other->knobs = world->knobs;
    site_open(other, 0, 100 + number);
    struct site *again = &other->sites[0];
    replay(other, again, buf_slice(&site->disk));
    struct replica_io io = io_of(again);
    replicas_recovered(again->set, &io);
    replicas_check(again->set, again->table);
    bool same =
        replica_seq(site->replica) == replica_seq(again->replica) &&
        same_tables(site->table, again->table) &&
        vv_compare(replica_coverage(site->replica), replica_coverage(again->replica)) == VV_EQUAL;
    again->mono_ms = again->wall_ms = site->wall_ms;
    io = io_of(again);
    replicas_flush(again->set, &io); /* looks for strays, as the other one has */
    same = same && replica_filled(site->replica) == replica_filled(again->replica);
    site_close(again);
    mem_free(other);
    return same;
}
