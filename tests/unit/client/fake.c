/* fake - a node that does what a script says, for tests of clients.
 *
 * Does:   see fake.h.
 * Not:    -
 * Holds:  -
 * Limits: FAKE_CONNS_MAX connections at a time.
 * See:    fake.h.
 */
#define _GNU_SOURCE
#include "unit/client/fake.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_CONNS_MAX 64

struct fake_conn {
    int fd;        /* or -1 */
    struct buf in; /* not yet a request */
};

void fake_put_answer(struct buf *out, int status, const char *context, struct slice body)
{
    char line[128];
    int len = snprintf(line, sizeof(line),
                       "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
                       status, body.len);
    buf_append(out, line, (size_t)len);
    if (context != NULL) {
        buf_append_slice(out, SLICE_LIT("Causal-Context: "));
        buf_append_slice(out, slice_str(context));
        buf_append_slice(out, SLICE_LIT("\r\n"));
    }
    buf_append_slice(out, SLICE_LIT("\r\n"));
    buf_append_slice(out, body);
}

static int listen_anywhere(char address[32])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(fd >= 0);
    ASSERT(bind(fd, (struct sockaddr *)&at, size) == 0);
    ASSERT(listen(fd, 64) == 0);
    ASSERT(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    snprintf(address, 32, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    return fd;
}

void fake_nobody(char address[32])
{
    close(listen_anywhere(address));
}

static struct slice header(struct slice head, const char *name)
{
    const uint8_t *at = memmem(head.ptr, head.len, name, strlen(name));
    if (at == NULL)
        return SLICE_EMPTY;
    at += strlen(name);
    const uint8_t *end = memmem(at, (size_t)(head.ptr + head.len - at), "\r\n", 2);
    ASSERT(end != NULL);
    return slice_of(at, (size_t)(end - at));
}

/* Takes the request at the start of bytes apart; returns its length, or 0 while it is not whole. */
static size_t parse(struct slice bytes, struct fake_request *request)
{
    const uint8_t *end = bytes.len > 0 ? memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return 0;
    struct slice head = slice_of(bytes.ptr, (size_t)(end - bytes.ptr) + 2);
    size_t length = 0;
    struct slice digits = header(head, "Content-Length: ");
    for (size_t i = 0; i < digits.len; i++)
        length = length * 10 + (digits.ptr[i] - '0');
    if (bytes.len < head.len + 2 + length)
        return 0;
    const uint8_t *blank = memchr(head.ptr, ' ', head.len);
    ASSERT(blank != NULL);
    request->method = slice_of(head.ptr, (size_t)(blank - head.ptr));
    const uint8_t *second = memchr(blank + 1, ' ', head.len - request->method.len - 1);
    ASSERT(second != NULL);
    request->target = slice_of(blank + 1, (size_t)(second - blank) - 1);
    request->context = header(head, "Causal-Context: ");
    request->body = slice_of(head.ptr + head.len + 2, length);
    return head.len + 2 + length;
}

static void note(struct fake *fake, const struct fake_request *request)
{
    if (fake->requests < FAKE_SEEN_MAX) {
        struct buf line = BUF_EMPTY;
        buf_append_slice(&line, request->method);
        buf_u8(&line, ' ');
        buf_append_slice(&line, request->target);
        buf_u8(&line, ' ');
        buf_append_slice(&line, request->context);
        buf_u8(&line, '\0');
        fake->seen[fake->requests] = (char *)line.ptr;
    }
    fake->requests++;
}

static void send_all(int fd, struct slice bytes, size_t piece)
{
    while (bytes.len > 0) {
        size_t len = bytes.len < piece ? bytes.len : piece;
        ssize_t sent = send(fd, bytes.ptr, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the client has gone, as some do */
        bytes = slice_of(bytes.ptr + sent, bytes.len - (size_t)sent);
    }
}

/* False: the connection is to end. */
static bool answer(struct fake *fake, struct fake_conn *conn, const struct fake_request *request)
{
    struct fake_step step = {FAKE_END, NULL};
    if (fake->steps != NULL && fake->steps[fake->step].what != FAKE_END)
        step = fake->steps[fake->step++];
    struct buf out = BUF_EMPTY;
    if (step.what == FAKE_END && fake->handler != NULL)
        fake->handler(fake->arg, request, &out);
    else if (step.what == FAKE_END)
        fake_put_answer(&out, 200, NULL, SLICE_LIT("{}"));
    else if (step.text != NULL)
        buf_append_slice(&out, slice_str(step.text));
    send_all(conn->fd, buf_slice(&out), step.what == FAKE_DRIBBLE ? 1 : SIZE_MAX);
    buf_fini(&out);
    return step.what != FAKE_CUT;
}

static void close_conn(struct fake_conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    buf_fini(&conn->in);
}

static void serve(struct fake *fake, struct fake_conn *conn)
{
    ssize_t got = recv(conn->fd, buf_reserve(&conn->in, 65536), 65536, 0);
    if (got <= 0) {
        close_conn(conn);
        return;
    }
    conn->in.len += (size_t)got;
    struct fake_request request;
    size_t length;
    while ((length = parse(buf_slice(&conn->in), &request)) > 0) {
        note(fake, &request);
        if (!answer(fake, conn, &request)) {
            close_conn(conn);
            return;
        }
        buf_consume(&conn->in, length);
    }
}

static void accept_conn(struct fake *fake, struct fake_conn *conns)
{
    for (size_t i = 0; i < FAKE_CONNS_MAX; i++) {
        if (conns[i].fd >= 0)
            continue;
        int on = 1;
        conns[i].fd = accept(fake->listen_fd, NULL, NULL);
        ASSERT(conns[i].fd >= 0);
        setsockopt(conns[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fake->connections++;
        return;
    }
    UNREACHABLE();
}

static void *run(void *arg)
{
    struct fake *fake = arg;
    struct fake_conn conns[FAKE_CONNS_MAX];
    struct pollfd fds[FAKE_CONNS_MAX + 2];
    for (size_t i = 0; i < FAKE_CONNS_MAX; i++)
        conns[i] = (struct fake_conn){.fd = -1};
    while (true) {
        fds[0] = (struct pollfd){.fd = fake->stop_fds[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = fake->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < FAKE_CONNS_MAX; i++)
            fds[i + 2] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
        ASSERT(poll(fds, FAKE_CONNS_MAX + 2, -1) > 0);
        if (fds[0].revents != 0)
            break;
        for (size_t i = 0; i < FAKE_CONNS_MAX; i++)
            if (conns[i].fd >= 0 && fds[i + 2].revents != 0)
                serve(fake, &conns[i]);
        if (fds[1].revents != 0)
            accept_conn(fake, conns);
    }
    for (size_t i = 0; i < FAKE_CONNS_MAX; i++)
        close_conn(&conns[i]);
    return NULL;
}

void fake_start(struct fake *fake, const struct fake_step *steps, fake_handler *handler, void *arg)
{
    *fake = (struct fake){.steps = steps, .handler = handler, .arg = arg};
    fake->listen_fd = listen_anywhere(fake->address);
    ASSERT(pipe(fake->stop_fds) == 0);
    ASSERT(pthread_create(&fake->thread, NULL, run, fake) == 0);
}

void fake_stop(struct fake *fake)
{
    if (fake->listen_fd < 0)
        return;
    close(fake->stop_fds[1]);
    pthread_join(fake->thread, NULL);
    close(fake->stop_fds[0]);
    close(fake->listen_fd);
    fake->listen_fd = -1;
}

void fake_fini(struct fake *fake)
{
    fake_stop(fake);
    for (size_t i = 0; i < fake->requests && i < FAKE_SEEN_MAX; i++)
        mem_free(fake->seen[i]);
}
