/* base64url - bytes as text that needs no escaping in JSON, headers and URLs.
 *
 * Does:   RFC 4648 section 5 without padding, both ways, between buffers that the caller sized.
 * Not:    other alphabets; padding, white space and other leniency: one value has one text.
 * Holds:  U1 decoding accepts exactly what encoding writes.
 * Limits: -
 * See:    RFC 4648 section 5; section 3.5 for the unused bits of the last character.
 */
#pragma once

#include "base/base.h"

/* Characters for `bytes` bytes, and the most bytes that `chars` characters hold. */
#define BASE64URL_CHARS(bytes) (((bytes)*4 + 2) / 3)
#define BASE64URL_BYTES(chars) ((chars) / 4 * 3 + 2)

/* Writes BASE64URL_CHARS(bytes.len) characters to `to`. */
void causal__base64url_encode(struct slice bytes, uint8_t *to);

/* Writes at most BASE64URL_BYTES(text.len) bytes to `to` and their count to *len. False when
 * text is not what the encoder writes; then what `to` holds means nothing. */
bool causal__base64url_decode(struct slice text, uint8_t *to, size_t *len);
