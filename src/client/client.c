/* client - the API of a Thence cluster, from the outside.
 *
 * Does:   see client.h: where requests go, when they are sent again, what became of them.
 * Not:    sockets: link.c. Bytes: call.c, answer.c.
 * Holds:  C1 to C4.
 * Limits: lists of requests under way are walked in every turn: meant for hundreds of them.
 * See:    client.h.
 *
 *   start -> ready -> on a link -> done -> take
 *              ^         |
 *              +- paused <  (503, 429, a connection lost before the last byte was sent, reads)
 */
#define _GNU_SOURCE
#include "client/client.h"

#include "client/nodes.h"
#include "http/http.h"
#include "sys/sys.h"

#include <netdb.h>
#include <poll.h>

#define IDLE_MS_TRUSTED 500U /* a link idle for longer is looked at before it is used */
#define STAY_RETRIES 3U      /* at a node that only waits for causes; then another one is asked */
#define FOREVER UINT64_MAX

struct client {
    struct client_options options;          /* as given */
    struct node_at nodes[CLIENT_NODES_MAX]; /* in the order of client_add_node */
    uint32_t node_count;                    /* in use */
    uint32_t turn;                          /* whose turn it is, for CLIENT_ANY */
    uint64_t last_id;                       /* given out */
    uint64_t now_ms;                        /* machine_mono_ms, of this turn */
    struct call_list ready;                 /* to be put on a link */
    struct call_list paused;                /* until their due_ms */
    struct call_list done;                  /* to be taken */
    struct call *taken;                     /* whose bytes the last answer borrows, or NULL */
    size_t under_way;                       /* started and not taken */
    struct pollfd *fds;                     /* one for each link that is not closed */
    struct link **fd_links;                 /* the link of each */
    uint32_t fd_count;                      /* in use */
};

void client_options_init(struct client_options *options)
{
    *options = (struct client_options){.attempt_ms_max = 10000,
                                       .connect_ms_max = 2000,
                                       .backoff_ms = 10,
                                       .retries_max = 7,
                                       .connections_max = 4,
                                       .depth_max = 32,
                                       .answer_bytes_max = LIMIT_VALUE_BYTES + (1U << 20)};
}

struct client *client_new(const struct client_options *options)
{
    ASSERT(options->connections_max > 0);
    ASSERT(options->depth_max > 0);
    struct client *client = mem_zalloc(1, sizeof(*client));
    size_t links_max = (size_t)CLIENT_NODES_MAX * options->connections_max;
    client->options = *options;
    client->now_ms = machine_mono_ms();
    TAILQ_INIT(&client->ready);
    TAILQ_INIT(&client->paused);
    TAILQ_INIT(&client->done);
    client->fds = mem_zalloc(links_max, sizeof(*client->fds));
    client->fd_links = mem_zalloc(links_max, sizeof(struct link *));
    return client;
}

/* Sessions outlive requests: what these carried is given back. */
static void free_list(struct call_list *list)
{
    struct call *call;
    while ((call = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, call, entry);
        if (call->session != NULL)
            client_session_drop(call->session, &call->cargo);
        client__call_free(call);
    }
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    for (uint32_t i = 0; i < client->node_count; i++) {
        for (uint32_t k = 0; k < client->options.connections_max; k++)
            free_list(&client->nodes[i].links[k].calls);
        client__node_fini(&client->nodes[i], client->options.connections_max);
    }
    free_list(&client->ready);
    free_list(&client->paused);
    free_list(&client->done);
    if (client->taken != NULL)
        client__call_free(client->taken);
    mem_free(client->fds);
    mem_free(client->fd_links);
    mem_free(client);
}

bool client_add_node(struct client *client, const char *address, uint32_t *index, struct buf *why)
{
    if (client->node_count == CLIENT_NODES_MAX) {
        buf_append_slice(why, SLICE_LIT("more nodes than this client takes"));
        return false;
    }
    *index = client->node_count;
    if (!client__node_init(&client->nodes[*index], *index, address, client->options.connections_max,
                           why))
        return false;
    client->node_count++;
    return true;
}

