/* boot - the first start: everybody of VIEW makes the first configuration together.
 *
 * Does:   see boot.h.
 * Not:    -
 * Holds:  O1, O2.
 * Limits: -
 * See:    boot.h.
 */
#include "cluster/boot.h"

/* Addresses that one sentence names; of the rest it says how many there are. */
#define NAMED_MAX 8U

static struct slice address_slice(const struct address *address)
{
    return slice_str(address->text);
}

static bool is_empty(const struct address *address)
{
    return address->text[0] == '\0';
}

/* ---- VIEW ---- */

/* Index of the address in VIEW, or peer_count. */
static uint32_t view_find(const struct boot *boot, struct slice address)
{
    uint32_t index = 0;
    while (index < boot->peer_count &&
           !slice_equal(address_slice(&boot->peers[index].address), address))
        index++;
    return index;
}

/* Cuts the next address off a comma-separated list. */
static struct slice list_next(struct slice *list)
{
    size_t len = 0;
    while (len < list->len && list->ptr[len] != ',')
        len++;
    struct slice address = slice_of(list->ptr, len);
    size_t skip = len < list->len ? len + 1 : len;
    *list = slice_of(list->ptr + skip, list->len - skip);
    return address;
}

/* A text of a peer, as far as it may be shown: what is not printable is not. */
static void address_keep(struct address *address, struct slice text)
{
    size_t len = text.len < LIMIT_ADDRESS_BYTES ? text.len : LIMIT_ADDRESS_BYTES;
    for (size_t i = 0; i < len; i++) {
        bool shown = text.ptr[i] > ' ' && text.ptr[i] <= '~';
        address->text[i] = shown ? (char)text.ptr[i] : '?';
    }
    if (len == 0)
        address->text[len++] = '?';
    address->text[len] = '\0';
}

/* Compares as sets, and keeps one example of each difference. */
static void view_compare(const struct boot *boot, struct slice view, struct boot_peer *peer)
{
    bool found[LIMIT_MEMBERS] = {false};
    peer->extra.text[0] = '\0';
    peer->lacking.text[0] = '\0';
    while (view.len > 0) {
        struct slice address = list_next(&view);
        uint32_t index = view_find(boot, address);
        if (index < boot->peer_count)
            found[index] = true;
        else if (is_empty(&peer->extra))
            address_keep(&peer->extra, address);
    }
    for (uint32_t i = 0; i < boot->peer_count && is_empty(&peer->lacking); i++) {
        if (!found[i])
            peer->lacking = boot->peers[i].address;
    }
    peer->same_view = is_empty(&peer->extra) && is_empty(&peer->lacking);
}

void boot_view_text(const struct boot *boot, struct buf *out)
{
    ASSERT(boot->peer_count > 0);
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        if (i > 0)
            buf_u8(out, ',');
        buf_append_slice(out, address_slice(&boot->peers[i].address));
    }
}

/* ---- What is known ---- */

void boot_init(struct boot *boot, const struct address *view, uint32_t count,
               const struct address *self, uint64_t node_id, uint32_t shard_count, bool bootstrap)
{
    ASSERT(count <= LIMIT_MEMBERS);
    ASSERT(node_id != 0);
    memset(boot, 0, sizeof *boot);
    boot->peer_count = count > 0 ? count : 1;
    for (uint32_t i = 0; i < boot->peer_count; i++)
        boot->peers[i].address = count > 0 ? view[i] : *self;
    boot->self = view_find(boot, address_slice(self));
    ASSERT(boot->self < boot->peer_count);
    boot->shard_count = shard_count > 0 ? shard_count : 1;
    boot->alone_allowed = bootstrap;
    struct boot_peer *me = &boot->peers[boot->self];
    me->node_id = node_id;
    me->connected = true;
    me->state = HELLO_EMPTY;
    me->shard_count = boot->shard_count;
    me->same_view = true;
}

