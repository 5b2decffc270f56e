/* change_preview - what a change would come to, in words.
 *
 * Does:   see change.h.
 * Not:    asking and sending: change.c.
 * Holds:  -
 * Limits: -
 * See:    change.h.
 */
#include "cli/change.h"

#include "cli/walk.h"

static bool is_alive(const struct status_node *node)
{
    return node != NULL && node->answered && node->suspected_by == 0;
}

bool change__is_alive(const struct target *target)
{
    return is_alive(target->node);
}

bool change__is_lost(const struct status_node *node)
{
    return node->answered && node->epoch > 0 && node->named.len == 0 &&
           slice_equal(node->phase, SLICE_LIT("asking"));
}

/* Which of the targets has this address; their count: none. */
static uint32_t find(const struct change *change, struct slice address)
{
    uint32_t i = 0;
    while (i < change->count && !slice_equal(change->targets[i].address, address))
        i++;
    return i;
}

void change__init(struct change *change, const struct cli *cli, struct status *status)
{
    size_t at = 0;
    struct slice member;
    *change = (struct change){.cli = cli, .status = status, .count = cli->options->member_count};
    for (uint32_t i = 0; i < change->count; i++)
        change->targets[i].address = slice_str(cli->options->members[i]);
    while (walk_next(status->members, &at, &member)) {
        struct slice address = walk_text(walk_member(member, "address"));
        struct slice id = walk_text(walk_member(member, "node-id"));
        const struct status_node *node = cli__status_node(status, id, address);
        uint32_t index = find(change, address);
        change->members++;
        if (index == change->count) {
            change->answering += node != NULL && node->answered;
            continue;
        }
        struct target *target = &change->targets[index];
        target->listed = true;
        target->shard = walk_text(walk_member(member, "shard"));
        target->state = walk_text(walk_member(member, "state"));
        target->node = node;
    }
}

/* Where the preview goes: results as JSON stand alone on out. */
static FILE *out_of(const struct change *change)
{
    return change->cli->options->json ? change->cli->err : change->cli->out;
}

static void say(const struct change *change, struct slice text)
{
    fwrite(text.ptr, 1, text.len, out_of(change));
}

/* "  10.0.0.7:8090  s0, active, does not answer (no connection)" */
static void say_target(const struct change *change, const struct target *target)
{
    FILE *out = out_of(change);
    fprintf(out, "  %.*s  ", (int)target->address.len, (const char *)target->address.ptr);
    if (!target->listed) {
        fprintf(out, "is no member");
        return;
    }
    if (target->shard.len > 0) {
        say(change, target->shard);
        fprintf(out, ", ");
    }
    say(change, target->state);
    if (target->node == NULL)
        fprintf(out, ", another node answers there");
    else if (!target->node->answered)
        fprintf(out, ", does not answer (%s)", target->node->why);
    else if (target->node->suspected_by > 0)
        fprintf(out, ", believed dead by %u", target->node->suspected_by);
    else
        fprintf(out, ", alive");
}

/* Members of a shard in the newest configuration, and how many of them the command names. */
static uint32_t count_members(const struct change *change, struct slice shard, uint32_t *named)
{
    uint32_t count = 0;
    size_t at = 0;
    struct slice member;
    *named = 0;
    while (walk_next(change->status->members, &at, &member))
        count += slice_equal(walk_text(walk_member(member, "shard")), shard);
    for (uint32_t i = 0; i < change->count; i++)
        *named += change->targets[i].listed && slice_equal(change->targets[i].shard, shard);
    return count;
}

/* A member that is not named. */
struct other {
    struct slice address;
    struct slice shard;
    bool active;
    bool alive;
};

/* The next one; false after the last. *at begins with 0. */
static bool next_other(const struct change *change, size_t *at, struct other *other)
{
    struct slice member;
    while (walk_next(change->status->members, at, &member)) {
        struct slice address = walk_text(walk_member(member, "address"));
        if (find(change, address) < change->count)
            continue;
        const struct status_node *node =
            cli__status_node(change->status, walk_text(walk_member(member, "node-id")), address);
        *other = (struct other){
            .address = address,
            .shard = walk_text(walk_member(member, "shard")),
            .active = slice_equal(walk_text(walk_member(member, "state")), SLICE_LIT("active")),
            .alive = is_alive(node)};
        return true;
    }
    return false;
}

/* An active member of this shard stays. */
static bool keeps_one(const struct change *change, struct slice shard)
{
    size_t at = 0;
    struct other other;
    while (next_other(change, &at, &other))
        if (slice_equal(other.shard, shard) && other.active && other.alive)
            return true;
    return false;
}

