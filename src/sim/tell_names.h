/* tell_names - names in a story; between tell.c and tell_frame.c.
 *
 * Does:   prints who and what: see tell.h.
 * Not:    lines.
 * Holds:  -
 * Limits: -
 * See:    tell.h.
 */
#pragma once

#include "sim/tell.h"

/* What began with story_begin goes on here. */
void tell__node_id(struct world *world, uint64_t node_id); /* n3, or the end of another id */
void tell__dot(struct world *world, struct dot dot);       /* a2:30 (w59) */
void tell__key(struct world *world, struct slice key);     /* k5 */
void tell__seqs(struct world *world, const uint64_t seqs[ORACLE_ACTORS_MAX]); /* a1:5 a2:30 */
void tell__vv(struct world *world, const struct vv *vv);                      /* the same */
void tell__text(struct world *world, struct slice text); /* addresses as names */
