/* refusal - why a request is answered without asking anybody.
 *
 * Does:   what the error answer of a request needs.
 * Not:    errors of the node: struct reply.
 * Holds:  F1 status 0 means: not refused.
 * Limits: -
 * See:    render.h.
 */
#pragma once

#include "base/base.h"

struct http_refusal {
    int status;           /* 400 … 599; 0: none */
    bool close;           /* where the next request starts is not known: the connection must end */
    const char *sentence; /* static; what was wrong */
    const char *detail;   /* static; a clause more, or NULL */
    size_t offset;        /* of the byte in the body where it was noticed, with a detail */
    const char *allow;    /* methods for the Allow header of a 405, or NULL */
    struct slice subject; /* what the sentence is about, told after it; borrowed until it is
                             rendered; empty: the request */
};

/* Sets it, unless something was noticed before. */
static inline void http_refuse(struct http_refusal *refusal, int status, const char *sentence)
{
    if (refusal->status == 0)
        *refusal = (struct http_refusal){.status = status, .sentence = sentence};
}

/* The same where the framing is broken: that counts before all that is not. */
static inline void http_refuse_close(struct http_refusal *refusal, int status, const char *sentence)
{
    if (refusal->status == 0 || !refusal->close)
        *refusal = (struct http_refusal){.status = status, .close = true, .sentence = sentence};
}

/* The same of one thing that the request names. */
static inline void http_refuse_about(struct http_refusal *refusal, int status, const char *sentence,
                                     struct slice subject)
{
    if (refusal->status == 0)
        *refusal =
            (struct http_refusal){.status = status, .sentence = sentence, .subject = subject};
}

static inline void http_refuse_err(struct http_refusal *refusal, enum err err)
{
    http_refuse(refusal, err_http_status(err), err_sentence(err));
}
