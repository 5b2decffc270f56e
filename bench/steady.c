/* steady - a load generator: many sessions, at a given rate or as fast as it goes.
 *
 * Does:   keep-alive connections to nodes on loopback, each a session (the context of an answer
 *         goes into its next request), that write and read keys of bench/. Lines on stdin begin
 *         and end spells; each spell is told as one JSON object on stdout. Every answer to a read
 *         is compared with what was written.
 * Not:    starting nodes: cluster.py. What the figures mean: reshard.
 * Holds:  S1 a key belongs to one connection, which alone writes it, one write after the other:
 *         so what was written last is known. S2 at a given rate a latency counts from the moment
 *         at which the request was due, and at which node it is due does not depend on how fast
 *         the nodes are: a node that stands still makes its requests late, not fewer.
 * Limits: SPELLS_MAX. One thread; it sleeps when nothing is due.
 * See:    README.md.
 *
 *     spell NAME load      every key once, written
 *     spell NAME check     every key once, read by a session that has neither written it nor
 *                          knows of it: for a cluster at rest
 *     spell NAME fast      the next request of a session as soon as it has the answer
 *     spell NAME rate N    N requests a second in all, whether or not there are answers
 *     spell NAME rest      nothing
 *
 * A spell is told at the next rest, once all of its requests are answered: to sort what was
 * measured takes so long that other requests would be late. `load` and `check` end by themselves.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/http.h"
#include "samples.h"

#define DEPTH 8U /* requests under way on a connection, when order does not matter */
#define NODES_MAX 64U
#define SPELLS_MAX 32U
#define BODIES_MAX 3U /* of answers that failed or were wrong */
#define EVENTS 64
#define PATIENCE_NS (30 * UINT64_C(1000000000)) /* for the last answers */
#define TIMER_SLACK_NS 1000UL
#define VALUE_BYTES 98U            /* with its quotes 100 */
#define UNSURE (UINT32_C(1) << 31) /* of a version: a later write was refused, or has no answer */

enum pace { PACE_REST, PACE_LOAD, PACE_CHECK, PACE_FAST, PACE_RATE };

struct spell {
    char name[32];         /* as the line said */
    enum pace pace;        /* see there */
    uint64_t rate;         /* PACE_RATE: requests a second */
    uint64_t begin_ns;     /* of its requests; the first is due then */
    uint64_t end_ns;       /* nothing of it is due from then on; 0: it goes on */
    uint64_t due;          /* requests so far */
    uint64_t open;         /* of these, not answered */
    uint64_t gets;         /* of these */
    uint64_t moving;       /* of these: their keys are of those that move */
    uint64_t failed;       /* answered with anything but success, or not at all */
    uint64_t wrong;        /* reads of another value than was written last */
    struct samples took;   /* from due to answered */
    struct samples answer; /* from sent to answered */
    struct samples late;   /* from due to noticed: the generator itself */
    struct buf bodies;     /* JSON texts of the first that failed or were wrong, with commas */
    uint32_t body_count;   /* of these */
    bool told;             /* its JSON is out */
};

/* A request on its way. */
struct ask {
    uint64_t due_ns;  /* when it was due */
    uint64_t sent_ns; /* when it was sent: later, where no connection of its node was free */
    uint32_t spell;   /* index */
    uint32_t key;     /* number */
    uint32_t version; /* written, or expected */
    bool get;         /* else PUT */
};

/* One that is due and has no connection yet. */
struct due {
    uint64_t ns;    /* since when */
    uint32_t spell; /* index */
};

struct node {
    uint16_t port;     /* on loopback */
    struct due *queue; /* owned; from head on */
    size_t head;       /* in queue */
    size_t count;      /* all in queue, those before head included */
    size_t cap;        /* allocated */
    uint32_t turn;     /* which of its connections is looked at first */
};

struct link {
    int fd;                 /* blocking: DEPTH requests fit the buffer of the socket */
    uint32_t node;          /* index: that of the connection modulo the number of nodes */
    struct ask asks[DEPTH]; /* a ring, in the order in which they were sent */
    uint32_t first;         /* of asks */
    uint32_t count;         /* of asks */
    struct buf in;          /* received, no whole answer yet */
    struct buf out;         /* to be sent together */
    struct buf token;       /* the last causal-metadata, as JSON */
    uint32_t *keys;         /* owned: those that it writes, the moving ones first */
    uint32_t key_count;     /* of keys */
    uint32_t moving_count;  /* of keys */
    uint32_t cursor;        /* load and check: the next of keys */
};

