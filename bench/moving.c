/* moving - which keys a reshard will move.
 *
 * Does:   asks placement for the plan of a cluster as it first starts, from so many shards to
 *         others, and prints each key of bench/ whose slot moves: number, index of the shard that
 *         gives it, index of the one that takes it.
 * Not:    clusters with a past: slots lie elsewhere in them. Whether it comes about: reshard.
 * Holds:  -
 * Limits: -
 * See:    placement/plan.h; README.md.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "placement/placement.h"

#define KEY_BYTES 16

static uint32_t slot_of_number(uint64_t number)
{
    char key[32];
    snprintf(key, sizeof key, "key:%012" PRIu64, number);
    return slot_of(slice_of(key, KEY_BYTES));
}

/* NULL: there is no such cluster. */
static struct config *first(uint32_t members, uint32_t shards)
{
    struct first_start *start = calloc(1, sizeof *start);
    enum err err = E_OK;
    struct config *config = NULL;
    if (start != NULL && members <= LIMIT_MEMBERS) {
        start->lineage = 1;
        start->shard_count = shards;
        start->member_count = members;
        for (uint32_t i = 0; i < members; i++) {
            start->members[i].node_id = 1 + i;
            snprintf(start->members[i].address.text, sizeof start->members[i].address.text,
                     "10.0.0.%u:1", i + 1);
        }
        config = config_first(start, &err);
    }
    free(start);
    return config;
}

static struct plan *plan_of(const struct config *config, uint32_t shards)
{
    struct plan_wish wish = {.shard_count = shards};
    enum err err = E_OK;
    for (uint32_t i = 0; i < config->member_count; i++)
        wish.alive[i] = true;
    return plan_new(config, &wish, &err);
}

static uint32_t taker_of(const struct plan *plan, uint32_t slot)
{
    uint32_t shard = 0;
    while (!slotset_has(&plan->shards[shard].slots, slot))
        shard++;
    return shard;
}

static void print_moving(const struct config *config, const struct plan *plan, uint64_t keys)
{
    for (uint64_t number = 0; number < keys; number++) {
        uint32_t slot = slot_of_number(number);
        uint32_t from = config->owner[slot];
        uint32_t into = taker_of(plan, slot);
        if (plan->shards[into].before != from)
            printf("%" PRIu64 " %u %u\n", number, from, into);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s members shards shards-then keys\n", argv[0]);
        return 2;
    }
    uint32_t members = (uint32_t)strtoul(argv[1], NULL, 10);
    struct config *config = first(members, (uint32_t)strtoul(argv[2], NULL, 10));
    struct plan *plan =
        config != NULL ? plan_of(config, (uint32_t)strtoul(argv[3], NULL, 10)) : NULL;
    if (plan != NULL)
        print_moving(config, plan, strtoull(argv[4], NULL, 10));
    else
        fprintf(stderr, "%s: there is no such cluster, or nothing moves in it\n", argv[0]);
    bool found = plan != NULL;
    if (found)
        plan_free(plan);
    if (config != NULL)
        config_free(config);
    return found ? 0 : 1;
}
