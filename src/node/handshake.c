/* handshake - connections come and go, and say who they are.
 *
 * Does:   dials every other node; HELLO in both directions; tells strangers the configuration;
 *         turns away, with a sentence, who is of another cluster; suspicion and its consequences.
 * Not:    frames after the handshake (frames.c).
 * Holds:  J1 of links.h.
 * Limits: a connection that has not answered within suspect_ms is given up; a dial, within four
 *         times that.
 * See:    docs/protocol.md 3.2, 6.8 (T17).
 */
#include "node/state.h"

/* A dial that takes longer, to a node that has just dialled us, is given up for a new one. */
#define DIAL_PATIENCE_MS 50U

static void fill_hello(const struct node *node, uint32_t generation, struct msg_hello *hello,
                       struct buf *view)
{
    boot_view_text(&node->boot, view);
    enum hello_state state = HELLO_MEMBER;
    if (node->phase == NODE_REFUSED)
        state = HELLO_DOUBT;
    else if (node->config == NULL)
        state = HELLO_EMPTY;
    else if (node->phase == NODE_ASKING)
        state = node->fresh && !node->listed_once ? HELLO_STRANGER : HELLO_DOUBT;
    uint64_t epoch_max = reg_started(&node->reg) ? 1 : 0;
    *hello = (struct msg_hello){.node_id = node->id,
                                .generation = generation,
                                .state = (uint8_t)state,
                                .wall_ms = node->wall_ms,
                                .epoch_max = node->config != NULL ? node->config->epoch : epoch_max,
                                .shard_count = node->options.shard_count,
                                .address = slice_str(node->options.address.text),
                                .view = buf_slice(view)};
}

static void say_hello(struct node *node, uint64_t conn, uint32_t generation)
{
    struct buf view = BUF_EMPTY;
    struct msg_hello hello;
    fill_hello(node, generation, &hello, &view);
    outbox_hello(node__direct(node), conn, &hello);
    buf_fini(&view);
}

void node__refuse_conn(struct node *node, uint64_t conn, enum err err, const char *why)
{
    struct msg_refuse refuse = {.code = (uint8_t) - (int)err, .text = slice_str(why)};
    outbox_refuse(node__direct(node), conn, &refuse);
    hold_hangup(node->open, conn);
    node__trace(node, TRACE_PEER_REFUSED, conn, 0, 0, slice_str(why));
}

/* ---- dialling ---- */

void node__dial(struct node *node, struct effects *effects)
{
    for (uint32_t i = 0; i < node->links.count && !node->stop_asked; i++) {
        struct link *link = &node->links.list[i];
        if (link->state != LINK_IDLE || node->mono_ms < link->retry_ms)
            continue;
        ASSERT(effects->count < LIMIT_EFFECTS);
        link->dial = ++node->links.last_dial;
        link->state = LINK_DIALLING;
        link->since_ms = node->mono_ms;
        struct effect *effect = &effects->list[effects->count++];
        effect->type = EFFECT_CONNECT;
        effect->connect.dial = link->dial;
        effect->connect.address = slice_str(link->address.text);
    }
}

void node__peer_up(struct node *node, uint32_t dial, uint64_t conn)
{
    struct link *link = links_by_dial(&node->links, dial);
    if (link == NULL || link->state != LINK_DIALLING) {
        REACHED(&node->metrics, PEER_UP_TOO_LATE);
        hold_hangup(node->open, conn); /* given up meanwhile */
        return;
    }
    link->state = LINK_GREETING;
    link->since_ms = node->mono_ms;
    link->conn = conn;
    link->epoch_sent = 0;
    link->calls_out = 0;
    say_hello(node, conn, link->dial);
}

static bool is_listed(const struct node *node, uint64_t node_id)
{
    return config_member_by_id(node->config, node_id) != NULL;
}