struct steady {
    struct node nodes[NODES_MAX];
    uint32_t node_count;
    struct link *links; /* owned */
    uint32_t link_count;
    uint32_t key_count;
    bool *moving;       /* owned; by number of a key */
    uint32_t *versions; /* owned; by number of a key: written last, and UNSURE */
    uint64_t share;     /* of requests that go to moving keys, per cent; over 100: as it comes */
    uint64_t gets;      /* of requests that read, per cent */
    struct spell spells[SPELLS_MAX];
    uint32_t spell_count; /* the last one goes on */
    uint32_t next_node;   /* PACE_RATE: in turn */
    struct buf commands;  /* read from stdin, no whole line yet */
    struct buf body;      /* scratch */
    struct rng rng;
    FILE *trace;       /* a line for each request; or NULL */
    uint64_t leave_ns; /* stdin has ended: the last answers are waited for until then; or 0 */
    int epoll;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static _Noreturn void die(const char *what, const char *detail)
{
    fprintf(stderr, "steady: %s%s%s\n", what, detail[0] != '\0' ? ": " : "", detail);
    exit(2);
}

static uint64_t number_of(const char *text, uint64_t most)
{
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number > most || text[0] == '-')
        die("this is no number that fits", text);
    return number;
}

/* ---- spells ---- */

static struct spell *current(struct steady *steady)
{
    return &steady->spells[steady->spell_count - 1];
}

static void spell_print(struct spell *spell)
{
    struct buf out = BUF_EMPTY;
    double seconds = (double)(spell->end_ns - spell->begin_ns) / 1e9;
    samples_sort(&spell->took);
    samples_sort(&spell->answer);
    samples_sort(&spell->late);
    buf_u8(&out, '{');
    json_put_text(&out, SLICE_LIT("spell"), slice_str(spell->name));
    json_put_number(&out, SLICE_LIT("requests"), spell->due);
    json_put_number(&out, SLICE_LIT("ms"), (uint64_t)(seconds * 1e3));
    json_put_number(&out, SLICE_LIT("rate"), (uint64_t)((double)spell->due / seconds));
    json_put_number(&out, SLICE_LIT("gets"), spell->gets);
    json_put_number(&out, SLICE_LIT("moving"), spell->moving);
    json_put_number(&out, SLICE_LIT("failed"), spell->failed);
    json_put_number(&out, SLICE_LIT("wrong"), spell->wrong);
    json_put_number(&out, SLICE_LIT("p50"), samples_at(&spell->took, 500));
    json_put_number(&out, SLICE_LIT("p90"), samples_at(&spell->took, 900));
    json_put_number(&out, SLICE_LIT("p99"), samples_at(&spell->took, 990));
    json_put_number(&out, SLICE_LIT("p99.9"), samples_at(&spell->took, 999));
    json_put_number(&out, SLICE_LIT("max"), samples_at(&spell->took, 1000));
    json_put_number(&out, SLICE_LIT("answer-p99"), samples_at(&spell->answer, 990));
    json_put_number(&out, SLICE_LIT("late-p99"), samples_at(&spell->late, 990));
    json_put_number(&out, SLICE_LIT("late-max"), samples_at(&spell->late, 1000));
    json_put_name(&out, SLICE_LIT("bodies"));
    printf("%.*s[%.*s]}\n", (int)out.len, (const char *)out.ptr, (int)spell->bodies.len,
           (const char *)spell->bodies.ptr);
    fflush(stdout);
    buf_fini(&out);
}

/* Not before all is answered: the last ones are not to wait for this. */
static void tell_what_is_over(struct steady *steady)
{
    for (uint32_t i = 0; i < steady->spell_count; i++)
        if (steady->spells[i].open > 0)
            return;
    for (uint32_t i = 0; i < steady->spell_count; i++) {
        struct spell *spell = &steady->spells[i];
        if (spell->told || spell->end_ns == 0)
            continue;
        spell->told = true;
        if (spell->pace != PACE_REST)
            spell_print(spell);
    }
}

