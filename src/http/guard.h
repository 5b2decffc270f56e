/* guard - looks at the head of a request before the parser does.
 *
 * Does:   finds the end of a head (request line and headers) as its bytes come in, counts
 *         against the limits, and refuses what parsers have been fooled with: bare CR, bare LF,
 *         NUL and other control characters, folded lines, request lines of other shapes.
 * Not:    the meaning of anything: head.h.
 * Holds:  G1 each byte is looked at once, however it was cut. G2 the verdict depends on the bytes
 *         alone: of several faults the first one counts. G3 what is DONE ends in an empty line,
 *         every line of it ends in CRLF, no CR, LF or control character but HT stands elsewhere,
 *         and the name of every header is a token.
 * Limits: struct http_limits.
 * See:    CVE-2023-30589 and CVE-2024-27982 (llhttp 8.1 lets bare CR and folds through);
 *         RFC 9112 sections 2.2, 3 and 5.2.
 */
#pragma once

#include "http/conn.h"
#include "http/refusal.h"

/* Method, version and blanks of a request line: what it may be longer than its target. */
#define GUARD_LINE_EXTRA 40U

struct http_guard {
    size_t at;         /* bytes of the head looked at */
    size_t line_start; /* where the present line starts */
    uint32_t lines;    /* whole lines so far, the request line included */
};

enum guard_result {
    GUARD_MORE,    /* good so far: more bytes are needed */
    GUARD_DONE,    /* guard->at is the length of the head, its empty line included */
    GUARD_REFUSED, /* *refusal says why */
};

/* head: all bytes from the start of the message, those of earlier calls included. */
enum guard_result http_guard_scan(struct http_guard *guard, struct slice head,
                                  const struct http_limits *limits, struct http_refusal *refusal);
