/* assert - checks for bugs, on in every build.
 *
 * Does:   ASSERT(cond) stops the process when a bug is found; MAYBE(cond) says that both
 *         outcomes are legal, so that a reader does not mistake silence for a promise.
 * Not:    a way to handle bad input. Never assert on what a peer, a client, the disk or the
 *         clock can influence: those are errors (err.h) or outcomes (enums).
 * Holds:  -
 * Limits: one condition each, no side effects inside.
 * See:    docs/architecture.md, "Memory, errors, assertions".
 */
#pragma once

/* A program that can print defines this (it is weak: the core prints nothing), so that a failed
 * assertion leaves a line behind. Called once, just before abort. */
__attribute__((weak)) void assert_report(const char *what, const char *file, int line);

/* Reports, where somebody can, and aborts. `what` is the text of the condition. */
_Noreturn void assert_failed(const char *what, const char *file, int line);

#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(#cond, __FILE__, __LINE__))

#define MAYBE(cond) ((void)(cond))

#define UNREACHABLE() assert_failed("unreachable", __FILE__, __LINE__)
