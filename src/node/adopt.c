/* adopt - a configuration becomes the one that counts here.
 *
 * Does:   logs an adoption before anything is done under it; tells replica, links and register;
 *         the first start; what phase the node is in.
 * Not:    deciding which configuration it is (cluster/).
 * Holds:  the adoption stands in the log before every record made under it (T36), synced.
 * Limits: -
 * See:    docs/protocol.md 6.1, 6.2.
 */
#include "node/state.h"

#define BOOT_SAY_MS 10000U /* between two lines of what the first start waits for */

static void encode_config_frame(struct node *node)
{
    struct outbox frame;
    outbox_init(&frame);
    frame.lineage = node->config->lineage;
    frame.epoch = node->config->epoch;
    struct buf body = BUF_EMPTY;
    config_encode(node->config, &body);
    struct msg_config msg = {.config = buf_slice(&body)};
    outbox_config(&frame, 0, &msg);
    buf_fini(&body);
    buf_fini(&node->config_frame);
    node->config_frame = buf_take(&frame.bytes);
    outbox_fini(&frame);
    buf_reset(&node->open->config);
    buf_append_slice(&node->open->config, buf_slice(&node->config_frame));
    node->open->config_epoch = node->config->epoch;
}

static void connect_replica(struct node *node)
{
    struct buf hangups = BUF_EMPTY;
    links_from_config(&node->links, node->config, node->id, &node->options.address, &hangups);
    buf_append(&node->open->hangups, hangups.ptr, hangups.len);
    buf_fini(&hangups);
    for (uint32_t i = 0; i < node->links.count; i++) {
        const struct link *link = &node->links.list[i];
        replicas_peer_suspected(node->replicas, link->node_id, link->suspected);
        if (link->state == LINK_UP && !link->doubt)
            replicas_peer_up(node->replicas, link->node_id, link->dial);
    }
    for (uint32_t i = 0; i < LINK_GUESTS; i++)
        if (node->links.guests[i].conn != 0)
            replicas_peer_hello(node->replicas, node->links.guests[i].node_id,
                                node->links.guests[i].generation);
    node__welcome_listed(node);
}

/* ---- what it is now ---- */

static void say_why(struct node *node, const char *why)
{
    buf_reset(&node->reason);
    buf_append_slice(&node->reason, slice_str(why));
}

void node__refuse(struct node *node, const char *why)
{
    node->phase = NODE_REFUSED;
    say_why(node, why);
    node__trace(node, TRACE_REFUSES, 0, 0, 0, slice_str(why));
}

static enum node_phase phase_by_config(const struct node *node)
{
    const struct member *self = config_member_by_id(node->config, node->id);
    if (self == NULL)
        return node->listed_once ? NODE_REFUSED : NODE_ASKING;
    if (node__in_doubt(node))
        return NODE_ASKING;
    if (self->shard == SHARD_NONE)
        return NODE_SPARE;
    return replica_active(replicas_home(node->replicas)) ? NODE_SERVING : NODE_FILLING;
}

bool node__has_place(enum node_phase phase)
{
    return phase == NODE_SERVING || phase == NODE_FILLING || phase == NODE_SPARE;
}

static void enter(struct node *node, enum node_phase phase)
{
    enum node_phase before = node->phase;
    node->phase = phase;
    if (phase == before)
        return;
    node__trace(node, TRACE_PHASE, (uint64_t)phase, 0, 0, node__phase_text(phase));
    if (phase == NODE_REFUSED)
        node__refuse(node,
                     "the cluster's configuration does not list this node any more: it was "
                     "removed. Its data stays where it is. It comes back when its address is "
                     "listed again (thence add), if the others lack nothing of that; else with "
                     "an empty directory");
    else if (phase == NODE_ASKING && node->reason.len == 0)
        say_why(node, "the cluster's configuration does not list this node: it asks for a place");
    else if (node__has_place(phase))
        buf_reset(&node->reason);
    if (before == NODE_SERVING || phase == NODE_REFUSED)
        node__withdraw(node);
    if (before != NODE_BOOTING && node__has_place(before) != node__has_place(phase))
        node__hang_up_guests(node); /* they dial again, and hear what it is now */
}

