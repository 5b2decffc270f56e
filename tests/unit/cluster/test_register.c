/* test_register - one value for one instance, whatever breaks.
 *
 * Does:   single steps by hand: what is answered, logged and synced, what is told to the caller;
 *         then many random worlds (chaos.h) under G1 to G4, and that they end; then the same
 *         worlds with planted bugs, which must be found.
 * Not:    what configurations mean.
 * Holds:  G1 to G4.
 * Limits: fewer worlds under the sanitizers.
 * See:    src/cluster/register.h; docs/protocol.md 6.1, 6.2, T10, T34.
 */
#include "chaos.h"

#if defined(__SANITIZE_ADDRESS__)
#define WORLDS 12000U
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORLDS 12000U
#endif
#endif
#ifndef WORLDS
#define WORLDS 100000U
#endif

/* A planted bug must show within so many worlds. */
#define MUTANT_WORLDS 200000U

/* ---- By hand ---- */

struct bench {
    struct reg reg;
    struct outbox out;
    struct log *log;
    struct reg_io io;
};

static void bench_init(struct bench *bench, uint64_t node_id)
{
    reg_init(&bench->reg, node_id, 7);
    outbox_init(&bench->out);
    bench->log = log_new();
    bench->io =
        (struct reg_io){.out = &bench->out, .log = bench->log, .must_sync = false, .mono_ms = 1000};
}

static void bench_fini(struct bench *bench)
{
    reg_fini(&bench->reg);
    outbox_fini(&bench->out);
    log_free(bench->log);
}

/* The last RECORD_REGISTER that was logged since the last call, as its body (owned). */
static struct buf logged(struct bench *bench)
{
    struct buf body = BUF_EMPTY;
    if (!log_pending(bench->log))
        return body;
    struct log_batch batch;
    log_take(bench->log, &batch);
    struct record record;
    for (struct slice rest = batch.bytes; record_decode(rest, &record) == RECORD_OK;
         rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len)) {
        if (record.kind != RECORD_REGISTER)
            continue;
        buf_reset(&body);
        buf_append_slice(&body, record.body);
    }
    return body;
}

/* Forgets what came out so far. */
static void bench_clear(struct bench *bench)
{
    struct buf body = logged(bench);
    buf_fini(&body);
    outbox_reset(&bench->out);
    bench->io.must_sync = false;
}

static struct frame sent(const struct bench *bench, size_t index)
{
    struct frame frame;
    assert_true(index < bench->out.count);
    const struct outbox_item *item = &bench->out.items[index];
    assert_true(frame_decode(slice_of(bench->out.bytes.ptr + item->begin, item->len), &frame));
    return frame;
}

static struct msg_promise sent_promise(const struct bench *bench)
{
    struct msg_promise msg;
    assert_int_equal(bench->out.count, 1);
    assert_int_equal(bench->out.items[0].type, MSG_PROMISE);
    assert_true(msg_promise_decode(sent(bench, 0).body, &msg));
    return msg;
}

static struct msg_accepted sent_accepted(const struct bench *bench)
{
    struct msg_accepted msg;
    assert_int_equal(bench->out.count, 1);
    assert_int_equal(bench->out.items[0].type, MSG_ACCEPTED);
    assert_true(msg_accepted_decode(sent(bench, 0).body, &msg));
    return msg;
}

/* node asks for (round, node) in instance 1 of an acceptor without a configuration. */
static void prepare(struct bench *bench, uint64_t node, uint64_t round)
{
    bench_clear(bench);
    struct msg_prepare msg = {1, round, node};
    assert_int_equal(reg_prepare(&bench->reg, node, 0, &msg, &bench->io), REG_NOTHING);
}

static void accept(struct bench *bench, uint64_t node, uint64_t round, const char *value)
{
    bench_clear(bench);
    struct msg_accept msg = {1, round, node, slice_str(value)};
    assert_int_equal(reg_accept(&bench->reg, node, 0, &msg, &bench->io), REG_NOTHING);
}

