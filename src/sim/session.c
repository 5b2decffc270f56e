/* session - what one client does next.
 *
 * Does:   draws operations, nodes and tokens; decides what to do with an answer.
 * Not:    the way of a call: client.c.
 * Holds:  N2; a write whose outcome is unknown is never sent again.
 * Limits: CLIENT_TRIES_MAX.
 * See:    client.h.
 */
#include "sim/session.h"

#include "sim/judge.h"

static void draw_operation(struct client *client, struct session *session, uint32_t index)
{
    const struct swarm *swarm = &client->world->swarm;
    struct rng *rng = &client->rng;
    uint64_t dice = rng_below(rng, 100);
    session->op = dice < swarm->put_percent                           ? OP_PUT
                  : dice < swarm->put_percent + swarm->delete_percent ? OP_DELETE
                                                                      : OP_GET;
    if (rng_chance(rng, 1, 200))
        session->op = OP_COUNT;
    bool hot = rng_chance(rng, swarm->hot_percent, 100);
    session->key = (uint32_t)rng_below(rng, hot && swarm->hot_keys < swarm->keys ? swarm->hot_keys
                                                                                 : swarm->keys);
    session->write = 0;
    session->tries = 0;
    session->busy = true;
    if (session->op == OP_COUNT)
        session->key = (uint32_t)rng_below(rng, swarm->shards);
    if (session->op == OP_PUT) {
        bool big = rng_chance(rng, swarm->big_percent, 100);
        uint32_t size = (uint32_t)(big ? rng_between(rng, 500, 40000) : rng_between(rng, 8, 60));
        session->write =
            oracle_put(&client->world->oracle, session->key, index, size, rng_chance(rng, 1, 4));
    }
}

static void add_token(struct call *call, struct token *token, const struct oracle *oracle)
{
    token->refs++;
    call->tokens[call->token_count++] = token;
    oracle_past_merge(oracle, call->asked.past, token->past);
}

/* Which tokens go along: normally the newest; sometimes an older one, none, or those of others. */
static void draw_tokens(struct client *client, const struct session *session, struct call *call)
{
    const struct swarm *swarm = &client->world->swarm;
    const struct oracle *oracle = &client->world->oracle;
    struct rng *rng = &client->rng;
    if (session->held_count > 0 && !rng_chance(rng, swarm->fresh_percent, 100)) {
        bool old = rng_chance(rng, swarm->hold_percent, 100);
        uint64_t which = old ? rng_below(rng, session->held_count) : 0;
        add_token(call, session->held[which], oracle);
    }
    while (call->token_count < LIMIT_TOKENS && rng_chance(rng, swarm->merge_percent, 100)) {
        const struct session *other = &client->sessions[rng_below(rng, client->session_count)];
        if (other->held_count > 0)
            add_token(call, other->held[rng_below(rng, other->held_count)], oracle);
    }
}

static uint32_t draw_wait(struct rng *rng)
{
    return rng_chance(rng, 1, 5) ? (uint32_t)rng_below(rng, 2000) : REQUEST_WAIT_DEFAULT;
}

static void try_again(struct client *client, uint32_t index)
{
    struct session *session = &client->sessions[index];
    struct oracle *oracle = &client->world->oracle;
    struct call call = {.wait_ms = draw_wait(&client->rng)};
    call.asked = (struct asked){.op = session->op,
                                .key = session->key,
                                .write = session->write,
                                .session = index,
                                .node = session->node};
    call.asked.past = past_new(oracle->key_count);
    draw_tokens(client, session, &call);
    if (session->op == OP_PUT)
        oracle_put_past(oracle, session->write, call.asked.past);
    else if (session->op == OP_DELETE)
        oracle_delete(oracle, session->key, call.asked.past);
    if (session->op == OP_PUT || session->op == OP_DELETE)
        call.copies = rng_chance(&client->rng, client->world->swarm.copies_percent, 100) ? 2 : 0;
    session->tries++;
    client->retries += session->tries > 1 ? 1 : 0;
    session->call = client__send(client, &call, client->world->swarm.client_timeout_us);
}

void session__wake(struct client *client, uint32_t index)
{
    struct session *session = &client->sessions[index];
    struct world *world = client->world;
    if (!world->booted) {
        vtime_after(&world->time, 100000, WORLD_SESSION, index, 0, 0);
        return;
    }
    if (!session->busy) {
        if (client->stopping || client->begun >= world->swarm.ops_max)
            return;
        client->begun++;
        draw_operation(client, session, index);
        if (rng_chance(&client->rng, world->swarm.wander_percent, 100))
            session->node = (uint32_t)rng_below(&client->rng, world->node_count);
    }
    try_again(client, index);
}

static void finish(struct client *client, uint32_t index, bool answered)
{
    struct session *session = &client->sessions[index];
    struct world *world = client->world;
    session->busy = false;
    /* What it has seen may be where nobody serves any more: it begins anew. */
    if (!answered && judge_somebody_away(world))
        session__forget(session);
    /* Where whole shards are lost, how many are answered says nothing. */
    client->ops += answered || !(world->beyond || world->given_up != 0) ? 1 : 0;
    client->answered += answered ? 1 : 0;
    uint64_t think = rng_below(&client->rng, 2 * world->swarm.think_us + 1);
    vtime_after(&world->time, think, WORLD_SESSION, index, 0, 0);
}

void session__done(struct client *client, const struct call *call, struct token *answer)
{
    uint32_t index = call->asked.session;
    struct session *session = &client->sessions[index];
    struct world *world = client->world;
    bool write = session->op == OP_PUT || session->op == OP_DELETE;
    if (answer != NULL)
        session__hold(session, answer);
    bool refusal = call->refused || call->lost || err_http_status(call->err) == 503;
    if (!refusal) {
        finish(client, index, true);
        return;
    }
    bool unknown = write && !call->refused && (call->lost || call->unknown);
    client->unknowns += unknown ? 1 : 0;
    uint32_t most = judge_somebody_away(world) ? CLIENT_TRIES_GONE : CLIENT_TRIES_MAX;
    if (unknown || session->tries >= most) {
        finish(client, index, false);
        return;
    }
    bool dead = call->refused || call->lost || call->err == E_NOT_READY;
    if (dead || rng_chance(&client->rng, 1, 2)) /* elsewhere */
        session->node =
            (session->node + 1 + (uint32_t)rng_below(&client->rng, world->node_count - 1)) %
            world->node_count;
    vtime_after(&world->time, UINT64_C(10000) << session->tries, WORLD_SESSION, index, 0, 0);
}
