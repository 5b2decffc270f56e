/* epoch - configurations: there is one of each epoch, and it goes before what is said under it.
 *
 * Does:   see epoch.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    epoch.h.
 */
#include "sim/epoch.h"

#include "sim/decide.h"

#define ULL unsigned long long

/* ---- V2 ---- */

static bool is_first(const struct config *config)
{
    return config->epoch == 1 && config->ancestor_count == 0;
}

/* The configuration of the same epoch, or another first one, that some log had before. */
static const struct hepoch *rival(const struct oracle *oracle, const struct config *config)
{
    for (uint32_t i = 0; i < oracle->epoch_count; i++) {
        const struct hepoch *epoch = &oracle->epochs[i];
        if (epoch->epoch == config->epoch &&
            (epoch->lineage == config->lineage || is_first(config)))
            return epoch;
    }
    return NULL;
}

static void judge_epoch(struct oracle *oracle, uint32_t node, const struct config *config,
                        struct slice body)
{
    const struct hepoch *before = rival(oracle, config);
    if (before == NULL) {
        oracle->epochs =
            mem_realloc(oracle->epochs, (oracle->epoch_count + 1) * sizeof oracle->epochs[0]);
        decide_adopted(oracle, node, config, body);
        struct hepoch *epoch = &oracle->epochs[oracle->epoch_count++];
        *epoch = (struct hepoch){config->lineage, config->epoch, hash_bytes(body), node,
                                 oracle->now_us,  BUF_EMPTY};
        buf_append_slice(&epoch->bytes, body);
        return;
    }
    if (before->hash != hash_bytes(body))
        verdict_say(oracle->verdict, "V2",
                    "nodes %u and %u have different configurations of epoch %llu (lineages %llx "
                    "and %llx)",
                    before->node, node, (ULL)config->epoch, (ULL)before->lineage,
                    (ULL)config->lineage);
}

void epoch_logged(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t end,
                  struct slice body)
{
    struct hadoption *adopted = &oracle->nodes[node].adopted;
    struct config *config = config_decode(body);
    if (config == NULL) {
        verdict_say(oracle->verdict, "I6", "node %u logged a configuration that cannot be read",
                    node);
        return;
    }
    judge_epoch(oracle, node, config, body);
    if (config->epoch > adopted->epoch) /* else a checkpoint repeats it */
        *adopted = (struct hadoption){config->epoch, segment, end};
    config_free(config);
}

uint64_t epoch_time(const struct oracle *oracle, uint64_t epoch)
{
    for (uint32_t i = oracle->epoch_count; i > 0; i--) {
        if (oracle->epochs[i - 1].epoch == epoch)
            return oracle->epochs[i - 1].at_us;
    }
    return 0;
}

/* ---- What is said under it ---- */

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
