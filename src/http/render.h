/* render - answers as bytes.
 *
 * Does:   replies of the node, refusals and answers of the server -> status line, headers, body.
 * Not:    order of answers: conn.c.
 * Holds:  N1 Content-Length is the length of the body that is (for HEAD: would be) there. N2 the
 *         Causal-Context header never names less than the request did: a client that takes it
 *         over loses nothing. Where nothing at all is known it is left out.
 * Limits: -
 * See:    docs/api.md section 2. There is no Date header: no clock here (RFC 9110 section 6.6.1).
 */
#pragma once

#include "http/conn.h"
#include "http/refusal.h"

/* What the request and its connection ask of the form of the answer. */
struct http_style {
    bool head;            /* HEAD: no body */
    bool close;           /* the last answer of the connection */
    bool keep_alive;      /* HTTP/1.0, and not the last: say so */
    bool bytes;           /* the value alone, not in a JSON object */
    bool bare;            /* the context in the header alone: clients compare the whole body */
    struct slice context; /* tokens that the request brought, joined by commas */
    uint32_t tokens;      /* how many those are */
};

/* Each appends one whole answer to out. scratch is emptied, and left with anything in it. */
void http_render_reply(const struct http_style *style, const struct reply *reply,
                       struct buf *scratch, struct buf *out);
void http_render_refusal(const struct http_style *style, const struct http_refusal *refusal,
                         struct buf *scratch, struct buf *out);
void http_render_response(const struct http_style *style, const struct http_response *response,
                          struct buf *out);