/* The address is still listed, under another id: whoever wrote this directory has been replaced
 * there, and this is an old disk of it. It comes back as one that has lost its memory. */
static bool was_replaced(const struct node *node)
{
    return node->listed_once && config_member_by_id(node->config, node->id) == NULL &&
           config_member_by_address(node->config, slice_str(node->options.address.text)) != NULL;
}

/* After recovery and after every adoption: phase, links, the frame for others. */
void node__settle(struct node *node)
{
    if (node->config == NULL) {
        node->phase = NODE_BOOTING;
        links_from_view(&node->links, node->options.view, node->options.view_count,
                        &node->options.address);
        return;
    }
    if (was_replaced(node) && !node__keeps_what_it_has(node))
        node__begin_anew(node, "another node has taken its place at its address");
    encode_config_frame(node);
    connect_replica(node);
    enter(node, phase_by_config(node));
    node__tell_only_here(node);
}

void node__start_over(struct node *node, const char *why)
{
    node__begin_anew(node, why);
    node__settle(node);
}

/* A peer has shown that this node had more than it has now. */
void node__contradicted(struct node *node)
{
    node__start_over(node, "a peer remembers that this node had more than it has now: its data "
                           "directory is an old copy");
}

/* ---- adopting ---- */

/* Who is listed, or was: a stranger keeps nothing, it may yet be let in as it is. */
static bool is_kept(const struct node *node, const struct config *config)
{
    bool was_listed = node->config != NULL && config_member_by_id(node->config, node->id) != NULL;
    return was_listed || config_member_by_id(config, node->id) != NULL;
}

static void log_adoption(struct node *node, const struct config *config)
{
    struct buf body = BUF_EMPTY;
    config_encode(config, &body);
    log_append(node->log, RECORD_CONFIG, buf_slice(&body));
    buf_fini(&body);
    if (!PLANTED(node->options.plant, ADOPTION_UNSYNCED))
        node->commits.must_sync = true;
}

/* A later epoch of the same history, or a history that has forked from this one no earlier than
 * here. Where this one has gone on beyond the fork, neither side yields: people must choose. */
static bool is_newer(const struct node *node, const struct config *config)
{
    if (node->config == NULL)
        return true;
    if (config->lineage == node->config->lineage)
        return config->epoch > node->config->epoch;
    const struct ancestor *ancestor = config_ancestor(config, node->config->lineage);
    return ancestor != NULL && node->config->epoch <= ancestor->epoch;
}

/* The term that the log knows has ended because the shard's slots have changed (7): the node goes
 * on with what it has, and until it has sealed that term the configuration keeps it. */
static bool is_its_to_seal(const struct config *config, uint64_t node_id, uint32_t actor)
{
    const struct retired *retired = config_retired(config, actor, SHARD_NONE);
    return retired != NULL && retired->state == RETIRED_MOVING && retired->node_id == node_id;
}

/* True when a seat that this node has by its present configuration ended because its slots arrived:
 * it had the slots that its shard has got. (In a shard without slots nobody writes, and no term of
 * it is sealed; the term of such a seat is.) */
static bool had_its_slots(const struct node *node, const struct config *config)
{
    for (uint32_t i = 0; i < node->config->seat_count; i++) {
        const struct seat *seat = &node->config->seats[i];
        if (seat->node_id == node->id && is_its_to_seal(config, node->id, seat->actor))
            return true;
    }
    return false;
}

/* It alone says when it has filled up, and its log had that before anybody heard of it; but for a
 * shard where nobody was active: others may have seen that all have merged. */
static bool has_not_filled(const struct node *node, uint32_t shard, enum member_state was)
{
    const struct replica *replica = replicas_of_shard(node->replicas, shard);
    return was == MEMBER_SYNCING && config_count(node->config, shard, MEMBER_ACTIVE) > 0 &&
           !(replica != NULL && replica_has_filled(replica)) &&
           !PLANTED(node->options.plant, TRANSIT_ACTIVE_EARLY);
}

