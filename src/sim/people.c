/* people - what operators are told must be true.
 *
 * Does:   see people.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    people.h.
 */
#include "sim/people.h"

#define ULL unsigned long long

/* So long a node tries, less what a tick takes. */
#define TRIES_US 9900000U

/* ---- Who is meant ---- */

/* The next address of a list with commas between; empty behind the last. */
static struct slice next_name(const char **rest)
{
    size_t len = strcspn(*rest, ",");
    struct slice name = slice_of((const uint8_t *)*rest, len);
    *rest += (*rest)[len] == ',' ? len + 1 : len;
    return name;
}

static bool is_named(const struct call *call, const struct member *member)
{
    const char *rest = call->addresses;
    for (struct slice name = next_name(&rest); name.len > 0; name = next_name(&rest))
        if (slice_equal(name, slice_str(member->address.text)))
            return true;
    return false;
}

/* How many of those named are listed, or (missing) are not. */
static uint32_t count_named(const struct call *call, const struct config *config, bool missing)
{
    const char *rest = call->addresses;
    uint32_t count = 0;
    for (struct slice name = next_name(&rest); name.len > 0; name = next_name(&rest))
        count += (config_member_by_address(config, name) == NULL) == missing;
    return count;
}

/* As the node that is asked believes. */
static bool is_there(const struct world *world, const struct sim_node *node,
                     const struct member *member)
{
    struct node_peer_info info;
    if (member->node_id == node_id(node->node))
        return true;
    return node_peer_info(node->node, member->node_id, &info) && info.connected &&
           !info.suspected && info.silent_ms < world->swarm.knobs.suspect_ms;
}

/* ---- What is said to be done ---- */

static bool is_placed(const struct call *call, const struct config *config)
{
    const struct member *member = config_member_by_address(config, slice_str(call->addresses));
    uint32_t shard = config_shard_by_id(config, call->shard_id);
    return member != NULL && shard != SHARD_NONE &&
           (member->target == shard ||
            (member_counts(member) && member->shard == shard && member->target == SHARD_NONE));
}

/* Each has its share of slots, or one more. */
static bool has_even_shards(const struct config *config)
{
    uint32_t count = config_lasting_shards(config);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = slotset_size(&config->shards[i].slots);
        if (size != LIMIT_SLOTS / count && size != LIMIT_SLOTS / count + 1)
            return false;
    }
    return true;
}

static bool is_true(const struct call *call, const struct config *config, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_ADDED:
    case OUTCOME_PRESENT:
        return call->asked.op == OP_VIEW_ADD && count_named(call, config, true) == 0;
    case OUTCOME_REMOVED:
        return call->asked.op == OP_VIEW_REMOVE && count_named(call, config, false) == 0;
    case OUTCOME_RECOVERED:
        return call->asked.op == OP_RECOVER && count_named(call, config, false) == 0;
    case OUTCOME_PLACED:
        return call->asked.op == OP_SHARD_ADD && is_placed(call, config);
    case OUTCOME_RESHARDED:
        return call->asked.op == OP_RESHARD && !config_reshards(config) &&
               config->shard_count == call->shard_id && has_even_shards(config);
    case OUTCOME_BEGUN:
        return call->asked.op == OP_RESHARD && config->wanted_shards == call->shard_id;
    case OUTCOME_CANCELLED:
        return call->asked.op == OP_RESHARD_CANCEL && config->wanted_shards == 0;
    case OUTCOME_NONE:
    case OUTCOME_FOUND:
    case OUTCOME_NOT_FOUND:
    case OUTCOME_CREATED:
    case OUTCOME_REPLACED:
    case OUTCOME_DELETED:
    case OUTCOME_COUNTED:
        break;
    }
    return false;
}

/* ---- Why something is refused ---- */

/* Those of a shard that are not named, and stay in it, or (active) have all of its data and are
 * believed to be there. */
static uint32_t count_left(const struct world *world, const struct sim_node *node,
                           const struct call *call, uint32_t shard, bool active)
{
    const struct config *config = node_config(node->node);
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        bool stays = member->shard == shard &&
                     (member->state == MEMBER_ACTIVE || member->state == MEMBER_SYNCING);
        bool has_all = member->shard == shard && member->state == MEMBER_ACTIVE &&
                       is_there(world, node, member);
        if (!is_named(call, member))
            count += active ? has_all : stays || member->target == shard;
    }
    return count;
}

