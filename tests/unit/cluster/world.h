/* world - a small deterministic world for the register: messages, disks, crashes.
 *
 * Does:   nodes with a register each, messages on their way, disks that know what was synced; what
 *         a node does around a step; watches G1 to G4 from outside, over all that ever left a
 *         node or reached a disk.
 * Not:    what happens when: chaos.h. The simulator of whole nodes: src/sim.
 * Holds:  output of a step that must be synced is held until its records are; what did not have
 *         to be leaves at once, past whatever is held.
 * Limits: WORLD_NODES, WORLD_FLIGHT (a message too many is lost), WORLD_RECORDS.
 * See:    src/cluster/register.h; test_register.c.
 */
#pragma once

#include "unit.h"

#include "cluster/cluster.h"

#define WORLD_NODES 9U
#define WORLD_FLIGHT 128U
#define WORLD_RECORDS 2048U
#define WORLD_BALLOTS 256U
#define WORLD_INSTANCES 4U
#define PARCEL_BYTES 120U
#define ADOPT 255U /* a parcel that spreads a decision: instance 8, value 8 */

/* Bugs that the world can give its nodes, to see that they are found. */
enum mutant {
    MUTANT_NONE,
    MUTANT_FORGETS, /* a machine crash takes the last record, though it was synced (T10) */
    MUTANT_EAGER,   /* answers leave before what they rest on is synced */
    MUTANT_ONCE,    /* what was logged is not logged again for a second answer */
    MUTANT_BLIND,   /* proposers do not see what was accepted before */
    MUTANT_CACHED,  /* nodes alone trust what they replay before it is synced */
};

/* How rough a run is: drawn anew for each (swarm). */
struct weather {
    uint32_t acceptor_count; /* the first nodes */
    uint32_t extra_count;    /* others, who only propose */
    bool all_first;          /* instance 1 needs all */
    bool sync_first;         /* a start syncs what it replayed; a must for nodes alone */
    bool disks_lost;         /* any disk but that of node 0 may be lost, in instance 1 */
    uint64_t instance_max;   /* no proposals above */
    uint32_t steps;          /* of the rough phase */
    uint32_t drop;           /* weights of what may happen, of 100 and more */
    uint32_t twice;
    uint32_t crash_process;
    uint32_t crash_machine;
    uint32_t propose;
    enum mutant mutant;
};

struct disk_record {
    uint8_t kind;
    uint8_t len;
    uint8_t bytes[62];
};

struct parcel {
    uint64_t from, to; /* node ids */
    uint32_t turn;     /* of the sender, that must be synced first; 0: on its way */
    uint8_t type;      /* of the frame, or ADOPT */
    uint8_t len;
    uint8_t bytes[PARCEL_BYTES]; /* the frame */
};

/* A step that logged something and is not through. */
struct turn {
    uint32_t number;
    uint32_t records_end; /* of the disk, when it is through */
    bool must_sync;
    bool written;
    uint64_t decided_instance; /* 0: none */
    uint64_t decided_value;
};

#define TURNS 16U

struct world_node {
    struct reg reg;
    uint64_t id;
    bool up;
    uint64_t epoch; /* adopted, in memory */
    uint64_t value; /* of it */
    struct turn turns[TURNS];
    uint32_t turn_count;
    uint32_t turn_number;
    struct disk_record records[WORLD_RECORDS];
    uint32_t appended, written, synced; /* of records, each at most the one before */
    /* What the world remembers of it, over crashes. */
    uint64_t said_instance;      /* of its last yes */
    struct ballot said_promised; /* highest yes that left */
    struct ballot said_accepted; /* highest acceptance that left */
    struct ballot seen;          /* highest acceptance it saw in this proposal */
    uint64_t seen_value;
    uint64_t proposed; /* what it proposed last */
};

struct world_ballot {
    uint64_t instance;
    struct ballot ballot;
    uint64_t value;
    uint32_t accepted_by; /* bits of acceptors whose disks have it */
};

