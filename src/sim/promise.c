/* promise - what a node has told others must stay true, whatever happens to its process.
 *
 * Does:   see promise.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    promise.h.
 */
#include "sim/oracle.h"

#define ULL unsigned long long

/* ---- Receipts ---- */

/* What was received up to `high` must be said to be received again. */
static bool keeps_range(const struct range *before, uint64_t covered, const struct range *now)
{
    if (before->low == 0 || before->high <= covered)
        return true;
    uint64_t from = before->low > covered + 1 ? before->low : covered + 1;
    return now != NULL && now->low <= from && now->high >= before->high;
}

static void judge_receipt(struct oracle *oracle, uint32_t node, struct hpromises *said,
                          uint32_t actor, const struct msg_report *report)
{
    uint64_t covered = vv_get(&report->coverage, actor);
    const struct range *range = ranges_get(&report->ranges, actor);
    if (covered < said->cover[actor] || !keeps_range(&said->range[actor], covered, range))
        verdict_say(oracle->verdict, "I6",
                    "node %u takes a receipt back: of actor %u it had reported all up to %llu and "
                    "%llu to %llu; now all up to %llu and %llu to %llu",
                    node, actor, (ULL)said->cover[actor], (ULL)said->range[actor].low,
                    (ULL)said->range[actor].high, (ULL)covered,
                    (ULL)(range != NULL ? range->low : 0), (ULL)(range != NULL ? range->high : 0));
    said->cover[actor] = covered;
    said->range[actor] = range != NULL ? *range : (struct range){actor, 0, 0};
}

static bool has_said(const struct hpromises *said, uint32_t actor)
{
    return said->cover[actor] > 0 || said->range[actor].high > 0;
}

/* Whom a report says something about: few of all that there may be. */
static void note_named(const struct msg_report *report, bool named[ORACLE_ACTORS_MAX])
{
    for (uint32_t i = 0; i < report->coverage.count; i++)
        if (report->coverage.entries[i].actor < ORACLE_ACTORS_MAX)
            named[report->coverage.entries[i].actor] = true;
    for (uint32_t i = 0; i < report->ranges.count; i++)
        if (report->ranges.list[i].actor < ORACLE_ACTORS_MAX)
            named[report->ranges.list[i].actor] = true;
}

static struct hpromises *said_in(struct hsworn *all, uint32_t actor)
{
    for (uint32_t i = 0; i < PROMISE_TERMS_MAX; i++)
        if (all->terms[i].actor == actor)
            return &all->terms[i];
    return NULL;
}

/* What was said counts as long as the term lasts in which it was said. */
static struct hpromises *said_or_new(struct hsworn *all, uint32_t actor)
{
    struct hpromises *said = said_in(all, actor);
    if (said == NULL) {
        said = &all->terms[0];
        for (uint32_t i = 1; i < PROMISE_TERMS_MAX; i++)
            if (all->terms[i].used < said->used)
                said = &all->terms[i];
        *said = (struct hpromises){.actor = actor};
    }
    said->used = ++all->reports;
    return said;
}

/* Of an actor that a later epoch has closed nobody speaks any more, and what was received above the
 * coverage of one whose term has ended is in the table, and in `highest`. */
static void let_go(struct hpromises *said, uint64_t epoch, const struct msg_report *report)
{
    bool same_epoch = said->epoch == epoch;
    for (uint32_t actor = 1; actor < ORACLE_ACTORS_MAX; actor++) {
        if (!has_said(said, actor))
            continue;
        bool silent = vv_get(&report->coverage, actor) == 0 && !same_epoch;
        if (silent)
            said->cover[actor] = 0;
        if (silent || vv_get(&report->highest, actor) > said->range[actor].high)
            said->range[actor] = (struct range){actor, 0, 0};
    }
    said->epoch = epoch;
}

void promise_report(struct oracle *oracle, uint32_t node, uint64_t epoch,
                    const struct msg_report *report)
{
    struct hpromises *said = said_or_new(&oracle->nodes[node].said, report->actor);
    let_go(said, epoch, report);
    bool named[ORACLE_ACTORS_MAX] = {false};
    note_named(report, named);
    for (uint32_t actor = 1; actor < ORACLE_ACTORS_MAX; actor++)
        if (named[actor] || has_said(said, actor))
            judge_receipt(oracle, node, said, actor, report);
    if (report->clock > said->clock) {
        said->clock_seq = report->clock_seq;
        said->clock = report->clock;
    }
}