static void test_acceptor_promises_upwards_only(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    prepare(&bench, 5, 3);
    assert_true(bench.io.must_sync);
    assert_int_equal(sent_promise(&bench).granted, 1);
    prepare(&bench, 4, 3); /* the same round, a lower node */
    struct msg_promise refusal = sent_promise(&bench);
    assert_false(bench.io.must_sync);
    assert_int_equal(refusal.granted, 0);
    assert_int_equal(refusal.accepted_round, 3);
    assert_int_equal(refusal.accepted_node, 5);
    assert_int_equal(refusal.value.len, 0);
    prepare(&bench, 6, 3); /* a higher node */
    assert_int_equal(sent_promise(&bench).granted, 1);
    accept(&bench, 5, 3, "five");
    assert_int_equal(sent_accepted(&bench).granted, 0);
    assert_int_equal(sent_accepted(&bench).promised_node, 6);
    accept(&bench, 6, 3, "six");
    assert_int_equal(sent_accepted(&bench).granted, 1);
    prepare(&bench, 5, 4);
    struct msg_promise promise = sent_promise(&bench);
    assert_int_equal(promise.accepted_round, 3);
    assert_int_equal(promise.accepted_node, 6);
    assert_true(slice_equal(promise.value, SLICE_LIT("six")));
    bench_fini(&bench);
}

/* A repeated yes is a record again: the first may stand in the file cache only. */
static void test_every_yes_is_logged(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    for (int i = 0; i < 3; i++) {
        prepare(&bench, 5, 3);
        assert_true(bench.io.must_sync);
        assert_true(log_pending(bench.log));
    }
    for (int i = 0; i < 3; i++) {
        accept(&bench, 5, 3, "five");
        assert_true(bench.io.must_sync);
        assert_true(log_pending(bench.log));
    }
    prepare(&bench, 4, 1);
    assert_false(log_pending(bench.log));
    bench_fini(&bench);
}

static void expect_silence(struct bench *bench)
{
    assert_int_equal(bench->out.count, 0);
    assert_false(bench->io.must_sync);
    assert_false(log_pending(bench->log));
}

static void test_acceptor_ignores_nonsense(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    prepare(&bench, 5, 0);
    expect_silence(&bench);
    prepare(&bench, 5, REGISTER_ROUND_MAX + 1);
    expect_silence(&bench);
    prepare(&bench, 9, 1); /* its own id, from somebody else */
    expect_silence(&bench);
    accept(&bench, 5, 1, "");
    expect_silence(&bench);
    bench_clear(&bench);
    struct msg_prepare foreign = {1, 1, 5};
    reg_prepare(&bench.reg, 6, 0, &foreign, &bench.io); /* somebody else's ballot */
    expect_silence(&bench);
    reg_prepare(&bench.reg, 5, 1, &foreign, &bench.io); /* an epoch that is over */
    expect_silence(&bench);
    struct msg_prepare later = {3, 1, 5};
    reg_prepare(&bench.reg, 5, 1, &later, &bench.io); /* this node has to learn epoch 2 first */
    expect_silence(&bench);
    accept(&bench, 5, 1, "one");
    accept(&bench, 5, 1, "two"); /* one ballot, another value: no proposer of ours does that */
    expect_silence(&bench);
    assert_true(slice_equal(buf_slice(&bench.reg.acceptor.value), SLICE_LIT("one")));
    bench_fini(&bench);
}

static void test_replay_brings_it_all_back(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    accept(&bench, 5, 3, "value");
    struct buf accepted = logged(&bench);
    prepare(&bench, 6, 8);
    struct buf promised = logged(&bench);
    struct bench again;
    bench_init(&again, 9);
    assert_true(reg_replay(&again.reg, buf_slice(&accepted)));
    assert_true(reg_started(&again.reg));
    assert_true(reg_replay(&again.reg, buf_slice(&promised)));
    assert_false(reg_replay(&again.reg, buf_slice(&accepted))); /* a promise taken back */
    assert_int_equal(again.reg.acceptor.promised.round, 8);
    assert_int_equal(again.reg.acceptor.accepted.round, 3);
    assert_true(slice_equal(buf_slice(&again.reg.acceptor.value), SLICE_LIT("value")));
    reg_checkpoint(&again.reg, again.log);
    struct buf dumped = logged(&again);
    assert_true(slice_equal(buf_slice(&dumped), buf_slice(&promised)));
    for (size_t len = 0; len < 41; len++)
        assert_false(reg_replay(&again.reg, slice_of(promised.ptr, len)));
    buf_fini(&accepted);
    buf_fini(&promised);
    buf_fini(&dumped);
    bench_fini(&bench);
    bench_fini(&again);
}

static void test_checkpoint_of_nothing(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    reg_checkpoint(&bench.reg, bench.log);
    assert_false(log_pending(bench.log));
    assert_false(reg_started(&bench.reg));
    assert_int_equal(reg_deadline_ms(&bench.reg), UINT64_MAX);
    bench_fini(&bench);
}