/* Some shard that loses a member would be left with fewer than so many. */
static bool falls_below(const struct world *world, const struct sim_node *node,
                        const struct call *call, uint32_t least, bool active)
{
    const struct config *config = node_config(node->node);
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (!member_counts(member) || !is_named(call, member))
            continue;
        bool moves = member->target != SHARD_NONE; /* then the other one waits for it */
        if (count_left(world, node, call, member->shard, active) < least ||
            (moves && count_left(world, node, call, member->target, active) < least))
            return true;
    }
    return false;
}

static bool any_named_is(const struct call *call, const struct config *config,
                         enum member_state state)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].state == state && is_named(call, &config->members[i]))
            return true;
    return false;
}

/* Those that are listed at all. */
static bool all_named_leave(const struct call *call, const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].state != MEMBER_LEAVING && is_named(call, &config->members[i]))
            return false;
    return true;
}

/* Somebody runs at one of the addresses, or did a moment ago. */
static bool any_named_runs(const struct world *world, const struct call *call)
{
    uint64_t patience = 5000 * world->swarm.knobs.suspect_ms + 1000000;
    const char *rest = call->addresses;
    for (struct slice name = next_name(&rest); name.len > 0; name = next_name(&rest)) {
        uint32_t index = world_by_address(world, name);
        if (index < world->node_count &&
            (world->nodes[index].node != NULL ||
             world->time.now_us < world->nodes[index].ended_us + patience))
            return true;
    }
    return false;
}

/* Or the node believes so: its clock may have stood still since it heard of them. */
static bool any_named_is_there(const struct world *world, const struct sim_node *node,
                               const struct call *call)
{
    const struct config *config = node_config(node->node);
    for (uint32_t i = 0; i < config->member_count; i++)
        if (is_named(call, &config->members[i]) && is_there(world, node, &config->members[i]))
            return true;
    return false;
}

static bool any_other_is_missing(const struct world *world, const struct sim_node *node,
                                 const struct call *call)
{
    const struct config *config = node_config(node->node);
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->state != MEMBER_INVITED && !is_named(call, member) &&
            !is_there(world, node, member))
            return true;
    }
    return false;
}

/* Some member still has the id that the configuration lists, as far as the node can tell. */
static bool any_member_is_there(const struct sim_node *node)
{
    const struct config *config = node_config(node->node);
    struct node_peer_info info;
    for (uint32_t i = 0; i < config->member_count; i++) {
        uint64_t id = config->members[i].node_id;
        if (id == node_id(node->node) || (node_peer_info(node->node, id, &info) && info.connected))
            return true;
    }
    return false;
}

static bool is_elsewhere(const struct call *call, const struct config *config)
{
    const struct member *member = config_member_by_address(config, slice_str(call->addresses));
    return member != NULL && member_counts(member) && !is_placed(call, config);
}

static bool refuses_removal(const struct world *world, const struct sim_node *node,
                            const struct call *call, enum err err)
{
    const struct config *config = node_config(node->node);
    switch ((int)err) {
    case E_NOT_LISTED:
        return count_named(call, config, true) > 0;
    case E_LAST_ACTIVE:
        return config_reshards(config) || falls_below(world, node, call, 1, true);
    case E_TOO_FEW:
        return !call->force &&
               (config_reshards(config) || falls_below(world, node, call, 2, false));
    case E_NO_HEIR:
        return config_reshards(config) || falls_below(world, node, call, 1, false);
    case E_RESHARDING:
        return config_reshards(config);
    case E_UNSETTLED:
        return !call->force && any_named_is(call, config, MEMBER_SYNCING);
    case E_HANDING_OVER:
        return any_named_is(call, config, MEMBER_LEAVING);
    case E_UNDONE:
        return !all_named_leave(call, config);
    default:
        return false;
    }
}

static bool refuses_placing(const struct call *call, const struct config *config, enum err err)
{
    switch ((int)err) {
    case E_NO_SHARD:
        return config_shard_by_id(config, call->shard_id) == SHARD_NONE;
    case E_NOT_LISTED:
        return count_named(call, config, true) > 0;
    case E_NOT_ARRIVED:
        return any_named_is(call, config, MEMBER_INVITED);
    case E_OTHER_SHARD:
        return is_elsewhere(call, config);
    case E_RESHARDING:
        return config_reshards(config);
    case E_UNDONE:
        return any_named_is(call, config, MEMBER_SPARE) ||
               any_named_is(call, config, MEMBER_LEAVING);
    default:
        return false;
    }
}

/* Members that can be in a shard, as far as the node can tell. */
static uint32_t count_there(const struct world *world, const struct sim_node *node)
{
    const struct config *config = node_config(node->node);
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        count += config->members[i].state != MEMBER_INVITED &&
                 is_there(world, node, &config->members[i]);
    return count;
}

