/* tell_frame - what nodes say to each other, as a person would say it.
 *
 * Does:   see tell.h: frames.
 * Not:    -
 * Holds:  -
 * Limits: DOTS_MAX writes of a frame by name; a report only when it says something new; what was
 *         heard of calls never.
 * See:    tell.h.
 */
#include "sim/tell_names.h"

#define ULL unsigned long long
#define DOTS_MAX 12U

static const char *type_word(uint8_t type)
{
    switch (type) {
#define M(NAME, name, number)                                                                      \
    case number:                                                                                   \
        return #name;
        MSG_LIST(M)
#undef M
    default:
        return "?";
    }
}

static void put_records(struct world *world, struct slice records)
{
    struct record record;
    struct version version;
    uint32_t count = 0;
    while (records.len > 0 && record_decode(records, &record) == RECORD_OK &&
           version_decode(record.body, &version)) {
        if (count++ < DOTS_MAX) {
            fputs(count > 1 ? ", " : ": ", world->story.out);
            tell__dot(world, version.dot);
        }
        records = slice_of(records.ptr + record.whole.len, records.len - record.whole.len);
    }
    if (count > DOTS_MAX)
        fprintf(world->story.out, " and %u more", count - DOTS_MAX);
}

static void put_report(struct world *world, const struct msg_report *report)
{
    fputs(": covers ", world->story.out);
    tell__vv(world, &report->coverage);
    for (uint32_t i = 0; i < report->ranges.count; i++) {
        const struct range *range = &report->ranges.list[i];
        fprintf(world->story.out, ", has a%u:%llu to %llu", range->actor, (ULL)range->low,
                (ULL)range->high);
    }
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t mix_vv(uint64_t hash, const struct vv *vv)
{
    for (uint32_t i = 0; i < vv->count; i++)
        hash = mix(mix(hash, vv->entries[i].actor), vv->entries[i].seq);
    return hash;
}

/* True when it says the same as the last one on that way. */
static bool is_stale(struct world *world, uint32_t from, uint32_t to, const struct frame *frame)
{
    struct msg_report report;
    struct msg_stable stable;
    uint64_t hash = frame->type;
    uint64_t *last = &world->story.said[from][to][frame->type == MSG_REPORT ? 0 : 1];
    if (frame->type == MSG_REPORT && msg_report_decode(frame->body, &report)) {
        hash = mix_vv(hash, &report.coverage);
        for (uint32_t i = 0; i < report.ranges.count; i++)
            hash = mix(mix(hash, report.ranges.list[i].low), report.ranges.list[i].high);
    } else if (frame->type == MSG_STABLE && msg_stable_decode(frame->body, &stable)) {
        hash = mix_vv(hash, &stable.stable);
    } else {
        return false;
    }
    bool same = hash == *last;
    *last = hash;
    return same;
}

static void put_body(struct world *world, const struct frame *frame)
{
    struct msg_data data;
    struct msg_walk_chunk chunk;
    struct msg_walk_end end;
    struct msg_walk_request request;
    struct msg_report report;
    struct msg_stable stable;
    struct msg_refuse refuse;
    if (frame->type == MSG_DATA && msg_data_decode(frame->body, &data)) {
        put_records(world, data.records);
    } else if (frame->type == MSG_WALK_CHUNK && msg_walk_chunk_decode(frame->body, &chunk)) {
        fprintf(world->story.out, " %llu", (ULL)chunk.number);
        put_records(world, chunk.records);
    } else if (frame->type == MSG_WALK_END && msg_walk_end_decode(frame->body, &end)) {
        fputs(": covers ", world->story.out);
        tell__vv(world, &end.coverage);
    } else if (frame->type == MSG_WALK_REQUEST && msg_walk_request_decode(frame->body, &request)) {
        fputs(": covers ", world->story.out);
        tell__vv(world, &request.coverage);
    } else if (frame->type == MSG_REPORT && msg_report_decode(frame->body, &report)) {
        put_report(world, &report);
    } else if (frame->type == MSG_STABLE && msg_stable_decode(frame->body, &stable)) {
        fprintf(world->story.out, " in shard %u: ", stable.shard);
        tell__vv(world, &stable.stable);
    } else if (frame->type == MSG_REFUSE && msg_refuse_decode(frame->body, &refuse)) {
        fputs(": ", world->story.out);
        tell__text(world, refuse.text);
    }
}

void tell_frame(struct world *world, uint32_t node, uint64_t conn, struct slice bytes)
{
    struct frame frame;
    uint32_t to = vnet_other(&world->net, node, conn);
    if (world->story.out == NULL || to >= world->node_count || !frame_decode(bytes, &frame) ||
        is_stale(world, node, to, &frame) || frame.type == MSG_CALLS_HEARD)
        return;
    FILE *out = story_begin(&world->story, node);
    fprintf(out, "-> n%u %s", to, type_word(frame.type));
    put_body(world, &frame);
    story_end(&world->story);
}
