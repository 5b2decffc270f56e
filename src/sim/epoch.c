/* epoch - what may be said under a configuration, and to whom.
 *
 * Does:   see epoch.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    epoch.h.
 */
#include "sim/epoch.h"

#define ULL unsigned long long

static bool carries_data(const struct frame *frame)
{
    struct msg_report report;
    switch (frame->type) {
    case MSG_DATA:
    case MSG_WALK_CHUNK:
    case MSG_WALK_END:
        return true;
    case MSG_REPORT:
        return msg_report_decode(frame->body, &report) && (report.flags & REPORT_DOUBT) == 0;
    default:
        return false;
    }
}

static void judge_adoption(struct world *world, const struct sim_node *node,
                           const struct frame *frame)
{
    const struct hadoption *adopted = &world->oracle.nodes[node->index].adopted;
    bool kept = adopted->epoch >= frame->epoch;
    if (kept &&
        world->oracle.synced(world->oracle.arg, node->index, adopted->segment, adopted->end))
        return;
    verdict_say(&world->verdict, "I6", "node %u says something under epoch %llu, and its log %s",
                node->index, (ULL)frame->epoch,
                kept ? "has the adoption, but not synced" : "does not have the adoption");
}

void epoch_frame(struct world *world, const struct sim_node *node, uint64_t conn,
                 const struct frame *frame)
{
    uint64_t *told = vnet_told(&world->net, node->index, conn);
    if (told == NULL)
        return; /* vnet_send says so */
    if (frame->type == MSG_CONFIG && frame->epoch > *told)
        *told = frame->epoch;
    if (!carries_data(frame))
        return;
    if (frame->epoch > *told)
        verdict_say(&world->verdict, "V1",
                    "node %u says something under epoch %llu to a node that it has told no "
                    "configuration after %llu",
                    node->index, (ULL)frame->epoch, (ULL)*told);
    judge_adoption(world, node, frame);
}