static void test_alone_decides_in_a_tick(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    uint64_t self = 9;
    assert_true(reg_propose(&bench.reg, 1, SLICE_LIT("me"), &self, 1, 1, UINT64_MAX, &bench.io));
    assert_false(reg_propose(&bench.reg, 1, SLICE_LIT("no"), &self, 1, 1, UINT64_MAX, &bench.io));
    assert_int_equal(reg_deadline_ms(&bench.reg), 1000);
    assert_int_equal(reg_tick(&bench.reg, &bench.io), REG_DECIDED);
    assert_true(bench.io.must_sync);
    assert_int_equal(bench.out.count, 0);
    assert_true(bench.reg.proposer.decided);
    struct buf body = logged(&bench);
    assert_true(body.len > 40); /* the acceptance, not just the promise */
    buf_fini(&body);
    assert_true(reg_started(&bench.reg));
    reg_adopted(&bench.reg, 1);
    assert_false(reg_started(&bench.reg));
    assert_true(slice_equal(buf_slice(&bench.reg.proposer.value), SLICE_LIT("me")));
    bench_fini(&bench);
}

static const uint64_t three[] = {9, 5, 6};

static void propose_to_three(struct bench *bench, const char *value, uint32_t quorum)
{
    bench_clear(bench);
    assert_true(reg_propose(&bench->reg, 1, slice_str(value), three, 3, quorum,
                            bench->io.mono_ms + 5000, &bench->io));
}

static struct msg_promise promise_of(const struct bench *bench)
{
    const struct proposer *proposer = &bench->reg.proposer;
    return (struct msg_promise){.instance = proposer->instance,
                                .round = proposer->ballot.round,
                                .node = proposer->ballot.node,
                                .granted = 1};
}

static struct msg_accepted acceptance_of(const struct bench *bench)
{
    const struct proposer *proposer = &bench->reg.proposer;
    return (struct msg_accepted){.instance = proposer->instance,
                                 .round = proposer->ballot.round,
                                 .node = proposer->ballot.node,
                                 .granted = 1};
}

static void test_majority_decides(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    propose_to_three(&bench, "mine", 2);
    assert_true(bench.io.must_sync); /* the own promise reserves the ballot */
    assert_int_equal(bench.out.count, 2);
    struct msg_promise promise = promise_of(&bench);
    bench_clear(&bench);
    assert_int_equal(reg_promise(&bench.reg, 77, &promise, &bench.io), REG_NOTHING);
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_PREPARING); /* 77 was not asked */
    assert_int_equal(reg_promise(&bench.reg, 5, &promise, &bench.io), REG_NOTHING);
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_ACCEPTING);
    assert_true(bench.io.must_sync); /* the own acceptance */
    assert_int_equal(bench.out.count, 2);
    struct msg_accepted acceptance = acceptance_of(&bench);
    bench_clear(&bench);
    assert_int_equal(reg_accepted(&bench.reg, 6, &acceptance, &bench.io), REG_DECIDED);
    assert_int_equal(reg_accepted(&bench.reg, 5, &acceptance, &bench.io), REG_NOTHING);
    assert_false(bench.io.must_sync);
    bench_fini(&bench);
}

/* One answer, however often it comes, is one. */
static void test_all_means_all(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    propose_to_three(&bench, "mine", 3);
    struct msg_promise promise = promise_of(&bench);
    for (int i = 0; i < 3; i++)
        reg_promise(&bench.reg, 5, &promise, &bench.io);
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_PREPARING);
    bench_clear(&bench);
    bench.io.mono_ms = reg_deadline_ms(&bench.reg);
    reg_tick(&bench.reg, &bench.io);
    assert_int_equal(bench.out.count, 1); /* who has answered is not asked again */
    assert_int_equal(bench.out.items[0].to, 6);
    reg_promise(&bench.reg, 6, &promise, &bench.io);
    struct msg_accepted acceptance = acceptance_of(&bench);
    for (int i = 0; i < 3; i++)
        assert_int_equal(reg_accepted(&bench.reg, 6, &acceptance, &bench.io), REG_NOTHING);
    assert_int_equal(reg_accepted(&bench.reg, 5, &acceptance, &bench.io), REG_DECIDED);
    bench_fini(&bench);
}

