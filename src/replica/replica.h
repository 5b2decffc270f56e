/* replica - a shard's data at one of its members.
 *
 * Does:   for each shard and transit in which the node has a place: the own sequence of writes,
 *         delivery in causal order, streams to the other members, receipts, tail walks,
 *         heartbeats, stability and its gossip, purge of tombstones; filling up and merging; what
 *         the ends of terms need (sealing, handing over).
 * Not:    clients and their requests (node/), connections (node/), who is who (cluster/).
 * Holds:  R1 coverage[a] = k: every write of a up to k in these slots is in the table, or was
 *         overwritten or purged there. R2 what was receipted is in the log and, until it is
 *         delivered, in memory. R3 the own seq is never below a dot that was given away. R4 stable
 *         is never ahead of what every responsible member reported. R5 an actor has pending writes
 *         from coverage + 1 on without a hole, or a gap range above a hole, never both. R6 coverage
 *         names relevant actors only; a retired one has nothing pending and no gap range. R7 who is
 *         syncing has written nothing in this term, and nobody else receives a fill. R8 who drops
 *         what a fill did not bring is filling up, receives no walk, and is not filled yet.
 * Limits: knobs window_bytes, pending_bytes, walk_chunk_bytes; REPLICA_WALKS_OUT walks at once.
 * See:    docs/protocol.md sections 3.6, 3.7, 4 and 5; README.md in this folder.
 */
#pragma once

#include "store/store.h"

/* What every call may need; filled in anew for each step. */
struct replica_io {
    struct outbox *out;      /* frames to send; held back by the node until what is in the log is
                                    committed */
    struct log *log;         /* records of this turn */
    struct table *table;     /* the state */
    struct metrics *metrics; /* figures */
    const struct tracer *tracer; /* the story */
    uint64_t mono_ms;            /* now, monotonic */
    uint64_t wall_ms;            /* now, wall */
    bool checkpointing;          /* a checkpoint is under way: removals are logged */
};

struct replica;
struct replicas;

/* ---- all replicas of a node (replicas.c) ---- */

struct replicas *replicas_new(const struct knobs *knobs, enum plant plant, uint64_t node_id);
void replicas_free(struct replicas *set);

/* The one of the node's own shard; a spare has it, too: it keeps stability. Borrowed, for as long
 * as the set lives. Those of transits live until the next adoption. */
struct replica *replicas_home(const struct replicas *set);
uint32_t replicas_count(const struct replicas *set);
struct replica *replicas_at(const struct replicas *set, uint32_t index); /* 0: home */

/* NULL when this node has no place there. By index into the configuration, by id, by slot. */
struct replica *replicas_of_shard(const struct replicas *set, uint32_t shard);
struct replica *replicas_of_id(const struct replicas *set, uint32_t shard_id);
struct replica *replicas_of_slot(const struct replicas *set, uint32_t slot);

/* Takes over a configuration (borrowed until the next adopt); also for a spare, and for a node that
 * is not listed (any more). Another own actor is a new term: seq 1 comes next, and the writes of
 * the one before come by walks only. In replay at the place of the record. */
void replicas_adopt(struct replicas *set, const struct config *config, struct replica_io *io);

/* The own log may have lost writes of the own actors (RECORD_DOUBT, when it is logged and in
 * replay): until a configuration gives others nothing is told to peers or taken from them. */
void replicas_doubt(struct replicas *set);

/* Another node id, because the log as a whole is not to be trusted (RECORD_IDENTITY again): no
 * term, no coverage; the table stays, and what was pending goes into it. */
void replicas_become(struct replicas *set, uint64_t node_id, struct replica_io *io);

/* A record of a kind that replicas write (ARRIVAL, WALKED, DUMP, RAISE, RANGE, CEILING, HIGHEST,
 * ABSENT, FILLED). False: its body makes no sense. */
bool replicas_replay(struct replicas *set, const struct record *record, uint64_t position,
                     struct replica_io *io);

