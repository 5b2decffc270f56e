/* history - what clients did and saw, as lines that another program judges.
 *
 * Does:   see history.h.
 * Not:    -
 * Holds:  A1, A2.
 * Limits: -
 * See:    history.h.
 */
#include "sim/history.h"

#include "sim/client.h"

#define ULL unsigned long long

void history_fini(struct history *history)
{
    mem_free(history->lines);
    *history = (struct history){0};
}

static uint32_t new_chain(struct history *history)
{
    if (history->chain_count == history->chain_cap) {
        history->chain_cap = history->chain_cap == 0 ? 256 : history->chain_cap * 2;
        history->lines = mem_realloc(history->lines, history->chain_cap * sizeof history->lines[0]);
        if (history->chain_count == 0)
            history->chain_count = 1;
    }
    history->lines[history->chain_count] = 0;
    return history->chain_count++;
}

/* What the tokens of a call bring that the chain does not have. */
static void take_over(struct history *history, const struct call *call, uint32_t chain)
{
    for (uint32_t i = 0; i < call->token_count; i++) {
        struct origin origin = call->tokens[i]->origin;
        if (origin.chain == chain || origin.lines == 0)
            continue;
        fprintf(history->out, "c s%u %llu s%u %u\n", chain, (ULL)call->asked.started_us,
                origin.chain, origin.lines);
        history->lines[chain]++;
    }
}

/* True when the client brought all that its chain has seen. */
static bool goes_on(const struct history *history, const struct call *call, uint32_t chain)
{
    for (uint32_t i = 0; i < call->token_count; i++) {
        if (chain != 0 && call->tokens[i]->origin.chain == chain &&
            call->tokens[i]->origin.lines == history->lines[chain])
            return true;
    }
    return false;
}

enum happened { HAPPENED_NOT, HAPPENED, HAPPENED_PERHAPS };

static enum happened fate_of(const struct call *call)
{
    bool write = call->asked.op == OP_PUT || call->asked.op == OP_DELETE;
    if (call->refused || call->asked.op == OP_COUNT || op_changes_config(call->asked.op))
        return HAPPENED_NOT;
    if (call->lost || call->unknown)
        return write ? HAPPENED_PERHAPS : HAPPENED_NOT;
    return call->err == E_OK || call->err == E_KEY_MISSING ? HAPPENED : HAPPENED_NOT;
}

static void write_line(struct history *history, const struct call *call, uint64_t now_us,
                       uint32_t chain, enum happened fate)
{
    static const char *const fates[] = {"no", "ok", "unknown"};
    const struct asked *asked = &call->asked;
    bool missing = fate == HAPPENED && call->err == E_KEY_MISSING; /* also for a delete */
    char what = missing || asked->op == OP_GET ? 'r' : asked->op == OP_PUT ? 'w' : 'd';
    fprintf(history->out, "%c s%u %llu %llu k%u ", what, chain, (ULL)asked->started_us, (ULL)now_us,
            asked->key);
    if (missing)
        fputs("- ", history->out);
    else if (what == 'd')
        fprintf(history->out, "d%llu ", (ULL)call->number);
    else
        fprintf(history->out, "w%u ", what == 'r' ? call->found : asked->write);
    fprintf(history->out, "%s\n", fates[fate]);
    history->lines[chain]++;
}

struct origin history_call(struct history *history, const struct call *call, uint64_t now_us,
                           uint32_t *chain)
{
    if (history->out == NULL)
        return (struct origin){0, 0};
    enum happened fate = fate_of(call);
    if (call->answer == NULL && fate == HAPPENED_NOT)
        return (struct origin){0, 0};
    uint32_t at = *chain;
    if (!goes_on(history, call, at))
        at = new_chain(history);
    if (call->answer == NULL) /* what it brought stays with the client: a line beside the chain */
        at = at == *chain ? new_chain(history) : at;
    else
        *chain = at;
    take_over(history, call, at);
    if (fate != HAPPENED_NOT)
        write_line(history, call, now_us, at, fate);
    return (struct origin){at, history->lines[at]};
}

void history_final(struct history *history, uint32_t node, uint32_t key, uint32_t write)
{
    fprintf(history->out, "f n%u k%u ", node, key);
    if (write == 0)
        fputs("-\n", history->out);
    else
        fprintf(history->out, "w%u\n", write);
}
