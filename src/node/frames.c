/* frames - what peers send, to where it belongs.
 *
 * Does:   checks who speaks, of which lineage and epoch; hands each message to its module.
 * Not:    handshakes (handshake.c).
 * Holds:  nothing of a newer epoch is used before that epoch is adopted; nothing of another
 *         lineage is used at all (docs/protocol.md 3.2, T2).
 * Limits: -
 * See:    wire/msg.def.
 */
#include "node/state.h"

/* ---- the register ---- */

static void recv_register(struct node *node, uint64_t from, const struct frame *frame)
{
    if (!node->log_usable || node->phase == NODE_REFUSED || node->stop_logged)
        return;
    struct reg_io io = node__reg_io(node);
    uint64_t epoch = node->config != NULL ? node->config->epoch : 0;
    enum reg_result result = REG_NOTHING;
    struct msg_prepare prepare;
    struct msg_promise promise;
    struct msg_accept accept;
    struct msg_accepted accepted;
    if (frame->type == MSG_PREPARE && msg_prepare_decode(frame->body, &prepare))
        result = reg_prepare(&node->reg, from, epoch, &prepare, &io);
    else if (frame->type == MSG_PROMISE && msg_promise_decode(frame->body, &promise))
        result = reg_promise(&node->reg, from, &promise, &io);
    else if (frame->type == MSG_ACCEPT && msg_accept_decode(frame->body, &accept))
        result = reg_accept(&node->reg, from, epoch, &accept, &io);
    else if (frame->type == MSG_ACCEPTED && msg_accepted_decode(frame->body, &accepted))
        result = reg_accepted(&node->reg, from, &accepted, &io);
    node__reg_done(node, &io, result);
}

/* ---- on connections that we dialled ---- */

static void recv_config(struct node *node, const struct frame *frame)
{
    struct frame own;
    struct msg_config msg;
    struct config *config = NULL;
    if (node->config != NULL && frame_decode(buf_slice(&node->config_frame), &own) &&
        slice_equal(own.body, frame->body))
        return; /* ours: every connection begins with one */
    if (msg_config_decode(frame->body, &msg))
        config = config_decode(msg.config);
    if (config != NULL)
        node__adopt(node, config);
}

static void recv_refuse(struct node *node, uint64_t conn, const struct frame *frame)
{
    struct msg_refuse msg;
    struct link *link = links_by_conn(&node->links, conn);
    if (link == NULL || !msg_refuse_decode(frame->body, &msg))
        return;
    node__trace(node, TRACE_PEER_REFUSED_US, link->node_id, msg.code, 0, msg.text);
    node__drop_link(node, link, true);
    link->retry_ms = node->mono_ms + node->knobs->suspect_ms;
}

static void recv_calls_heard(struct node *node, uint64_t conn, const struct frame *frame)
{
    struct msg_calls_heard msg;
    struct link *link = links_by_conn(&node->links, conn);
    if (link != NULL && link->state == LINK_UP && msg_calls_heard_decode(frame->body, &msg))
        node__calls_heard(node, link, &msg);
}

/* Of another history. Its configuration alone may be looked at: that may be one that forked from
 * this (adopt.c). */
static bool is_foreign(const struct node *node, const struct frame *frame)
{
    return frame->lineage != 0 && node->config != NULL && frame->lineage != node->config->lineage;
}

static void recv_answer(struct node *node, uint64_t conn, const struct frame *frame)
{
    const struct link *link = links_by_conn(&node->links, conn);
    if (link != NULL && link->state == LINK_UP && !is_foreign(node, frame))
        recv_register(node, link->node_id, frame);
}

/* On a connection that we dialled, the other side only greets, refuses, says what it has heard, or
 * tells a stranger the configuration and what the register's acceptors say to it. */
