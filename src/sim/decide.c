/* decide - nothing counts as decided that was not.
 *
 * Does:   see decide.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    decide.h.
 */
#include "sim/decide.h"

#define ULL unsigned long long

/* So many of the last votes are looked at for one that is repeated. */
#define REPEATS 64U

/* ---- What acceptors have said ---- */

static bool is_vote(const struct hvote *vote, uint64_t instance, struct hballot ballot,
                    uint64_t value)
{
    return vote->instance == instance && vote->ballot.round == ballot.round &&
           vote->ballot.node == ballot.node && vote->value == value;
}

static void note(struct oracle *oracle, const struct hvote *next)
{
    if (next->ballot.round == 0 || next->id == 0)
        return;
    uint32_t from = oracle->vote_count > REPEATS ? oracle->vote_count - REPEATS : 0;
    for (uint32_t i = from; i < oracle->vote_count; i++) {
        const struct hvote *vote = &oracle->votes[i];
        if (is_vote(vote, next->instance, next->ballot, next->value) && vote->id == next->id)
            return;
    }
    if (oracle->vote_count == oracle->vote_cap) {
        oracle->vote_cap = oracle->vote_cap > 0 ? 2 * oracle->vote_cap : 64;
        oracle->votes = mem_realloc(oracle->votes, oracle->vote_cap * sizeof oracle->votes[0]);
    }
    oracle->votes[oracle->vote_count++] = *next;
}

void decide_logged(struct oracle *oracle, uint32_t node, struct slice body)
{
    struct read in = read_of(body);
    struct hvote vote = {.node = node, .id = oracle->nodes[node].id, .instance = read_u64(&in)};
    vote.ballot.round = read_u64(&in);
    vote.ballot.node = read_u64(&in);
    note(oracle, &vote);
    vote.ballot.round = read_u64(&in);
    vote.ballot.node = read_u64(&in);
    struct slice value = read_bytes(&in, read_left(&in));
    vote.value = hash_bytes(value);
    if (read_ok(&in) && value.len > 0)
        note(oracle, &vote);
}

void decide_fork(struct oracle *oracle, uint64_t epoch)
{
    oracle->forked[oracle->fork_count++ % ORACLE_FORKS_MAX] = epoch;
}

/* ---- Whether they are enough ---- */

/* What is asked of the votes: promises of a ballot (value 0), or acceptances. */
struct question {
    uint64_t instance;     /* which */
    struct hballot ballot; /* under which ballot */
    uint64_t value;        /* hash of what was accepted; 0: promised */
};

static bool said_by_id(const struct oracle *oracle, const struct question *of, uint64_t id)
{
    for (uint32_t i = 0; i < oracle->vote_count; i++)
        if (is_vote(&oracle->votes[i], of->instance, of->ballot, of->value) &&
            oracle->votes[i].id == id)
            return true;
    return false;
}

/* Whatever id it has by now (T34). */
static bool said_at(const struct oracle *oracle, const struct question *of, const char *address)
{
    for (uint32_t i = 0; i < oracle->vote_count; i++)
        if (is_vote(&oracle->votes[i], of->instance, of->ballot, of->value) &&
            strcmp(oracle->addresses[oracle->votes[i].node].text, address) == 0)
            return true;
    return false;
}

static bool said_by_all_of_view(const struct oracle *oracle, const struct question *of,
                                const struct config *next)
{
    for (uint32_t i = 0; i < next->member_count; i++)
        if (!said_at(oracle, of, next->members[i].address.text))
            return false;
    return true;
}

static bool said_by_most(const struct oracle *oracle, const struct question *of,
                         const struct config *before)
{
    uint32_t members[LIMIT_ACCEPTORS];
    uint32_t count = config_acceptors(before, members);
    uint32_t said = 0;
    for (uint32_t i = 0; i < count; i++)
        said += said_by_id(oracle, of, before->members[members[i]].node_id);
    return said >= count / 2 + 1;
}

/* All that are there, where nobody remembers (6.6). */
static bool said_by_all_who_come(const struct oracle *oracle, const struct question *of,
                                 const struct config *next)
{
    for (uint32_t i = 0; i < next->member_count; i++)
        if (next->members[i].state != MEMBER_INVITED &&
            !said_by_id(oracle, of, next->members[i].node_id))
            return false;
    return true;
}