static void test_another_value_is_finished_and_told(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    accept(&bench, 5, 2, "theirs"); /* seen by the own acceptor alone, under a dead proposer */
    propose_to_three(&bench, "mine", 2);
    assert_int_equal(bench.reg.proposer.ballot.round, 3);
    struct msg_promise promise = promise_of(&bench);
    promise.accepted_round = 1; /* older: does not count */
    promise.accepted_node = 6;
    promise.value = SLICE_LIT("older");
    reg_promise(&bench.reg, 6, &promise, &bench.io);
    struct msg_accepted acceptance = acceptance_of(&bench);
    assert_int_equal(reg_accepted(&bench.reg, 6, &acceptance, &bench.io), REG_LOST);
    assert_true(bench.reg.proposer.decided);
    assert_true(slice_equal(buf_slice(&bench.reg.proposer.value), SLICE_LIT("theirs")));
    assert_true(slice_equal(buf_slice(&bench.reg.proposer.proposed), SLICE_LIT("mine")));
    bench_fini(&bench);
}

static void test_refusal_pauses_and_goes_above(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    propose_to_three(&bench, "mine", 2);
    struct msg_promise refusal = promise_of(&bench);
    refusal.granted = 0;
    reg_promise(&bench.reg, 5, &refusal, &bench.io); /* names no higher ballot: nonsense */
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_PREPARING);
    refusal.accepted_round = 41;
    refusal.accepted_node = 6;
    reg_promise(&bench.reg, 5, &refusal, &bench.io);
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_PAUSING);
    bench_clear(&bench);
    assert_true(reg_deadline_ms(&bench.reg) > bench.io.mono_ms);
    bench.io.mono_ms = reg_deadline_ms(&bench.reg);
    assert_int_equal(reg_tick(&bench.reg, &bench.io), REG_NOTHING);
    assert_int_equal(bench.reg.proposer.ballot.round, 42);
    assert_int_equal(bench.out.count, 2);
    bench_fini(&bench);
}

/* Rivals part company sooner or later: pauses are random, and grow. */
static void test_pauses_grow(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    assert_true(reg_propose(&bench.reg, 1, SLICE_LIT("mine"), three, 3, 2, UINT64_MAX, &bench.io));
    uint64_t first_ms = 0;
    uint64_t most_ms = 0;
    for (int i = 0; i < 20; i++) {
        struct msg_promise refusal = promise_of(&bench);
        refusal.granted = 0;
        refusal.accepted_round = refusal.round + 1;
        refusal.accepted_node = 6;
        reg_promise(&bench.reg, 6, &refusal, &bench.io);
        uint64_t pause_ms = reg_deadline_ms(&bench.reg) - bench.io.mono_ms;
        first_ms = i == 0 ? pause_ms : first_ms;
        most_ms = pause_ms > most_ms ? pause_ms : most_ms;
        bench.io.mono_ms = reg_deadline_ms(&bench.reg);
        reg_tick(&bench.reg, &bench.io);
    }
    assert_in_range(first_ms, 1, 20);
    assert_in_range(most_ms, 200, 1280);
    bench_fini(&bench);
}

static void test_silence_sends_again_then_gives_up(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    propose_to_three(&bench, "mine", 2);
    uint64_t give_up_ms = bench.io.mono_ms + 5000;
    struct ballot ballot = bench.reg.proposer.ballot;
    int again = 0;
    enum reg_result result;
    do {
        bench_clear(&bench);
        bench.io.mono_ms = reg_deadline_ms(&bench.reg);
        result = reg_tick(&bench.reg, &bench.io);
        assert_int_equal(bench.reg.proposer.ballot.round, ballot.round);
        again += bench.out.count == 2;
        assert_true(result == REG_LOST || bench.io.must_sync);
    } while (result == REG_NOTHING);
    assert_int_equal(result, REG_LOST);
    assert_false(bench.reg.proposer.decided);
    assert_int_equal(bench.io.mono_ms, give_up_ms);
    assert_in_range(again, 3, 6);
    assert_int_equal(reg_deadline_ms(&bench.reg), UINT64_MAX);
    bench_fini(&bench);
}