static void spell_begin(struct steady *steady, const char *name, enum pace pace, uint64_t rate)
{
    if (steady->spell_count > 0)
        current(steady)->end_ns = now_ns();
    if (steady->spell_count == SPELLS_MAX)
        die("too many spells", name);
    struct spell *spell = &steady->spells[steady->spell_count++];
    snprintf(spell->name, sizeof spell->name, "%s", name);
    spell->pace = pace;
    spell->rate = rate;
    spell->begin_ns = now_ns();
}

/* Told with the spell, if it is one of the first. */
static void spell_note(struct spell *spell, const char *why, struct slice detail)
{
    if (spell->body_count++ >= BODIES_MAX)
        return;
    struct buf text = BUF_EMPTY;
    buf_append_slice(&text, slice_str(why));
    buf_append_slice(&text, detail);
    if (spell->bodies.len > 0)
        buf_u8(&spell->bodies, ',');
    json_put_string(&spell->bodies, buf_slice(&text));
    buf_fini(&text);
}

/* ---- requests ---- */

static void digits(char *out, size_t count, uint64_t number)
{
    for (; count > 0; number /= 10)
        out[--count] = (char)('0' + number % 10);
}

static void value_make(char value[VALUE_BYTES], uint32_t key, uint32_t version)
{
    char unit[25];
    memset(unit, '-', sizeof unit);
    digits(unit, 12, key);
    digits(unit + 13, 10, version);
    for (size_t i = 0; i < VALUE_BYTES; i++)
        value[i] = unit[i % 24];
}

static void put_body(struct steady *steady, const struct link *link, const struct ask *ask)
{
    struct buf *body = &steady->body;
    buf_reset(body);
    buf_u8(body, '{');
    if (!ask->get) {
        char value[VALUE_BYTES];
        value_make(value, ask->key, ask->version);
        buf_append_slice(body, SLICE_LIT("\"value\":\""));
        buf_append(body, value, VALUE_BYTES);
        buf_append_slice(body, SLICE_LIT("\","));
    }
    buf_append_slice(body, SLICE_LIT("\"causal-metadata\":"));
    bool fresh = link->token.len == 0 || current(steady)->pace == PACE_CHECK;
    buf_append_slice(body, fresh ? SLICE_LIT("null") : buf_slice(&link->token));
    buf_u8(body, '}');
}

/* Puts a request behind the others of its connection; link_send sends it. */
static void link_ask(struct steady *steady, struct link *link, struct ask ask)
{
    char key[12];
    digits(key, sizeof key, ask.key);
    put_body(steady, link, &ask);
    buf_append_slice(&link->out, ask.get ? SLICE_LIT("GET") : SLICE_LIT("PUT"));
    buf_append_slice(&link->out, SLICE_LIT(" /kvs/key:"));
    buf_append(&link->out, key, sizeof key);
    buf_append_slice(&link->out, SLICE_LIT(" HTTP/1.1\r\nHost: steady\r\n"
                                           "Content-Type: application/json\r\nContent-Length: "));
    buf_decimal(&link->out, steady->body.len);
    buf_append_slice(&link->out, SLICE_LIT("\r\n\r\n"));
    buf_append_slice(&link->out, buf_slice(&steady->body));
    ASSERT(link->count < DEPTH);
    ask.sent_ns = now_ns();
    link->asks[(link->first + link->count++) % DEPTH] = ask;
    struct spell *spell = &steady->spells[ask.spell];
    spell->gets += ask.get;
    spell->moving += steady->moving[ask.key];
}