uint32_t client_node_count(const struct client *client)
{
    return client->node_count;
}

const char *client_node_address(const struct client *client, uint32_t index)
{
    ASSERT(index < client->node_count);
    return client->nodes[index].address;
}

size_t client_under_way(const struct client *client)
{
    return client->under_way;
}

uint64_t client_start(struct client *client, const struct client_ask *ask)
{
    ASSERT(client->node_count > 0);
    ASSERT(ask->node == CLIENT_ANY || ask->node < client->node_count);
    ASSERT(!ask->pinned || ask->node != CLIENT_ANY);
    struct call *call = client__call_new(ask);
    call->id = ++client->last_id;
    if (call->node == CLIENT_ANY)
        call->node = client->turn++ % client->node_count;
    client->under_way++;
    TAILQ_INSERT_TAIL(&client->ready, call, entry);
    return call->id;
}

/* ---- Ends and retries; the call is in no list ---- */

static void give_back_cargo(struct call *call)
{
    if (call->session != NULL)
        client_session_drop(call->session, &call->cargo);
}

static void end_call(struct client *client, struct call *call, enum client_outcome outcome,
                     const char *why)
{
    give_back_cargo(call);
    call->outcome = outcome;
    call->why = why;
    TAILQ_INSERT_TAIL(&client->done, call, entry);
}

/* Pauses it for its next attempt; false: there is none left. */
static bool retry_call(struct client *client, struct call *call, uint64_t pause_ms_max)
{
    if (call->retries >= client->options.retries_max)
        return false;
    uint64_t pause_ms = client->options.backoff_ms << call->retries;
    call->retries++;
    call->due_ms = client->now_ms + (pause_ms < pause_ms_max ? pause_ms : pause_ms_max);
    call->sent = 0;
    buf_reset(&call->head);
    give_back_cargo(call);
    TAILQ_INSERT_TAIL(&client->paused, call, entry);
    return true;
}

static void move_on(const struct client *client, struct call *call)
{
    if (!call->pinned)
        call->node = (call->node + 1) % client->node_count;
}

/* What it was sent on is gone, without an answer. */
static void fail_call(struct client *client, struct call *call, enum client_outcome outcome,
                      const char *why)
{
    if (client__call_writes(call) && client__call_is_sent(call)) {
        end_call(client, call, CLIENT_UNKNOWN, why);
        return;
    }
    uint32_t asked = call->node;
    move_on(client, call);
    if (!retry_call(client, call, FOREVER)) {
        call->node = asked;
        end_call(client, call, outcome, why);
    }
}

/* ---- Answers ---- */

enum verdict {
    VERDICT_FINAL,   /* that is the answer */
    VERDICT_STAY,    /* again, here */
    VERDICT_MOVE,    /* again, elsewhere */
    VERDICT_UNKNOWN, /* a write that nobody may send again */
};

/* A 503: does it say that the write did not happen, and is the node only waiting for causes? */
static enum verdict judge_503(const struct call *call, struct slice body)
{
    struct json_member members[] = {{SLICE_LIT("error"), {.type = JSON_NONE}},
                                    {SLICE_LIT("outcome"), {.type = JSON_NONE}},
                                    {SLICE_LIT("waiting-for"), {.type = JSON_NONE}}};
    struct json_value whole;
    struct json_error error;
    bool told = json_scan_members(body, &whole, members, 3, &error) && whole.type == JSON_OBJECT &&
                members[0].value.type == JSON_STRING && members[1].value.type == JSON_NONE;
    if (!told && client__call_writes(call))
        return VERDICT_UNKNOWN;
    bool waits = told && members[2].value.type != JSON_NONE;
    return waits && call->retries < STAY_RETRIES ? VERDICT_STAY : VERDICT_MOVE;
}

static enum verdict judge(const struct call *call, int status, struct slice body)
{
    if (status == 503)
        return call->verb == CLIENT_HEAD ? VERDICT_MOVE : judge_503(call, body);
    if (status == 429)
        return VERDICT_MOVE; /* refused before anything was done */
    if (status == 500 || status == 502 || status == 504)
        return client__call_writes(call) ? VERDICT_UNKNOWN : VERDICT_MOVE;
    return VERDICT_FINAL;
}