/* A stranger was met at a member's address: whoever comes there next may be the member. */
static void await_member(const struct node *node, struct link *link)
{
    if (node->config == NULL || is_listed(node, link->node_id))
        return;
    const struct member *member =
        config_member_by_address(node->config, slice_str(link->address.text));
    link->node_id = member != NULL ? member->node_id : 0;
    link->guest = 0;
}

void node__drop_link(struct node *node, struct link *link, bool hang_up)
{
    bool was_up = link->state == LINK_UP;
    uint64_t node_id = link->node_id;
    if (hang_up && link->conn != 0)
        hold_hangup(node->open, link->conn);
    link->state = LINK_IDLE;
    link->conn = 0;
    link->since_ms = node->mono_ms;
    await_member(node, link);
    /* A little apart, so that two nodes do not keep missing each other. */
    link->retry_ms =
        node->mono_ms + node->knobs->redial_ms / 2 + rng_below(&node->rng, node->knobs->redial_ms);
    if (!was_up)
        return;
    node__trace(node, TRACE_PEER_DOWN, node_id, 0, 0, slice_str(link->address.text));
    struct replica_io io = node__io(node);
    replicas_peer_down(node->replicas, node_id, &io);
    node__forwards_lost(node, node_id);
}

void node__hang_up_guests(struct node *node)
{
    for (uint32_t i = 0; i < LINK_GUESTS; i++)
        if (node->links.guests[i].conn != 0) {
            hold_hangup(node->open, node->links.guests[i].conn);
            links_displace(&node->links, &node->links.guests[i]);
        }
}

static void guest_gone(struct node *node, uint64_t conn)
{
    struct guest *guest = links_guest(&node->links, conn);
    if (guest == NULL)
        return;
    uint64_t node_id = guest->node_id;
    if (node->config == NULL)
        boot_lost(&node->boot, node_id);
    links_release(&node->links, guest);
    node__answers_lost(node, node_id);
}

void node__peer_down(struct node *node, uint32_t dial, uint64_t conn, bool refused)
{
    guest_gone(node, conn);
    struct link *link =
        conn != 0 ? links_by_conn(&node->links, conn) : links_by_dial(&node->links, dial);
    if (link == NULL || (conn == 0 && link->state != LINK_DIALLING))
        return;
    if (refused)
        suspect_reset(&link->suspect);
    if (node->config == NULL && link->node_id != 0)
        boot_lost(&node->boot, link->node_id);
    node__drop_link(node, link, false);
    if (conn == 0 && refused)
        node__forwards_hopeless(node, link->node_id);
}

/* ---- HELLO ---- */

/* The sentence with which a HELLO is turned down, or NULL. */
static const char *objection(const struct node *node, const struct frame *frame,
                             const struct msg_hello *hello)
{
    if (hello->node_id == 0)
        return "a node has an id";
    if (hello->node_id == node->id)
        return "this node was dialled by itself, or its data directory was copied";
    bool known = node->config == NULL || frame->lineage == 0 ||
                 frame->lineage == node->config->lineage ||
                 config_ancestor(node->config, frame->lineage) != NULL;
    /* Who asks for a place hears everybody out: its directory may be older than a history that has
     * come of its own, whose configuration says so. */
    if (!known && node->phase != NODE_ASKING)
        return "the two nodes belong to different clusters (lineages)";
    return NULL;
}

static void note_clock(struct node *node, struct link *link, uint64_t wall_ms)
{
    link->clock_diff_ms = (int64_t)(wall_ms - node->wall_ms);
    int64_t far = link->clock_diff_ms < 0 ? -link->clock_diff_ms : link->clock_diff_ms;
    if (far > HLC_SKEW_MS_MAX / 2)
        node__trace(node, TRACE_CLOCK_FAR, (uint64_t)far, 0, 0, slice_str(link->address.text));
}

static bool is_doubtful(const struct msg_hello *hello)
{
    return hello->state == HELLO_DOUBT || hello->state == HELLO_STRANGER;
}

