/* register - one configuration for each epoch: single-decree Paxos.
 *
 * Does:   the proposer, and the messages of both roles; see register.h.
 * Not:    what an acceptor may promise and accept: acceptor.c.
 * Holds:  G1 to G4, by these rules:
 *         - every yes is logged and synced before it leaves, a repeated one too: what was replayed
 *           after a crash of the process may stand in the file cache only (G2);
 *         - a proposer promises itself each new ballot, also where it is not among those who are
 *           asked, and PREPARE leaves after that is synced. A restart goes above its own promise,
 *           so no ballot is used twice, and what is sent again is the same (G4);
 *         - the value of the highest acceptance seen is kept over the ballots of a proposal. It
 *           may have been seen in an earlier ballot and not be among the promises of this one.
 *           That is safe: whatever is decided below that acceptance has its value, and nothing was
 *           decided between it and this ballot, or the promises would show a higher one (G3).
 * Limits: -
 * See:    register.h; README.md for the state diagram.
 */
#include "cluster/acceptor.h"

/* Frames are sent again after this, twice as long after each time, up to the most. */
#define RESEND_MS_MIN 200U
#define RESEND_MS_MAX 3200U

/* Who lost to a higher ballot pauses up to this, twice as long after each loss, up to the most:
 * one of two rivals is then sooner or later alone for the time of two round trips. */
#define PAUSE_MS_MIN 20U
#define PAUSE_MS_MAX 1280U

#define DOUBLINGS_MAX 16U

void reg_init(struct reg *reg, uint64_t node_id, uint64_t seed)
{
    ASSERT(node_id != 0);
    *reg = (struct reg){.node_id = node_id};
    rng_init(&reg->rng, seed);
    reg_check(reg);
}

void reg_fini(struct reg *reg)
{
    acceptor__clear(&reg->acceptor);
    buf_fini(&reg->proposer.value);
    buf_fini(&reg->proposer.proposed);
    buf_fini(&reg->proposer.gives_way);
    reg->proposer = (struct proposer){.phase = PROPOSER_IDLE};
}

bool reg_replay(struct reg *reg, struct slice body)
{
    ASSERT(reg->proposer.phase == PROPOSER_IDLE);
    return acceptor__replay(&reg->acceptor, body);
}

void reg_checkpoint(const struct reg *reg, struct log *log)
{
    if (reg->acceptor.promised.round > 0)
        acceptor__log(&reg->acceptor, log);
}

/* What an answer or a ballot rests on. */
static void acceptor_keep(const struct reg *reg, struct reg_io *io)
{
    if (PLANTED(io->plant, ACCEPTOR_FORGETS))
        return;
    acceptor__log(&reg->acceptor, io->log);
    io->must_sync = true;
}

/* ---- The proposer ---- */

static uint64_t doubled(uint64_t least, uint32_t times, uint64_t most)
{
    ASSERT(least <= most);
    uint64_t value = least << (times < DOUBLINGS_MAX ? times : DOUBLINGS_MAX);
    return value < most ? value : most;
}

static void resend_schedule(struct proposer *proposer, uint64_t mono_ms)
{
    uint64_t gap_ms = doubled(RESEND_MS_MIN, proposer->resend_count, RESEND_MS_MAX);
    proposer->retry_ms = mono_ms + gap_ms;
    proposer->resend_count++;
}

static enum reg_result pause_begin(struct reg *reg, uint64_t round_seen, struct reg_io *io)
{
    struct proposer *proposer = &reg->proposer;
    ASSERT(proposer->phase == PROPOSER_PREPARING || proposer->phase == PROPOSER_ACCEPTING);
    if (round_seen > proposer->round_max)
        proposer->round_max = round_seen;
    uint64_t most_ms = doubled(PAUSE_MS_MIN, proposer->lost_count, PAUSE_MS_MAX);
    REACHED(io->metrics, BALLOT_PREEMPTED);
    proposer->retry_ms = io->mono_ms + rng_between(&reg->rng, 1, most_ms);
    proposer->lost_count++;
    proposer->phase = PROPOSER_PAUSING;
    return REG_NOTHING;
}

static enum reg_result proposal_end(struct proposer *proposer, bool decided)
{
    ASSERT(proposer->phase != PROPOSER_IDLE);
    proposer->phase = PROPOSER_IDLE;
    proposer->decided = decided;
    if (!decided)
        return REG_LOST;
    bool own = slice_equal(buf_slice(&proposer->value), buf_slice(&proposer->proposed));
    return own ? REG_DECIDED : REG_LOST;
}

