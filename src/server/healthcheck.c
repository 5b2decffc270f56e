/* healthcheck - asks the node at the own port how it is.
 *
 * Does:   see healthcheck.h. Plain blocking sockets: it is a process of its own.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    healthcheck.h.
 */
#define _GNU_SOURCE
#include "server/healthcheck.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Where the node listens: LISTEN's first address, or the port here. */
static struct addrinfo *own_address(const struct options *options)
{
    char host[LIMIT_ADDRESS_BYTES + 1] = "127.0.0.1";
    const char *port = strrchr(options->node.address.text, ':') + 1;
    if (options->listen_count > 0) {
        const char *at = options->listen[0];
        port = strrchr(at, ':') + 1;
        size_t brackets = at[0] == '[';
        size_t len = (size_t)(port - 1 - at) - 2 * brackets;
        memcpy(host, at + brackets, len);
        host[len] = '\0';
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

/* The first bytes of the answer are enough. */
static bool ask(int fd)
{
    static const char question[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                                   "Connection: close\r\n\r\n";
    static const char good[] = "HTTP/1.1 200";
    char answer[sizeof(good) - 1];
    size_t len = 0;
    if (send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(question) - 1)
        return false;
    while (len < sizeof(answer)) {
        ssize_t got = recv(fd, answer + len, sizeof(answer) - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
    }
    return memcmp(answer, good, sizeof(answer)) == 0;
}

bool healthcheck(const struct options *options)
{
    struct addrinfo *address = own_address(options);
    if (address == NULL)
        return false;
    struct timeval limit = {2, 0};
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool well = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
                connect(fd, address->ai_addr, address->ai_addrlen) == 0 && ask(fd);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return well;
}