void promise_written(struct oracle *oracle, uint32_t node, const struct version *version)
{
    const struct hpromises *said = said_in(&oracle->nodes[node].said, version->dot.actor);
    if (said == NULL || version->dot.seq <= said->clock_seq || version->hlc > said->clock)
        return;
    verdict_say(oracle->verdict, "I6",
                "node %u takes an announced clock back: after seq %llu all was to be above %llu; "
                "(%u,%llu) has %llu",
                node, (ULL)said->clock_seq, (ULL)said->clock, version->dot.actor,
                (ULL)version->dot.seq, (ULL)version->hlc);
}

/* ---- The register ---- */

static bool below(struct hballot a, struct hballot b)
{
    return a.round < b.round || (a.round == b.round && a.node < b.node);
}

static struct hballot ballot_read(struct read *in)
{
    uint64_t round = read_u64(in);
    return (struct hballot){round, read_u64(in)};
}

void promise_logged(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t end,
                    struct slice body)
{
    struct read in = read_of(body);
    struct hregister state = {.instance = read_u64(&in), .segment = segment, .end = end};
    state.promised = ballot_read(&in);
    state.accepted = ballot_read(&in);
    struct hsworn *said = &oracle->nodes[node].said;
    if (read_ok(&in))
        said->logged[said->logged_count++ % PROMISE_LOGGED] = state;
}

static bool stands(const struct hregister *logged, uint64_t instance, struct hballot ballot,
                   struct hballot accepted)
{
    if (logged->instance != instance)
        return logged->instance > instance;
    return !below(logged->promised, ballot) && !below(logged->accepted, accepted);
}

/* The last state may be one that a checkpoint has written again, and not be synced yet: a synced
 * one before it will do. */
static void judge_logged(struct oracle *oracle, uint32_t node, const char *what, uint64_t instance,
                         struct hballot ballot, struct hballot accepted)
{
    bool known = false;
    for (uint32_t i = 0; i < PROMISE_LOGGED; i++) {
        const struct hregister *logged = &oracle->nodes[node].said.logged[i];
        if (!stands(logged, instance, ballot, accepted))
            continue;
        known = true;
        if (oracle->synced(oracle->arg, node, logged->segment, logged->end))
            return;
    }
    verdict_say(oracle->verdict, "I6",
                "node %u says %s to ballot (%llu,%llx) of instance %llu, and its log %s", node,
                what, (ULL)ballot.round, (ULL)ballot.node, (ULL)instance,
                known ? "has it, but not synced" : "does not have it");
}

static void judge_granted(struct oracle *oracle, uint32_t node, const char *what, uint64_t instance,
                          struct hballot ballot, struct hballot accepted)
{
    struct hsworn *said = &oracle->nodes[node].said;
    judge_logged(oracle, node, what, instance, ballot, accepted);
    if (said->sworn.instance < instance)
        said->sworn = (struct hregister){.instance = instance};
    if (said->sworn.instance > instance)
        return;
    if (below(ballot, said->sworn.promised) || below(accepted, said->sworn.accepted))
        verdict_say(oracle->verdict, "I6",
                    "node %u says %s to ballot (%llu,%llx) of instance %llu, with (%llu,%llx) "
                    "accepted; it has forgotten (%llu,%llx), and (%llu,%llx) accepted",
                    node, what, (ULL)ballot.round, (ULL)ballot.node, (ULL)instance,
                    (ULL)accepted.round, (ULL)accepted.node, (ULL)said->sworn.promised.round,
                    (ULL)said->sworn.promised.node, (ULL)said->sworn.accepted.round,
                    (ULL)said->sworn.accepted.node);
    said->sworn.promised = ballot;
    said->sworn.accepted = accepted;
}

void promise_register(struct oracle *oracle, uint32_t node, const struct frame *frame)
{
    struct msg_promise promise;
    struct msg_accepted accepted;
    if (frame->type == MSG_PROMISE && msg_promise_decode(frame->body, &promise) &&
        promise.granted != 0) {
        struct hballot before = {promise.accepted_round, promise.accepted_node};
        judge_granted(oracle, node, "yes", promise.instance,
                      (struct hballot){promise.round, promise.node}, before);
    }
    if (frame->type == MSG_ACCEPTED && msg_accepted_decode(frame->body, &accepted) &&
        accepted.granted != 0) {
        struct hballot ballot = {accepted.round, accepted.node};
        judge_granted(oracle, node, "accepted", accepted.instance, ballot, ballot);
    }
}