/* Index among those who are asked, or acceptor_count. */
static uint32_t index_of(const struct proposer *proposer, uint64_t node_id)
{
    uint32_t index = 0;
    while (index < proposer->acceptor_count && proposer->acceptors[index] != node_id)
        index++;
    return index;
}

static uint32_t answers(const struct proposer *proposer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < proposer->acceptor_count; i++)
        count += proposer->answered[i];
    return count;
}

/* Ends an encoded frame and sends it to all who have not answered in this phase. */
static void frame_spread(const struct reg *reg, enum msg_type type, struct outbox *out)
{
    const struct proposer *proposer = &reg->proposer;
    bool first = true;
    for (uint32_t i = 0; i < proposer->acceptor_count; i++) {
        if (proposer->answered[i] || proposer->acceptors[i] == reg->node_id)
            continue;
        if (first)
            outbox_end(out, type, proposer->acceptors[i]);
        else
            outbox_also(out, proposer->acceptors[i]);
        first = false;
    }
    ASSERT(!first);
}

/* True when somebody but this node has yet to answer. */
static bool others_missing(const struct reg *reg)
{
    const struct proposer *proposer = &reg->proposer;
    for (uint32_t i = 0; i < proposer->acceptor_count; i++) {
        if (!proposer->answered[i] && proposer->acceptors[i] != reg->node_id)
            return true;
    }
    return false;
}

static void prepare_send(const struct reg *reg, struct outbox *out)
{
    const struct proposer *proposer = &reg->proposer;
    struct msg_prepare msg = {proposer->instance, proposer->ballot.round, proposer->ballot.node};
    if (!others_missing(reg))
        return;
    msg_prepare_encode(&msg, outbox_begin(out));
    frame_spread(reg, MSG_PREPARE, out);
}

static void accept_send(const struct reg *reg, struct outbox *out)
{
    const struct proposer *proposer = &reg->proposer;
    struct msg_accept msg = {proposer->instance, proposer->ballot.round, proposer->ballot.node,
                             buf_slice(&proposer->value)};
    if (!others_missing(reg))
        return;
    msg_accept_encode(&msg, outbox_begin(out));
    frame_spread(reg, MSG_ACCEPT, out);
}

static void phase_begin(struct reg *reg, enum proposer_phase phase, uint64_t mono_ms)
{
    struct proposer *proposer = &reg->proposer;
    proposer->phase = phase;
    memset(proposer->answered, 0, sizeof proposer->answered);
    proposer->resend_count = 0;
    resend_schedule(proposer, mono_ms);
}

/* Phase 2 (a quorum has promised): the own acceptor first, it may have gone to a rival. */
static enum reg_result accepting_begin(struct reg *reg, struct reg_io *io)
{
    struct proposer *proposer = &reg->proposer;
    phase_begin(reg, PROPOSER_ACCEPTING, io->mono_ms);
    uint32_t self = index_of(proposer, reg->node_id);
    if (self < proposer->acceptor_count) {
        if (acceptor__accept(&reg->acceptor, proposer->instance, proposer->ballot,
                             buf_slice(&proposer->value)) != ACCEPTOR_YES)
            return pause_begin(reg, reg->acceptor.promised.round, io);
        acceptor_keep(reg, io);
        proposer->answered[self] = true;
    }
    accept_send(reg, io->out);
    return answers(proposer) >= proposer->quorum ? proposal_end(proposer, true) : REG_NOTHING;
}

/* Whoever proposes does not take over what was accepted, if it begins as was said. */
static bool gives_way(const struct proposer *proposer, struct slice value)
{
    struct slice begin = buf_slice(&proposer->gives_way);
    return begin.len > 0 && value.len >= begin.len &&
           slice_equal(slice_of(value.ptr, begin.len), begin);
}