/* Whose connection a greeting on it makes it. */
static uint64_t counts_for(const struct node *node, const struct link *link,
                           const struct msg_hello *hello)
{
    bool anybody = PLANTED(node->options.plant, STRANGER_COUNTS) && link->node_id != 0;
    return anybody ? link->node_id : hello->node_id;
}

/* A stranger learns the configuration, to ask for a place in it. Who has none yet, or an older one,
 * learns it from anybody: this node may be the one that got it decided and has lost its id since,
 * so that the configuration lists it no more and nobody else knows. */
static void tell_config(struct node *node, uint64_t conn, const struct link *link,
                        const struct msg_hello *hello)
{
    if (node->config == NULL)
        return;
    bool stranger = link == NULL && node->phase != NODE_REFUSED;
    if (stranger || hello->epoch_max < node->config->epoch || hello->state == HELLO_EMPTY)
        outbox_append(node__direct(node), buf_slice(&node->config_frame), MSG_CONFIG, conn);
}

/* Two that are both listed no more: it may be that nobody is, and then they have to agree on how to
 * go on (fork.c). */
static bool is_fellow(const struct node *node, const struct msg_hello *hello)
{
    return node->phase == NODE_ASKING && !is_listed(node, node->id) &&
           !is_listed(node, hello->node_id) && is_doubtful(hello);
}

/* They answered on the connection that we dialled: it may be used if they are who we think. */
static void greeted(struct node *node, struct link *link, const struct msg_hello *hello)
{
    uint64_t node_id = counts_for(node, link, hello);
    bool other = link->node_id != 0 && link->node_id != node_id && node->config != NULL;
    if (other) {
        REACHED(&node->metrics, STRANGER_AT_ADDRESS);
        if (!link->stranger_said)
            node__trace(node, TRACE_PEER_REFUSED, hello->node_id, link->node_id, 0,
                        SLICE_LIT("another node answers at a member's address"));
        link->stranger_said = true;
        tell_config(node, link->conn, NULL, hello); /* it may dial nobody who knows: seed 803990 */
    }
    if (other && !is_fellow(node, hello)) {
        node__drop_link(node, link, true);
        link->retry_ms = node->mono_ms + node->knobs->suspect_ms;
        return;
    }
    link->node_id = node_id;
    link->stranger_said = other;
    link->state = LINK_UP;
    link->since_ms = node->mono_ms;
    suspect_heard(&link->suspect, node->mono_ms);
    note_clock(node, link, hello->wall_ms);
    node__trace(node, TRACE_PEER_UP, link->node_id, 0, 0, slice_str(link->address.text));
    if (node->config == NULL)
        boot_hello(&node->boot, hello->node_id, hello);
    link->doubt = is_doubtful(hello);
    if (!link->doubt)
        replicas_peer_up(node->replicas, link->node_id, link->dial);
}

static void greeted_again(struct node *node, struct link *link, const struct msg_hello *hello)
{
    suspect_heard(&link->suspect, node->mono_ms);
    if (node->config == NULL)
        boot_hello(&node->boot, hello->node_id, hello);
    if (link->doubt && !is_doubtful(hello)) {
        REACHED(&node->metrics, PEER_OUT_OF_DOUBT);
        node__drop_link(node, link, true); /* it is itself again: begin anew */
    }
}

/* One connection speaks for a node. A HELLO that was under way for long may displace the one that
 * its dialler believes in: told so by a hang-up, it dials again. */
static void displace_guest(struct node *node, struct link *link, struct guest *guest)
{
    bool spoke = guest->conn == link->guest;
    REACHED(&node->metrics, GUEST_DISPLACED);
    hold_hangup(node->open, guest->conn);
    links_displace(&node->links, guest);
    if (spoke)
        node__answers_lost(node, link->node_id);
}

/* All but conn, those too that spoke for it before it was listed: when conn is over, the dialler
 * knows, and whatever it believes in must be one that we hear. */