static void recv_dialled(struct node *node, uint64_t conn, const struct frame *frame)
{
    if (frame->type == MSG_HELLO)
        node__hello(node, conn, frame);
    else if (frame->type == MSG_REFUSE)
        recv_refuse(node, conn, frame);
    else if (frame->type == MSG_CONFIG)
        recv_config(node, frame);
    else if (frame->type == MSG_CALLS_HEARD)
        recv_calls_heard(node, conn, frame);
    else if (frame->type == MSG_PROMISE || frame->type == MSG_ACCEPTED)
        recv_answer(node, conn, frame);
}

/* ---- the shard's data ---- */

/* What is about a shard or transit in which this node has no place (any more) is as if it were
 * lost: whoever sent it has not learnt that yet. */
#define RECV(name)                                                                                 \
    static bool recv_##name(struct node *node, uint64_t from, struct slice body)                   \
    {                                                                                              \
        struct msg_##name msg;                                                                     \
        struct replica_io io = node__io(node);                                                     \
        if (!msg_##name##_decode(body, &msg))                                                      \
            return false;                                                                          \
        struct replica *replica = replicas_of_id(node->replicas, msg.shard);                       \
        return replica == NULL || replica_recv_##name(replica, from, &msg, &io);                   \
    }
RECV(data)
RECV(walk_request)
RECV(walk_begin)
RECV(walk_chunk)
RECV(walk_end)
RECV(walk_stop)
#undef RECV

static bool recv_walk_ack(struct node *node, uint64_t from, struct slice body)
{
    struct msg_walk_ack msg;
    if (!msg_walk_ack_decode(body, &msg))
        return false;
    struct replica *replica = replicas_of_id(node->replicas, msg.shard);
    return replica == NULL || replica_recv_walk_ack(replica, from, &msg);
}

static bool recv_report(struct node *node, uint64_t from, const struct frame *frame)
{
    struct msg_report msg;
    struct replica_io io = node__io(node);
    if (!msg_report_decode(frame->body, &msg))
        return false;
    struct replica *replica = replicas_of_id(node->replicas, msg.shard);
    return replica == NULL || replica_recv_report(replica, from, frame->epoch, &msg, &io);
}

static bool recv_stable(struct node *node, uint64_t from, struct slice body)
{
    struct msg_stable msg;
    return msg_stable_decode(body, &msg) && replicas_recv_stable(node->replicas, from, &msg);
}

static bool recv_data_frame(struct node *node, uint64_t from, const struct frame *frame)
{
    switch (frame->type) {
    case MSG_DATA:
        return recv_data(node, from, frame->body);
    case MSG_REPORT:
        return recv_report(node, from, frame);
    case MSG_STABLE:
        return recv_stable(node, from, frame->body);
    case MSG_WALK_REQUEST:
        return recv_walk_request(node, from, frame->body);
    case MSG_WALK_BEGIN:
        return recv_walk_begin(node, from, frame->body);
    case MSG_WALK_CHUNK:
        return recv_walk_chunk(node, from, frame->body);
    case MSG_WALK_ACK:
        return recv_walk_ack(node, from, frame->body);
    case MSG_WALK_END:
        return recv_walk_end(node, from, frame->body);
    default:
        return recv_walk_stop(node, from, frame->body);
    }
}

static bool recv_call(struct node *node, uint64_t from, const struct frame *frame)
{
    struct msg_forward forward;
    struct msg_forward_reply reply;
    if (frame->type == MSG_FORWARD) {
        if (!msg_forward_decode(frame->body, &forward))
            return false;
        node__recv_forward(node, from, &forward);
        return true;
    }
    if (!msg_forward_reply_decode(frame->body, &reply))
        return false;
    node__recv_forward_reply(node, from, &reply);
    return true;
}

/* False: it makes no sense, hang up. */
static bool recv_member(struct node *node, uint64_t from, const struct frame *frame)
{
    if (node->config == NULL || node->phase == NODE_REFUSED || node->phase == NODE_ASKING ||
        node->phase == NODE_BOOTING)
        return true; /* too early, or not to be trusted with it: as if it were lost */
    if (config_member_by_id(node->config, from) == NULL)
        return true;
    if (frame->epoch > node->config->epoch) {
        REACHED(&node->metrics, EPOCH_UNKNOWN);
        return false; /* its CONFIG should have come first: begin again with a handshake */
    }
    if (node__is_call(frame->type))
        return recv_call(node, from, frame);
    bool sane = recv_data_frame(node, from, frame);
    if (replicas_contradicted(node->replicas))
        node__contradicted(node);
    return sane;
}

static bool is_register(uint8_t type)
{
    return type == MSG_PREPARE || type == MSG_PROMISE || type == MSG_ACCEPT || type == MSG_ACCEPTED;
}

/* Whose word on the register a guest's is. */
static uint64_t speaks_as(const struct node *node, const struct guest *guest, uint8_t type)
{
    bool answers = type == MSG_PROMISE || type == MSG_ACCEPTED;
    const struct member *there =
        node->config != NULL
            ? config_member_by_address(node->config, slice_str(guest->address.text))
            : NULL;
    bool anybody = PLANTED(node->options.plant, STRANGER_COUNTS) && answers && there != NULL;
    return anybody ? there->node_id : guest->node_id;
}

static void recv_guest(struct node *node, uint64_t conn, const struct frame *frame)
{
    struct guest *guest = links_guest(&node->links, conn);
    if (guest == NULL && links_was_displaced(&node->links, conn))
        return; /* it is being hung up */
    if (guest == NULL) {
        node__refuse_conn(node, conn, E_MALFORMED, "the first frame of a connection is a HELLO");
        return;
    }
    if (node__is_call(frame->type)) /* before anything can be wrong with it: its dialler counts */
        node__count_call(node, guest);
    struct link *link = links_by_node(&node->links, guest->node_id);
    if (link != NULL && link->guest != conn)
        return; /* a later connection speaks for it (J2) */
    if (link != NULL)
        suspect_heard(&link->suspect, node->mono_ms);
    if (link != NULL && frame->epoch > link->epoch_heard)
        link->epoch_heard = frame->epoch;
    if (frame->type != MSG_CONFIG && is_foreign(node, frame)) {
        node__refuse_conn(node, conn, E_OTHER_HISTORY,
                          "the two nodes belong to different clusters (lineages)");
        return;
    }
    if (is_register(frame->type) && node->config != NULL && frame->epoch < node->config->epoch)
        outbox_append(node__direct(node), buf_slice(&node->config_frame), MSG_CONFIG, conn);
    if (frame->type == MSG_CONFIG)
        recv_config(node, frame);
    else if (is_register(frame->type))
        recv_register(node, speaks_as(node, guest, frame->type), frame);
    else if (!recv_member(node, guest->node_id, frame))
        node__refuse_conn(node, conn, E_MALFORMED, "a frame that makes no sense");
}

/* Slow is not dead: a value of many megabytes may be under way for longer than anybody is patient
 * (docs/protocol.md 6.8). */
void node__part(struct node *node, uint64_t conn)
{
    const struct guest *guest = links_guest(&node->links, conn);
    struct link *link = guest != NULL ? links_by_node(&node->links, guest->node_id) : NULL;
    if (link == NULL || link->guest != conn)
        return;
    suspect_heard(&link->suspect, node->mono_ms);
    if (node->replicas != NULL)
        replicas_heard_part(node->replicas, guest->node_id, node->mono_ms);
}

void node__frame(struct node *node, uint64_t conn, struct slice bytes)
{
    struct frame frame;
    node->metrics.frames_in++;
    if (!frame_decode(bytes, &frame)) {
        struct link *link = links_by_conn(&node->links, conn);
        node__refuse_conn(node, conn, E_MALFORMED, "a damaged frame");
        if (link != NULL)
            node__drop_link(node, link, false);
        return;
    }
    if (links_by_conn(&node->links, conn) != NULL)
        recv_dialled(node, conn, &frame);
    else if (frame.type == MSG_HELLO)
        node__hello(node, conn, &frame);
    else
        recv_guest(node, conn, &frame);
}
