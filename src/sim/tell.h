/* tell - what happens in a world, as a person would say it.
 *
 * Does:   a line for each thing that a node traces, a frame it sends, a request, an answer; with
 *         names: n0 a node, c3 a client, #12 a request, k5 a key, w59 a write, a2:30 the write of
 *         that number of an actor.
 * Not:    lines that faults and phases write themselves (story_say). The hash of the run (story.h).
 * Holds:  Z1 of story.h: nothing here changes anything.
 * Limits: reports and gossip only where they say something new.
 * See:    story.h; base/trace.def.
 */
#pragma once

#include "sim/client.h"

/* The first line: what the seed has drawn. */
void tell_world(struct world *world);

/* Who serves what, after the first start. */
void tell_shards(struct world *world);

void tell_trace(struct world *world, uint32_t node, const struct trace_event *event);

/* A node does not serve any more, and says why. */
void tell_away(struct world *world, uint32_t node, struct slice why);

/* A node sends a frame on one of its connections. */
void tell_frame(struct world *world, uint32_t node, uint64_t conn, struct slice bytes);

void tell_asked(struct world *world, const struct call *call);
void tell_answer(struct world *world, const struct call *call);
void tell_given_up(struct world *world, const struct call *call);