struct world {
    struct rng rng;
    struct weather weather;
    struct log *log; /* one for all: emptied after each step */
    struct outbox out;
    uint64_t mono_ms;
    uint64_t next_id, next_value;
    uint32_t node_count;
    struct world_node nodes[WORLD_NODES];
    struct parcel flight[WORLD_FLIGHT];
    uint32_t flight_count;
    struct world_ballot ballots[WORLD_BALLOTS];
    uint32_t ballot_count;
    uint64_t decided[WORLD_INSTANCES + 2]; /* by instance */
    const char *broken;                    /* the first invariant that broke */
    /* How often, over all runs of this world: a test of nothing would show here. */
    uint64_t decisions, crashes, yeses, noes, losses;
};

static inline void world_break(struct world *world, const char *what)
{
    if (world->broken == NULL)
        world->broken = what;
}

static inline bool below(struct ballot a, struct ballot b)
{
    return a.round < b.round || (a.round == b.round && a.node < b.node);
}

static inline uint64_t value_number(struct slice value)
{
    uint64_t number = 0;
    if (value.len == sizeof number)
        memcpy(&number, value.ptr, sizeof number);
    return number;
}

/* ---- What the world watches ---- */

static inline void watch_decided(struct world *world, uint64_t instance, uint64_t value)
{
    assert_true(instance <= WORLD_INSTANCES && value != 0);
    if (world->decided[instance] == 0) {
        world->decided[instance] = value;
        world->decisions++;
    }
    if (world->decided[instance] != value)
        world_break(world, "G1");
}

static inline struct world_ballot *watch_ballot(struct world *world, uint64_t instance,
                                                struct ballot ballot, uint64_t value)
{
    for (uint32_t i = 0; i < world->ballot_count; i++) {
        struct world_ballot *known = &world->ballots[i];
        if (known->instance != instance || below(known->ballot, ballot) ||
            below(ballot, known->ballot))
            continue;
        if (known->value != value)
            world_break(world, "G4");
        return known;
    }
    assert_true(world->ballot_count < WORLD_BALLOTS);
    struct world_ballot *added = &world->ballots[world->ballot_count++];
    *added = (struct world_ballot){instance, ballot, value, 0};
    return added;
}

static inline uint32_t quorum_of(const struct world *world, uint64_t instance)
{
    uint32_t count = world->weather.acceptor_count;
    return instance == 1 && world->weather.all_first ? count : count / 2 + 1;
}

/* A record of the register is on the disk for good. */
static inline void watch_synced(struct world *world, uint32_t index,
                                const struct disk_record *record)
{
    struct read in = read_of(slice_of(record->bytes, record->len));
    uint64_t instance = read_u64(&in);
    read_bytes(&in, 16);
    struct ballot accepted;
    accepted.round = read_u64(&in);
    accepted.node = read_u64(&in);
    if (accepted.round == 0 || index >= world->weather.acceptor_count)
        return;
    uint64_t value = value_number(read_bytes(&in, read_left(&in)));
    struct world_ballot *known = watch_ballot(world, instance, accepted, value);
    known->accepted_by |= 1U << index;
    if ((uint32_t)__builtin_popcount(known->accepted_by) >= quorum_of(world, instance))
        watch_decided(world, instance, value);
}

/* A yes leaves its acceptor: G2, over crashes. */
static inline void watch_yes(struct world *world, struct world_node *node, uint64_t instance,
                             struct ballot ballot, const struct ballot *reported)
{
    world->yeses++;
    if (instance > node->said_instance) {
        node->said_instance = instance;
        node->said_promised = node->said_accepted = (struct ballot){0};
    }
    if (instance < node->said_instance || below(ballot, node->said_promised))
        world_break(world, "G2");
    node->said_promised = ballot;
    if (reported == NULL)
        node->said_accepted = ballot;
    else if (below(*reported, node->said_accepted))
        world_break(world, "G2");
}

static inline struct world_node *node_by_id(struct world *world, uint64_t id)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].id == id)
            return &world->nodes[i];
    }
    return NULL;
}

