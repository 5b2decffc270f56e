/* link - one connection to one node, with the requests that are under way on it.
 *
 * Does:   see link.h.
 * Not:    -
 * Holds:  L1, L2.
 * Limits: -
 * See:    link.h.
 */
#define _GNU_SOURCE
#include "client/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES_MAX 64        /* of one sendmsg */
#define RECEIVE_BYTES 65536U /* of one recv */
#define RECEIVE_TURNS 16     /* recv calls before others have their turn */

bool client__link_open(struct link *link, const struct addrinfo *address)
{
    ASSERT(link->state == CLIENT_LINK_CLOSED);
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* slower without, not wrong */
    int failed = connect(fd, address->ai_addr, address->ai_addrlen);
    if (failed != 0 && errno != EINPROGRESS) {
        close(fd);
        return false;
    }
    link->fd = fd;
    link->state = failed == 0 ? CLIENT_LINK_OPEN : CLIENT_LINK_CONNECTING;
    return true;
}

bool client__link_connected(struct link *link)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return false;
    link->state = CLIENT_LINK_OPEN;
    return true;
}

void client__link_close(struct link *link)
{
    ASSERT(TAILQ_EMPTY(&link->calls));
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->state = CLIENT_LINK_CLOSED;
    link->seen = 0;
    buf_fini(&link->in);
}

bool client__link_has_unsent(const struct link *link)
{
    const struct call *last = TAILQ_LAST(&link->calls, call_list);
    return last != NULL && !client__call_is_sent(last);
}

/* What a call has unsent, as one or two pieces. */
static int add_pieces(struct iovec *pieces, int count, const struct call *call)
{
    const struct slice parts[] = {buf_slice(&call->head), buf_slice(&call->body)};
    size_t skip = call->sent;
    for (size_t i = 0; i < 2; i++) {
        size_t skipped = skip < parts[i].len ? skip : parts[i].len;
        skip -= skipped;
        if (parts[i].len > skipped)
            pieces[count++] =
                (struct iovec){(void *)(uintptr_t)(parts[i].ptr + skipped), parts[i].len - skipped};
    }
    return count;
}

/* Shares out what the kernel took. */
static void note_sent(struct link *link, size_t bytes)
{
    struct call *call;
    TAILQ_FOREACH(call, &link->calls, entry)
    {
        size_t left = client__call_bytes(call) - call->sent;
        size_t taken = left < bytes ? left : bytes;
        call->sent += taken;
        bytes -= taken;
        if (bytes == 0)
            return;
    }
    ASSERT(bytes == 0);
}

enum link_event client__link_send(struct link *link)
{
    while (client__link_has_unsent(link)) {
        struct iovec pieces[PIECES_MAX];
        int count = 0;
        const struct call *call;
        TAILQ_FOREACH(call, &link->calls, entry)
        {
            if (count + 2 > PIECES_MAX)
                break;
            count = add_pieces(pieces, count, call);
        }
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? LINK_GOES_ON : LINK_LOST;
        note_sent(link, (size_t)sent);
    }
    return LINK_GOES_ON;
}

enum link_event client__link_receive(struct link *link)
{
    for (int turn = 0; turn < RECEIVE_TURNS; turn++) {
        uint8_t *room = buf_reserve(&link->in, RECEIVE_BYTES);
        ssize_t got = recv(link->fd, room, RECEIVE_BYTES, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN ? LINK_GOES_ON : LINK_LOST;
        if (got == 0)
            return LINK_LOST;
        link->in.len += (size_t)got;
        if ((size_t)got < RECEIVE_BYTES)
            break;
    }
    return LINK_GOES_ON;
}

bool client__link_is_stale(const struct link *link)
{
    uint8_t byte;
    ssize_t got = recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EINTR);
}
