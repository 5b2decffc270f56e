/* route - which call a method and a path are.
 *
 * Does:   the paths of docs/api.md sections 2 to 4; keys are percent-decoded.
 * Not:    bodies and headers: ask.h.
 * Holds:  P1 without a refusal, kind is not HTTP_NONE, or openapi is set. P2 a key is not empty
 *         and within its limit.
 * Limits: key_bytes_max.
 * See:    docs/api.md; RFC 9112 section 3.2 for the forms of targets, RFC 3986 for escapes.
 */
#pragma once

#include "http/head.h"

struct http_route {
    enum http_call_kind kind;    /* what; HTTP_NODE with op */
    enum op op;                  /* of HTTP_NODE */
    bool openapi;                /* the description of the API: answered here */
    bool takes_body;             /* a body means something; else it is dropped */
    uint32_t shard_id;           /* of OP_COUNT, OP_SHARD_ADD and HTTP_SHARD_MEMBERS */
    struct slice key;            /* decoded; borrowed from the target or from room */
    struct http_refusal refusal; /* why not; status 0: none */
};

/* room: for a key with escapes; emptied first. */
void http_route_find(enum http_method method, struct slice target, const struct http_limits *limits,
                     struct buf *room, struct http_route *out);