/* A frame leaves its sender. */
static inline void watch_leaving(struct world *world, const struct parcel *parcel)
{
    struct world_node *node = node_by_id(world, parcel->from);
    struct frame frame;
    if (parcel->type == ADOPT || node == NULL)
        return;
    assert_true(frame_decode(slice_of(parcel->bytes, parcel->len), &frame));
    struct msg_promise promise;
    struct msg_accept accept;
    struct msg_accepted accepted;
    if (frame.type == MSG_PROMISE) {
        assert_true(msg_promise_decode(frame.body, &promise));
        struct ballot reported = {promise.accepted_round, promise.accepted_node};
        world->noes += promise.granted == 0;
        if (promise.granted)
            watch_yes(world, node, promise.instance, (struct ballot){promise.round, promise.node},
                      &reported);
    } else if (frame.type == MSG_ACCEPTED) {
        assert_true(msg_accepted_decode(frame.body, &accepted));
        world->noes += accepted.granted == 0;
        if (accepted.granted)
            watch_yes(world, node, accepted.instance,
                      (struct ballot){accepted.round, accepted.node}, NULL);
    } else if (frame.type == MSG_ACCEPT) {
        assert_true(msg_accept_decode(frame.body, &accept));
        struct ballot ballot = {accept.round, accept.node};
        uint64_t value = value_number(accept.value);
        if (accept.node != parcel->from)
            world_break(world, "G4");
        watch_ballot(world, accept.instance, ballot, value);
        /* The world knows what the proposer could know: the highest acceptance, or its own. */
        bool current = ballot.round == node->reg.proposer.ballot.round &&
                       accept.instance == node->reg.proposer.instance;
        if (current && value != (node->seen.round > 0 ? node->seen_value : node->proposed))
            world_break(world, "G3");
    }
}

static inline void watch_seen(struct world_node *node, struct ballot accepted, uint64_t value)
{
    if (below(node->seen, accepted)) {
        node->seen = accepted;
        node->seen_value = value;
    }
}

/* ---- Steps, disks ---- */

static inline void world_send(struct world *world, const struct parcel *parcel)
{
    if (world->flight_count == WORLD_FLIGHT) {
        world->losses++;
        return;
    }
    if (parcel->turn == 0)
        watch_leaving(world, parcel);
    world->flight[world->flight_count++] = *parcel;
}

static inline void parcel_drop(struct world *world, uint32_t index)
{
    world->flight[index] = world->flight[--world->flight_count];
}

static inline void disk_append(struct world_node *node, enum record_kind kind, struct slice body)
{
    assert_true(node->appended < WORLD_RECORDS);
    struct disk_record *record = &node->records[node->appended++];
    assert_true(body.len <= sizeof record->bytes);
    record->kind = (uint8_t)kind;
    record->len = (uint8_t)body.len;
    memcpy(record->bytes, body.ptr, body.len);
}

static inline const struct disk_record *last_register(const struct world_node *node)
{
    for (uint32_t i = node->appended; i > 0; i--) {
        if (node->records[i - 1].kind == RECORD_REGISTER)
            return &node->records[i - 1];
    }
    return NULL;
}

/* Moves what the step logged to the node's disk. Returns how many records. */
static inline uint32_t log_to_disk(struct world *world, struct world_node *node)
{
    if (!log_pending(world->log))
        return 0;
    struct log_batch batch;
    log_take(world->log, &batch);
    uint32_t count = 0;
    struct record record;
    for (struct slice rest = batch.bytes; record_decode(rest, &record) == RECORD_OK;
         rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len)) {
        if (record.kind != RECORD_REGISTER && record.kind != RECORD_CONFIG)
            continue;
        const struct disk_record *last = last_register(node);
        if (world->weather.mutant == MUTANT_ONCE && record.kind == RECORD_REGISTER &&
            last != NULL && slice_equal(record.body, slice_of(last->bytes, last->len)))
            continue;
        disk_append(node, record.kind, record.body);
        count++;
    }
    return count;
}

static inline void turn_release(struct world *world, struct world_node *node,
                                const struct turn *turn)
{
    if (turn->decided_instance > 0)
        watch_decided(world, turn->decided_instance, turn->decided_value);
    for (uint32_t i = 0; i < world->flight_count; i++) {
        struct parcel *parcel = &world->flight[i];
        if (parcel->turn != turn->number || parcel->from != node->id)
            continue;
        parcel->turn = 0;
        watch_leaving(world, parcel);
    }
}

