/* answer - takes the answers of a node out of the bytes that come.
 *
 * Does:   status line, the headers that matter here, the body by its length.
 * Not:    chunked bodies and bodies that end with the connection: no node sends them. What a
 *         proxy makes of an answer is refused as malformed rather than guessed at.
 * Holds:  A1 the verdict depends on the bytes alone, not on how they were cut. A2 nothing is
 *         read beyond the answer.
 * Limits: ANSWER_HEAD_BYTES_MAX; the caller's for the body.
 * See:    RFC 9112.
 */
#pragma once

#include "base/base.h"

#define ANSWER_HEAD_BYTES_MAX 65536U

enum answer_result {
    ANSWER_MORE, /* all is well so far */
    ANSWER_DONE, /* a whole answer */
    ANSWER_BAD,  /* this is no answer; *why says what is wrong */
};

struct answer_head {
    int status;             /* 100 … 599 */
    struct slice type;      /* content type; borrowed, like the rest */
    struct slice context;   /* Causal-Context; several are taken as none: ids are what was sent */
    struct slice body;      /* the body */
    uint64_t retry_after_s; /* Retry-After in seconds; UINT64_MAX: not there */
    bool close;             /* the connection ends here */
    size_t bytes;           /* of head and body together */
};

/* Looks for an answer at the start of bytes; `head_only`: it answers a HEAD request. *seen is how
 * far the caller has looked before (0 at first); it saves looking twice. Interim answers (1xx) are
 * answers of their own here. */
enum answer_result client__answer_parse(struct slice bytes, bool head_only, size_t body_bytes_max,
                                        size_t *seen, struct answer_head *out, const char **why);