/* A promise, the own one included: what was accepted before by whoever made it. */
static enum reg_result promise_count(struct reg *reg, uint32_t index, struct ballot accepted,
                                     struct slice value, struct reg_io *io)
{
    struct proposer *proposer = &reg->proposer;
    ASSERT(proposer->phase == PROPOSER_PREPARING);
    ASSERT(index < proposer->acceptor_count);
    proposer->answered[index] = true;
    if (ballot__below(proposer->value_ballot, accepted) && !gives_way(proposer, value)) {
        REACHED(io->metrics, VALUE_ADOPTED);
        proposer->value_ballot = accepted;
        buf_reset(&proposer->value);
        buf_append_slice(&proposer->value, value);
    }
    return answers(proposer) >= proposer->quorum ? accepting_begin(reg, io) : REG_NOTHING;
}

/* Phase 1 of a new ballot. */
static enum reg_result try_begin(struct reg *reg, struct reg_io *io)
{
    struct proposer *proposer = &reg->proposer;
    struct acceptor *acceptor = &reg->acceptor;
    if (acceptor->instance == proposer->instance && acceptor->promised.round > proposer->round_max)
        proposer->round_max = acceptor->promised.round;
    if (proposer->round_max >= REGISTER_ROUND_MAX)
        return proposal_end(proposer, false);
    proposer->ballot = (struct ballot){++proposer->round_max, reg->node_id};
    phase_begin(reg, PROPOSER_PREPARING, io->mono_ms);
    if (acceptor__promise(acceptor, proposer->instance, proposer->ballot) != ACCEPTOR_YES)
        return proposal_end(proposer, false);
    acceptor_keep(reg, io);
    prepare_send(reg, io->out);
    uint32_t self = index_of(proposer, reg->node_id);
    if (self == proposer->acceptor_count)
        return REG_NOTHING;
    return promise_count(reg, self, acceptor->accepted, buf_slice(&acceptor->value), io);
}

static void proposal_set(struct reg *reg, uint64_t instance, struct slice value,
                         struct slice gives_way)
{
    struct proposer *proposer = &reg->proposer;
    /* The value may be the one that this proposer still holds. */
    struct buf copy = BUF_EMPTY;
    buf_append_slice(&copy, value);
    if (proposer->instance != instance)
        proposer->round_max = 0;
    proposer->instance = instance;
    proposer->ballot = (struct ballot){0};
    proposer->value_ballot = (struct ballot){0};
    proposer->decided = false;
    proposer->lost_count = 0;
    proposer->resend_count = 0;
    buf_reset(&proposer->value);
    buf_append_slice(&proposer->value, buf_slice(&copy));
    buf_fini(&proposer->proposed);
    proposer->proposed = buf_take(&copy);
    buf_reset(&proposer->gives_way);
    buf_append_slice(&proposer->gives_way, gives_way);
}

bool reg_propose(struct reg *reg, uint64_t instance, struct slice value, const uint64_t *acceptors,
                 uint32_t acceptor_count, uint32_t quorum, uint64_t give_up_ms, struct reg_io *io)
{
    ASSERT(instance > 0);
    ASSERT(value.len > 0 && value.len <= REGISTER_VALUE_BYTES);
    ASSERT(acceptor_count > 0 && acceptor_count <= LIMIT_MEMBERS);
    ASSERT(quorum <= acceptor_count && 2 * quorum > acceptor_count);
    struct proposer *proposer = &reg->proposer;
    if (proposer->phase != PROPOSER_IDLE || instance < reg->acceptor.instance)
        return false;
    proposal_set(reg, instance, value, io->gives_way);
    memcpy(proposer->acceptors, acceptors, acceptor_count * sizeof *acceptors);
    proposer->acceptor_count = acceptor_count;
    proposer->quorum = quorum;
    proposer->give_up_ms = give_up_ms;
    proposer->phase = PROPOSER_PAUSING;
    proposer->retry_ms = io->mono_ms;
    /* Alone it would decide right here, where nobody looks at results. */
    bool alone = acceptor_count == 1 && acceptors[0] == reg->node_id;
    if (!alone)
        try_begin(reg, io);
    reg_check(reg);
    return true;
}

void reg_abandon(struct reg *reg)
{
    reg->proposer.phase = PROPOSER_IDLE;
    reg_check(reg);
}

void reg_adopted(struct reg *reg, uint64_t instance)
{
    if (reg->proposer.instance <= instance)
        reg->proposer.phase = PROPOSER_IDLE;
    if (reg->acceptor.instance <= instance)
        acceptor__clear(&reg->acceptor);
    reg_check(reg);
}

bool reg_started(const struct reg *reg)
{
    return reg->acceptor.instance == 1 && reg->acceptor.accepted.round > 0;
}