static void learn(struct call *call, const struct answer_head *head)
{
    if (call->session == NULL)
        return;
    /* The token beside a 400 is a fresh one: it covers nothing of what was sent. */
    if (head->status == 400)
        client_session_drop(call->session, &call->cargo);
    else
        client_session_learn(call->session, &call->cargo, head->context);
}

static void keep_answer(struct call *call, const struct answer_head *head)
{
    call->status = head->status;
    buf_reset(&call->answer);
    buf_reset(&call->answer_type);
    buf_append_slice(&call->answer, head->body);
    buf_append_slice(&call->answer_type, head->type);
}

static uint64_t pause_most(const struct answer_head *head)
{
    return head->retry_after_s < FOREVER / 1000 ? head->retry_after_s * 1000 : FOREVER;
}

static void answer_call(struct client *client, struct call *call, const struct answer_head *head)
{
    keep_answer(call, head);
    learn(call, head);
    enum verdict verdict = judge(call, head->status, head->body);
    switch (verdict) {
    case VERDICT_FINAL:
        end_call(client, call, CLIENT_ANSWERED, NULL);
        return;
    case VERDICT_UNKNOWN:
        end_call(client, call, CLIENT_UNKNOWN, "the node does not know");
        return;
    case VERDICT_STAY:
    case VERDICT_MOVE:
        break;
    }
    uint32_t asked = call->node;
    if (verdict == VERDICT_MOVE)
        move_on(client, call);
    if (!retry_call(client, call, pause_most(head))) {
        call->node = asked;
        end_call(client, call, CLIENT_ANSWERED, NULL);
    }
}

/* ---- Links ---- */

static struct call *take_off(struct link *link)
{
    struct call *call = TAILQ_FIRST(&link->calls);
    ASSERT(call != NULL);
    TAILQ_REMOVE(&link->calls, call, entry);
    ASSERT(link->count > 0);
    link->count--;
    return call;
}

/* The calls on it fail, the first one with its own outcome. */
static void lose_link(struct client *client, struct link *link, enum client_outcome outcome,
                      const char *why)
{
    client__node_failed(&client->nodes[link->node], client->now_ms);
    while (link->count > 0) {
        struct call *call = take_off(link);
        fail_call(client, call, outcome, why);
        outcome = CLIENT_UNREACHABLE;
    }
    client__link_close(link);
}

/* After `Connection: close`: what was sent behind that answer is not read by anybody, so it is sent
 * anew, and that is no retry. */
static void end_link(struct client *client, struct link *link)
{
    while (link->count > 0) {
        struct call *call = take_off(link);
        give_back_cargo(call);
        call->sent = 0;
        buf_reset(&call->head);
        TAILQ_INSERT_TAIL(&client->ready, call, entry);
    }
    client__link_close(link);
}

static void take_answer(struct client *client, struct link *link, const struct answer_head *head)
{
    link->active_ms = client->now_ms;
    client->nodes[link->node].failures = 0;
    client->nodes[link->node].down_until_ms = 0;
    if (head->status >= 200) /* else an interim answer: the real one follows */
        answer_call(client, take_off(link), head);
}

/* All answers that are there. Afterwards the link may be closed. */
static void take_answers(struct client *client, struct link *link)
{
    size_t at = 0;
    while (link->in.len > at) {
        const struct call *first = TAILQ_FIRST(&link->calls);
        struct answer_head head;
        const char *why = "the node said something that nobody had asked for";
        enum answer_result result = ANSWER_BAD;
        if (first != NULL)
            result = client__answer_parse(
                slice_of(link->in.ptr + at, link->in.len - at), first->verb == CLIENT_HEAD,
                client->options.answer_bytes_max, &link->seen, &head, &why);
        if (result == ANSWER_MORE)
            break;
        if (result == ANSWER_BAD) {
            lose_link(client, link, CLIENT_GARBAGE, why);
            return;
        }
        link->seen = 0;
        at += head.bytes;
        take_answer(client, link, &head);
        if (head.close && head.status >= 200) {
            end_link(client, link);
            return;
        }
    }
    buf_consume(&link->in, at);
}