static const struct seat *seat_of(const struct config *config, uint32_t actor)
{
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].actor == actor)
            return &config->seats[i];
    return NULL;
}

/* True when config gives this node a seat, not syncing, that its log cannot account for: it neither
 * had the slots before they were on their way nor filled up with them. home: its actor in its
 * shard. */
static bool has_a_seat_ahead(const struct node *node, const struct config *config, uint32_t home)
{
    for (uint32_t i = 0; i < config->seat_count; i++) {
        const struct seat *now = &config->seats[i];
        if (now->node_id != node->id || now->state == MEMBER_SYNCING)
            continue;
        const struct seat *was = seat_of(node->config, now->actor);
        bool gave = is_its_to_seal(config, node->id, home) || had_its_slots(node, config);
        if (was != NULL ? has_not_filled(node, was->shard, was->state) : !gave)
            return true;
    }
    return false;
}

/* True when config has this node active in a term that its log does not know: an old disk (T11,
 * T24). A term begins with syncing, and the log says so; but for those of the first configuration,
 * and those that began because slots moved. */
static bool is_ahead_of_log(const struct node *node, const struct config *config)
{
    const struct member *now = config_member_by_id(config, node->id);
    if (node->config == NULL || now == NULL || !member_counts(now) || now->state == MEMBER_SYNCING)
        return false;
    const struct member *was = config_member_by_id(node->config, node->id);
    if (was == NULL || !member_counts(was))
        return true;
    if (has_a_seat_ahead(node, config, was->actor))
        return true;
    if (was->actor == now->actor)
        return has_not_filled(node, was->shard, was->state);
    if (slotset_size(&node->config->shards[was->shard].slots) > 0)
        return !is_its_to_seal(config, node->id, was->actor);
    return slotset_size(&config->shards[now->shard].slots) > 0 && !had_its_slots(node, config);
}

/* Everybody learns it now, rather than with the next frame: whoever asked for it may go to another
 * node next. */
static void spread(struct node *node)
{
    for (uint32_t i = 0; i < node->links.count; i++)
        if (node->links.list[i].state == LINK_UP)
            outbox_append(node__out(node), buf_slice(&node->config_frame), MSG_CONFIG,
                          node->links.list[i].node_id);
}

/* Takes config over, or frees it. False: it is not for this node. */
bool node__adopt(struct node *node, struct config *config)
{
    if (!is_newer(node, config) || !node->log_usable || node->stop_logged) {
        config_free(config);
        return false;
    }
    if (is_ahead_of_log(node, config))
        node__begin_anew(node, "the configuration gives it a term that its log knows nothing of: "
                               "its data directory is an old copy");
    bool first = node->config == NULL;
    bool was_in_doubt = node__in_doubt(node);
    node__ack(node); /* under the term in which they were written */
    if (is_kept(node, config))
        log_adoption(node, config);
    node__note_removed(node, config);
    node__trace_losses(node, config);
    struct replica_io io = node__io(node);
    replicas_adopt(node->replicas, config, &io);
    config_free(node->config);
    node->config = config;
    node->listed_once = node->listed_once || config_member_by_id(config, node->id) != NULL;
    node->adopted_ms = node->change_ms = node->mono_ms;
    reg_adopted(&node->reg, config->epoch);
    if (was_in_doubt && !PLANTED(node->options.plant, ANY_ACTOR_ANSWERS))
        node__judge_actor(node);
    node__trace(node, TRACE_EPOCH_ADOPTED, config->epoch, config->lineage, 0, SLICE_EMPTY);
    if (first)
        node__trace(node, TRACE_BOOT_DECIDED, config->member_count, config->shard_count, 0,
                    SLICE_EMPTY);
    node__settle(node);
    spread(node);
    node__refuse_written(node, false);
    node__unpark(node);
    return true;
}

/* ---- the register's results ---- */

struct reg_io node__reg_io(struct node *node)
{
    return (struct reg_io){.out = node__vows(node),
                           .log = node->log,
                           .must_sync = false,
                           .mono_ms = node->mono_ms,
                           .plant = node->options.plant,
                           .metrics = &node->metrics};
}

