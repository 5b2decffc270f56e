/* version - one value of one key, as bytes that are made once.
 *
 * Does:   the body of a version record: encode by its writer, and a view of it that borrows.
 *         The same bytes and checksum are log record, peer record and the replica's log record.
 * Not:    conflict resolution: version_newer says which of two wins, the table applies it.
 *         What is in a value: its form says it, the wire carries it (a VALUE_RAW may be cut
 *         short: whoever takes it apart looks).
 * Holds:  W1 what version_decode accepts has: a dot in use; a known form; deps ascending by
 *         actor without zeroes; a key of 1 to LIMIT_KEY_BYTES; a tombstone has no value; no
 *         bytes left over. W2 it is what version_encode makes of the result, byte for byte.
 * Limits: LIMIT_KEY_BYTES, LIMIT_VALUE_BYTES, LIMIT_VV_ENTRIES dependencies, LIMIT_SEQ for the
 *         dot and each of them.
 * See:    docs/protocol.md sections 1 and 3.4; record.h for the frame around it.
 *
 * Body, little-endian:
 *   offset size  meaning
 *   0      4     actor
 *   4      8     seq
 *   12     8     HLC
 *   20     1     form (enum value_form)
 *   21     1     0
 *   22     2     count of dependencies
 *   24     2     key length
 *   26     2     0
 *   28     4     value length
 *   32     12*n  dependencies: actor 4, seq 8; ascending by actor
 *   .      .     key, then value
 */
#pragma once

#include "placement/placement.h"

#define VERSION_HEAD_BYTES 32U
#define VERSION_DEP_BYTES 12U

enum value_form {
    VALUE_JSON = 1,      /* the bytes of one JSON value, exactly as they came */
    VALUE_RAW = 2,       /* content type length (1 byte), content type, bytes */
    VALUE_TOMBSTONE = 3, /* deleted; no value */
};

struct version {
    struct dot dot;       /* its name */
    uint64_t hlc;         /* its time; of two versions the greater (hlc, actor) wins */
    enum value_form form; /* what value means */
    struct slice deps;    /* encoded dependencies, VERSION_DEP_BYTES each; borrowed */
    struct slice key;     /* borrowed */
    struct slice value;   /* borrowed; empty for a tombstone */
};

/* Bytes that version_encode appends. */
size_t version_size(const struct version *version);

/* Appends the body, in one piece. version must hold W1 (who takes key and value from a client or
 * a peer has checked them), and must not borrow from out. */
void version_encode(const struct version *version, struct buf *out);

/* A view into body, or false when it is not what version_encode writes; then *version is
 * undefined. */
bool version_decode(struct slice body, struct version *version);

/* One of the removals in the body of RECORD_ABSENT: the version that went, without form, value and
 * dependencies. As bytes: actor 4, seq 8, HLC 8, key length 2, key. The key borrows; false when
 * the next bytes make no sense. */
void version_absent_encode(const struct version *gone, struct buf *out);
bool version_absent_decode(struct read *in, struct version *gone);

/* True when a wins over b: (hlc, actor) greater. Equal dots: neither wins. */
bool version_newer(const struct version *a, const struct version *b);

/* Dependencies as bytes <-> vector. The slices are those of version_decode or deps_encode: a
 * length that is no multiple of VERSION_DEP_BYTES is a bug. index < deps_count. */
void deps_encode(const struct vv *deps, struct buf *out);
uint32_t deps_count(struct slice deps);
struct dot deps_at(struct slice deps, uint32_t index);

/* Raises to by every dependency; false when to is full (to is then partly raised). */
bool deps_merge_into(struct slice deps, struct vv *to);