/* Most are there to decide, and each shard has somebody who knows what it has: then a removal is
 * likely to do, and no new history is needed. The nodes know more: who of these decides. */
static bool remove_would_do(const struct change *change)
{
    for (uint32_t i = 0; i < change->status->shard_count; i++)
        if (!keeps_one(change, change->status->shards[i].id))
            return false;
    return 2 * change->answering > change->members;
}

/* A live one has handed over when all of its shard have what it wrote. */
static void say_whom_it_waits_for(const struct change *change, const struct target *target)
{
    size_t at = 0;
    struct other other;
    while (next_other(change, &at, &other))
        if (slice_equal(other.shard, target->shard) && !other.alive)
            fprintf(out_of(change),
                    "    waits for %.*s, which does not answer: the command may end (status 3) "
                    "while the change goes on\n",
                    (int)other.address.len, (const char *)other.address.ptr);
}

/* One line a shard that loses members. True: one of them would have fewer than two. */
static bool say_shards(const struct change *change, bool all)
{
    bool few = false;
    for (uint32_t k = 0; k < change->status->shard_count; k++) {
        struct slice id = change->status->shards[k].id;
        uint32_t named;
        uint32_t count = count_members(change, id, &named);
        if (named == 0 && !all)
            continue;
        fprintf(out_of(change), "  shard %.*s: %u %s, then %u%s\n", (int)id.len,
                (const char *)id.ptr, count, count == 1 ? "member" : "members", count - named,
                count == named      ? ": nobody has its data then"
                : count - named < 2 ? ": one crash away from losing data"
                                    : "");
        few = few || count - named < 2;
    }
    return few;
}

static bool is_shard(const struct change *change, struct slice id)
{
    for (uint32_t i = 0; i < change->status->shard_count; i++)
        if (slice_equal(change->status->shards[i].id, id))
            return true;
    return false;
}

/* Who is leaving another shard may be on its way into this one. */
static bool stays_elsewhere(const struct target *target)
{
    return target->shard.len > 0 && !slice_equal(target->state, SLICE_LIT("leaving"));
}

static void say_into_shard(const struct change *change, const char *shard)
{
    const struct target *target = &change->targets[0];
    FILE *out = out_of(change);
    uint32_t named;
    uint32_t count = count_members(change, slice_str(shard), &named);
    if (!is_shard(change, slice_str(shard)))
        fprintf(out, "  shard %s: no such shard: this will be refused\n", shard);
    else if (named > 0)
        fprintf(out, "  shard %s: it is one of its %u members already\n", shard, count);
    else if (stays_elsewhere(target))
        fprintf(out, "  shard %s: it is a member of %.*s: this will be refused\n", shard,
                (int)target->shard.len, (const char *)target->shard.ptr);
    else if (!target->listed || slice_equal(target->state, SLICE_LIT("invited")))
        fprintf(out,
                "  shard %s: has to wait until it has shown up: ask again once it has started\n",
                shard);
    else
        fprintf(out, "  shard %s: %u %s, then %u; it fills up from them before it serves\n", shard,
                count, count == 1 ? "member" : "members", count + 1);
}

static void preview_add(struct change *change)
{
    const struct target *target = &change->targets[0];
    const char *shard = change->cli->options->shard;
    FILE *out = out_of(change);
    say_target(change, target);
    if (!target->listed)
        fprintf(out, ": it is listed, and becomes a spare once it has started and shown up");
    fprintf(out, "\n");
    if (shard != NULL)
        say_into_shard(change, shard);
}

static void preview_remove(struct change *change)
{
    const struct cli_options *options = change->cli->options;
    FILE *out = out_of(change);
    for (uint32_t i = 0; i < change->count; i++) {
        const struct target *target = &change->targets[i];
        bool dead = target->listed && target->shard.len > 0 && !change__is_alive(target);
        say_target(change, target);
        fprintf(out, "%s\n",
                dead                    ? ": writes that only it has are given up"
                : target->shard.len > 0 ? ": hands over what it has, then leaves"
                : target->listed        ? ": leaves"
                                        : ": this will be refused");
        if (!dead && target->shard.len > 0)
            say_whom_it_waits_for(change, target);
        change->gives_up = change->gives_up || dead;
    }
    bool few = say_shards(change, false);
    if (few && options->force)
        fprintf(out, "  --force: where nobody can take the place, a shard stays degraded\n");
    else if (few)
        fprintf(out, "  a spare, or a member of a larger shard, moves over first; where there is "
                     "none, it is refused\n");
    change->gives_up = change->gives_up || (few && options->force);
}

/* Whom it gives up, a line each. */
static void say_given_up(const struct change *change)
{
    for (uint32_t i = 0; i < change->count; i++) {
        say_target(change, &change->targets[i]);
        fprintf(out_of(change), "%s\n", change->targets[i].listed ? "" : ": this will be refused");
    }
}

