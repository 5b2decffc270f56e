/* test_session - tokens against sets.
 *
 * Does:   a model of tokens as sets of write numbers: a node answers with the union of what came
 *         and the new write. Checks S1 to S4 of client/session.h under random order.
 * Not:    sockets.
 * Holds:  -
 * Limits: -
 * See:    client/session.h.
 */
#include "client/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define WRITES 4000U
#define LANES_MAX 64U

/* What the "node" knows of a token: its text is its number. */
struct world {
    uint64_t (*sets)[WRITES / 64 + 1]; /* by token: the writes in it */
    uint32_t tokens;                   /* made */
};

static uint32_t parse_number(struct slice *rest)
{
    uint32_t number = 0;
    assert_true(rest->len > 1);
    assert_int_equal(rest->ptr[0], 't');
    size_t i = 1;
    for (; i < rest->len && rest->ptr[i] != ','; i++)
        number = number * 10 + (uint32_t)(rest->ptr[i] - '0');
    *rest = i < rest->len ? slice_of(rest->ptr + i + 1, rest->len - i - 1) : SLICE_EMPTY;
    return number;
}

/* The union of all tokens in text, as a new token with its number of members in *count. */
static uint32_t merge(struct world *world, struct slice text, uint32_t *count)
{
    uint32_t made = world->tokens++;
    memset(world->sets[made], 0, sizeof(world->sets[made]));
    for (*count = 0; text.len > 0; ++*count) {
        uint32_t number = parse_number(&text);
        assert_true(number < made);
        for (size_t i = 0; i <= WRITES / 64; i++)
            world->sets[made][i] |= world->sets[number][i];
    }
    return made;
}

static bool has(const struct world *world, uint32_t token, uint32_t write)
{
    return (world->sets[token][write / 64] >> (write % 64) & 1) != 0;
}

struct lane {
    bool busy;                 /* a request is under way */
    struct client_cargo cargo; /* that it carries */
    uint32_t answer;           /* the token that comes back */
    uint32_t write;            /* its number */
};

static void learn(struct client_session *session, struct lane *lane)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "t%u", lane->answer);
    client_session_learn(session, &lane->cargo, slice_of(text, (size_t)len));
    client_session_check(session);
    lane->busy = false;
}

/* What all tokens of the session cover together. */
static uint32_t cover(struct world *world, const struct client_session *session)
{
    struct buf all = BUF_EMPTY;
    uint32_t count;
    for (size_t i = 0; i < session->count; i++) {
        if (i > 0)
            buf_u8(&all, ',');
        buf_append_slice(&all, client_session_token(session, i));
    }
    uint32_t token = merge(world, buf_slice(&all), &count);
    buf_fini(&all);
    world->tokens--; /* for looking only */
    return token;
}

/* Sends on the lane: write number `write`, or none (UINT32_MAX). Returns what it carried. */
static uint32_t send_one(struct world *world, struct client_session *session, struct lane *lane,
                         uint32_t write)
{
    struct buf text = BUF_EMPTY;
    uint32_t count;
    client_session_load(session, &lane->cargo);
    client_session_put(session, &lane->cargo, &text);
    uint32_t carried = merge(world, buf_slice(&text), &count);
    assert_true(count <= CLIENT_TOKENS_MAX);
    lane->answer = carried;
    if (write != UINT32_MAX)
        world->sets[carried][write / 64] |= UINT64_C(1) << (write % 64);
    lane->write = write;
    lane->busy = true;
    buf_fini(&text);
    return carried;
}

/* Random lanes send and are answered; returns by how many answers the tokens carried lagged at
 * most. 0: every request came after all that was answered before it. */
