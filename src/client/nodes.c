/* nodes - the nodes that a client knows, and which of them can be asked.
 *
 * Does:   see nodes.h.
 * Not:    -
 * Holds:  N1.
 * Limits: -
 * See:    nodes.h.
 */
#define _GNU_SOURCE
#include "client/nodes.h"

#include <netdb.h>

#define DOWN_MS_MIN 50U
#define DOWN_MS_MAX 1000U

/* Splits "host:port" or "[v6]:port"; false: it is neither. */
static bool split(const char *address, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || colon[1] == '\0')
        return false;
    for (const char *at = colon + 1; *at != '\0'; at++)
        if (*at < '0' || *at > '9')
            return false;
    const char *from = address;
    const char *to = colon;
    if (*from == '[' && to[-1] == ']') {
        from++;
        to--;
    } else if (memchr(from, ':', (size_t)(to - from)) != NULL) {
        return false;
    }
    size_t len = (size_t)(to - from);
    if (len == 0 || len >= host_size || strlen(colon + 1) > 5)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

bool client__node_init(struct node_at *node, uint32_t index, const char *address,
                       uint32_t connections, struct buf *why)
{
    char host[LIMIT_ADDRESS_BYTES + 1];
    const char *port = NULL;
    *node = (struct node_at){0};
    buf_append_slice(why, slice_str(address));
    if (!split(address, host, sizeof(host), &port)) {
        buf_append_slice(why, SLICE_LIT(": not of the form HOST:PORT"));
        return false;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int failed = getaddrinfo(host, port, &hints, &node->addresses);
    if (failed != 0) {
        buf_append_slice(why, SLICE_LIT(": "));
        buf_append_slice(why, slice_str(gai_strerror(failed)));
        return false;
    }
    buf_reset(why);
    node->address = mem_dup(address, strlen(address) + 1);
    node->next = node->addresses;
    node->links = mem_zalloc(connections, sizeof(*node->links));
    for (uint32_t i = 0; i < connections; i++) {
        node->links[i].fd = -1;
        node->links[i].node = index;
        TAILQ_INIT(&node->links[i].calls);
    }
    return true;
}

void client__node_fini(struct node_at *node, uint32_t connections)
{
    for (uint32_t i = 0; i < connections; i++)
        client__link_close(&node->links[i]);
    mem_free(node->links);
    mem_free(node->address);
    freeaddrinfo(node->addresses);
    *node = (struct node_at){0};
}

void client__node_failed(struct node_at *node, uint64_t now_ms)
{
    uint64_t pause_ms = DOWN_MS_MIN;
    for (uint32_t i = 0; i < node->failures && pause_ms < DOWN_MS_MAX; i++)
        pause_ms *= 2;
    node->failures++;
    node->down_until_ms = now_ms + (pause_ms < DOWN_MS_MAX ? pause_ms : DOWN_MS_MAX);
}

uint32_t client__node_load(const struct node_at *node, uint32_t connections)
{
    uint32_t load = 0;
    for (uint32_t i = 0; i < connections; i++)
        load += node->links[i].count;
    return load;
}

struct link *client__node_link(struct node_at *node, uint32_t connections, uint32_t depth)
{
    struct link *least = NULL;
    struct link *closed = NULL;
    for (uint32_t i = 0; i < connections; i++) {
        struct link *link = &node->links[i];
        if (link->state == CLIENT_LINK_CLOSED)
            closed = closed != NULL ? closed : link;
        else if (least == NULL || link->count < least->count)
            least = link;
    }
    if (least != NULL && (least->count == 0 || closed == NULL))
        return least->count < depth ? least : NULL;
    return closed;
}
