/* ask - the request for the node that a head and a body make.
 *
 * Does:   contexts from body and headers, the value (JSON or raw), preferences, addresses of a
 *         change of the configuration -> struct request.
 * Not:    paths: route.h.
 * Holds:  A1 without a refusal, token_count <= LIMIT_TOKENS, no token is empty, no two tokens
 *         are the same, and value is within its limit; the key of a change names an address.
 * Limits: LIMIT_TOKENS, LIMIT_TOKEN_TEXT_BYTES, value_bytes_max.
 * See:    docs/api.md section 2; wire/version.h for the form of raw values.
 */
#pragma once

#include "http/route.h"

/* Content-Type is JSON, absent, or the one of forms, which curl -d says of any text. */
bool http_type_is_json(struct slice type);

/* What can be said about a body before it comes: 411, 415. */
void http_ask_check(const struct http_head *head, const struct http_route *route,
                    struct http_refusal *refusal);

/* Fills in all of *request but id and session. Its slices borrow from head, body and room (emptied
 * first). The bytes before the body are overwritten, when the value is stored raw: the body
 * lies in one piece with its head in front of it, and nothing that *request borrows is lost. */
void http_ask(const struct http_head *head, const struct http_route *route, struct slice body,
              const struct http_limits *limits, struct buf *room, struct request *request,
              struct http_refusal *refusal);