static inline void disk_sync(struct world *world, struct world_node *node, uint32_t end)
{
    for (; node->synced < end; node->synced++) {
        const struct disk_record *record = &node->records[node->synced];
        if (record->kind == RECORD_REGISTER)
            watch_synced(world, (uint32_t)(node - world->nodes), record);
    }
}

/* The first turn that waits gets on: written, then synced. */
static inline void disk_step(struct world *world, struct world_node *node)
{
    if (node->turn_count == 0)
        return;
    struct turn turn = node->turns[0];
    if (!turn.written) {
        node->written = turn.records_end;
        node->turns[0].written = true;
        if (turn.must_sync && rng_chance(&world->rng, 1, 2))
            return;
    }
    if (turn.must_sync)
        disk_sync(world, node, turn.records_end);
    node->turn_count--;
    memmove(node->turns, node->turns + 1, node->turn_count * sizeof turn);
    turn_release(world, node, &turn);
}

static inline void adopt(struct world *world, struct world_node *node, uint64_t instance,
                         uint64_t value)
{
    uint64_t body[2] = {instance, value};
    log_append(world->log, RECORD_CONFIG, slice_of(body, sizeof body));
    node->epoch = instance;
    node->value = value;
    reg_adopted(&node->reg, instance);
}

static inline struct reg_io step_begin(struct world *world)
{
    outbox_reset(&world->out);
    return (struct reg_io){
        .out = &world->out, .log = world->log, .must_sync = false, .mono_ms = world->mono_ms};
}

/* The turn that output has to wait for, 0 for none. */
static inline uint32_t turn_begin(struct world_node *node, bool must_sync, uint64_t instance,
                                  uint64_t value)
{
    struct turn *turn = &node->turns[node->turn_count++];
    *turn = (struct turn){++node->turn_number, node->appended, must_sync, false, instance, value};
    return turn->number;
}

static inline void frames_send(struct world *world, const struct world_node *node, uint32_t turn)
{
    struct parcel parcel = {.from = node->id, .turn = turn};
    for (size_t i = 0; i < world->out.count; i++) {
        const struct outbox_item *item = &world->out.items[i];
        assert_true(item->len <= PARCEL_BYTES);
        parcel.to = item->to;
        parcel.type = item->type;
        parcel.len = (uint8_t)item->len;
        memcpy(parcel.bytes, world->out.bytes.ptr + item->begin, item->len);
        world_send(world, &parcel);
    }
}

/* What the node around the register does after a call. */
static inline void step_end(struct world *world, struct world_node *node, const struct reg_io *io,
                            enum reg_result result)
{
    const struct proposer *proposer = &node->reg.proposer;
    uint64_t instance = 0;
    uint64_t value = 0;
    reg_check(&node->reg);
    if (proposer->phase == PROPOSER_PREPARING && node->reg.acceptor.accepted.round > 0 &&
        node < world->nodes + world->weather.acceptor_count)
        watch_seen(node, node->reg.acceptor.accepted,
                   value_number(buf_slice(&node->reg.acceptor.value)));
    if (result != REG_NOTHING && proposer->decided) {
        instance = proposer->instance;
        value = value_number(buf_slice(&proposer->value));
        assert_true((result == REG_DECIDED) == (value == node->proposed));
        adopt(world, node, instance, value);
    }
    assert_true(result != REG_DECIDED || value != 0);
    assert_true(!io->must_sync || log_pending(world->log));
    while (node->turn_count == TURNS)
        disk_step(world, node);
    uint32_t logged = log_to_disk(world, node);
    uint32_t turn = 0;
    bool hold = io->must_sync && logged > 0 && world->weather.mutant != MUTANT_EAGER;
    if (logged > 0)
        turn = turn_begin(node, io->must_sync, hold ? instance : 0, value);
    if (instance > 0 && !hold)
        watch_decided(world, instance, value);
    frames_send(world, node, hold ? turn : 0);
}
