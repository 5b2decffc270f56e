/* head - request line and headers, taken apart by llhttp.
 *
 * Does:   one whole head (as http_guard_scan found it) -> method, target, framing of the body, and
 *         those headers that mean something here.
 * Not:    finding its end (guard.h), paths (route.h), bodies (conn.c, chunk.h).
 * Holds:  D1 a head that llhttp ends elsewhere than the guard is refused. D2 at most one of
 *         chunked and has_length. D3 tokens are not empty.
 * Limits: LIMIT_TOKENS contexts, HEAD_TYPE_BYTES_MAX.
 * See:    RFC 9110, RFC 9112; RFC 7240 for Prefer.
 */
#pragma once

#include "http/conn.h"
#include "http/refusal.h"

/* One byte of length goes with the stored type (wire/version.h). */
#define HEAD_TYPE_BYTES_MAX 255U

enum http_method { METHOD_GET, METHOD_HEAD, METHOD_PUT, METHOD_DELETE, METHOD_OTHER };

struct http_head {
    enum http_method method;           /* METHOD_OTHER: known to HTTP, not to us */
    struct slice target;               /* as it came; borrowed, like all slices here */
    bool minor_0;                      /* HTTP/1.0 */
    bool keep_alive;                   /* the connection may serve another request */
    bool chunked;                      /* the body is chunked */
    bool has_length;                   /* Content-Length was given */
    uint64_t length;                   /* it; else 0 */
    bool expect;                       /* Expect: 100-continue */
    bool encoded;                      /* Content-Encoding other than identity */
    bool accept_json;                  /* Accept lists application/json */
    bool accept_bytes;                 /* Accept lists application/octet-stream */
    bool respond_async;                /* Prefer: respond-async */
    uint32_t copies;                   /* Prefer: copies=; 0: not given */
    uint32_t wait_ms;                  /* Prefer: wait=, or REQUEST_WAIT_DEFAULT */
    uint32_t token_count;              /* in use */
    struct slice tokens[LIMIT_TOKENS]; /* of Causal-Context, in order */
    struct slice type;                 /* Content-Type; empty: not given */
    struct http_refusal refusal;       /* why the request is not carried out; status 0: it is */
};

/* head ends in its empty line. With a refusal that closes, only the refusal means anything. */
void http_head_parse(struct slice head, struct http_head *out);
