/* chunk - undoes the chunked transfer coding, in place.
 *
 * Does:   takes a chunked body apart as its bytes come in and moves the data together.
 *         Extensions and trailers are read over.
 * Not:    other codings: head.h refuses them. Not llhttp's: version 8.1 takes LF and bare CR
 *         for the ends of lines here, which is what smuggling is made of.
 * Holds:  C1 the verdict and the data do not depend on how the bytes were cut. C2 no more data
 *         comes out than bytes went in.
 * Limits: CHUNK_EXTRA_BYTES_MAX for all extensions, and again for the trailers.
 * See:    RFC 9112 section 7.1; CVE-2024-22019 for the limit.
 */
#pragma once

#include "base/base.h"

#define CHUNK_EXTRA_BYTES_MAX 16384U

enum chunk_state {
    CHUNK_SIZE,       /* the first digit of a size */
    CHUNK_DIGITS,     /* more digits, an extension, or CR */
    CHUNK_EXTENSION,  /* read over until CR */
    CHUNK_SIZE_LF,    /* LF after the size */
    CHUNK_DATA,       /* `left` bytes */
    CHUNK_DATA_CR,    /* CR after the data */
    CHUNK_DATA_LF,    /* LF after that */
    CHUNK_LINE,       /* the start of a trailer, or CR of the end */
    CHUNK_TRAILER,    /* read over until CR */
    CHUNK_TRAILER_LF, /* LF after that */
    CHUNK_END_LF,     /* the last LF */
};

struct http_chunks {
    enum chunk_state state; /* what comes next */
    uint64_t left;          /* of the chunk's data; while its size is read: the size so far */
    uint32_t extra;         /* bytes of extensions, later of trailers, so far */
};

enum chunk_result {
    CHUNKS_MORE, /* all was taken; more is needed */
    CHUNKS_DONE, /* the body ends here */
    CHUNKS_SIZE, /* a chunk of `left` bytes begins: the caller may object; then call again */
    CHUNKS_BAD,  /* *why says what is wrong */
};

/* Reads from bytes[*from], up to len; writes data to bytes[*to], *to <= *from. Both move on. With
 * `drop` no data is written. */
enum chunk_result http_chunks_step(struct http_chunks *chunks, uint8_t *bytes, size_t len,
                                   size_t *from, size_t *to, bool drop, const char **why);