/* What breaks here is noticed where answers are read. */
static void link_send(struct link *link)
{
    size_t sent = 0;
    while (sent < link->out.len) {
        ssize_t n = send(link->fd, link->out.ptr + sent, link->out.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            break;
        sent += n > 0 ? (size_t)n : 0;
    }
    buf_reset(&link->out);
}

/* Any of its keys, or as the share of moving ones says. */
static uint32_t choose_key(struct steady *steady, const struct link *link)
{
    uint64_t low = 0;
    uint64_t high = link->key_count;
    if (steady->share <= 100 && rng_below(&steady->rng, 100) < steady->share)
        high = link->moving_count;
    else if (steady->share <= 100)
        low = link->moving_count;
    if (low == high)
        die("a connection has no keys of a kind: more keys, or fewer connections", "");
    return link->keys[low + rng_below(&steady->rng, high - low)];
}

static void ask_any(struct steady *steady, struct link *link, uint64_t due_ns, uint32_t spell)
{
    struct ask ask = {.due_ns = due_ns, .spell = spell, .key = choose_key(steady, link)};
    ask.get = rng_below(&steady->rng, 100) < steady->gets;
    ask.version = steady->versions[ask.key] & ~UNSURE;
    ask.version += !ask.get;
    link_ask(steady, link, ask);
    link_send(link);
}

/* ---- what a connection does next ---- */

/* Counts a request of the spell that goes on. */
static void count_due(struct steady *steady)
{
    current(steady)->due++;
    current(steady)->open++;
}

/* The connection whose keys this one goes through: nobody reads what it wrote itself. */
static const struct link *keys_of(const struct steady *steady, const struct link *link,
                                  enum pace pace)
{
    size_t index = (size_t)(link - steady->links) + (pace == PACE_CHECK);
    return &steady->links[index % steady->link_count];
}

static void go_through(struct steady *steady, struct link *link)
{
    enum pace pace = current(steady)->pace;
    const struct link *owner = keys_of(steady, link, pace);
    while (link->count < DEPTH && link->cursor < owner->key_count) {
        uint32_t key = owner->keys[link->cursor++];
        count_due(steady);
        link_ask(steady, link,
                 (struct ask){.due_ns = now_ns(),
                              .spell = steady->spell_count - 1,
                              .key = key,
                              .version = steady->versions[key] & ~UNSURE,
                              .get = pace == PACE_CHECK});
    }
    link_send(link);
}

/* Requests that are due go first. */
static void link_next(struct steady *steady, struct link *link)
{
    struct node *node = &steady->nodes[link->node];
    enum pace pace = current(steady)->pace;
    if (link->count == 0 && node->head < node->count) {
        struct due due = node->queue[node->head++];
        ask_any(steady, link, due.ns, due.spell);
    } else if (pace == PACE_LOAD || pace == PACE_CHECK) {
        go_through(steady, link);
    } else if (pace == PACE_FAST && link->count == 0) {
        count_due(steady);
        ask_any(steady, link, now_ns(), steady->spell_count - 1);
    }
}

static struct link *idle_link(struct steady *steady, uint32_t node)
{
    uint32_t here = (steady->link_count - node - 1) / steady->node_count + 1;
    for (uint32_t i = 0; i < here; i++) {
        uint32_t turn = steady->nodes[node].turn++ % here;
        struct link *link = &steady->links[node + turn * steady->node_count];
        if (link->count == 0)
            return link;
    }
    return NULL;
}

static void enqueue(struct node *node, struct due due)
{
    if (node->head == node->count)
        node->head = node->count = 0;
    if (node->count == node->cap) {
        node->cap = node->cap > 0 ? node->cap * 2 : 1024;
        node->queue = mem_realloc(node->queue, node->cap * sizeof node->queue[0]);
    }
    node->queue[node->count++] = due;
}

static uint64_t next_due_ns(struct steady *steady)
{
    const struct spell *spell = current(steady);
    return spell->begin_ns + (spell->due * UINT64_C(1000000000)) / spell->rate;
}

/* Asks what is due; returns how long there is nothing more. */
static uint64_t keep_pace(struct steady *steady)
{
    struct spell *spell = current(steady);
    uint64_t now = now_ns();
    while (next_due_ns(steady) <= now) {
        struct due due = {.ns = next_due_ns(steady), .spell = steady->spell_count - 1};
        uint32_t node = steady->next_node++ % steady->node_count;
        struct link *link = idle_link(steady, node);
        count_due(steady);
        samples_add(&spell->late, now - due.ns);
        if (link != NULL)
            ask_any(steady, link, due.ns, due.spell);
        else
            enqueue(&steady->nodes[node], due);
    }
    return next_due_ns(steady) - now;
}

/* ---- answers ---- */

struct answer {
    int status;        /* as the node said */
    struct slice body; /* borrowed */
    size_t bytes;      /* of head and body */
};

/* False: it is not whole. Nodes write Content-Length like this. */
static bool answer_read(struct slice in, struct answer *answer)
{
    static const char name[] = "\r\nContent-Length: ";
    const uint8_t *end = in.len > 0 ? memmem(in.ptr, in.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return false;
    size_t head = (size_t)(end - in.ptr) + 4;
    const uint8_t *length = memmem(in.ptr, head, name, sizeof name - 1);
    if (length == NULL || memcmp(in.ptr, "HTTP/1.1 ", 9) != 0)
        die("a node answered with something else than HTTP with a length", "");
    size_t body = (size_t)strtoul((const char *)length + sizeof name - 1, NULL, 10);
    answer->status = (int)strtol((const char *)in.ptr + 9, NULL, 10);
    answer->body = slice_of(in.ptr + head, body);
    answer->bytes = head + body;
    return answer->bytes <= in.len;
}

static void learn_token(struct link *link, struct slice body)
{
    static const char name[] = "\"causal-metadata\":\"";
    const uint8_t *at = memmem(body.ptr, body.len, name, sizeof name - 1);
    if (at == NULL)
        return;
    const uint8_t *text = at + sizeof name - 2; /* with its quotes */
    const uint8_t *end = memchr(text + 1, '"', body.len - (size_t)(text + 1 - body.ptr));
    if (end == NULL)
        return;
    buf_reset(&link->token);
    buf_append(&link->token, text, (size_t)(end + 1 - text));
}

static bool is_right(const struct ask *ask, struct slice body)
{
    char wanted[VALUE_BYTES];
    value_make(wanted, ask->key, ask->version);
    return memmem(body.ptr, body.len, wanted, VALUE_BYTES) != NULL;
}

static void judge(struct steady *steady, const struct ask *ask, const struct answer *answer)
{
    struct spell *spell = &steady->spells[ask->spell];
    uint32_t *version = &steady->versions[ask->key];
    char why[64];
    if (answer->status != 200 && answer->status != 201) {
        snprintf(why, sizeof why, "key %u: %d ", ask->key, answer->status);
        spell_note(spell, why, answer->body);
        spell->failed++;
        *version |= ask->get ? 0 : UNSURE;
    } else if (!ask->get) {
        *version = ask->version;
    } else if ((*version & UNSURE) == 0 && !is_right(ask, answer->body)) {
        snprintf(why, sizeof why, "key %u: not version %u: ", ask->key, ask->version);
        spell_note(spell, why, answer->body);
        spell->wrong++;
    }
}

static void trace(const struct steady *steady, const struct ask *ask, uint64_t now, int status)
{
    if (steady->trace == NULL)
        return;
    uint32_t node = ask->key % steady->link_count % steady->node_count;
    fprintf(steady->trace, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %u %u %d %d %s\n",
            steady->spells[ask->spell].name, ask->due_ns / 1000,
            (ask->sent_ns - ask->due_ns) / 1000, (now - ask->due_ns) / 1000,
            steady->nodes[node].port, ask->key, steady->moving[ask->key], status,
            ask->get ? "GET" : "PUT");
}

/* The oldest request of the connection has got its answer, or never will: status 0. */
static void link_answered(struct steady *steady, struct link *link, const struct answer *answer)
{
    struct ask ask = link->asks[link->first];
    struct spell *spell = &steady->spells[ask.spell];
    uint64_t now = now_ns();
    link->first = (link->first + 1) % DEPTH;
    link->count--;
    samples_add(&spell->took, now - ask.due_ns);
    samples_add(&spell->answer, now - ask.sent_ns);
    trace(steady, &ask, now, answer->status);
    judge(steady, &ask, answer);
    learn_token(link, answer->body);
    spell->open--;
}

/* ---- connections ---- */

static void link_open(struct steady *steady, struct link *link)
{
    int yes = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(steady->nodes[link->node].port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = link};
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("cannot connect to a node", strerror(errno));
    if (setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        epoll_ctl(steady->epoll, EPOLL_CTL_ADD, link->fd, &wanted) != 0)
        die("cannot watch a connection", strerror(errno));
}

/* Nobody knows what became of what was under way. */
static void link_lost(struct steady *steady, struct link *link)
{
    static const struct answer none = {.body = {(const uint8_t *)"no answer", 9}};
    while (link->count > 0)
        link_answered(steady, link, &none);
    buf_reset(&link->in);
    close(link->fd);
    link_open(steady, link);
}

static void link_receive(struct steady *steady, struct link *link)
{
    struct answer answer;
    uint8_t *room = buf_reserve(&link->in, 16384);
    ssize_t n = recv(link->fd, room, 16384, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    link->in.len += n > 0 ? (size_t)n : 0;
    size_t used = 0;
    while (answer_read(slice_of(link->in.ptr + used, link->in.len - used), &answer)) {
        if (link->count == 0)
            die("a node answered what nobody asked", "");
        link_answered(steady, link, &answer);
        used += answer.bytes;
    }
    buf_consume(&link->in, used);
    if (n <= 0)
        link_lost(steady, link);
    link_next(steady, link);
}

/* ---- what stdin says ---- */

static void begin(struct steady *steady, const char *name, const char *pace, const char *rate)
{
    static const char *const paces[] = {"rest", "load", "check", "fast", "rate"};
    size_t which = 0;
    while (which < sizeof paces / sizeof paces[0] && strcmp(pace, paces[which]) != 0)
        which++;
    if (which == sizeof paces / sizeof paces[0])
        die("no such pace: rest, load, check, fast or rate N", pace);
    uint64_t number = which == PACE_RATE ? number_of(rate, 10000000) : 0;
    if (which == PACE_RATE && number == 0)
        die("a rate is greater than 0", rate);
    spell_begin(steady, name, (enum pace)which, number);
    for (uint32_t i = 0; i < steady->link_count; i++) {
        steady->links[i].cursor = 0;
        if (steady->links[i].count == 0)
            link_next(steady, &steady->links[i]);
    }
}

/* Cuts a word off the line: what is left stands in *line. "" when there is none. */
static const char *word(char **line)
{
    char *begin_of = *line + strspn(*line, " ");
    char *end = begin_of + strcspn(begin_of, " ");
    *line = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return begin_of;
}

static void obey(struct steady *steady, char *line)
{
    const char *verb = word(&line);
    const char *name = word(&line);
    const char *pace = word(&line);
    const char *rate = word(&line);
    if (strcmp(verb, "spell") != 0 || name[0] == '\0')
        die("lines are `spell NAME PACE [N]`, not", verb);
    begin(steady, name, pace, rate);
}

static void read_commands(struct steady *steady)
{
    char *room = (char *)buf_reserve(&steady->commands, 4096);
    ssize_t n = read(STDIN_FILENO, room, 4096);
    if (n <= 0) {
        spell_begin(steady, "end", PACE_REST, 0);
        steady->leave_ns = now_ns() + PATIENCE_NS;
        epoll_ctl(steady->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        return;
    }
    steady->commands.len += (size_t)n;
    char *end;
    while (steady->commands.len > 0 &&
           (end = memchr(steady->commands.ptr, '\n', steady->commands.len)) != NULL) {
        char *line = (char *)steady->commands.ptr;
        *end = '\0';
        obey(steady, line);
        buf_consume(&steady->commands, (size_t)(end + 1 - line));
    }
}

/* ---- the loop ---- */

static bool all_through(const struct steady *steady, enum pace pace)
{
    for (uint32_t i = 0; i < steady->link_count; i++) {
        const struct link *link = &steady->links[i];
        if (link->count > 0 || link->cursor < keys_of(steady, link, pace)->key_count)
            return false;
    }
    return true;
}

static bool all_told(const struct steady *steady)
{
    for (uint32_t i = 0; i + 1 < steady->spell_count; i++)
        if (!steady->spells[i].told)
            return false;
    return true;
}

/* Sleeps until something comes or is due. */
static void turn(struct steady *steady)
{
    struct epoll_event events[EVENTS];
    enum pace pace = current(steady)->pace;
    uint64_t rest_ns = pace == PACE_RATE ? keep_pace(steady) : UINT64_C(1000000000);
    struct timespec rest = {.tv_sec = (time_t)(rest_ns / 1000000000),
                            .tv_nsec = (long)(rest_ns % 1000000000)};
    int count = epoll_pwait2(steady->epoll, events, EVENTS, &rest, NULL);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            read_commands(steady);
        else
            link_receive(steady, events[i].data.ptr);
    }
    pace = current(steady)->pace;
    if ((pace == PACE_LOAD || pace == PACE_CHECK) && all_through(steady, pace))
        spell_begin(steady, "rest", PACE_REST, 0);
    if (current(steady)->pace == PACE_REST)
        tell_what_is_over(steady);
}

static void run(struct steady *steady)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(steady->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &wanted) != 0)
        die("stdin has to be a pipe or a terminal", strerror(errno));
    spell_begin(steady, "begin", PACE_REST, 0);
    while (steady->leave_ns == 0 || (!all_told(steady) && now_ns() < steady->leave_ns))
        turn(steady);
    for (uint32_t i = 0; i < steady->link_count; i++)
        if (steady->links[i].count > 0)
            link_lost(steady, &steady->links[i]);
    tell_what_is_over(steady);
}

/* ---- what it is given ---- */

static void read_ports(struct steady *steady, char *list)
{
    for (char *port = list; port != NULL;) {
        char *comma = strchr(port, ',');
        if (comma != NULL)
            *comma++ = '\0';
        if (steady->node_count == NODES_MAX)
            die("too many ports", port);
        steady->nodes[steady->node_count++].port = (uint16_t)number_of(port, 65535);
        port = comma;
    }
}

/* What stands on a line behind the number is not looked at. */
static void read_moving(struct steady *steady, const char *path)
{
    char line[128];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die(path, strerror(errno));
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " \n")] = '\0';
        steady->moving[number_of(line, steady->key_count - 1)] = true;
    }
    fclose(file);
}