/* Some shard has nobody who serves it, or (any) some member of a shard is not there. */
static bool is_unserved(const struct world *world, const struct sim_node *node, bool any)
{
    const struct config *config = node_config(node->node);
    bool served[LIMIT_PARTS] = {false};
    bool missing = false;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        bool there = is_there(world, node, member);
        missing = missing || (member_counts(member) && !there);
        if (member->state == MEMBER_ACTIVE && there)
            served[member->shard] = true;
    }
    for (uint32_t i = 0; i < config_lasting_shards(config) && !any; i++)
        if (!served[i])
            return true;
    return any && missing;
}

static bool anybody_leaves(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].state == MEMBER_LEAVING)
            return true;
    return false;
}

static bool refuses_resharding(const struct world *world, const struct sim_node *node,
                               const struct call *call, enum err err)
{
    const struct config *config = node_config(node->node);
    switch ((int)err) {
    case E_SHARD_COUNT:
        return call->shard_id == 0 || call->shard_id > LIMIT_SHARDS;
    case E_RESHARDING:
        return config_reshards(config);
    case E_LEAVING:
        return anybody_leaves(config);
    case E_NODES_FEW:
        return count_there(world, node) < 2 * call->shard_id;
    case E_UNSETTLED:
        return config->retired_count > 0;
    case E_LAST_ACTIVE:
        return is_unserved(world, node, false);
    case E_MEMBER_DOWN:
        return is_unserved(world, node, true);
    case E_CANCELLED:
        return config->wanted_shards == 0 &&
               (config_lasting_shards(config) != call->shard_id || !has_even_shards(config));
    default:
        return false;
    }
}

static bool refuses_recovery(const struct world *world, const struct sim_node *node,
                             const struct call *call, enum err err)
{
    const struct config *config = node_config(node->node);
    switch ((int)err) {
    case E_NOT_LISTED:
        return count_named(call, config, true) > 0;
    case E_REMEMBERED:
        return call->force && any_member_is_there(node);
    case E_NOT_ABSENT:
        return any_named_runs(world, call) || any_named_is_there(world, node, call);
    case E_ALSO_ABSENT:
        return any_other_is_missing(world, node, call);
    case E_NO_HEIR:
        return falls_below(world, node, call, 1, false);
    default:
        return false;
    }
}

/* Of clients, and of people: as many may wait at one node, those that others have handed to it
 * among them. Who asked may have given up waiting. */
static uint64_t calls_under_way(const struct world *world)
{
    const struct client *client = world->client;
    uint64_t count = 0;
    for (uint64_t i = 1; i < client->call_count; i++)
        count += client->calls[i]->state == CALL_HANDED || client->calls[i]->lost ? 1 : 0;
    return count;
}

static bool has_reason(const struct world *world, const struct sim_node *node,
                       const struct call *call, enum err err)
{
    enum node_phase phase = node_phase(node->node);
    bool placed = phase == NODE_SERVING || phase == NODE_FILLING || phase == NODE_SPARE;
    if (err == E_NOT_READY)
        return !placed;
    if (err == E_STOPPING)
        return node->stopping;
    if (err == E_BUSY)
        return calls_under_way(world) >= world->swarm.knobs.max_requests;
    if (node_config(node->node) == NULL)
        return false;
    if (err == E_NO_MAJORITY || err == E_HANDING_OVER) {
        if (world->time.now_us < call->handed_us + TRIES_US)
            return false;
        if (err == E_NO_MAJORITY)
            return true;
    }
    if (call->asked.op == OP_VIEW_ADD)
        return err == E_UNDONE && (count_named(call, node_config(node->node), true) > 0 ||
                                   any_named_is(call, node_config(node->node), MEMBER_LEAVING));
    if (call->asked.op == OP_VIEW_REMOVE)
        return refuses_removal(world, node, call, err);
    if (call->asked.op == OP_SHARD_ADD)
        return refuses_placing(call, node_config(node->node), err);
    if (call->asked.op == OP_RESHARD)
        return refuses_resharding(world, node, call, err);
    return call->asked.op == OP_RECOVER && refuses_recovery(world, node, call, err);
}

/* ---- Judging ---- */

static const char *wish_word(enum op op)
{
    switch ((int)op) {
    case OP_VIEW_ADD:
        return "to list";
    case OP_VIEW_REMOVE:
        return "to take off the list";
    case OP_SHARD_ADD:
        return "to put into a shard";
    case OP_RESHARD:
        return "for another number of shards";
    case OP_RESHARD_CANCEL:
        return "to move no more slots";
    default:
        return "to go on without";
    }
}