static void open_link(struct client *client, struct link *link)
{
    struct node_at *node = &client->nodes[link->node];
    link->connect_due_ms = client->now_ms + client->options.connect_ms_max;
    link->active_ms = client->now_ms;
    while (!client__link_open(link, node->next)) {
        node->next = node->next->ai_next;
        if (node->next == NULL) {
            node->next = node->addresses;
            lose_link(client, link, CLIENT_UNREACHABLE, "no connection");
            return;
        }
    }
}

/* A name may stand for several addresses: the next one is tried, until all have been. */
static void connect_failed(struct client *client, struct link *link)
{
    struct node_at *node = &client->nodes[link->node];
    node->next = node->next->ai_next;
    if (node->next == NULL) {
        node->next = node->addresses;
        lose_link(client, link, CLIENT_UNREACHABLE, "no connection");
        return;
    }
    struct call_list calls = TAILQ_HEAD_INITIALIZER(calls);
    TAILQ_CONCAT(&calls, &link->calls, entry);
    client__link_close(link);
    TAILQ_CONCAT(&link->calls, &calls, entry);
    open_link(client, link);
}

/* ---- Which node, which link ---- */

enum fitness {
    FIT,    /* ask it */
    BUSY,   /* it has more under way than others: slow, or frozen and not yet known to be */
    DOWN,   /* it failed lately, and has not answered since */
    UNFIT,  /* it is to be avoided */
    UNFITS, /* how many of these there are */
};

/* A node that hangs takes no more than its share with it: requests go round it. */
static enum fitness judge_node(const struct client *client, const struct call *call, uint32_t index)
{
    const struct node_at *node = &client->nodes[index];
    uint32_t load = client__node_load(node, client->options.connections_max);
    if (index == call->avoid)
        return UNFIT;
    if (node->failures > 0 && (load > 0 || node->down_until_ms > client->now_ms))
        return DOWN;
    size_t share = client->under_way / client->node_count;
    return load > share + share / 2 + 2 ? BUSY : FIT;
}

/* The first of the fittest, from call->node on. */
static uint32_t choose_node(const struct client *client, const struct call *call)
{
    uint32_t best = call->node;
    enum fitness best_fitness = UNFITS;
    if (call->pinned)
        return call->node;
    for (uint32_t i = 0; i < client->node_count && best_fitness != FIT; i++) {
        uint32_t index = (call->node + i) % client->node_count;
        enum fitness fitness = judge_node(client, call, index);
        if (fitness < best_fitness) {
            best = index;
            best_fitness = fitness;
        }
    }
    return best;
}

static struct link *choose_link(struct client *client, struct node_at *node)
{
    struct link *link =
        client__node_link(node, client->options.connections_max, client->options.depth_max);
    if (link == NULL || link->state == CLIENT_LINK_CLOSED || link->count > 0)
        return link;
    bool old = client->now_ms - link->active_ms > IDLE_MS_TRUSTED;
    if (link->state == CLIENT_LINK_OPEN && old && client__link_is_stale(link))
        client__link_close(link);
    return link;
}

static void put_on_link(struct client *client, struct call *call, struct link *link)
{
    const struct client_options *options = &client->options;
    call->node = link->node;
    call->due_ms = client->now_ms + options->attempt_ms_max +
                   (call->wait_ms == UINT64_MAX ? 0 : call->wait_ms);
    client__call_render(call, client->nodes[link->node].address);
    TAILQ_INSERT_TAIL(&link->calls, call, entry);
    link->count++;
    if (link->state == CLIENT_LINK_CLOSED)
        open_link(client, link);
}