/* Those named that are none, that answer and are believed in, that answer here alone. */
struct named {
    uint32_t strangers;
    uint32_t alive;
    uint32_t cut_off;
};

static struct named count_named(const struct change *change)
{
    struct named named = {0};
    for (uint32_t i = 0; i < change->count; i++) {
        const struct target *target = &change->targets[i];
        bool alive = change__is_alive(target);
        named.strangers += !target->listed;
        named.alive += alive;
        named.cut_off += !alive && target->node != NULL && target->node->answered;
    }
    return named;
}

/* A node refuses to give up who answers it. Who answers the operator alone is given up. */
static void warn_of_the_living(const struct change *change, const struct named *named)
{
    FILE *out = out_of(change);
    if (named->alive > 0)
        fprintf(out,
                "WARNING: %u of them %s: this will be refused (409) while that is so. Given up "
                "while %s,\nthere would be two histories.\n",
                named->alive, named->alive == 1 ? "answers" : "answer",
                named->alive == 1 ? "it goes on" : "they go on");
    if (named->cut_off > 0)
        fprintf(out,
                "WARNING: %u of them %s here, and others believe %s dead. What is still written "
                "through %s\nis lost to the others.\n",
                named->cut_off, named->cut_off == 1 ? "answers" : "answer",
                named->cut_off == 1 ? "it" : "them", named->cut_off == 1 ? "it" : "them");
}

static void preview_recover(struct change *change)
{
    FILE *out = out_of(change);
    struct named named = count_named(change);
    bool refused = named.strangers > 0 || named.alive > 0;
    bool removes = remove_would_do(change);
    fprintf(out, "%s:\n",
            removes || refused ? "Gives up, for good" : "A new history begins, without");
    say_given_up(change);
    fprintf(out, "of %u members\n", change->members);
    say_shards(change, true);
    fprintf(out,
            "Given up for good: what only these had. Sessions that had seen it go on, and are "
            "told once\nwhat may be lost. If one of these comes back it serves nothing; thence "
            "salvage reads what it has.\n");
    warn_of_the_living(change, &named);
    if (removes && !refused)
        fprintf(out,
                "Most members answer: if most of those that decide do, it is a removal, in the "
                "same history, as thence\nremove --force does it; else a new history begins.\n");
    else if (!refused)
        fprintf(out,
                "If they are only cut off, and go on, there are two histories that do not meet: "
                "one side then has to\nbe emptied (docs/operating.md).\n");
    change->gives_up = true;
}

/* Whose directories there are. */
static uint32_t say_lost(const struct change *change)
{
    uint32_t lost = 0;
    for (uint32_t i = 0; i < change->status->node_count; i++) {
        const struct status_node *node = &change->status->nodes[i];
        if (!change__is_lost(node))
            continue;
        lost++;
        fprintf(out_of(change), "  %s  %llu keys, epoch %llu: ", node->address,
                (unsigned long long)walk_count(node->metrics, "keys_live"),
                (unsigned long long)node->epoch);
        say(change, node->reason);
        fprintf(out_of(change), "\n");
    }
    return lost;
}

static void preview_anew(struct change *change)
{
    FILE *out = out_of(change);
    uint32_t remembering = 0;
    fprintf(out, "A new history begins, of what these hold who have forgotten the cluster:\n");
    uint32_t lost = say_lost(change);
    for (uint32_t i = 0; i < change->status->node_count; i++)
        remembering += change->status->nodes[i].answered && change->status->nodes[i].named.len > 0;
    if (change->count > 0)
        fprintf(out, "without:\n");
    say_given_up(change);
    fprintf(out, "%u of %u members, by epoch %llu\n", lost, change->members,
            (unsigned long long)change->status->epoch);
    fprintf(out,
            "Of each key the newest version that any of them has is kept. Given up for good: what "
            "none of them\nhas. What was deleted since the oldest of these was made may be back. "
            "Sessions go on, and are told\nonce what may be lost.\n");
    if (remembering > 0)
        fprintf(out, "%u %s: this will be refused.\n", remembering,
                remembering == 1 ? "member remembers the cluster" : "members remember the cluster");
    change->gives_up = true;
}

void change__preview(struct change *change)
{
    switch ((int)change->cli->options->command) {
    case CLI_ADD:
        preview_add(change);
        break;
    case CLI_REMOVE:
        preview_remove(change);
        break;
    default:
        ASSERT(change->cli->options->command == CLI_RECOVER);
        if (change->cli->options->from_directories)
            preview_anew(change);
        else
            preview_recover(change);
        break;
    }
    fflush(out_of(change));
}
