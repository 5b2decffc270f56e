/* chunk - undoes the chunked transfer coding, in place.
 *
 * Does:   see chunk.h.
 * Not:    -
 * Holds:  C1, C2.
 * Limits: -
 * See:    chunk.h.
 */
#include "http/chunk.h"

static enum chunk_result bad(const char **why, const char *sentence)
{
    *why = sentence;
    return CHUNKS_BAD;
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* A digit of the size, or what follows the last one. */
static enum chunk_result take_digit(struct http_chunks *chunks, uint8_t byte, const char **why)
{
    int digit = hex_value(byte);
    if (digit >= 0) {
        if (chunks->left > UINT64_MAX >> 4)
            return bad(why, "A chunk size is too large");
        chunks->left = chunks->left << 4 | (uint64_t)digit;
        chunks->state = CHUNK_DIGITS;
        return CHUNKS_MORE;
    }
    if (chunks->state == CHUNK_SIZE || (byte != '\r' && byte != ';'))
        return bad(why, "A chunk size is malformed");
    chunks->state = byte == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return CHUNKS_MORE;
}

/* A byte of an extension or of a trailer, until CR. */
static enum chunk_result take_extra(struct http_chunks *chunks, uint8_t byte, const char **why)
{
    if (byte == '\r') {
        chunks->state = chunks->state == CHUNK_EXTENSION ? CHUNK_SIZE_LF : CHUNK_TRAILER_LF;
        return CHUNKS_MORE;
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
        return bad(why, "A control character stands between the chunks of the body");
    if (++chunks->extra > CHUNK_EXTRA_BYTES_MAX)
        return bad(why, "The extensions or trailers of the chunked body are too large");
    return CHUNKS_MORE;
}

/* The LF after a size: data, or the trailers. */
static enum chunk_result take_size(struct http_chunks *chunks)
{
    chunks->state = chunks->left > 0 ? CHUNK_DATA : CHUNK_LINE;
    if (chunks->left > 0)
        return CHUNKS_SIZE;
    chunks->extra = 0;
    return CHUNKS_MORE;
}

/* The first byte of a line after the last chunk. */
static enum chunk_result take_line(struct http_chunks *chunks, uint8_t byte, const char **why)
{
    if (byte == '\r') {
        chunks->state = CHUNK_END_LF;
        return CHUNKS_MORE;
    }
    if (byte == ' ' || byte == '\t')
        return bad(why, "A trailer line is folded");
    chunks->state = CHUNK_TRAILER;
    return take_extra(chunks, byte, why);
}

static enum chunk_result take_byte(struct http_chunks *chunks, uint8_t byte, const char **why)
{
    switch (chunks->state) {
    case CHUNK_SIZE:
    case CHUNK_DIGITS:
        return take_digit(chunks, byte, why);
    case CHUNK_EXTENSION:
    case CHUNK_TRAILER:
        return take_extra(chunks, byte, why);
    case CHUNK_LINE:
        return take_line(chunks, byte, why);
    case CHUNK_DATA_CR:
        chunks->state = CHUNK_DATA_LF;
        return byte == '\r' ? CHUNKS_MORE : bad(why, "A chunk is longer than its size says");
    case CHUNK_SIZE_LF:
    case CHUNK_DATA_LF:
    case CHUNK_TRAILER_LF:
    case CHUNK_END_LF:
        break;
    case CHUNK_DATA:
        UNREACHABLE();
    }
    if (byte != '\n')
        return bad(why, "A CR stands without its LF between the chunks of the body");
    if (chunks->state == CHUNK_SIZE_LF)
        return take_size(chunks);
    if (chunks->state == CHUNK_END_LF)
        return CHUNKS_DONE;
    chunks->state = chunks->state == CHUNK_DATA_LF ? CHUNK_SIZE : CHUNK_LINE;
    return CHUNKS_MORE;
}

enum chunk_result http_chunks_step(struct http_chunks *chunks, uint8_t *bytes, size_t len,
                                   size_t *from, size_t *to, bool drop, const char **why)
{
    ASSERT(*from <= len);
    ASSERT(*to <= *from);
    while (*from < len) {
        if (chunks->state != CHUNK_DATA) {
            enum chunk_result result = take_byte(chunks, bytes[(*from)++], why);
            if (result != CHUNKS_MORE)
                return result;
            continue;
        }
        size_t count = len - *from < chunks->left ? len - *from : (size_t)chunks->left;
        if (!drop) {
            memmove(bytes + *to, bytes + *from, count);
            *to += count;
        }
        *from += count;
        chunks->left -= count;
        if (chunks->left == 0)
            chunks->state = CHUNK_DATA_CR;
    }
    return CHUNKS_MORE;
}