static void displace_guests(struct node *node, struct link *link, uint64_t conn)
{
    for (uint32_t i = 0; i < LINK_GUESTS; i++) {
        struct guest *guest = &node->links.guests[i];
        bool is_its = guest->node_id == link->node_id || guest->conn == link->guest;
        if (guest->conn != 0 && guest->conn != conn && is_its)
            displace_guest(node, link, guest);
    }
}

/* A member that says it listens somewhere else than the configuration says (T17) is dialled there:
 * it has yet to get that decided. */
static void follow(struct node *node, struct link *link, struct slice said)
{
    struct address address;
    if (slice_equal(slice_str(link->address.text), said) || !address_parse(said, &address) ||
        strcmp(address.text, node->options.address.text) == 0)
        return;
    link->address = address;
    if (link->state != LINK_UP && link->state != LINK_IDLE)
        node__drop_link(node, link, true);
}

/* From here on what comes on conn comes from that member. */
static void speaks_for(struct node *node, struct link *link, uint64_t conn)
{
    const struct guest *guest = links_guest(&node->links, conn);
    displace_guests(node, link, conn);
    link->guest = conn;
    node__say_calls_heard(node, conn, link, guest->generation);
    suspect_heard(&link->suspect, node->mono_ms);
    replicas_peer_hello(node->replicas, guest->node_id, guest->generation);
    /* It is there: do not wait for the next try, nor for one that may have gone into the void. */
    if (link->state == LINK_DIALLING && node->mono_ms - link->since_ms >= DIAL_PATIENCE_MS) {
        REACHED(&node->metrics, DIAL_GIVEN_UP);
        node__drop_link(node, link, false);
    }
    if (link->state == LINK_IDLE)
        link->retry_ms = node->mono_ms;
}

/* Who spoke as a stranger is listed now: what it says next, on the same connection, counts. */
void node__welcome_listed(struct node *node)
{
    for (uint32_t i = 0; i < node->links.count; i++) {
        struct link *link = &node->links.list[i];
        uint64_t conn = link->guest == 0 ? links_conn_of(&node->links, link->node_id) : 0;
        if (conn != 0)
            speaks_for(node, link, conn); /* of several, the last: those before may be dead */
    }
}

static void note_guest(struct node *node, uint64_t conn, const struct msg_hello *hello)
{
    struct guest *guest = links_guest(&node->links, conn);
    guest->heard_ms = node->mono_ms;
    if (!address_parse(hello->address, &guest->address))
        guest->address.text[0] = '\0';
    node->newcomers =
        node->newcomers ||
        (node->config != NULL && config_member_by_id(node->config, hello->node_id) == NULL &&
         config_member_by_address(node->config, hello->address) != NULL);
}

/* Somebody dialled us. */
static void welcome(struct node *node, uint64_t conn, const struct msg_hello *hello)
{
    if (links_was_displaced(&node->links, conn))
        return; /* it is being hung up */
    if (links_welcome(&node->links, conn, hello->node_id, hello->generation) == NULL) {
        node__refuse_conn(node, conn, E_BUSY, "too many peer connections");
        return;
    }
    note_guest(node, conn, hello);
    struct link *link = links_by_node(&node->links, hello->node_id);
    if (link == NULL && node->config == NULL)
        link = links_by_address(&node->links, hello->address);
    tell_config(node, conn, link, hello); /* first: who is of an ancestor must not take offence */
    say_hello(node, conn, 0);
    if (link == NULL)
        return;
    if (node->config == NULL) {
        link->node_id = hello->node_id;
        boot_hello(&node->boot, hello->node_id, hello);
    } else {
        follow(node, link, hello->address);
    }
    speaks_for(node, link, conn);
}

/* Whom a HELLO comes from: who it says it is, wherever that one listens now (T17). */
static uint64_t sender(const struct node *node, const struct msg_hello *hello)
{
    if (!PLANTED(node->options.plant, ADDRESS_IS_NAME) || node->config == NULL)
        return hello->node_id;
    const struct member *there = config_member_by_address(node->config, hello->address);
    return there != NULL && there->node_id != 0 ? there->node_id : hello->node_id;
}

