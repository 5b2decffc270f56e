/* ctx - what a client has seen.
 *
 * Does:   see ctx.h.
 * Not:    -
 * Holds:  C1, C2.
 * Limits: LIMIT_VV_ENTRIES.
 * See:    ctx.h.
 */
#include "causal/ctx.h"

void ctx_init(struct ctx *ctx)
{
    ctx->lineage = 0;
    ctx->fence = 0;
    vv_init(&ctx->seen);
}

void ctx_copy(struct ctx *to, const struct ctx *from)
{
    to->lineage = from->lineage;
    to->fence = from->fence;
    vv_copy(&to->seen, &from->seen);
}

bool ctx_is_empty(const struct ctx *ctx)
{
    ASSERT(ctx->lineage != 0 || ctx->fence == 0);
    ASSERT(ctx->lineage != 0 || ctx->seen.count == 0);
    return ctx->lineage == 0;
}

bool ctx_merge(struct ctx *to, const struct ctx *from)
{
    ASSERT(to->lineage == 0 || from->lineage == 0 || to->lineage == from->lineage);
    if (!vv_merge(&to->seen, &from->seen))
        return false;
    if (to->lineage == 0)
        to->lineage = from->lineage;
    if (to->fence < from->fence)
        to->fence = from->fence;
    return true;
}

void ctx_check(const struct ctx *ctx)
{
    vv_check(&ctx->seen);
    ASSERT(ctx->lineage != 0 || ctx->fence == 0);
    ASSERT(ctx->lineage != 0 || ctx->seen.count == 0);
}
