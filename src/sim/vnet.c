/* vnet - a virtual network that behaves as TCP does.
 *
 * Does:   see vnet.h.
 * Not:    -
 * Holds:  C1 to C3.
 * Limits: -
 * See:    vnet.h.
 */
#include "sim/vnet.h"

#define RETRY_FIRST_US 200000U
#define RETRY_MOST_US 1600000U
#define DIAL_RETRY_US 1000000U

struct vpacket {
    struct vpacket *next; /* sent after it */
    uint64_t at_us;       /* when it arrives */
    uint64_t sent_us;     /* when it was sent */
    size_t len;           /* bytes */
    uint8_t bytes[];      /* one frame */
};

void vnet_init(struct vnet *net, struct vtime *time, uint32_t nodes, uint64_t seed,
               const struct vnet_sink *sink)
{
    ASSERT(nodes <= VNET_NODES_MAX);
    memset(net, 0, sizeof *net);
    net->time = time;
    net->sink = *sink;
    net->nodes = nodes;
    net->quantum_us = 1;
    net->dial_timeout_us = 3000000;
    net->user_timeout_us = 10000000;
    rng_init(&net->rng, seed);
}

static void flow_drop_all(struct vnet *net, struct vconn *conn, uint32_t dir)
{
    struct vflow *flow = &conn->flows[dir];
    while (flow->head != NULL) {
        struct vpacket *packet = flow->head;
        flow->head = packet->next;
        net->queued[conn->ends[dir].node] -= packet->len;
        mem_free(packet);
    }
    flow->tail = NULL;
}

void vnet_fini(struct vnet *net)
{
    for (size_t i = 0; i < net->count; i++) {
        flow_drop_all(net, net->conns[i], 0);
        flow_drop_all(net, net->conns[i], 1);
        mem_free(net->conns[i]);
    }
    mem_free(net->conns);
    net->conns = NULL;
    net->count = 0;
    net->cap = 0;
}

/* The number of a connection at one of its ends. */
static uint64_t conn_number(size_t index, uint32_t end)
{
    return (uint64_t)index * 2 + end + 2;
}

static uint64_t latency(struct vnet *net, uint32_t from, uint32_t to)
{
    uint64_t us = net->base_us[from][to] + net->extra_us[from][to];
    if (net->jitter_us > 0)
        us += rng_below(&net->rng, net->jitter_us);
    if (net->tail_us > 0 && rng_chance(&net->rng, 1, 200))
        us += rng_below(&net->rng, net->tail_us);
    return us;
}

static void schedule_flow(struct vnet *net, size_t index, uint32_t dir, uint64_t at_us)
{
    struct vflow *flow = &net->conns[index]->flows[dir];
    if (flow->scheduled)
        return;
    flow->scheduled = true;
    uint64_t now = net->time->now_us;
    vtime_after(net->time, at_us > now ? at_us - now : 0, VNET_EVENT_FLOW, dir, index, 0);
}

static bool end_lives(const struct vnet *net, const struct vend *end)
{
    return end->open && net->host[end->node] == VHOST_LISTENS && net->life[end->node] == end->life;
}

/* The process at this end learns that the connection is over. */
static void close_end(struct vnet *net, size_t index, uint32_t which, bool refused)
{
    struct vend *end = &net->conns[index]->ends[which];
    bool lives = end_lives(net, end);
    end->open = false;
    if (lives && end->announced)
        net->sink.down(net->sink.arg, end->node, 0, conn_number(index, which), refused);
}

/* ---- Dialling ---- */

void vnet_dial(struct vnet *net, uint32_t from, uint32_t to, uint32_t dial)
{
    ASSERT(from < net->nodes);
    if (net->count == net->cap) {
        net->cap = net->cap == 0 ? 64 : net->cap * 2;
        net->conns = mem_realloc(net->conns, net->cap * sizeof(struct vconn *));
    }
    struct vconn *conn = mem_zalloc(1, sizeof *conn);
    conn->ends[0] = (struct vend){.node = from, .life = net->life[from], .open = true};
    conn->ends[1] = (struct vend){.node = to};
    conn->dial = dial;
    conn->dialled_us = net->time->now_us;
    net->conns[net->count++] = conn;
    uint64_t there = to < net->nodes ? latency(net, from, to) + latency(net, to, from) : 1000;
    vtime_after(net->time, there, VNET_EVENT_DIAL, 0, net->count - 1, 0);
}

