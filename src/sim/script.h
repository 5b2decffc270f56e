/* script - a scenario as lines of text: who does what, and what must come of it.
 *
 * Does:   runs a calm world by a script; prints each answer; complains where an expectation is
 *         not met or the oracle finds anything.
 * Not:    chance: beyond what a calm world needs, nothing is drawn.
 * Holds:  the same script gives the same lines.
 * Limits: SCRIPT_SESSIONS_MAX sessions, keys k0 to k31, nodes n0 to n6.
 * See:    tests/scenario/; docs/protocol.md section 9 for the traps.
 *
 * One command a line; `#` begins a comment.
 *   world NODES SHARDS [os|disk] [KNOB=VALUE …]   first: what there is; it starts and serves
 *   NAME put|get|delete nN kN [two]   a client asks a node ("two": Prefer: copies=2)
 *   NAME puts nN kA kB                a put of each key from kA to kB, one after the other
 *   size BYTES                        of the values that are put from now on
 *   NAME takes NAME                   from now on it brings the other's token too
 *   NAME forgets                      it has seen nothing
 *   = TEXT                            the last answer must be TEXT; w1, w2 … count all writes,
 *                                     deletes too, in the order of their coming about
 *   people list|remove|force|recover nN nA…   an operator asks nN to list nA, to take those named
 *                                     off the list (by force), to go on without them
 *   people place nN nA SHARD          ... to put nA into a shard
 *   people reshard nN COUNT           ... for so many shards; nobody waits for the answer
 *   people cancel nN                  ... to move no more slots
 *   epoch nN                          it proposes an epoch in which nothing changes
 *   cut nA nB | cut nA all | heal     links
 *   slow nA nB MS                     what nA sends to nB takes so much longer, until `heal`
 *   crash nN | start nN | pause nN | resume nN
 *   power nN [traceless]              its disk keeps some of what was not synced, or nothing
 *   clock nN MS                       its wall clock steps
 *   disk nN MS                        it is slow for so long
 *   wait MS                           time passes
 *   settle                            until all replicas agree, 10 s at most; checks them
 */
#pragma once

#include "sim/world.h"

#define SCRIPT_SESSIONS_MAX 8U

/* Runs the text; prints to out. True when every expectation was met. */
bool script_run(struct slice text, enum plant plant, FILE *story, FILE *out);