/* After the last record. */
void replicas_recovered(struct replicas *set, struct replica_io *io);

/* Appends what a checkpoint must repeat beside the table. */
void replicas_checkpoint(const struct replicas *set, struct log *log);

/* Removes from seen what is stable everywhere or belongs to closed actors (3.6). */
void replicas_prune(struct replicas *set, struct vv *seen);

/* What every responsible member covers, of all open actors. Borrowed until the next call. */
const struct vv *replicas_stable(struct replicas *set);

/* What a shard or transit says is stable; from is a member. False: it makes no sense, hang up. */
bool replicas_recv_stable(struct replicas *set, uint64_t from, const struct msg_stable *msg);

/* A connection to a member stands and it has said who it is; generation: of our HELLO on it. */
void replicas_peer_up(struct replicas *set, uint64_t node_id, uint32_t generation);
void replicas_peer_down(struct replicas *set, uint64_t node_id, struct replica_io *io);

/* It has dialled us; generation: of its HELLO. */
void replicas_peer_hello(struct replicas *set, uint64_t node_id, uint32_t generation);
void replicas_peer_suspected(struct replicas *set, uint64_t node_id, bool suspected);

/* Heartbeats, gossip, pulls, sweeps; at the end of every turn and after every commit streams,
 * receipts, walk chunks, drops; when tick is wanted; when flush could do more than it has (a walk,
 * a stream or a drop that stopped at its bound), mono: UINT64_MAX if never, in the past if at
 * once. */
void replicas_tick(struct replicas *set, struct replica_io *io);
void replicas_flush(struct replicas *set, struct replica_io *io);
uint64_t replicas_deadline_ms(const struct replicas *set);
uint64_t replicas_flush_ms(const struct replicas *set);

/* Bytes of a frame that is not whole yet come from this node: a walk from it goes on. */
void replicas_heard_part(struct replicas *set, uint64_t node_id, uint64_t mono_ms);

/* Something that a client waits for is being done (a request is looked at, a write arrives): bulk
 * work steps back for some milliseconds. Whether it does now. */
void replicas_served(struct replicas *set, uint64_t mono_ms);
bool replicas_step_back(const struct replicas *set, uint64_t mono_ms);

/* True when a peer remembers more of this node's writes than it has itself (6.3, T11). */
bool replicas_contradicted(const struct replicas *set);

/* Bytes in windows and pending writes; in pending writes alone. */
uint64_t replicas_memory_bytes(const struct replicas *set);
uint64_t replicas_pending_bytes(const struct replicas *set);

/* Asserts R3 to R8 and G1 as far as they can be seen from inside. */
void replicas_check(const struct replicas *set, const struct table *table);

/* ---- one of them ---- */

/* Index of its shard or transit, or SHARD_NONE. */
uint32_t replica_shard(const struct replica *replica);

/* True when this node serves these slots: it is active there, and not in doubt. */
bool replica_active(const struct replica *replica);

/* The present own actor there, 0 for none; what it is there. */
uint32_t replica_actor(const struct replica *replica);
enum member_state replica_state(const struct replica *replica);

/* ---- clients' side ---- */

/* True when everything in seen that matters to the slots held here is covered; otherwise
 * *missing is one entry that is not. */
bool replica_covers(const struct replica *replica, const struct vv *seen, struct dot *missing);

/* True when this one write matters here and is not covered. */
bool replica_waits_for(const struct replica *replica, struct dot dot);

/* The same question about another member, from what it reported. */
bool replica_peer_covers(const struct replica *replica, uint64_t node_id, const struct vv *seen);

/* How many writes of missing's actor lie between the coverage of a member and missing. */
uint64_t replica_behind_by(const struct replica *replica, uint64_t node_id, struct dot missing);

/* A write of this node. version: form, key and value are given; dot, HLC and deps are filled in
 * (deps from seen, which the caller has pruned). position: of the end of its record, for the
 * acknowledgement. The write is in table, log and window when this returns. */