static void fail_dial(struct vnet *net, struct vconn *conn, bool refused)
{
    conn->ends[0].open = false;
    net->sink.down(net->sink.arg, conn->ends[0].node, conn->dial, 0, refused);
}

static void dial_event(struct vnet *net, size_t index)
{
    struct vconn *conn = net->conns[index];
    uint32_t from = conn->ends[0].node;
    uint32_t to = conn->ends[1].node;
    if (!end_lives(net, &conn->ends[0]))
        return;
    if (to >= net->nodes) {
        fail_dial(net, conn, true);
        return;
    }
    if (net->cut[from][to] || net->cut[to][from] || net->host[to] == VHOST_OFF) {
        if (net->time->now_us - conn->dialled_us >= net->dial_timeout_us)
            fail_dial(net, conn, false);
        else
            vtime_after(net->time, DIAL_RETRY_US, VNET_EVENT_DIAL, 0, index, 0);
        return;
    }
    if (net->host[to] == VHOST_IDLE) {
        fail_dial(net, conn, true);
        return;
    }
    conn->up = true;
    conn->ends[0].announced = true;
    conn->ends[1].life = net->life[to];
    conn->ends[1].open = true;
    net->sink.up(net->sink.arg, from, conn->dial, conn_number(index, 0));
}

/* ---- Flowing ---- */

/* The link does not let this direction through now: try again later, or give up. */
static void flow_blocked(struct vnet *net, size_t index, uint32_t dir)
{
    struct vconn *conn = net->conns[index];
    struct vflow *flow = &conn->flows[dir];
    uint64_t now = net->time->now_us;
    bool waits = flow->head != NULL && now - flow->head->sent_us > net->user_timeout_us;
    if (waits) {
        flow_drop_all(net, conn, dir);
        flow->fin = false;
        close_end(net, index, dir, false);
        return;
    }
    flow->backoff_us = flow->backoff_us == 0 ? RETRY_FIRST_US : flow->backoff_us * 2;
    if (flow->backoff_us > RETRY_MOST_US)
        flow->backoff_us = RETRY_MOST_US;
    schedule_flow(net, index, dir, now + flow->backoff_us);
}

/* Packets came to an end that nobody has: their sender learns it by a reset. */
static void flow_to_nobody(struct vnet *net, size_t index, uint32_t dir)
{
    struct vconn *conn = net->conns[index];
    bool had = conn->flows[dir].head != NULL;
    flow_drop_all(net, conn, dir);
    uint32_t from = conn->ends[dir].node;
    uint32_t to = conn->ends[1 - dir].node;
    if (had && conn->ends[dir].open && !conn->flows[1 - dir].fin && !net->cut[to][from])
        close_end(net, index, dir, true);
}

static void flow_deliver(struct vnet *net, size_t index, uint32_t dir)
{
    struct vconn *conn = net->conns[index];
    struct vflow *flow = &conn->flows[dir];
    struct vend *to = &conn->ends[1 - dir];
    while (flow->head != NULL && flow->head->at_us <= net->time->now_us) {
        struct vpacket *packet = flow->head;
        flow->head = packet->next;
        if (flow->head == NULL)
            flow->tail = NULL;
        net->queued[conn->ends[dir].node] -= packet->len;
        net->frames++;
        to->announced = true;
        net->sink.frame(net->sink.arg, to->node, conn_number(index, 1 - dir),
                        slice_of(packet->bytes, packet->len));
        mem_free(packet);
    }
    if (flow->head != NULL)
        schedule_flow(net, index, dir, flow->head->at_us);
    else if (flow->fin)
        close_end(net, index, 1 - dir, flow->fin_refused);
}

static void flow_event(struct vnet *net, size_t index, uint32_t dir)
{
    struct vconn *conn = net->conns[index];
    struct vflow *flow = &conn->flows[dir];
    flow->scheduled = false;
    uint32_t from = conn->ends[dir].node;
    uint32_t to = conn->ends[1 - dir].node;
    if (flow->head == NULL && !flow->fin)
        return;
    if (flow->stalled_until_us > net->time->now_us) {
        schedule_flow(net, index, dir, flow->stalled_until_us);
        return;
    }
    if (net->cut[from][to] || net->host[to] == VHOST_OFF) {
        flow_blocked(net, index, dir);
        return;
    }
    flow->backoff_us = 0;
    if (end_lives(net, &conn->ends[1 - dir]))
        flow_deliver(net, index, dir);
    else
        flow_to_nobody(net, index, dir);
}