static uint32_t run(uint64_t seed, uint32_t lanes, bool fails)
{
    struct world world = {mem_alloc((WRITES + 1024) * sizeof(*world.sets)), 0};
    struct lane *lane = mem_zalloc(LANES_MAX, sizeof(*lane));
    uint32_t *done = mem_zalloc(WRITES, sizeof(*done));
    uint32_t done_count = 0, lag_max = 0, writes = 0;
    struct client_session session;
    struct rng rng;
    rng_init(&rng, seed);
    client_session_init(&session);
    while (writes < WRITES) {
        struct lane *one = &lane[rng_below(&rng, lanes)];
        if (!one->busy) {
            uint32_t carried = send_one(&world, &session, one, writes);
            for (uint32_t i = 0; i < done_count; i++)
                if (!has(&world, carried, done[i]) && done_count - i > lag_max)
                    lag_max = done_count - i;
            writes++;
        } else if (fails && rng_chance(&rng, 1, 10)) {
            client_session_drop(&session, &one->cargo);
            one->busy = false;
        } else {
            learn(&session, one);
            done[done_count++] = one->write;
            uint32_t all = cover(&world, &session);
            assert_true(has(&world, all, one->write)); /* S1 */
        }
        assert_true(session.count <= 2 * LANES_MAX + CLIENT_TOKENS_MAX);
    }
    for (uint32_t i = 0; i < lanes; i++)
        if (lane[i].busy)
            client_session_drop(&session, &lane[i].cargo);
    for (int rounds = 0; session.count > 1; rounds++) {
        assert_true(rounds < 40);
        send_one(&world, &session, &lane[0], UINT32_MAX);
        learn(&session, &lane[0]);
    }
    uint32_t all = cover(&world, &session);
    for (uint32_t i = 0; i < done_count; i++)
        assert_true(has(&world, all, done[i])); /* nothing was ever lost */
    client_session_fini(&session);
    mem_free(world.sets);
    mem_free(lane);
    mem_free(done);
    return lag_max;
}

static void test_exact_up_to_eight(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        assert_int_equal(run(seed, 1, false), 0);
        assert_int_equal(run(seed, 2, true), 0);
        assert_int_equal(run(seed, CLIENT_TOKENS_MAX, false), 0);
    }
}

/* S4: the lag is a few times what is under way, and does not grow with what was done. */
static void test_many_under_way(void **state)
{
    (void)state;
    uint32_t lag_max = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint32_t lag = run(seed, LANES_MAX, seed % 2 == 0);
        lag_max = lag > lag_max ? lag : lag_max;
        print_message("seed %d, 64 lanes: lag at most %u answers\n", (int)seed, lag);
    }
    assert_true(lag_max > 0); /* else the model cannot tell */
    assert_true(lag_max < 16 * LANES_MAX);
}

static void test_at_rest_one_token(void **state)
{
    (void)state;
    struct client_session session;
    struct client_cargo cargo[20];
    client_session_init(&session);
    for (size_t i = 0; i < 20; i++)
        client_session_load(&session, &cargo[i]);
    for (size_t i = 0; i < 20; i++)
        client_session_learn(&session, &cargo[i], SLICE_LIT("same"));
    assert_int_equal(session.count, 1);
    client_session_fini(&session);
}

static void test_texts(void **state)
{
    (void)state;
    struct client_session session;
    char *large = mem_alloc(LIMIT_TOKEN_TEXT_BYTES + 1);
    memset(large, 'a', LIMIT_TOKEN_TEXT_BYTES + 1);
    client_session_init(&session);
    assert_false(client_session_add(&session, SLICE_EMPTY));
    assert_false(client_session_add(&session, SLICE_LIT("a b")));
    assert_false(client_session_add(&session, SLICE_LIT("a,b")));
    assert_false(client_session_add(&session, SLICE_LIT("a\r\nX: y")));
    assert_false(client_session_add(&session, slice_of(large, LIMIT_TOKEN_TEXT_BYTES + 1)));
    assert_int_equal(session.count, 0);
    assert_true(client_session_add(&session, slice_of(large, LIMIT_TOKEN_TEXT_BYTES)));
    assert_true(client_session_add(&session, SLICE_LIT("ab-_")));
    assert_true(client_session_add(&session, SLICE_LIT("ab-_")));
    assert_int_equal(session.count, 2);
    /* Several tokens in one answer are what was sent: they bring nothing and take nothing. */
    struct client_cargo cargo;
    client_session_load(&session, &cargo);
    client_session_learn(&session, &cargo, SLICE_LIT("a,b"));
    assert_int_equal(session.count, 2);
    mem_free(large);
    client_session_fini(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_up_to_eight),
        cmocka_unit_test(test_many_under_way),
        cmocka_unit_test(test_at_rest_one_token),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