/* Whoever goes on without it may find that he had accepted, before, to go on with it: he completes
 * that by himself, and nobody has to ask it (6.6; seed 1102412). */
static bool is_named(const struct oracle *oracle, const char *address)
{
    for (uint32_t i = 0; i < VNET_NODES_MAX; i++)
        if ((oracle->named >> i & 1U) != 0 && strcmp(oracle->addresses[i].text, address) == 0)
            return true;
    return false;
}

/* All that remember, and are not given up (6.6). */
static bool said_by_all_who_stay(const struct oracle *oracle, const struct question *of,
                                 const struct config *before, const struct config *next)
{
    bool any = false;
    for (uint32_t i = 0; i < before->member_count; i++) {
        const struct member *member = &before->members[i];
        bool said = said_by_id(oracle, of, member->node_id);
        if (member->state == MEMBER_INVITED || config_member_by_id(next, member->node_id) == NULL ||
            (!said && is_named(oracle, member->address.text)))
            continue;
        any = true;
        if (!said)
            return false;
    }
    return any || said_by_all_who_come(oracle, of, next);
}

static const struct hepoch *epoch_of(const struct oracle *oracle, uint64_t lineage, uint64_t epoch)
{
    for (uint32_t i = 0; i < oracle->epoch_count; i++)
        if (oracle->epochs[i].lineage == lineage && oracle->epochs[i].epoch == epoch)
            return &oracle->epochs[i];
    return NULL;
}

/* The one that it follows: of its own history, or of the one from which it forks. */
static struct config *predecessor(const struct oracle *oracle, const struct config *next)
{
    const struct hepoch *before = epoch_of(oracle, next->lineage, next->epoch - 1);
    if (before == NULL && next->ancestor_count > 0)
        before =
            epoch_of(oracle, next->ancestors[next->ancestor_count - 1].lineage, next->epoch - 1);
    return before != NULL ? config_decode(buf_slice(&before->bytes)) : NULL;
}

static bool is_forked(const struct oracle *oracle, uint64_t epoch)
{
    for (uint32_t i = 0; i < ORACLE_FORKS_MAX; i++)
        if (oracle->forked[i] == epoch)
            return true;
    return false;
}

static bool is_decided(const struct oracle *oracle, const struct question *of,
                       const struct config *next)
{
    if (next->epoch == 1)
        return said_by_all_of_view(oracle, of, next);
    struct config *before = predecessor(oracle, next);
    bool is_so = before != NULL && said_by_most(oracle, of, before);
    if (before != NULL && before->lineage != next->lineage)
        is_so = is_so || said_by_all_who_stay(oracle, of, before, next);
    else
        is_so = is_so || (before != NULL && is_forked(oracle, next->epoch));
    config_free(before);
    return is_so;
}

/* ---- Judging ---- */

void decide_frame(struct oracle *oracle, uint32_t node, const struct frame *frame)
{
    struct msg_accept msg;
    if (frame->type != MSG_ACCEPT || !msg_accept_decode(frame->body, &msg))
        return;
    struct config *next = config_decode(msg.value);
    struct question of = {msg.instance, {msg.round, msg.node}, 0};
    if (next == NULL || !is_decided(oracle, &of, next))
        verdict_say(oracle->verdict, "V3",
                    "node %u asks for a configuration of epoch %llu to be accepted under ballot "
                    "(%llu,%llx), and those who must promise that first have not",
                    node, (ULL)msg.instance, (ULL)msg.round, (ULL)msg.node);
    config_free(next);
}

void decide_adopted(struct oracle *oracle, uint32_t node, const struct config *config,
                    struct slice body)
{
    uint64_t value = hash_bytes(body);
    for (uint32_t i = 0; i < oracle->vote_count; i++) {
        const struct hvote *vote = &oracle->votes[i];
        struct question of = {config->epoch, vote->ballot, value};
        if (is_vote(vote, of.instance, of.ballot, value) && is_decided(oracle, &of, config))
            return;
    }
    verdict_say(oracle->verdict, "V3",
                "node %u takes a configuration of epoch %llu (lineage %llx) over, and there is no "
                "ballot under which all have accepted it who had to",
                node, (ULL)config->epoch, (ULL)config->lineage);
}