void vnet_event(struct vnet *net, const struct vevent *event)
{
    size_t index = (size_t)event->b;
    ASSERT(index < net->count);
    if (event->kind == VNET_EVENT_DIAL)
        dial_event(net, index);
    else
        flow_event(net, index, event->a);
}

/* The connection and the end that a node calls conn; NULL when it was never given to it. */
static struct vconn *find(const struct vnet *net, uint32_t node, uint64_t number, uint32_t *end)
{
    if (number < 2 || (number - 2) / 2 >= net->count)
        return NULL;
    struct vconn *conn = net->conns[(number - 2) / 2];
    *end = (uint32_t)(number % 2);
    const struct vend *at = &conn->ends[*end];
    if (at->node != node || at->life != net->life[node] || !at->announced)
        return NULL;
    return conn;
}

static void enqueue(struct vnet *net, size_t index, uint32_t dir, struct slice frame)
{
    struct vconn *conn = net->conns[index];
    struct vflow *flow = &conn->flows[dir];
    struct vpacket *packet = mem_alloc(sizeof *packet + frame.len);
    packet->next = NULL;
    packet->sent_us = net->time->now_us;
    packet->len = frame.len;
    memcpy(packet->bytes, frame.ptr, frame.len);
    uint64_t at = packet->sent_us + latency(net, conn->ends[dir].node, conn->ends[1 - dir].node);
    at = (at + net->quantum_us - 1) / net->quantum_us * net->quantum_us;
    packet->at_us = at > flow->last_us ? at : flow->last_us;
    flow->last_us = packet->at_us;
    if (flow->tail == NULL)
        flow->head = packet;
    else
        flow->tail->next = packet;
    flow->tail = packet;
    net->queued[conn->ends[dir].node] += frame.len;
    schedule_flow(net, index, dir, flow->head->at_us);
}

bool vnet_send(struct vnet *net, uint32_t node, uint64_t number, struct slice bytes)
{
    uint32_t end = 0;
    struct vconn *conn = find(net, node, number, &end);
    if (conn == NULL)
        return false;
    while (bytes.len > 0) {
        size_t size = 0;
        const char *why = NULL;
        if (frame_split(bytes, LIMIT_FRAME_BYTES, &size, &why) != FRAME_OK || size > bytes.len)
            return false;
        if (conn->ends[end].open && !conn->flows[end].fin)
            enqueue(net, (size_t)(number - 2) / 2, end, slice_of(bytes.ptr, size));
        bytes = slice_of(bytes.ptr + size, bytes.len - size);
    }
    return true;
}

uint32_t vnet_other(const struct vnet *net, uint32_t node, uint64_t number)
{
    uint32_t end = 0;
    const struct vconn *conn = find(net, node, number, &end);
    return conn != NULL ? conn->ends[1 - end].node : VNET_NODES_MAX;
}

bool vnet_hangup(struct vnet *net, uint32_t node, uint64_t number)
{
    uint32_t end = 0;
    struct vconn *conn = find(net, node, number, &end);
    if (conn == NULL)
        return false;
    if (!conn->ends[end].open) {
        conn->ends[end].hung = true;
        return true;
    }
    conn->ends[end].open = false;
    conn->ends[end].hung = true;
    conn->flows[end].fin = true;
    conn->flows[end].fin_refused = rng_chance(&net->rng, 1, 2);
    schedule_flow(net, (size_t)(number - 2) / 2, end, conn->flows[end].last_us);
    return true;
}

bool vnet_hung(const struct vnet *net, uint32_t node, uint64_t number)
{
    uint32_t end = 0;
    const struct vconn *conn = find(net, node, number, &end);
    return conn != NULL && conn->ends[end].hung;
}

uint64_t *vnet_told(const struct vnet *net, uint32_t node, uint64_t number)
{
    uint32_t end = 0;
    struct vconn *conn = find(net, node, number, &end);
    return conn != NULL ? &conn->ends[end].told : NULL;
}

/* ---- Processes and machines ---- */

void vnet_start(struct vnet *net, uint32_t node)
{
    net->host[node] = VHOST_LISTENS;
    net->life[node]++;
}

