/* past - what a client has seen, as the truth has it.
 *
 * Does:   see past.h.
 * Not:    -
 * Holds:  A1 is the callers'.
 * Limits: -
 * See:    past.h.
 */
#include "sim/past.h"

struct past *past_new(uint32_t keys)
{
    struct past *past = mem_zalloc(1, sizeof *past + keys * sizeof past->tops[0]);
    past->refs = 1;
    return past;
}

struct past *past_ref(struct past *past)
{
    past->refs++;
    return past;
}

void past_unref(struct past *past)
{
    if (past == NULL)
        return;
    ASSERT(past->refs > 0);
    if (--past->refs == 0)
        mem_free(past);
}

struct past *past_dup(const struct past *past, uint32_t keys)
{
    struct past *copy = mem_dup(past, sizeof *past + keys * sizeof past->tops[0]);
    copy->refs = 1;
    return copy;
}

static void raise_all(uint64_t to[ORACLE_ACTORS_MAX], const uint64_t from[ORACLE_ACTORS_MAX])
{
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        if (from[i] > to[i])
            to[i] = from[i];
    }
}

void past_raise_seqs(struct past *past, const uint64_t seqs[ORACLE_ACTORS_MAX])
{
    raise_all(past->seqs, seqs);
}

void past_raise_musts(struct past *past, const uint64_t musts[ORACLE_ACTORS_MAX])
{
    raise_all(past->musts, musts);
}
