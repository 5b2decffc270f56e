/* acceptor - one node's half of Paxos that must not forget.
 *
 * Does:   promises and acceptances as changes of struct acceptor; RECORD_REGISTER: encoding and
 *         replay.
 * Not:    messages, and who is asked: register.c. Of no use outside this folder.
 * Holds:  A1 promised never goes back within an instance, nor does the instance. A2 accepted is
 *         not above promised. A3 value is empty exactly when nothing is accepted. A4 of one
 *         ballot one value is accepted.
 * Limits: REGISTER_VALUE_BYTES, REGISTER_ROUND_MAX.
 * See:    register.h (G2); Lamport, "Paxos made simple", 2001, section 2.2 (P1a).
 */
#pragma once

#include "cluster/register.h"

enum acceptor_answer {
    ACCEPTOR_YES,    /* granted: to be logged and synced before the answer leaves */
    ACCEPTOR_NO,     /* a higher ballot was promised: acceptor->promised */
    ACCEPTOR_SILENT, /* of an instance that is over, or makes no sense: no answer */
};

/* Total order of ballots: round, then node. */
bool ballot__below(struct ballot a, struct ballot b);
bool ballot__equal(struct ballot a, struct ballot b);

/* True when it may be a proposer's: not 0, not above REGISTER_ROUND_MAX, of somebody. */
bool ballot__is_sane(struct ballot ballot);

/* Phase 1 and phase 2. A later instance than the acceptor's replaces it. */
enum acceptor_answer acceptor__promise(struct acceptor *acceptor, uint64_t instance,
                                       struct ballot ballot);
enum acceptor_answer acceptor__accept(struct acceptor *acceptor, uint64_t instance,
                                      struct ballot ballot, struct slice value);

/* Forgets everything. */
void acceptor__clear(struct acceptor *acceptor);

/* Appends the whole state. Only when there is one. */
void acceptor__log(const struct acceptor *acceptor, struct log *log);

/* Takes the state of a record. False, and nothing changed, when it makes no sense by itself or
 * after what was replayed before. */
bool acceptor__replay(struct acceptor *acceptor, struct slice body);

/* Asserts A2 and A3. */
void acceptor__check(const struct acceptor *acceptor);
