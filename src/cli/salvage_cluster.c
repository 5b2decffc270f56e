/* salvage_cluster - which writes a cluster surely had.
 *
 * Does:   coverage, open actors, losses and ancestors, from what the nodes said of themselves.
 * Not:    -
 * Holds:  only what serving members of the newest history say of their coverage counts.
 * Limits: -
 * See:    salvage.h; docs/api.md section 4.
 */
#include "cli/salvage.h"

#include "cli/walk.h"

/* 16 hexadecimal digits. */
static uint64_t hex(struct slice text)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len && i < 16; i++) {
        uint8_t byte = text.ptr[i];
        uint64_t digit = byte <= '9' ? (uint64_t)byte - '0' : ((uint64_t)byte | 0x20) - 'a' + 10;
        number = number << 4 | (digit & 15);
    }
    return number;
}

/* {"1":17,"4":2}: raised to it. What is no such thing is passed over. */
static void take_coverage(struct slice object, struct vv *coverage)
{
    size_t at = 1;
    while (at + 1 < object.len) {
        uint64_t actor = 0;
        uint64_t seq = 0;
        while (at < object.len && object.ptr[at] != ':') {
            if (object.ptr[at] >= '0' && object.ptr[at] <= '9')
                actor = actor * 10 + (object.ptr[at] - '0');
            at++;
        }
        for (at++; at < object.len && object.ptr[at] >= '0' && object.ptr[at] <= '9'; at++)
            seq = seq * 10 + (object.ptr[at] - '0');
        at++; /* the comma */
        if (actor > 0 && actor < UINT32_MAX && seq > 0 && seq <= LIMIT_SEQ)
            (void)vv_raise(coverage, (uint32_t)actor, seq);
    }
}

static void take_open(struct slice list, struct salvage_cluster *cluster)
{
    size_t at = 0;
    struct slice element;
    while (walk_next(list, &at, &element)) {
        uint64_t actor = walk_count(element, "actor");
        if (actor > 0 && cluster->open_count < sizeof(cluster->open) / sizeof(cluster->open[0]))
            cluster->open[cluster->open_count++] = (uint32_t)actor;
    }
}

static void take_losses(struct slice list, struct salvage_cluster *cluster)
{
    size_t at = 0;
    struct slice element;
    while (walk_next(list, &at, &element)) {
        uint64_t actor = walk_count(element, "actor");
        if (actor == 0)
            cluster->shard_lost = true;
        else if (cluster->loss_count < LIMIT_LOSSES)
            cluster->losses[cluster->loss_count++] =
                (struct dot){(uint32_t)actor, walk_count(element, "after")};
    }
}

static void take_ancestors(struct slice list, struct salvage_cluster *cluster)
{
    size_t at = 0;
    struct slice element;
    while (walk_next(list, &at, &element) && cluster->ancestor_count < LIMIT_ANCESTORS)
        cluster->ancestors[cluster->ancestor_count++] =
            (struct ancestor){.lineage = hex(walk_text(walk_member(element, "lineage"))),
                              .epoch = walk_count(element, "epoch"),
                              .next_actor = (uint32_t)walk_count(element, "next-actor")};
}

bool cli__salvage_cluster(const struct cli *cli, const struct status *status,
                          struct salvage_cluster *cluster)
{
    bool serves = false;
    struct slice newest = SLICE_EMPTY;
    *cluster = (struct salvage_cluster){.lineage = hex(status->lineage)};
    vv_init(&cluster->coverage);
    for (uint32_t i = 0; i < status->node_count; i++) {
        const struct status_node *node = &status->nodes[i];
        struct slice body = buf_slice(&node->body);
        if (!node->answered || node->named.len == 0 ||
            !slice_equal(walk_text(walk_member(body, "lineage")), status->lineage))
            continue;
        if (node->epoch == status->epoch)
            newest = body;
        if (!slice_equal(node->phase, SLICE_LIT("serving")))
            continue;
        serves = true;
        take_coverage(walk_member(body, "coverage"), &cluster->coverage);
    }
    cluster->next_actor = (uint32_t)walk_count(newest, "next-actor");
    take_open(status->members, cluster);
    take_open(walk_member(newest, "retired"), cluster);
    take_losses(walk_member(newest, "lost"), cluster);
    take_ancestors(walk_member(newest, "ancestors"), cluster);
    if (!serves || cluster->next_actor == 0)
        fprintf(cli->err, "thence: no member says what it has\n");
    return serves && cluster->next_actor > 0;
}