/* G4 over a restart: also for one who is not among those it asks. */
static void test_a_restart_uses_no_ballot_twice(void **state)
{
    (void)state;
    static const uint64_t others[] = {4, 5, 6};
    struct bench bench;
    bench_init(&bench, 9);
    assert_true(reg_propose(&bench.reg, 1, SLICE_LIT("a"), others, 3, 2, UINT64_MAX, &bench.io));
    assert_int_equal(bench.out.count, 3);
    struct buf body = logged(&bench);
    struct bench again;
    bench_init(&again, 9);
    assert_true(reg_replay(&again.reg, buf_slice(&body)));
    assert_true(reg_propose(&again.reg, 1, SLICE_LIT("b"), others, 3, 2, UINT64_MAX, &again.io));
    assert_true(again.reg.proposer.ballot.round > bench.reg.proposer.ballot.round);
    buf_fini(&body);
    bench_fini(&bench);
    bench_fini(&again);
}

/* What would be decided of two acceptances, one of which gives way. */
static void test_what_gives_way_is_not_taken_over(void **state)
{
    static const char *const accepted[] = {"old: this", "new: that"};
    static const char *const expected[] = {"new: mine", "new: that"};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct bench bench;
        bench_init(&bench, 9);
        bench.io.gives_way = SLICE_LIT("old:");
        propose_to_three(&bench, "new: mine", 2);
        struct msg_promise promise = promise_of(&bench);
        promise.accepted_round = 1;
        promise.accepted_node = 5;
        promise.value = slice_str(accepted[i]);
        reg_promise(&bench.reg, 5, &promise, &bench.io);
        struct slice value = buf_slice(&bench.reg.proposer.value);
        assert_int_equal(bench.reg.proposer.phase, PROPOSER_ACCEPTING);
        assert_true(slice_equal(value, slice_str(expected[i])));
        bench_fini(&bench);
    }
}

static void test_adopted_elsewhere(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    propose_to_three(&bench, "mine", 2);
    reg_adopted(&bench.reg, 1);
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_IDLE);
    assert_int_equal(bench.reg.acceptor.instance, 0);
    assert_false(bench.reg.proposer.decided);
    assert_int_equal(reg_tick(&bench.reg, &bench.io), REG_NOTHING);
    struct msg_prepare next = {2, 1, 5};
    reg_prepare(&bench.reg, 5, 1, &next, &bench.io);
    assert_false(reg_propose(&bench.reg, 1, SLICE_LIT("late"), three, 3, 2, 9999, &bench.io));
    reg_adopted(&bench.reg, 1); /* repeated: instance 2 is not over */
    assert_int_equal(bench.reg.acceptor.promised.round, 1);
    prepare(&bench, 6, 7); /* of instance 1, which is */
    expect_silence(&bench);
    assert_int_equal(bench.reg.acceptor.instance, 2);
    bench_fini(&bench);
}

static void test_all_rounds_used_up(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 9);
    prepare(&bench, 5, REGISTER_ROUND_MAX);
    assert_int_equal(sent_promise(&bench).granted, 1);
    propose_to_three(&bench, "mine", 2);
    assert_int_equal(bench.reg.proposer.phase, PROPOSER_IDLE);
    bench_fini(&bench);
}

/* ---- Random worlds ---- */

static struct weather any_weather(struct rng *rng)
{
    static const uint32_t counts[] = {1, 3, 3, 3, 5, 5, 7};
    struct weather weather = {.mutant = MUTANT_NONE};
    weather.all_first = rng_chance(rng, 1, 2);
    weather.disks_lost = weather.all_first && rng_chance(rng, 1, 3);
    weather.acceptor_count = weather.all_first && rng_chance(rng, 3, 4)
                                 ? (uint32_t)rng_between(rng, 2, 6)
                                 : counts[rng_below(rng, sizeof counts / sizeof *counts)];
    weather.sync_first = weather.acceptor_count == 1 || rng_chance(rng, 1, 4);
    weather.extra_count = (uint32_t)rng_below(rng, 3);
    weather.instance_max = weather.disks_lost ? 1 : (uint32_t)rng_between(rng, 1, 3);
    weather.steps = (uint32_t)rng_between(rng, 20, 300);
    weather.drop = rng_chance(rng, 1, 2) ? (uint32_t)rng_below(rng, 40) : 0;
    weather.twice = rng_chance(rng, 1, 2) ? (uint32_t)rng_below(rng, 30) : 0;
    weather.crash_process = rng_chance(rng, 1, 2) ? (uint32_t)rng_between(rng, 1, 6) : 0;
    weather.crash_machine = rng_chance(rng, 1, 2) ? (uint32_t)rng_between(rng, 1, 6) : 0;
    weather.propose = (uint32_t)rng_between(rng, 1, 20);
    return weather;
}