uint64_t reg_instance(const struct reg *reg)
{
    return reg->acceptor.instance;
}

/* ---- Messages to the acceptor ---- */

/* A ballot is asked for by the one whose it is, and for the next epoch. */
static bool is_for_us(const struct reg *reg, uint64_t from, uint64_t epoch, uint64_t instance,
                      struct ballot ballot)
{
    return from == ballot.node && from != reg->node_id && ballot__is_sane(ballot) &&
           epoch < UINT64_MAX && instance == epoch + 1;
}

enum reg_result reg_prepare(struct reg *reg, uint64_t from, uint64_t epoch,
                            const struct msg_prepare *msg, struct reg_io *io)
{
    struct acceptor *acceptor = &reg->acceptor;
    struct ballot ballot = {msg->round, msg->node};
    if (!is_for_us(reg, from, epoch, msg->instance, ballot))
        return REG_NOTHING;
    struct msg_promise answer = {.instance = msg->instance, .round = msg->round, .node = msg->node};
    switch (acceptor__promise(acceptor, msg->instance, ballot)) {
    case ACCEPTOR_SILENT:
        return REG_NOTHING;
    case ACCEPTOR_NO:
        REACHED(io->metrics, ACCEPTOR_REFUSED);
        answer.accepted_round = acceptor->promised.round;
        answer.accepted_node = acceptor->promised.node;
        break;
    case ACCEPTOR_YES:
        acceptor_keep(reg, io);
        answer.granted = 1;
        answer.accepted_round = acceptor->accepted.round;
        answer.accepted_node = acceptor->accepted.node;
        answer.value = buf_slice(&acceptor->value);
        break;
    }
    outbox_promise(io->out, from, &answer);
    reg_check(reg);
    return REG_NOTHING;
}

static enum acceptor_answer accept_judge(struct acceptor *acceptor, const struct msg_accept *msg,
                                         struct ballot ballot, enum plant plant)
{
    struct ballot promised = acceptor->promised;
    bool blind = PLANTED(plant, ACCEPT_UNPROMISED) && acceptor->instance == msg->instance &&
                 ballot__below(ballot, promised);
    if (blind)
        acceptor->promised = ballot;
    enum acceptor_answer answer = acceptor__accept(acceptor, msg->instance, ballot, msg->value);
    if (blind)
        acceptor->promised = promised;
    return answer;
}

enum reg_result reg_accept(struct reg *reg, uint64_t from, uint64_t epoch,
                           const struct msg_accept *msg, struct reg_io *io)
{
    struct acceptor *acceptor = &reg->acceptor;
    struct ballot ballot = {msg->round, msg->node};
    if (!is_for_us(reg, from, epoch, msg->instance, ballot) || msg->value.len == 0 ||
        msg->value.len > REGISTER_VALUE_BYTES)
        return REG_NOTHING;
    struct msg_accepted answer = {
        .instance = msg->instance, .round = msg->round, .node = msg->node};
    switch (accept_judge(acceptor, msg, ballot, io->plant)) {
    case ACCEPTOR_SILENT:
        return REG_NOTHING;
    case ACCEPTOR_NO:
        REACHED(io->metrics, ACCEPTOR_REFUSED);
        break;
    case ACCEPTOR_YES:
        acceptor_keep(reg, io);
        answer.granted = 1;
        break;
    }
    answer.promised_round = acceptor->promised.round;
    answer.promised_node = acceptor->promised.node;
    outbox_accepted(io->out, from, &answer);
    reg_check(reg);
    return REG_NOTHING;
}

/* ---- Messages to the proposer ---- */

/* True when it answers what is asked now, by one who was asked. */
static bool is_awaited(const struct reg *reg, enum proposer_phase phase, uint64_t from,
                       uint64_t instance, struct ballot ballot, const struct reg_io *io)
{
    const struct proposer *proposer = &reg->proposer;
    bool same = ballot__equal(ballot, proposer->ballot) || PLANTED(io->plant, LATE_ANSWER_COUNTS);
    return proposer->phase == phase && instance == proposer->instance && same &&
           from != reg->node_id && index_of(proposer, from) < proposer->acceptor_count;
}

/* Somebody refused, having promised a higher ballot. */
static enum reg_result refusal(struct reg *reg, struct ballot promised, struct reg_io *io)
{
    if (!ballot__is_sane(promised) || !ballot__below(reg->proposer.ballot, promised))
        return REG_NOTHING;
    return pause_begin(reg, promised.round, io);
}