void boot_hello(struct boot *boot, uint64_t node_id, const struct msg_hello *hello)
{
    uint32_t index = view_find(boot, hello->address);
    /* Somebody else at this node's address: the shell refuses such a connection. */
    if (index == boot->peer_count || index == boot->self || node_id == 0)
        return;
    struct boot_peer *peer = &boot->peers[index];
    peer->node_id = node_id;
    peer->connected = true;
    peer->state = (enum hello_state)hello->state;
    peer->shard_count = hello->shard_count > 0 ? hello->shard_count : 1;
    view_compare(boot, hello->view, peer);
}

void boot_lost(struct boot *boot, uint64_t node_id)
{
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        struct boot_peer *peer = &boot->peers[i];
        if (i == boot->self || peer->node_id != node_id)
            continue;
        peer->connected = false;
        peer->node_id = 0;
    }
    ASSERT(boot->peers[boot->self].connected);
}

/* ---- Judging it ---- */

static bool is_there(const struct boot_peer *peer)
{
    return peer->connected && peer->node_id != 0;
}

static bool is_running(const struct boot_peer *peer)
{
    return is_there(peer) && peer->state != HELLO_EMPTY;
}

/* It is there, and could take part in the same first start. */
static bool is_fit(const struct boot *boot, const struct boot_peer *peer)
{
    return is_there(peer) && peer->state == HELLO_EMPTY && peer->same_view &&
           peer->shard_count == boot->shard_count;
}

/* Index of an earlier address with the same node id, or peer_count: one node behind two names, or
 * a copied data directory. */
static uint32_t twin_of(const struct boot *boot, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (is_there(&boot->peers[i]) && boot->peers[i].node_id == boot->peers[index].node_id)
            return i;
    }
    return boot->peer_count;
}

static uint32_t least_address(const struct boot *boot)
{
    uint32_t least = 0;
    for (uint32_t i = 1; i < boot->peer_count; i++) {
        if (strcmp(boot->peers[i].address.text, boot->peers[least].address.text) < 0)
            least = i;
    }
    return least;
}

/* How many would take part; 0 when anything forbids it. */
static uint32_t fit_count(const struct boot *boot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        const struct boot_peer *peer = &boot->peers[i];
        if (is_running(peer))
            return 0;
        if (!is_fit(boot, peer)) {
            if (!boot->alone_allowed)
                return 0;
            continue;
        }
        if (twin_of(boot, i) < boot->peer_count)
            return 0;
        count++;
    }
    ASSERT(count > 0);
    return count;
}

/* As config_first wants it: two members to a shard, or one of each. */
static bool is_enough(const struct boot *boot, uint32_t count)
{
    return count / 2 >= boot->shard_count || (count == 1 && boot->shard_count == 1);
}

bool boot_ready(const struct boot *boot, struct first_start *start)
{
    uint32_t count = fit_count(boot);
    if (count == 0 || !is_enough(boot, count))
        return false;
    if (!boot->alone_allowed && least_address(boot) != boot->self)
        return false;
    start->shard_count = boot->shard_count;
    start->member_count = 0;
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        if (!is_fit(boot, &boot->peers[i]))
            continue;
        start->members[start->member_count].node_id = boot->peers[i].node_id;
        start->members[start->member_count].address = boot->peers[i].address;
        start->member_count++;
    }
    ASSERT(start->member_count == count);
    return true;
}

uint32_t boot_acceptors(const struct boot *boot, uint64_t acceptors[LIMIT_MEMBERS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        if (is_fit(boot, &boot->peers[i]))
            acceptors[count++] = boot->peers[i].node_id;
    }
    ASSERT(count > 0);
    return count;
}

/* ---- In words ---- */