static void dispatch(struct client *client)
{
    struct call *next;
    for (struct call *call = TAILQ_FIRST(&client->ready); call != NULL; call = next) {
        next = TAILQ_NEXT(call, entry);
        struct link *link = choose_link(client, &client->nodes[choose_node(client, call)]);
        if (link == NULL)
            continue;
        TAILQ_REMOVE(&client->ready, call, entry);
        put_on_link(client, call, link);
    }
}

/* ---- Time ---- */

static void wake_paused(struct client *client)
{
    struct call *next;
    for (struct call *call = TAILQ_FIRST(&client->paused); call != NULL; call = next) {
        next = TAILQ_NEXT(call, entry);
        if (call->due_ms > client->now_ms)
            continue;
        TAILQ_REMOVE(&client->paused, call, entry);
        TAILQ_INSERT_TAIL(&client->ready, call, entry);
    }
}

/* When the link has to be given up, or FOREVER. */
static uint64_t link_due(const struct link *link)
{
    uint64_t due_ms = link->state == CLIENT_LINK_CONNECTING ? link->connect_due_ms : FOREVER;
    const struct call *call;
    TAILQ_FOREACH(call, &link->calls, entry)
    due_ms = call->due_ms < due_ms ? call->due_ms : due_ms;
    return due_ms;
}

static void expire_link(struct client *client, struct link *link)
{
    if (link->state == CLIENT_LINK_CLOSED || link_due(link) > client->now_ms)
        return;
    if (link->state == CLIENT_LINK_CONNECTING)
        connect_failed(client, link);
    else
        lose_link(client, link, CLIENT_TIMED_OUT, "no answer in time");
}

static struct link *link_at(struct client *client, uint32_t i)
{
    uint32_t each = client->options.connections_max;
    return &client->nodes[i / each].links[i % each];
}

static uint32_t link_count(const struct client *client)
{
    return client->node_count * client->options.connections_max;
}

/* The earliest of all that has a time, and end_ms. */
static uint64_t next_due(struct client *client, uint64_t end_ms)
{
    const struct call *call;
    TAILQ_FOREACH(call, &client->paused, entry)
    end_ms = call->due_ms < end_ms ? call->due_ms : end_ms;
    for (uint32_t i = 0; i < link_count(client); i++) {
        uint64_t due_ms = link_due(link_at(client, i));
        end_ms = due_ms < end_ms ? due_ms : end_ms;
    }
    return end_ms;
}

/* ---- A turn ---- */

static void send_all(struct client *client)
{
    for (uint32_t i = 0; i < link_count(client); i++) {
        struct link *link = link_at(client, i);
        if (link->state == CLIENT_LINK_OPEN && client__link_send(link) == LINK_LOST) {
            /* What the node said before it hung up may still be there, and tells more. */
            (void)client__link_receive(link);
            take_answers(client, link);
            if (link->state != CLIENT_LINK_CLOSED)
                lose_link(client, link, CLIENT_UNREACHABLE, "the connection was lost");
        }
    }
}

static void collect_fds(struct client *client)
{
    client->fd_count = 0;
    for (uint32_t i = 0; i < link_count(client); i++) {
        struct link *link = link_at(client, i);
        if (link->state == CLIENT_LINK_CLOSED)
            continue;
        bool wants_out = link->state == CLIENT_LINK_CONNECTING || client__link_has_unsent(link);
        client->fd_links[client->fd_count] = link;
        client->fds[client->fd_count++] =
            (struct pollfd){.fd = link->fd, .events = wants_out ? POLLIN | POLLOUT : POLLIN};
    }
}

static void handle_link(struct client *client, struct link *link, short events)
{
    if (link->state == CLIENT_LINK_CONNECTING) {
        if ((events & (POLLOUT | POLLERR | POLLHUP)) != 0 && !client__link_connected(link))
            connect_failed(client, link);
        return;
    }
    if ((events & (POLLIN | POLLERR | POLLHUP)) == 0)
        return;
    enum link_event event = client__link_receive(link);
    take_answers(client, link);
    if (event != LINK_LOST || link->state == CLIENT_LINK_CLOSED)
        return;
    if (link->count == 0)
        client__link_close(link); /* idle for too long: no failure */
    else
        lose_link(client, link, CLIENT_UNREACHABLE, "the connection was lost");
}