enum reg_result reg_promise(struct reg *reg, uint64_t from, const struct msg_promise *msg,
                            struct reg_io *io)
{
    struct ballot ballot = {msg->round, msg->node};
    struct ballot accepted = {msg->accepted_round, msg->accepted_node};
    if (!is_awaited(reg, PROPOSER_PREPARING, from, msg->instance, ballot, io))
        return REG_NOTHING;
    if (msg->granted == 0)
        return refusal(reg, accepted, io);
    bool nothing = accepted.round == 0 && accepted.node == 0 && msg->value.len == 0;
    bool something = ballot__is_sane(accepted) && ballot__below(accepted, ballot) &&
                     msg->value.len > 0 && msg->value.len <= REGISTER_VALUE_BYTES;
    if (!nothing && !something)
        return REG_NOTHING;
    uint32_t index = index_of(&reg->proposer, from);
    enum reg_result result = promise_count(reg, index, accepted, msg->value, io);
    reg_check(reg);
    return result;
}

enum reg_result reg_accepted(struct reg *reg, uint64_t from, const struct msg_accepted *msg,
                             struct reg_io *io)
{
    struct proposer *proposer = &reg->proposer;
    struct ballot ballot = {msg->round, msg->node};
    if (!is_awaited(reg, PROPOSER_ACCEPTING, from, msg->instance, ballot, io))
        return REG_NOTHING;
    if (msg->granted == 0)
        return refusal(reg, (struct ballot){msg->promised_round, msg->promised_node}, io);
    proposer->answered[index_of(proposer, from)] = true;
    enum reg_result result =
        answers(proposer) >= proposer->quorum ? proposal_end(proposer, true) : REG_NOTHING;
    reg_check(reg);
    return result;
}

/* ---- Time ---- */

enum reg_result reg_tick(struct reg *reg, struct reg_io *io)
{
    struct proposer *proposer = &reg->proposer;
    if (proposer->phase == PROPOSER_IDLE)
        return REG_NOTHING;
    if (io->mono_ms >= proposer->give_up_ms) {
        REACHED(io->metrics, PROPOSAL_GIVEN_UP);
        return proposal_end(proposer, false);
    }
    if (io->mono_ms < proposer->retry_ms)
        return REG_NOTHING;
    if (proposer->phase == PROPOSER_PAUSING) {
        enum reg_result result = try_begin(reg, io);
        reg_check(reg);
        return result;
    }
    /* The same frames again: they rest on the own promise as the first ones did. */
    REACHED(io->metrics, PROPOSAL_RESENT);
    acceptor_keep(reg, io);
    if (proposer->phase == PROPOSER_PREPARING)
        prepare_send(reg, io->out);
    else
        accept_send(reg, io->out);
    resend_schedule(proposer, io->mono_ms);
    reg_check(reg);
    return REG_NOTHING;
}

uint64_t reg_deadline_ms(const struct reg *reg)
{
    const struct proposer *proposer = &reg->proposer;
    if (proposer->phase == PROPOSER_IDLE)
        return UINT64_MAX;
    return proposer->retry_ms < proposer->give_up_ms ? proposer->retry_ms : proposer->give_up_ms;
}

void reg_check(const struct reg *reg)
{
    const struct proposer *proposer = &reg->proposer;
    ASSERT(reg->node_id != 0);
    acceptor__check(&reg->acceptor);
    if (proposer->phase == PROPOSER_IDLE)
        return;
    ASSERT(proposer->instance > 0);
    ASSERT(proposer->quorum <= proposer->acceptor_count);
    ASSERT(2 * proposer->quorum > proposer->acceptor_count);
    ASSERT(proposer->value.len > 0);
    ASSERT(proposer->ballot.round <= proposer->round_max);
    ASSERT(!proposer->decided);
    if (proposer->phase == PROPOSER_PAUSING)
        return;
    ASSERT(proposer->ballot.node == reg->node_id);
    ASSERT(ballot__below(proposer->value_ballot, proposer->ballot));
    ASSERT(answers(proposer) < proposer->quorum);
    /* G4 over a crash: the own acceptor knows of every ballot in use. */
    ASSERT(reg->acceptor.instance != proposer->instance ||
           !ballot__below(reg->acceptor.promised, proposer->ballot));
}
