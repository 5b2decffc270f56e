/* acceptor - one node's half of Paxos that must not forget.
 *
 * Does:   see acceptor.h.
 * Not:    -
 * Holds:  A1 to A4.
 * Limits: -
 * See:    acceptor.h.
 *
 * Body of RECORD_REGISTER, little-endian: always the whole state, so that the last one counts.
 *   offset size  meaning
 *   0      8     instance
 *   8      16    ballot promised: round, node
 *   24     16    ballot accepted: round, node; zeroes: nothing accepted
 *   40     .     value accepted
 */
#include "cluster/acceptor.h"

bool ballot__below(struct ballot a, struct ballot b)
{
    return a.round < b.round || (a.round == b.round && a.node < b.node);
}

bool ballot__equal(struct ballot a, struct ballot b)
{
    return a.round == b.round && a.node == b.node;
}

bool ballot__is_sane(struct ballot ballot)
{
    return ballot.round > 0 && ballot.round <= REGISTER_ROUND_MAX && ballot.node != 0;
}

void acceptor__clear(struct acceptor *acceptor)
{
    buf_fini(&acceptor->value);
    *acceptor = (struct acceptor){.value = BUF_EMPTY};
}

/* Goes on to the instance, if it is a later one. */
static enum acceptor_answer ballot_judge(struct acceptor *acceptor, uint64_t instance,
                                         struct ballot ballot)
{
    ASSERT(ballot__is_sane(ballot));
    if (instance < acceptor->instance || instance == 0)
        return ACCEPTOR_SILENT;
    if (instance > acceptor->instance) {
        acceptor__clear(acceptor);
        acceptor->instance = instance;
    }
    return ballot__below(ballot, acceptor->promised) ? ACCEPTOR_NO : ACCEPTOR_YES;
}

enum acceptor_answer acceptor__promise(struct acceptor *acceptor, uint64_t instance,
                                       struct ballot ballot)
{
    enum acceptor_answer answer = ballot_judge(acceptor, instance, ballot);
    if (answer == ACCEPTOR_YES)
        acceptor->promised = ballot;
    acceptor__check(acceptor);
    return answer;
}

enum acceptor_answer acceptor__accept(struct acceptor *acceptor, uint64_t instance,
                                      struct ballot ballot, struct slice value)
{
    ASSERT(value.len > 0 && value.len <= REGISTER_VALUE_BYTES);
    enum acceptor_answer answer = ballot_judge(acceptor, instance, ballot);
    if (answer != ACCEPTOR_YES)
        return answer;
    if (ballot__equal(ballot, acceptor->accepted))
        return slice_equal(value, buf_slice(&acceptor->value)) ? ACCEPTOR_YES : ACCEPTOR_SILENT;
    acceptor->promised = ballot;
    acceptor->accepted = ballot;
    buf_reset(&acceptor->value);
    buf_append_slice(&acceptor->value, value);
    acceptor__check(acceptor);
    return ACCEPTOR_YES;
}

static void ballot_encode(struct ballot ballot, struct buf *out)
{
    buf_u64(out, ballot.round);
    buf_u64(out, ballot.node);
}

void acceptor__log(const struct acceptor *acceptor, struct log *log)
{
    ASSERT(acceptor->instance > 0);
    ASSERT(ballot__is_sane(acceptor->promised));
    struct buf body = BUF_EMPTY;
    buf_u64(&body, acceptor->instance);
    ballot_encode(acceptor->promised, &body);
    ballot_encode(acceptor->accepted, &body);
    buf_append_slice(&body, buf_slice(&acceptor->value));
    log_append(log, RECORD_REGISTER, buf_slice(&body));
    buf_fini(&body);
}

static struct ballot ballot_read(struct read *in)
{
    uint64_t round = read_u64(in);
    return (struct ballot){round, read_u64(in)};
}

/* A record by itself: A2, A3. */
static bool state_is_sane(const struct acceptor *state, struct slice value)
{
    if (state->instance == 0 || !ballot__is_sane(state->promised))
        return false;
    if (value.len > REGISTER_VALUE_BYTES || ballot__below(state->promised, state->accepted))
        return false;
    if (value.len == 0)
        return state->accepted.round == 0 && state->accepted.node == 0;
    return ballot__is_sane(state->accepted);
}

/* A record after those before it: A1, A4. */
static bool state_follows(const struct acceptor *before, const struct acceptor *state,
                          struct slice value)
{
    if (state->instance != before->instance)
        return state->instance > before->instance;
    if (ballot__below(state->promised, before->promised) ||
        ballot__below(state->accepted, before->accepted))
        return false;
    return !ballot__equal(state->accepted, before->accepted) ||
           slice_equal(value, buf_slice(&before->value));
}

bool acceptor__replay(struct acceptor *acceptor, struct slice body)
{
    struct read in = read_of(body);
    struct acceptor state = {.instance = read_u64(&in), .value = BUF_EMPTY};
    state.promised = ballot_read(&in);
    state.accepted = ballot_read(&in);
    struct slice value = read_bytes(&in, read_left(&in));
    if (!read_done(&in) || !state_is_sane(&state, value) || !state_follows(acceptor, &state, value))
        return false;
    acceptor->instance = state.instance;
    acceptor->promised = state.promised;
    acceptor->accepted = state.accepted;
    buf_reset(&acceptor->value);
    buf_append_slice(&acceptor->value, value);
    acceptor__check(acceptor);
    return true;
}

void acceptor__check(const struct acceptor *acceptor)
{
    ASSERT(!ballot__below(acceptor->promised, acceptor->accepted));
    ASSERT((acceptor->accepted.round == 0) == (acceptor->value.len == 0));
    ASSERT(acceptor->instance > 0 || acceptor->promised.round == 0);
    ASSERT(acceptor->value.len <= REGISTER_VALUE_BYTES);
}