static void link_give_keys(struct steady *steady, uint32_t index)
{
    struct link *link = &steady->links[index];
    link->keys = mem_zalloc(steady->key_count / steady->link_count + 1, sizeof link->keys[0]);
    for (int moving = 1; moving >= 0; moving--) {
        for (uint32_t key = index; key < steady->key_count; key += steady->link_count)
            if (steady->moving[key] == (moving == 1))
                link->keys[link->key_count++] = key;
        link->moving_count = moving == 1 ? link->key_count : link->moving_count;
    }
}

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: bench_steady --ports P,P,... [--connections N] [--keys N]\n"
                    "           [--moving FILE] [--share PERCENT] [--gets PERCENT] [--trace FILE]\n"
                    "stdin: lines `spell NAME load|check|fast|rest` and `spell NAME rate N`\n");
    exit(2);
}

static void take_options(struct steady *steady, int argc, char **argv)
{
    static const struct option known[] = {
        {"ports", required_argument, NULL, 'p'}, {"connections", required_argument, NULL, 'c'},
        {"keys", required_argument, NULL, 'k'},  {"moving", required_argument, NULL, 'm'},
        {"share", required_argument, NULL, 's'}, {"gets", required_argument, NULL, 'g'},
        {"trace", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    const char *moving = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'p')
            read_ports(steady, optarg);
        else if (option == 'c')
            steady->link_count = (uint32_t)number_of(optarg, 10000);
        else if (option == 'k')
            steady->key_count = (uint32_t)number_of(optarg, 100000000);
        else if (option == 'm')
            moving = optarg;
        else if (option == 's')
            steady->share = number_of(optarg, 100);
        else if (option == 'g')
            steady->gets = number_of(optarg, 100);
        else if (option != 't' || (steady->trace = fopen(optarg, "w")) == NULL)
            usage();
    }
    if (optind != argc || steady->node_count == 0 || steady->link_count < steady->node_count ||
        steady->key_count < steady->link_count)
        usage();
    steady->moving = mem_zalloc(steady->key_count, sizeof steady->moving[0]);
    if (moving != NULL)
        read_moving(steady, moving);
}

int main(int argc, char **argv)
{
    static struct steady steady = {.link_count = 700, .key_count = 1000000, .share = UINT64_MAX};
    take_options(&steady, argc, argv);
    rng_init(&steady.rng, 1);
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
    steady.epoll = epoll_create1(EPOLL_CLOEXEC);
    steady.versions = mem_zalloc(steady.key_count, sizeof steady.versions[0]);
    steady.links = mem_zalloc(steady.link_count, sizeof steady.links[0]);
    for (uint32_t i = 0; i < steady.link_count; i++) {
        steady.links[i].node = i % steady.node_count;
        link_give_keys(&steady, i);
        link_open(&steady, &steady.links[i]);
    }
    run(&steady);
    if (steady.trace != NULL)
        fclose(steady.trace);
    return 0;
}
