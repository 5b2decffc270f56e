/* ctx - what a client has seen.
 *
 * Does:   lineage, fence and the version vector of what was read and written, over the open
 *         actors of all shards; merging.
 * Not:    text: that is the token (token.h). Deciding what is covered: that is replica/.
 * Holds:  C1 the vector holds V1 to V3. C2 a context that names dots or a fence names a lineage.
 * Limits: LIMIT_VV_ENTRIES.
 * See:    docs/protocol.md sections 1 and 3; Lloyd et al., "Don't settle for eventual" (COPS),
 *         2011, section 4.
 */
#pragma once

#include "causal/vv.h"

struct ctx {
    uint64_t lineage; /* of which history; 0: nothing seen yet */
    uint64_t fence;   /* greatest epoch of a fence seen */
    struct vv seen;   /* dots read or written, less what was stable */
};

void ctx_init(struct ctx *ctx);
void ctx_copy(struct ctx *to, const struct ctx *from);
bool ctx_is_empty(const struct ctx *ctx);

/* Union of two contexts of one lineage (or where either has none). Lineages of ancestors are
 * translated by the caller first. False when the union would exceed the limit; then to has
 * not changed. */
bool ctx_merge(struct ctx *to, const struct ctx *from);

void ctx_check(const struct ctx *ctx);
