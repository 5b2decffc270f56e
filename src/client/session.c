/* session - what one client has seen, as the tokens it was given.
 *
 * Does:   see session.h.
 * Not:    -
 * Holds:  S1 to S4.
 * Limits: lists are short (about as long as the requests under way): they are searched.
 * See:    session.h.
 */
#include "client/session.h"

void client_session_init(struct client_session *session)
{
    *session = (struct client_session){0};
}

void client_session_fini(struct client_session *session)
{
    for (size_t i = 0; i < session->count; i++)
        buf_fini(&session->tokens[i].text);
    mem_free(session->tokens);
    *session = (struct client_session){0};
}

struct slice client_session_token(const struct client_session *session, size_t i)
{
    ASSERT(i < session->count);
    return buf_slice(&session->tokens[i].text);
}

static struct client_token *by_id(const struct client_session *session, uint64_t id)
{
    for (size_t i = 0; i < session->count; i++)
        if (session->tokens[i].id == id)
            return &session->tokens[i];
    return NULL;
}

static struct client_token *by_text(const struct client_session *session, struct slice text)
{
    for (size_t i = 0; i < session->count; i++)
        if (slice_equal(buf_slice(&session->tokens[i].text), text))
            return &session->tokens[i];
    return NULL;
}

static void remove_id(struct client_session *session, uint64_t id)
{
    struct client_token *token = by_id(session, id);
    if (token == NULL)
        return;
    size_t at = (size_t)(token - session->tokens);
    buf_fini(&token->text);
    session->count--;
    memmove(token, token + 1, (session->count - at) * sizeof(*token));
}

/* Visible ASCII without what separates list members: base64url is within that. */
static bool is_token(struct slice text)
{
    if (text.len == 0 || text.len > LIMIT_TOKEN_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte <= ' ' || byte >= 0x7f || byte == ',' || byte == '"')
            return false;
    }
    return true;
}

/* Returns the id of the token with that text, a new one where there was none (S2). */
static uint64_t keep(struct client_session *session, struct slice text, uint32_t level)
{
    struct client_token *token = by_text(session, text);
    if (token != NULL)
        return token->id;
    if (session->count == session->cap) {
        session->cap = session->cap == 0 ? 2 * CLIENT_TOKENS_MAX : 2 * session->cap;
        session->tokens = mem_realloc(session->tokens, session->cap * sizeof(*session->tokens));
    }
    token = &session->tokens[session->count++];
    *token = (struct client_token){.id = ++session->last_id, .level = level};
    buf_append_slice(&token->text, text);
    return token->id;
}

bool client_session_add(struct client_session *session, struct slice text)
{
    if (!is_token(text))
        return false;
    keep(session, text, 0);
    return true;
}

/* ---- What a request carries ---- */

/* The oldest token that no fold carries and that is not the head; of the highest level, or of the
 * lowest. */
static struct client_token *next_loose(const struct client_session *session, bool highest)
{
    struct client_token *best = NULL;
    for (size_t i = 0; i < session->count; i++) {
        struct client_token *token = &session->tokens[i];
        if (token->carried || token->id == session->head_id)
            continue;
        if (best == NULL || (highest ? token->level > best->level : token->level < best->level))
            best = token;
    }
    return best;
}

static size_t count_loose(const struct client_session *session)
{
    size_t count = 0;
    for (size_t i = 0; i < session->count; i++)
        count += !session->tokens[i].carried && session->tokens[i].id != session->head_id;
    return count;
}

/* Beside the head: folds take high levels into the head first, low ones together first. */
static void load_fold(struct client_session *session, struct client_cargo *cargo, bool into_head)
{
    cargo->folds = true;
    cargo->folds_head = into_head;
    session->folding_head = session->folding_head || into_head;
    while (cargo->count < CLIENT_TOKENS_MAX) {
        struct client_token *token = next_loose(session, into_head);
        if (token == NULL)
            break;
        token->carried = true;
        cargo->ids[cargo->count++] = token->id;
        if (token->level >= cargo->level)
            cargo->level = token->level + 1;
    }
}

void client_session_load(struct client_session *session, struct client_cargo *cargo)
{
    *cargo = (struct client_cargo){0};
    if (session->count <= CLIENT_TOKENS_MAX) {
        for (size_t i = 0; i < session->count; i++)
            cargo->ids[cargo->count++] = session->tokens[i].id;
        return;
    }
    if (by_id(session, session->head_id) == NULL)
        session->head_id = session->tokens[0].id;
    cargo->ids[cargo->count++] = session->head_id;
    size_t loose = count_loose(session);
    if (!session->folding_head && loose > 0)
        load_fold(session, cargo, true);
    else if (loose >= CLIENT_TOKENS_MAX - 1)
        load_fold(session, cargo, false);
}

void client_session_put(const struct client_session *session, const struct client_cargo *cargo,
                        struct buf *out)
{
    bool first = true;
    for (uint32_t i = 0; i < cargo->count; i++) {
        const struct client_token *token = by_id(session, cargo->ids[i]);
        if (token == NULL)
            continue;
        if (!first)
            buf_u8(out, ',');
        first = false;
        buf_append_slice(out, buf_slice(&token->text));
    }
}

/* ---- What an answer brings ---- */

void client_session_drop(struct client_session *session, struct client_cargo *cargo)
{
    for (uint32_t i = 0; cargo->folds && i < cargo->count; i++) {
        struct client_token *token = by_id(session, cargo->ids[i]);
        if (token != NULL)
            token->carried = false;
    }
    if (cargo->folds_head)
        session->folding_head = false;
    *cargo = (struct client_cargo){0};
}

void client_session_learn(struct client_session *session, struct client_cargo *cargo,
                          struct slice text)
{
    if (!is_token(text)) {
        client_session_drop(session, cargo);
        return;
    }
    /* A request that carried the head alone, or folded beside it, does not replace it: else the
     * fold into the head that is under way would for ever come too late. */
    bool spares_head = session->count > CLIENT_TOKENS_MAX && !cargo->folds_head;
    bool becomes_head = false;
    struct client_cargo had = *cargo;
    client_session_drop(session, cargo);
    for (uint32_t i = 0; i < had.count; i++) {
        bool is_head = had.ids[i] == session->head_id && by_id(session, had.ids[i]) != NULL;
        if (is_head && spares_head)
            continue;
        becomes_head = becomes_head || is_head;
        remove_id(session, had.ids[i]);
    }
    uint64_t id = keep(session, text, becomes_head ? 0 : had.level);
    if (becomes_head || session->count == 1)
        session->head_id = id;
}

void client_session_check(const struct client_session *session)
{
    ASSERT(session->count <= session->cap);
    for (size_t i = 0; i < session->count; i++) {
        const struct client_token *token = &session->tokens[i];
        ASSERT(token->id != 0);
        ASSERT(token->id <= session->last_id);
        ASSERT(is_token(buf_slice(&token->text)));
        ASSERT(by_text(session, buf_slice(&token->text)) == token);
    }
}
