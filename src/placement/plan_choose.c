/* plan_choose - which shards stay, and how large each is to be.
 *
 * Does:   plan__cut, plan__choose, plan__targets; see plan_parts.h.
 * Not:    which members and which slots: plan_members.c, plan_slots.c.
 * Holds:  P3 of plan.h, as far as numbers decide it.
 * Limits: -
 * See:    plan.h.
 *
 * What need not move is what stays: of a shard that stays, as much as its future size. So the most
 * is to be kept: of each shard that stays, what it has up to the smaller size, and one more of each
 * that has it, for as many as may be larger. Which of them stay is chosen by two such sums at once,
 * of members and of slots. They only get in each other's way through who may be larger: shards
 * fall into four classes, by whether they would use one more member, and one more slot. Within a
 * class the better shard is the better choice whatever the others are, so it is enough to try how
 * many of each class stay.
 */
#include "placement/plan_parts.h"

#define CLASSES 4U

/* Members kept, slots kept, low indices, in one number: the first decides, then the second. */
#define SCORE_MEMBER (UINT64_C(1) << 32)
#define SCORE_SLOT (UINT64_C(1) << 16)

static_assert(LIMIT_SLOTS < SCORE_SLOT, "slots fit their part of a score");
static_assert(LIMIT_SHARDS * LIMIT_SHARDS < SCORE_SLOT, "so do indices");

struct choice {
    uint32_t counts[CLASSES];                 /* shards in each class */
    uint32_t shards[CLASSES][LIMIT_SHARDS];   /* the best first */
    uint64_t sums[CLASSES][LIMIT_SHARDS + 1]; /* scores of the first so many */
};

struct plan_cut plan__cut(uint32_t total, uint32_t parts)
{
    ASSERT(parts > 0);
    return (struct plan_cut){total / parts, total % parts};
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Of which class: 2 for a member more than the smaller size, 1 for a slot. */
static uint32_t class_of(const struct plan_sizes *sizes, uint32_t shard)
{
    return 2U * (sizes->members[shard] > sizes->members_cut.size) +
           (sizes->slots[shard] > sizes->slots_cut.size);
}

/* What is kept when this shard stays and is no larger one. */
static uint64_t score_of(const struct plan_sizes *sizes, uint32_t shard)
{
    return least(sizes->members[shard], sizes->members_cut.size) * SCORE_MEMBER +
           least(sizes->slots[shard], sizes->slots_cut.size) * SCORE_SLOT + (sizes->count - shard);
}

static void classes_fill(const struct plan_sizes *sizes, struct choice *choice)
{
    memset(choice, 0, sizeof(*choice));
    for (uint32_t i = 0; i < sizes->count; i++) {
        uint32_t class = class_of(sizes, i);
        uint32_t *shards = choice->shards[class];
        uint32_t at = choice->counts[class]++;
        for (; at > 0 && score_of(sizes, shards[at - 1]) < score_of(sizes, i); at--)
            shards[at] = shards[at - 1];
        shards[at] = i;
    }
    for (uint32_t class = 0; class < CLASSES; class ++)
        for (uint32_t i = 0; i < choice->counts[class]; i++)
            choice->sums[class][i + 1] =
                choice->sums[class][i] + score_of(sizes, choice->shards[class][i]);
}

/* What is kept when so many of each class stay. */
static uint64_t total_of(const struct plan_sizes *sizes, const struct choice *choice,
                         const uint32_t taken[CLASSES])
{
    uint64_t total = least(sizes->members_cut.larger, taken[2] + taken[3]) * SCORE_MEMBER +
                     least(sizes->slots_cut.larger, taken[1] + taken[3]) * SCORE_SLOT;
    for (uint32_t class = 0; class < CLASSES; class ++)
        total += choice->sums[class][taken[class]];
    return total;
}

/* The next way to take some of each class but the first; false after the last one. */
static bool taken_next(const struct choice *choice, uint32_t taken[CLASSES])
{
    for (uint32_t class = 1; class < CLASSES; class ++) {
        if (taken[class] < choice->counts[class]) {
            taken[class]++;
            return true;
        }
        taken[class] = 0;
    }
    return false;
}

void plan__choose(const struct plan_sizes *sizes, uint32_t staying, bool stays[LIMIT_SHARDS])
{
    ASSERT(staying <= sizes->count);
    struct choice choice;
    uint32_t taken[CLASSES] = {0};
    uint32_t best[CLASSES] = {0};
    uint64_t best_total = 0;
    classes_fill(sizes, &choice);
    do {
        uint32_t others = taken[1] + taken[2] + taken[3];
        if (others > staying || staying - others > choice.counts[0])
            continue;
        taken[0] = staying - others;
        uint64_t total = total_of(sizes, &choice, taken);
        if (total <= best_total)
            continue;
        best_total = total;
        memcpy(best, taken, sizeof(best));
    } while (taken_next(&choice, taken));
    memset(stays, 0, LIMIT_SHARDS * sizeof(stays[0]));
    for (uint32_t class = 0; class < CLASSES; class ++)
        for (uint32_t i = 0; i < best[class]; i++)
            stays[choice.shards[class][i]] = true;
}

void plan__targets(const uint32_t sizes[LIMIT_SHARDS], const bool stays[LIMIT_SHARDS],
                   uint32_t labels, struct plan_cut cut, uint32_t targets[LIMIT_SHARDS])
{
    uint32_t larger = cut.larger;
    for (uint32_t i = 0; i < labels; i++) {
        bool keeps_more = stays[i] && larger > 0 && sizes[i] > cut.size;
        targets[i] = stays[i] ? cut.size + keeps_more : 0;
        larger -= keeps_more;
    }
    for (uint32_t i = 0; i < labels && larger > 0; i++) {
        if (targets[i] != cut.size || !stays[i])
            continue;
        targets[i]++;
        larger--;
    }
    ASSERT(larger == 0);
}