static void test_random_worlds(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct world *world = world_new(rng_u64(&rng));
    for (uint32_t i = 0; i < WORLDS; i++) {
        uint64_t seed = rng_u64(&rng);
        rng_init(&world->rng, seed);
        struct weather weather = any_weather(&world->rng);
        const char *broken = world_run(world, &weather);
        if (broken != NULL)
            fail_msg("%s broke in world %u (its seed: %" PRIu64 ")", broken, i, seed);
    }
    print_message("%u worlds: %" PRIu64 " decisions, %" PRIu64 " yes, %" PRIu64 " no, %" PRIu64
                  " crashes, %" PRIu64 " parcels too many\n",
                  WORLDS, world->decisions, world->yeses, world->noes, world->crashes,
                  world->losses);
    assert_true(world->decisions > WORLDS);
    assert_true(world->noes > WORLDS);
    assert_true(world->crashes > WORLDS);
    world_free(world);
}

/* How many worlds it takes to see the bug. */
static uint32_t worlds_until(enum mutant mutant, const char *invariant)
{
    struct rng rng = unit_rng();
    struct world *world = world_new(rng_u64(&rng));
    uint32_t count = 1;
    for (; count < MUTANT_WORLDS; count++) {
        rng_init(&world->rng, rng_u64(&rng));
        struct weather weather = any_weather(&world->rng);
        weather.mutant = mutant;
        if (mutant == MUTANT_CACHED) {
            weather.acceptor_count = 1;
            weather.crash_process = weather.crash_machine = 6;
        }
        const char *broken = world_run(world, &weather);
        if (broken != NULL && strcmp(broken, invariant) == 0)
            break;
    }
    world_free(world);
    print_message("%s broke in world %u\n", invariant, count);
    return count;
}

static void test_forgotten_promise_breaks_g1(void **state)
{
    (void)state;
    assert_true(worlds_until(MUTANT_FORGETS, "G1") < MUTANT_WORLDS);
}

static void test_forgotten_promise_breaks_g2(void **state)
{
    (void)state;
    assert_true(worlds_until(MUTANT_FORGETS, "G2") < MUTANT_WORLDS);
}

static void test_answers_before_the_sync_break_g1(void **state)
{
    (void)state;
    assert_true(worlds_until(MUTANT_EAGER, "G1") < MUTANT_WORLDS);
}

static void test_a_yes_logged_once_breaks_g2(void **state)
{
    (void)state;
    assert_true(worlds_until(MUTANT_ONCE, "G2") < MUTANT_WORLDS);
}

static void test_blind_proposers_break_g1(void **state)
{
    (void)state;
    assert_true(worlds_until(MUTANT_BLIND, "G1") < MUTANT_WORLDS);
}

/* A node alone has nobody who would tell it what it had decided. */
static void test_replay_before_the_sync_breaks_g1(void **state)
{
    (void)state;
    assert_true(worlds_until(MUTANT_CACHED, "G1") < MUTANT_WORLDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acceptor_promises_upwards_only),
        cmocka_unit_test(test_every_yes_is_logged),
        cmocka_unit_test(test_acceptor_ignores_nonsense),
        cmocka_unit_test(test_replay_brings_it_all_back),
        cmocka_unit_test(test_checkpoint_of_nothing),
        cmocka_unit_test(test_alone_decides_in_a_tick),
        cmocka_unit_test(test_majority_decides),
        cmocka_unit_test(test_all_means_all),
        cmocka_unit_test(test_another_value_is_finished_and_told),
        cmocka_unit_test(test_refusal_pauses_and_goes_above),
        cmocka_unit_test(test_pauses_grow),
        cmocka_unit_test(test_silence_sends_again_then_gives_up),
        cmocka_unit_test(test_a_restart_uses_no_ballot_twice),
        cmocka_unit_test(test_what_gives_way_is_not_taken_over),
        cmocka_unit_test(test_adopted_elsewhere),
        cmocka_unit_test(test_all_rounds_used_up),
        cmocka_unit_test(test_random_worlds),
        cmocka_unit_test(test_forgotten_promise_breaks_g1),
        cmocka_unit_test(test_forgotten_promise_breaks_g2),
        cmocka_unit_test(test_answers_before_the_sync_break_g1),
        cmocka_unit_test(test_a_yes_logged_once_breaks_g2),
        cmocka_unit_test(test_blind_proposers_break_g1),
        cmocka_unit_test(test_replay_before_the_sync_breaks_g1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
