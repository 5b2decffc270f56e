/* shell - events in, effects out: one node on one loop.
 *
 * Does:   turns what the loop brings (frames, requests, time, finished syncs) into events, calls
 *         node_step, carries its effects out; one commit and one write a connection and turn.
 * Not:    deciding anything; signals (main.c); options (options.h).
 * Holds:  W1 the node is never stepped from inside a step. W2 the effects of a step are carried
 *         out, in order, before the next one. W3 every turn that stepped ends with TURN_END,
 *         before the loop waits. W4 what a turn produced is written after its commit, so that
 *         nothing leaves before what it rests on is in the log (S3, I6).
 * Limits: -
 * See:    docs/architecture.md "The step"; node/node.h.
 *
 *     prepare  ->  (loop waits)  ->  callbacks: frames, bytes, syncs  ->  check  ->  ...
 *     turn end                                                            turn end
 */
#pragma once

#include "server/options.h"

struct uv_loop_s;
struct shell;

#define SHELL_STOP_MS 5000U  /* a node that has not stopped after it is given up */
#define SHELL_LINGER_MS 200U /* clients may take their last answers for so long */

/* options and logger are borrowed and outlive the shell. */
struct shell *shell_new(struct uv_loop_s *loop, const struct options *options,
                        struct logger *logger);

/* Locks the data directory, recovers, listens. False: a sentence without full stop in why; then
 * the loop must run until it has nothing left, and shell_free. */
bool shell_start(struct shell *shell, struct buf *why);

/* Stops cleanly: the loop has nothing left when that is done. */
void shell_stop(struct shell *shell);

/* 0 after a clean stop. */
int shell_exit_code(const struct shell *shell);

/* The port that it listens on. */
uint16_t shell_port(const struct shell *shell);

/* After the loop has nothing left. */
void shell_free(struct shell *shell);
