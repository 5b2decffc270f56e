/* links - the connections of this node to the others.
 *
 * Does:   see links.h.
 * Not:    -
 * Holds:  J2, J3.
 * Limits: -
 * See:    links.h.
 */
#include "node/links.h"

void links_init(struct links *links)
{
    memset(links, 0, sizeof(*links));
}

static struct link *add(struct links *links, const struct address *address, uint64_t node_id)
{
    ASSERT(links->count < LIMIT_MEMBERS);
    struct link *link = &links->list[links->count++];
    *link = (struct link){.address = *address, .node_id = node_id};
    suspect_init(&link->suspect);
    link->suspected = true;
    return link;
}

void links_from_view(struct links *links, const struct address *view, uint32_t count,
                     const struct address *self)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(view[i].text, self->text) != 0)
            add(links, &view[i], 0);
}

void links_from_config(struct links *links, const struct config *config, uint64_t self,
                       const struct address *own, struct buf *hangups)
{
    uint32_t old_count = links->count;
    struct link *old = mem_dup(links->list, old_count * sizeof(*old));
    links->count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->node_id == self || strcmp(member->address.text, own->text) == 0)
            continue; /* itself, or (with an empty directory) whom it has replaced */
        struct link *link = add(links, &member->address, member->node_id);
        for (uint32_t j = 0; j < old_count; j++) {
            bool same = strcmp(old[j].address.text, member->address.text) == 0;
            bool known = old[j].node_id != 0;
            if (known ? old[j].node_id != member->node_id : !same)
                continue;
            *link = old[j];
            link->address = member->address; /* a connection that stands is used wherever it is */
            link->node_id = member->node_id;
            old[j].conn = 0;
        }
    }
    for (uint32_t j = 0; j < old_count; j++)
        if (old[j].conn != 0)
            buf_u64(hangups, old[j].conn);
    mem_free(old);
}

const struct link *links_by_node_const(const struct links *links, uint64_t node_id)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (links->list[i].node_id == node_id && node_id != 0)
            return &links->list[i];
    return NULL;
}

struct link *links_by_node(struct links *links, uint64_t node_id)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (links->list[i].node_id == node_id && node_id != 0)
            return &links->list[i];
    return NULL;
}

struct link *links_by_dial(struct links *links, uint32_t dial)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (links->list[i].dial == dial && dial != 0)
            return &links->list[i];
    return NULL;
}

struct link *links_by_conn(struct links *links, uint64_t conn)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (links->list[i].conn == conn && conn != 0)
            return &links->list[i];
    return NULL;
}

struct link *links_by_address(struct links *links, struct slice address)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (slice_equal(slice_str(links->list[i].address.text), address))
            return &links->list[i];
    return NULL;
}

struct guest *links_guest(struct links *links, uint64_t conn)
{
    for (uint32_t i = 0; i < links->guests_end; i++)
        if (links->guests[i].conn == conn && conn != 0)
            return &links->guests[i];
    return NULL;
}

struct guest *links_welcome(struct links *links, uint64_t conn, uint64_t node_id,
                            uint32_t generation)
{
    struct guest *guest = links_guest(links, conn);
    for (uint32_t i = 0; i < links->guests_end && guest == NULL; i++)
        if (links->guests[i].conn == 0)
            guest = &links->guests[i];
    if (guest == NULL && links->guests_end < LINK_GUESTS)
        guest = &links->guests[links->guests_end++];
    if (guest == NULL)
        return NULL;
    guest->conn = conn; /* a greeting that is repeated does not begin the count anew (J3) */
    guest->node_id = node_id;
    guest->generation = generation;
    guest->greeting = ++links->greetings;
    return guest;
}

uint64_t links_conn_of(const struct links *links, uint64_t node_id)
{
    const struct guest *last = NULL;
    for (uint32_t i = 0; i < links->guests_end; i++) {
        const struct guest *guest = &links->guests[i];
        bool speaks = guest->conn != 0 && guest->node_id == node_id;
        if (speaks && (last == NULL || guest->greeting > last->greeting))
            last = guest;
    }
    return last != NULL ? last->conn : 0;
}

void links_release(struct links *links, struct guest *guest)
{
    struct link *link = links_by_node(links, guest->node_id);
    bool speaks = link != NULL && link->guest == guest->conn;
    if (speaks && guest->calls > 0) {
        link->last_heard = guest->generation;
        link->last_calls = guest->calls;
    }
    if (speaks)
        link->guest = 0;
    *guest = (struct guest){0};
}

void links_displace(struct links *links, struct guest *guest)
{
    links->displaced[links->displaced_next++ % LIMIT_MEMBERS] = guest->conn;
    links_release(links, guest);
}

bool links_was_displaced(const struct links *links, uint64_t conn)
{
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        if (links->displaced[i] == conn)
            return true;
    return false;
}

/* J2: all others of the same node have made way. Where another node has been met at the address, in
 * the middle of a fork, the link's guest is still that of before, until the other greets again. */
static void check_guests(const struct links *links)
{
    const struct guest *here[LINK_GUESTS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < links->guests_end; i++)
        if (links->guests[i].conn != 0 && links->guests[i].node_id != 0)
            here[count++] = &links->guests[i];
    for (uint32_t i = 0; i < links->count; i++) {
        const struct link *link = &links->list[i];
        uint32_t its = 0;
        bool speaks = false;
        for (uint32_t j = 0; j < count && link->guest != 0; j++) {
            its += here[j]->node_id == link->node_id;
            speaks = speaks || (here[j]->node_id == link->node_id && here[j]->conn == link->guest);
        }
        ASSERT(!speaks || its == 1);
    }
}

void links_check(const struct links *links)
{
    ASSERT(links->count <= LIMIT_MEMBERS);
    for (uint32_t i = 0; i < links->count; i++) {
        const struct link *link = &links->list[i];
        ASSERT((link->conn != 0) == (link->state == LINK_GREETING || link->state == LINK_UP));
        ASSERT(link->state != LINK_UP || link->node_id != 0); /* J1 */
        for (uint32_t j = 0; j < i && link->conn != 0; j++)
            ASSERT(links->list[j].conn != link->conn);
    }
    check_guests(links);
}