void node__hello(struct node *node, uint64_t conn, const struct frame *frame)
{
    struct msg_hello hello;
    if (!msg_hello_decode(frame->body, &hello)) {
        node__refuse_conn(node, conn, E_MALFORMED, "a HELLO that makes no sense");
        return;
    }
    hello.node_id = sender(node, &hello);
    const char *why = objection(node, frame, &hello);
    struct link *link = links_by_conn(&node->links, conn);
    if (why != NULL) {
        node__refuse_conn(node, conn, E_OTHER_HISTORY, why);
        if (link != NULL) {
            node__drop_link(node, link, false);
            link->retry_ms = node->mono_ms + node->knobs->suspect_ms;
        }
        return;
    }
    if (link != NULL) {
        if (link->state == LINK_GREETING)
            greeted(node, link, &hello);
        else if (link->state == LINK_UP)
            greeted_again(node, link, &hello);
        return;
    }
    welcome(node, conn, &hello);
}

/* ---- time ---- */

static void update_suspicion(struct node *node, struct link *link)
{
    bool silent = suspect_is(&link->suspect, node->mono_ms, node->knobs->suspect_ms);
    bool suspected = silent || link->doubt;
    if (suspected == link->suspected)
        return;
    link->suspected = suspected;
    node__trace(node, suspected ? TRACE_SUSPECTED : TRACE_TRUSTED, link->node_id, 0, 0,
                slice_str(link->address.text));
    replicas_peer_suspected(node->replicas, link->node_id, suspected);
}

/* Before the first configuration, and with a node in doubt, there are no heartbeats: a greeting
 * now and then, which is answered, shows that the other is still there. */
static bool silent_by_nature(const struct node *node, const struct link *link)
{
    return link->state == LINK_UP && (node->config == NULL || node->phase == NODE_REFUSED ||
                                      node->phase == NODE_ASKING || link->doubt);
}

uint64_t node__greeting_ms(const struct node *node, const struct link *link)
{
    return silent_by_nature(node, link) ? link->hello_ms : UINT64_MAX;
}

static void greet_again(struct node *node, struct link *link)
{
    if (node->mono_ms < node__greeting_ms(node, link))
        return;
    link->hello_ms = node->mono_ms + node->knobs->suspect_ms / 3;
    say_hello(node, link->conn, link->dial);
}

void node__tick_links(struct node *node)
{
    for (uint32_t i = 0; i < node->links.count; i++) {
        struct link *link = &node->links.list[i];
        update_suspicion(node, link);
        greet_again(node, link);
        uint64_t age = node->mono_ms - link->since_ms;
        /* A connection on which nothing is heard for so long is dead in one direction or both, and
         * TCP would take minutes to say so; a new one finds out in a round trip. */
        bool stuck = link->state == LINK_GREETING && age >= node->knobs->suspect_ms;
        bool silent = link->state == LINK_UP && age >= node->knobs->suspect_ms &&
                      suspect_is(&link->suspect, node->mono_ms, node->knobs->suspect_ms);
        bool lost = link->state == LINK_DIALLING && age >= 4 * node->knobs->suspect_ms;
        if (stuck)
            REACHED(&node->metrics, GREETING_STUCK);
        if (silent)
            REACHED(&node->metrics, LINK_SILENT);
        if (lost)
            REACHED(&node->metrics, DIAL_LOST);
        if (stuck || silent || lost)
            node__drop_link(node, link, true);
    }
}

bool node__alive(const struct node *node, uint64_t node_id)
{
    if (node_id == node->id)
        return true;
    const struct link *link = links_by_node_const(&node->links, node_id);
    return link != NULL && !link->suspected;
}

bool node__usable(const struct node *node, uint64_t node_id)
{
    const struct link *link = links_by_node_const(&node->links, node_id);
    return link != NULL && !link->suspected && !link->doubt && link->state == LINK_UP;
}