/* Keeps a random prefix of what is under way. */
static void flow_truncate(struct vnet *net, struct vconn *conn, uint32_t dir)
{
    struct vflow *flow = &conn->flows[dir];
    uint64_t count = 0;
    for (struct vpacket *packet = flow->head; packet != NULL; packet = packet->next)
        count++;
    uint64_t keep = rng_between(&net->rng, 0, count);
    struct vpacket **link = &flow->head;
    flow->tail = NULL;
    for (uint64_t i = 0; i < keep; i++) {
        flow->tail = *link;
        link = &(*link)->next;
    }
    struct vpacket *rest = *link;
    *link = NULL;
    while (rest != NULL) {
        struct vpacket *next = rest->next;
        net->queued[conn->ends[dir].node] -= rest->len;
        mem_free(rest);
        rest = next;
    }
}

static void abandon(struct vnet *net, uint32_t node, bool silent)
{
    for (size_t i = 0; i < net->count; i++) {
        struct vconn *conn = net->conns[i];
        for (uint32_t end = 0; end < 2; end++) {
            if (conn->ends[end].node != node || !conn->ends[end].open || !conn->up)
                continue;
            conn->ends[end].open = false;
            bool reset = silent || rng_chance(&net->rng, 1, 2);
            if (reset)
                flow_truncate(net, conn, end);
            if (!silent) {
                conn->flows[end].fin = true;
                conn->flows[end].fin_refused = reset;
                schedule_flow(net, i, end, conn->flows[end].last_us);
            }
        }
    }
}

void vnet_end(struct vnet *net, uint32_t node)
{
    abandon(net, node, false);
    net->host[node] = VHOST_IDLE;
}

void vnet_power_cut(struct vnet *net, uint32_t node)
{
    abandon(net, node, true);
    net->host[node] = VHOST_OFF;
}

void vnet_boot(struct vnet *net, uint32_t node)
{
    net->host[node] = VHOST_IDLE;
}

/* ---- Faults ---- */

void vnet_cut(struct vnet *net, uint32_t from, uint32_t to, bool cut)
{
    net->cut[from][to] = cut;
}

/* A standing connection, or net->count. */
static size_t pick_conn(struct vnet *net)
{
    size_t found = net->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (!net->conns[i]->up || !net->conns[i]->ends[0].open || !net->conns[i]->ends[1].open)
            continue;
        seen++;
        if (rng_chance(&net->rng, 1, seen))
            found = i;
    }
    return found;
}

static void note_hit(struct vnet *net, size_t index, uint32_t dir)
{
    net->hit[0] = net->conns[index]->ends[dir].node;
    net->hit[1] = net->conns[index]->ends[1 - dir].node;
}

bool vnet_reset_one(struct vnet *net)
{
    size_t index = pick_conn(net);
    if (index == net->count)
        return false;
    note_hit(net, index, 0);
    for (uint32_t dir = 0; dir < 2; dir++) {
        struct vflow *flow = &net->conns[index]->flows[dir];
        flow_truncate(net, net->conns[index], dir);
        flow->fin = true;
        flow->fin_refused = true;
        schedule_flow(net, index, dir, net->time->now_us + 100);
    }
    return true;
}

bool vnet_stall_one(struct vnet *net, uint64_t for_us)
{
    size_t index = pick_conn(net);
    if (index == net->count)
        return false;
    uint32_t dir = (uint32_t)rng_below(&net->rng, 2);
    note_hit(net, index, dir);
    struct vflow *flow = &net->conns[index]->flows[dir];
    flow->stalled_until_us = net->time->now_us + for_us;
    return true;
}

/* The event that is under way comes at the end of the stall: one more comes now. */
static void flow_unstall(struct vnet *net, size_t index, uint32_t dir)
{
    struct vflow *flow = &net->conns[index]->flows[dir];
    bool stalls = flow->stalled_until_us > net->time->now_us;
    flow->stalled_until_us = 0;
    if (stalls && flow->scheduled) {
        flow->scheduled = false;
        schedule_flow(net, index, dir, flow->head != NULL ? flow->head->at_us : 0);
    }
}

void vnet_heal(struct vnet *net)
{
    memset(net->cut, 0, sizeof net->cut);
    memset(net->extra_us, 0, sizeof net->extra_us);
    for (size_t i = 0; i < net->count; i++) {
        flow_unstall(net, i, 0);
        flow_unstall(net, i, 1);
    }
}

bool vnet_overdue(const struct vnet *net)
{
    for (size_t i = 0; i < net->count; i++) {
        for (uint32_t dir = 0; dir < 2; dir++) {
            const struct vpacket *head = net->conns[i]->flows[dir].head;
            if (head != NULL && head->at_us < net->time->now_us)
                return true;
        }
    }
    return false;
}