/* After every call of the register: notes what its frames rest on, and adopts what was decided,
 * unless result is REG_NOTHING. */
void node__reg_done(struct node *node, const struct reg_io *io, enum reg_result result)
{
    if (io->must_sync)
        node->commits.vowed = log_position(node->log);
    if (result == REG_NOTHING || !node->reg.proposer.decided)
        return;
    struct config *config = config_decode(buf_slice(&node->reg.proposer.value));
    if (config != NULL)
        node__adopt(node, config);
}

/* ---- the first start ---- */

static void say_waiting(struct node *node)
{
    if (node->announced_boot && node->mono_ms - node->boot_said_ms < BOOT_SAY_MS)
        return;
    node->announced_boot = true;
    node->boot_said_ms = node->mono_ms;
    struct buf text = BUF_EMPTY;
    boot_waiting_for(&node->boot, &text);
    node__trace(node, TRACE_BOOT_WAITING, 0, 0, 0, buf_slice(&text));
    buf_fini(&text);
}

static void propose_first(struct node *node)
{
    struct first_start start;
    memset(&start, 0, sizeof(start));
    if (!boot_ready(&node->boot, &start))
        return;
    /* --bootstrap takes whoever is there: give the others time to show up. */
    if (node->options.bootstrap && node->mono_ms - node->started_ms < 3 * node->knobs->suspect_ms)
        return;
    start.lineage = rng_u64(&node->rng) | 1;
    for (size_t i = 0; i < sizeof(start.token_key.bytes); i++)
        start.token_key.bytes[i] = node->options.entropy[i]; /* secret: not from the rng */
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    if (config == NULL) {
        node__refuse(node, err_sentence(err));
        return;
    }
    struct buf value = BUF_EMPTY;
    config_encode(config, &value);
    uint64_t acceptors[LIMIT_MEMBERS];
    uint32_t count = boot_acceptors(&node->boot, acceptors);
    struct reg_io io = node__reg_io(node);
    reg_propose(&node->reg, 1, buf_slice(&value), acceptors, count, count, UINT64_MAX, &io);
    node__reg_done(node, &io, REG_NOTHING);
    buf_fini(&value);
    config_free(config);
}

/* An address of VIEW came back as another node while it was asked to accept (T34). */
static bool acceptors_changed(const struct node *node)
{
    const struct proposer *proposer = &node->reg.proposer;
    struct first_start start;
    memset(&start, 0, sizeof(start));
    if (proposer->phase == PROPOSER_IDLE || !boot_ready(&node->boot, &start))
        return false;
    uint64_t acceptors[LIMIT_MEMBERS];
    uint32_t count = boot_acceptors(&node->boot, acceptors);
    return count != proposer->acceptor_count ||
           memcmp(acceptors, proposer->acceptors, count * sizeof(acceptors[0])) != 0;
}

void node__tick_boot(struct node *node)
{
    if (!node->log_usable || node->stop_asked)
        return;
    struct reg_io io = node__reg_io(node);
    enum reg_result result = reg_tick(&node->reg, &io);
    node__reg_done(node, &io, result);
    if (node->phase != NODE_BOOTING)
        return;
    if (acceptors_changed(node)) {
        REACHED(&node->metrics, ACCEPTORS_CHANGED);
        reg_abandon(&node->reg);
    }
    if (node->reg.proposer.phase == PROPOSER_IDLE)
        propose_first(node);
    if (node->phase == NODE_BOOTING)
        say_waiting(node);
}

bool node_propose_touch(struct node *node)
{
    if (node->config == NULL || !node->log_usable || node->phase == NODE_REFUSED ||
        node->phase == NODE_ASKING)
        return false;
    enum err err = E_OK;
    struct config *next = config_touch(node->config, &err);
    return next != NULL && node__propose_next(node, next);
}

bool node_proposes(const struct node *node)
{
    return node->reg.proposer.phase != PROPOSER_IDLE;
}