enum table_put_result replica_write(struct replica *replica, struct version *version, uint32_t slot,
                                    const struct vv *seen, struct replica_io *io);

/* Prunes the dependencies of a version where it stands, and merges what is left into seen.
 * False when seen has no room. */
bool replica_merge_deps(struct replica *replica, table_ref ref, struct vv *seen,
                        struct replica_io *io);

/* True when another member that stays has receipted the own write; also of a term before. */
bool replica_receipted(const struct replica *replica, struct dot dot);

/* True when each other member is suspected, leaves, or has not receipted what it owes for
 * suspect_ms (3.4, T39), or none is there. */
bool replica_alone(const struct replica *replica, uint64_t mono_ms);

/* True when this node is the only member of its shard. */
bool replica_single(const struct replica *replica);

/* The source of the walk under way, or 0 (4.3: requests go there meanwhile). Who fills up or leaves
 * may be the source of a walk, and does not serve: 0, too. */
uint64_t replica_walk_source(const struct replica *replica);

/* ---- membership: what may be proposed (docs/protocol.md 6.3 to 6.5) ---- */

/* True when this syncing node has filled up in this term, at whatever epoch, and has swept what it
 * has of others' slots: it may be active (config_activate). In this process's life, or found in
 * the log. */
bool replica_filled(const struct replica *replica);

/* It has, in this term, whatever keeps it from saying so. */
bool replica_has_filled(const struct replica *replica);

/* True when nobody of the own shard is active, and everybody there has walked all the others
 * since: they may be active (config_merged). */
bool replica_merged_all(const struct replica *replica);

/* True when this leaving node is not needed any more: what it had when all knew that it leaves is
 * everywhere, and it keeps no retired actor's writes (config_left). Remembers what it had. */
bool replica_handed_over(struct replica *replica);

/* True when every keeper of a sealing actor has reported on it (config_sealed). *last_seq: the
 * highest seq that anybody has had. *whole_seq: up to here somebody covers it. */
bool replica_seal(const struct replica *replica, uint32_t actor, uint64_t *last_seq,
                  uint64_t *whole_seq);

/* True when all members cover the actor up to seq: a sealed one may be closed (config_closed). */
bool replica_all_cover(const struct replica *replica, uint32_t actor, uint64_t seq);

/* ---- peers' side ---- */

/* Messages; from is a member of the configuration. False: it makes no sense, hang up. epoch: of
 * the frame. */
bool replica_recv_data(struct replica *replica, uint64_t from, const struct msg_data *msg,
                       struct replica_io *io);
bool replica_recv_report(struct replica *replica, uint64_t from, uint64_t epoch,
                         const struct msg_report *msg, struct replica_io *io);
bool replica_recv_walk_request(struct replica *replica, uint64_t from,
                               const struct msg_walk_request *msg, struct replica_io *io);
bool replica_recv_walk_begin(struct replica *replica, uint64_t from,
                             const struct msg_walk_begin *msg, struct replica_io *io);
bool replica_recv_walk_chunk(struct replica *replica, uint64_t from,
                             const struct msg_walk_chunk *msg, struct replica_io *io);
bool replica_recv_walk_ack(struct replica *replica, uint64_t from, const struct msg_walk_ack *msg);
bool replica_recv_walk_end(struct replica *replica, uint64_t from, const struct msg_walk_end *msg,
                           struct replica_io *io);
bool replica_recv_walk_stop(struct replica *replica, uint64_t from, const struct msg_walk_stop *msg,
                            struct replica_io *io);

/* ---- questions ---- */

const struct vv *replica_coverage(const struct replica *replica);
uint64_t replica_seq(const struct replica *replica);

/* What a member's wall clock showed above ours when it last reported; 0 when unknown. */
int64_t replica_clock_diff_ms(const struct replica *replica, uint64_t node_id);

/* What a member last reported to cover, or NULL. */
const struct vv *replica_peer_coverage(const struct replica *replica, uint64_t node_id);
