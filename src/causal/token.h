/* token - a context as text that clients carry, the causal-metadata.
 *
 * Does:   ctx -> base64url text with a format version and a MAC, and back.
 * Not:    judging lineage or fence: the node does. Merging of several: ctx_merge.
 * Holds:  T1 what token_encode wrote, token_decode reads back equal. T2 text that token_encode
 *         did not write under this key is refused, whatever single or multiple byte differs;
 *         one context has one text.
 * Limits: LIMIT_TOKEN_TEXT_BYTES.
 * See:    docs/api.md section 2; docs/protocol.md section 3.2; RFC 4648 section 5 (no padding).
 *
 * Bytes before base64url, all integers little-endian or LEB128:
 *   offset size  meaning
 *   0      1     format version, TOKEN_FORMAT
 *   1      8     lineage
 *   9      var   fence, LEB128
 *   .      var   count of entries, LEB128
 *   .      var   each: actor minus the previous actor, LEB128; seq, LEB128
 *   .      8     SipHash-2-4 of all bytes before
 * Every format version keeps the first byte, the lineage and the MAC where they are: so garbage
 * and foreign tokens are told from those of a newer version.
 */
#pragma once

#include "causal/ctx.h"
#include "causal/siphash.h"

#define TOKEN_FORMAT 1U

enum token_result {
    TOKEN_OK,      /* ctx is filled in */
    TOKEN_BAD,     /* not base64url, cut, altered, or of another key */
    TOKEN_VERSION, /* given out under this key, in a format version that this code does not know */
};

/* Appends the text of ctx, which holds C1 and C2 (asserted), to out. */
void token_encode(const struct ctx *ctx, const struct siphash_key *key, struct buf *out);

/* Reads text. Only with TOKEN_OK has *ctx been changed. Empty text is TOKEN_BAD: the caller
 * knows "nothing seen yet" before it asks. The MAC comparison takes the same time wherever the
 * difference is. */
enum token_result token_decode(struct slice text, const struct siphash_key *key, struct ctx *ctx);

/* The lineage named in text, without checking the MAC, so that a token of an unrelated cluster
 * (whose key is another) can be told from garbage. False when text is not even shaped like a
 * token. */
bool token_peek_lineage(struct slice text, uint64_t *lineage);