static void say(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

static void say_address(struct buf *out, const struct address *address)
{
    buf_append_slice(out, address_slice(address));
}

/* Parts of the sentence are parted by semicolons. */
static void part_begin(struct buf *out, size_t begin)
{
    if (out->len > begin)
        say(out, "; ");
}

/* "a", "a and b", "a, b and c", or the first ones and how many more. */
static void say_missing(const struct boot *boot, struct buf *out)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < boot->peer_count; i++)
        missing += !is_there(&boot->peers[i]);
    uint32_t said = 0;
    uint32_t most = missing > NAMED_MAX ? NAMED_MAX : missing;
    for (uint32_t i = 0; i < boot->peer_count && said < most; i++) {
        if (is_there(&boot->peers[i]))
            continue;
        if (said > 0)
            say(out, said + 1 == missing ? " and " : ", ");
        say_address(out, &boot->peers[i].address);
        said++;
    }
    if (missing > said) {
        say(out, " and ");
        buf_decimal(out, missing - said);
        say(out, " more");
    }
    if (missing > 0)
        say(out, missing == 1 ? " has not answered" : " have not answered");
}

static void say_view(const struct boot_peer *peer, struct buf *out)
{
    say(out, "VIEW of ");
    say_address(out, &peer->address);
    if (!is_empty(&peer->extra)) {
        say(out, " has ");
        say_address(out, &peer->extra);
        say(out, ", which this node's has not");
    }
    if (!is_empty(&peer->lacking)) {
        say(out, is_empty(&peer->extra) ? " lacks " : ", and lacks ");
        say_address(out, &peer->lacking);
    }
}

static void say_shards(const struct boot *boot, const struct boot_peer *peer, struct buf *out)
{
    say(out, "SHARD_COUNT is ");
    buf_decimal(out, peer->shard_count);
    say(out, " at ");
    say_address(out, &peer->address);
    say(out, " and ");
    buf_decimal(out, boot->shard_count);
    say(out, " here");
}

static void say_twins(const struct boot *boot, uint32_t index, uint32_t twin, struct buf *out)
{
    say_address(out, &boot->peers[twin].address);
    say(out, " and ");
    say_address(out, &boot->peers[index].address);
    say(out, " are one node, or one has a copy of the other's data directory");
}

static void say_differences(const struct boot *boot, size_t begin, struct buf *out)
{
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        const struct boot_peer *peer = &boot->peers[i];
        if (!is_there(peer))
            continue;
        uint32_t twin = twin_of(boot, i);
        if (twin < boot->peer_count) {
            part_begin(out, begin);
            say_twins(boot, i, twin, out);
        }
        if (!peer->same_view) {
            part_begin(out, begin);
            say_view(peer, out);
        }
        if (peer->shard_count != boot->shard_count) {
            part_begin(out, begin);
            say_shards(boot, peer, out);
        }
    }
}

/* Nothing is missing and nothing differs, or --bootstrap goes without. */
static void say_rest(const struct boot *boot, struct buf *out)
{
    uint32_t count = fit_count(boot);
    if (!is_enough(boot, count)) {
        buf_decimal(out, count);
        say(out, count == 1 ? " node is" : " nodes are");
        say(out, " too few: each of ");
        buf_decimal(out, boot->shard_count);
        say(out, " shards needs two");
    } else if (boot->alone_allowed || least_address(boot) == boot->self) {
        say(out, "this node makes the first configuration");
    } else {
        say_address(out, &boot->peers[least_address(boot)].address);
        say(out, " makes the first configuration");
    }
}

void boot_waiting_for(const struct boot *boot, struct buf *out)
{
    size_t begin = out->len;
    for (uint32_t i = 0; i < boot->peer_count; i++) {
        if (!is_running(&boot->peers[i]))
            continue;
        say(out, "a running cluster was found at ");
        say_address(out, &boot->peers[i].address);
        say(out, ": joining it comes with a later version");
        return;
    }
    if (!boot->alone_allowed)
        say_missing(boot, out);
    say_differences(boot, begin, out);
    if (out->len == begin)
        say_rest(boot, out);
    ASSERT(out->len > begin);
}
