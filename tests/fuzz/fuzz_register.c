/* fuzz_register - bodies of RECORD_REGISTER from a disk, and messages from peers after them.
 *
 * Does:   replays pieces of the input (length 1, body) as records; then hands the rest, piece by
 *         piece, to both roles of the register as messages of every kind.
 * Not:    the frame around records and messages (fuzz_record, fuzz_frame, fuzz_msg).
 * Holds:  what was accepted holds G2's order and is written again as the same bytes; nothing that
 *         a disk or a peer says is a failed assertion.
 * Limits: bodies of up to 255 bytes.
 * See:    src/cluster/register.h.
 */
#include "cluster/cluster.h"

#define SELF 9U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
    struct reg reg;
    struct outbox out;
    struct log *log;
    struct reg_io io;
};

/* Looks at what the last call logged: the body of the last RECORD_REGISTER, if there is one, is
 * borrowed until the next call. */
static struct slice logged(struct bench *bench)
{
    struct slice last = SLICE_EMPTY;
    if (!log_pending(bench->log))
        return last;
    struct log_batch batch;
    log_take(bench->log, &batch);
    struct record record;
    for (struct slice rest = batch.bytes; record_decode(rest, &record) == RECORD_OK;
         rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len)) {
        if (record.kind == RECORD_REGISTER)
            last = record.body;
    }
    return last;
}

static bool not_below(struct ballot a, struct ballot b)
{
    return a.round > b.round || (a.round == b.round && a.node >= b.node);
}

static void replay(struct bench *bench, struct slice body)
{
    uint64_t instance = bench->reg.acceptor.instance;
    struct ballot promised = bench->reg.acceptor.promised;
    if (!reg_replay(&bench->reg, body)) {
        ASSERT(bench->reg.acceptor.instance == instance);
        ASSERT(bench->reg.acceptor.promised.round == promised.round);
        return;
    }
    reg_check(&bench->reg);
    ASSERT(bench->reg.acceptor.instance >= instance);
    ASSERT(bench->reg.acceptor.instance > instance ||
           not_below(bench->reg.acceptor.promised, promised));
    reg_checkpoint(&bench->reg, bench->log);
    ASSERT(slice_equal(logged(bench), body));
}

/* Whatever a step logs can be replayed after what there was before. */
static void check_step(struct bench *bench, struct reg *shadow)
{
    struct slice body = logged(bench);
    ASSERT(!bench->io.must_sync || body.len > 0);
    if (body.len > 0)
        ASSERT(reg_replay(shadow, body));
    outbox_reset(&bench->out);
    bench->io.must_sync = false;
    reg_check(&bench->reg);
}

static void message(struct bench *bench, uint8_t kind, struct slice body)
{
    struct reg *reg = &bench->reg;
    struct msg_prepare prepare;
    struct msg_promise promise;
    struct msg_accept accept;
    struct msg_accepted accepted;
    uint64_t from = 5U + (kind >> 4) % 4U;
    uint64_t epoch = reg->acceptor.instance > 0 ? reg->acceptor.instance - 1 : 0;
    switch (kind % 5U) {
    case 0:
        if (msg_prepare_decode(body, &prepare))
            reg_prepare(reg, prepare.node, epoch, &prepare, &bench->io);
        break;
    case 1:
        if (msg_promise_decode(body, &promise))
            reg_promise(reg, from, &promise, &bench->io);
        break;
    case 2:
        if (msg_accept_decode(body, &accept))
            reg_accept(reg, accept.node, epoch, &accept, &bench->io);
        break;
    case 3:
        if (msg_accepted_decode(body, &accepted))
            reg_accepted(reg, from, &accepted, &bench->io);
        break;
    default:
        bench->io.mono_ms += body.len * 16U;
        reg_tick(reg, &bench->io);
        break;
    }
}

static struct slice piece(struct read *in)
{
    size_t len = read_u8(in);
    return read_bytes(in, len < read_left(in) ? len : read_left(in));
}

static void propose(struct bench *bench)
{
    static const uint64_t acceptors[] = {SELF, 5, 6};
    uint64_t instance = bench->reg.acceptor.instance > 0 ? bench->reg.acceptor.instance : 1;
    bool begun =
        reg_propose(&bench->reg, instance, SLICE_LIT("value"), acceptors, 3, 2, 60000, &bench->io);
    ASSERT(begun);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct read in = read_of(slice_of(data, size));
    struct bench bench = {.log = log_new()};
    struct reg shadow;
    reg_init(&bench.reg, SELF, 1);
    reg_init(&shadow, SELF, 1);
    outbox_init(&bench.out);
    bench.io =
        (struct reg_io){.out = &bench.out, .log = bench.log, .must_sync = false, .mono_ms = 1000};
    for (uint8_t count = read_u8(&in) % 8U; count > 0; count--) {
        struct slice body = piece(&in);
        replay(&bench, body);
        reg_replay(&shadow, body);
    }
    propose(&bench);
    check_step(&bench, &shadow);
    while (read_left(&in) > 0) {
        uint8_t kind = read_u8(&in);
        message(&bench, kind, piece(&in));
        check_step(&bench, &shadow);
    }
    reg_fini(&bench.reg);
    reg_fini(&shadow);
    outbox_fini(&bench.out);
    log_free(bench.log);
    return 0;
}