/* The call that is answered; NULL: it is none of an operator. */
static const struct call *asked_of(const struct world *world, const struct sim_node *node,
                                   uint64_t number)
{
    const struct client *client = world->client;
    if (number == 0 || number >= client->call_count)
        return NULL;
    const struct call *call = client->calls[number];
    bool his = op_changes_config(call->asked.op) && call->asked.node == node->index &&
               call->life == node->life && (call->state == CALL_HANDED || call->lost);
    return his ? call : NULL;
}

void people_trace(struct world *world, const struct sim_node *node, const struct trace_event *event)
{
    if (event->id != TRACE_REPLIED)
        return;
    const struct call *call = asked_of(world, node, event->a);
    enum outcome outcome = (enum outcome)event->b;
    enum err err = (enum err)(-(int)event->c);
    if (call == NULL || (outcome != OUTCOME_NONE && outcome < OUTCOME_ADDED))
        return; /* of a request that another node has handed on, by the same number */
    const struct config *config = node_config(node->node);
    bool good = err == E_OK ? config != NULL && is_true(call, config, outcome)
                            : has_reason(world, node, call, err);
    if (!good)
        verdict_say(&world->verdict, "P1",
                    "node %u was asked %s %s and answers %s (outcome %u): that is not so",
                    node->index, wish_word(call->asked.op), call->addresses, err_name(err),
                    (unsigned)outcome);
}

void people_silence(struct world *world, const struct call *call)
{
    const struct sim_node *node = &world->nodes[call->asked.node];
    /* Slots move for as long as that takes. */
    if (!op_changes_config(call->asked.op) || call->asked.op == OP_RESHARD || node->node == NULL ||
        node->life != call->life || node->paused || node->faults != call->faults)
        return;
    verdict_say(&world->verdict, "Q1",
                "node %u has not answered an operator (%s %s) for %llu ms, though nothing happened "
                "to it",
                call->asked.node, wish_word(call->asked.op), call->addresses,
                (ULL)((world->time.now_us - call->handed_us) / 1000));
}

void people_sample(struct world *world)
{
    struct client *client = world->client;
    uint32_t left = 0;
    for (uint32_t i = 0; i < client->wish_count; i++) {
        const struct call *call = client_call(client, client->wishes[i]);
        if (call->state == CALL_DONE)
            continue;
        audit_known(world, client->wishes[i]);
        client->wishes[left++] = client->wishes[i];
    }
    client->wish_count = left;
}

bool people_are_answered(const struct world *world)
{
    for (uint32_t i = 0; i < world->client->wish_count; i++)
        if (client_call(world->client, world->client->wishes[i])->state != CALL_DONE)
            return false;
    return true;
}

/* ---- At rest ---- */

bool people_errand(const struct world *world, uint32_t node, uint32_t number, struct errand *errand)
{
    const struct config *config = node_config(world->nodes[node].node);
    const char *own = world->nodes[node].address.text;
    const struct member *self = config_member_by_address(config, slice_str(own));
    bool placed = self != NULL && self->shard != SHARD_NONE;
    uint32_t shard = placed ? config->shards[self->shard].id : 0;
    bool twice = config_member_by_address(config, slice_str(PEOPLE_NOBODY)) != NULL;
    const struct errand errands[] = {
        {{OP_VIEW_ADD, own, 0, false}, E_OK, OUTCOME_PRESENT},
        {{OP_VIEW_ADD, PEOPLE_NOBODY, 0, false}, E_OK, twice ? OUTCOME_PRESENT : OUTCOME_ADDED},
        {{OP_SHARD_ADD, PEOPLE_NOBODY, config->shards[0].id, false}, E_NOT_ARRIVED, OUTCOME_NONE},
        {{OP_SHARD_ADD, own, UINT32_MAX, false}, E_NO_SHARD, OUTCOME_NONE},
        {{OP_RECOVER, own, 0, false}, E_NOT_ABSENT, OUTCOME_NONE},
        {{OP_VIEW_REMOVE, PEOPLE_NOBODY, 0, false}, E_OK, OUTCOME_REMOVED},
        {{OP_VIEW_REMOVE, PEOPLE_NOBODY, 0, false}, E_NOT_LISTED, OUTCOME_NONE},
        {{OP_RECOVER, PEOPLE_NOBODY, 0, false}, E_NOT_LISTED, OUTCOME_NONE},
        {{OP_SHARD_ADD, PEOPLE_NOBODY, config->shards[0].id, false}, E_NOT_LISTED, OUTCOME_NONE},
        {{OP_SHARD_ADD, own, shard, false}, E_OK, OUTCOME_PLACED},
    };
    uint32_t count = sizeof errands / sizeof errands[0];
    if (number >= (placed ? count : count - 1)) /* a spare would move */
        return false;
    *errand = errands[number];
    return true;
}