/* One poll(2) with all around it; false: a signal came. */
static bool turn(struct client *client, uint64_t end_ms)
{
    wake_paused(client);
    for (uint32_t i = 0; i < link_count(client); i++)
        expire_link(client, link_at(client, i));
    dispatch(client);
    send_all(client);
    collect_fds(client);
    uint64_t due_ms = TAILQ_EMPTY(&client->done) ? next_due(client, end_ms) : client->now_ms;
    uint64_t wait_ms = due_ms > client->now_ms ? due_ms - client->now_ms : 0;
    int ready = poll(client->fds, client->fd_count, wait_ms < 60000 ? (int)wait_ms : 60000);
    client->now_ms = machine_mono_ms();
    for (uint32_t i = 0; ready > 0 && i < client->fd_count; i++)
        if (client->fds[i].revents != 0)
            handle_link(client, client->fd_links[i], client->fds[i].revents);
    return ready >= 0;
}

void client_poll(struct client *client, uint64_t timeout_ms)
{
    client->now_ms = machine_mono_ms();
    uint64_t end_ms = timeout_ms < FOREVER - client->now_ms ? client->now_ms + timeout_ms : FOREVER;
    while (turn(client, end_ms) && TAILQ_EMPTY(&client->done) && client->now_ms < end_ms)
        continue;
}

bool client_take(struct client *client, struct client_answer *answer)
{
    if (client->taken != NULL)
        client__call_free(client->taken);
    struct call *call = TAILQ_FIRST(&client->done);
    client->taken = call;
    if (call == NULL)
        return false;
    TAILQ_REMOVE(&client->done, call, entry);
    client->under_way--;
    *answer = (struct client_answer){.id = call->id,
                                     .tag = call->tag,
                                     .outcome = call->outcome,
                                     .status = call->status,
                                     .body = buf_slice(&call->answer),
                                     .type = buf_slice(&call->answer_type),
                                     .why = call->why,
                                     .node = call->node,
                                     .retries = call->retries};
    return true;
}

bool client_settle(struct client *client, struct client_session *session, struct slice key,
                   const volatile int *stop)
{
    ASSERT(client->under_way == 0);
    struct buf target = BUF_EMPTY;
    bool good = true;
    client_put_target(&target, key);
    while (good && session->count > 1) {
        struct client_ask ask = {.verb = CLIENT_HEAD,
                                 .target = buf_slice(&target),
                                 .session = session,
                                 .node = CLIENT_ANY,
                                 .avoid = CLIENT_ANY,
                                 .wait_ms = UINT64_MAX};
        struct client_answer answer;
        client_start(client, &ask);
        while (!client_take(client, &answer))
            client_poll(client, 1000);
        good = answer.outcome == CLIENT_ANSWERED &&
               (answer.status == 200 || answer.status == 404) && (stop == NULL || *stop == 0);
    }
    buf_fini(&target);
    return good;
}

static size_t check_list(const struct call_list *list, bool on_link)
{
    size_t count = 0;
    const struct call *call;
    TAILQ_FOREACH(call, list, entry)
    {
        ASSERT(call->sent <= client__call_bytes(call));
        ASSERT(on_link || call->cargo.count == 0);
        count++;
    }
    return count;
}

void client_check(const struct client *client)
{
    size_t count = check_list(&client->ready, false) + check_list(&client->paused, false) +
                   check_list(&client->done, false);
    for (uint32_t i = 0; i < client->node_count; i++) {
        for (uint32_t k = 0; k < client->options.connections_max; k++) {
            const struct link *link = &client->nodes[i].links[k];
            ASSERT((link->fd < 0) == (link->state == CLIENT_LINK_CLOSED));
            ASSERT(link->state != CLIENT_LINK_CLOSED || link->count == 0);
            ASSERT(check_list(&link->calls, true) == link->count);
            count += link->count;
        }
    }
    ASSERT(count == client->under_way);
}
