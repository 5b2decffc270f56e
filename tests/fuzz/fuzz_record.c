/* fuzz_record - bytes from a disk, or from a DATA frame.
 *
 * Does:   takes them as the body of one version; scans them as records, and each body as a
 *         version; then scans them again with heads and sums put right, so that the fuzzer gets
 *         behind the checksums.
 * Not:    segments and recovery (store).
 * Holds:  what is accepted holds W1 and re-encodes to the same bytes; a cut record is never
 *         DAMAGED.
 * Limits: -
 * See:    src/wire/record.h, src/wire/version.h.
 */
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_deps(struct slice deps)
{
    struct vv vv;
    vv_init(&vv);
    ASSERT(deps_merge_into(deps, &vv));
    vv_check(&vv);
    ASSERT(vv.count == deps_count(deps));
    struct buf again = BUF_EMPTY;
    deps_encode(&vv, &again);
    ASSERT(slice_equal(buf_slice(&again), deps));
    buf_fini(&again);
}

static void take_version(struct slice body)
{
    struct version version;
    if (!version_decode(body, &version))
        return;
    ASSERT(version.dot.actor > 0);
    ASSERT(version.dot.seq > 0 && version.dot.seq <= LIMIT_SEQ);
    ASSERT(version.key.len > 0 && version.key.len <= LIMIT_KEY_BYTES);
    ASSERT(version.form != VALUE_TOMBSTONE || version.value.len == 0);
    ASSERT(!version_newer(&version, &version));
    check_deps(version.deps);
    struct buf again = BUF_EMPTY;
    version_encode(&version, &again);
    ASSERT(slice_equal(buf_slice(&again), body));
    buf_fini(&again);
}

static void check_cuts(const struct record *record)
{
    struct record none;
    size_t most = record->whole.len < 128 ? record->whole.len : 128;
    for (size_t len = 0; len < most; len++)
        ASSERT(record_decode(slice_of(record->whole.ptr, len), &none) == RECORD_INCOMPLETE);
}

static void scan(struct slice log)
{
    struct record record;
    while (record_decode(log, &record) == RECORD_OK) {
        ASSERT(record.whole.ptr == log.ptr && record.whole.len <= log.len);
        ASSERT(record.whole.len == record_size(record.body.len));
        struct buf again = BUF_EMPTY;
        record_encode(record.kind, record.body, &again);
        ASSERT(slice_equal(buf_slice(&again), record.whole));
        buf_fini(&again);
        check_cuts(&record);
        take_version(record.body);
        log = slice_of(log.ptr + record.whole.len, log.len - record.whole.len);
    }
}

/* Lengths (as far as they fit), kinds and bodies as they are; the rest put right. Every record
 * must be found again. */
static void scan_repaired(struct slice bytes)
{
    struct buf log = BUF_EMPTY;
    struct read in = read_of(bytes);
    size_t count = 0;
    while (read_left(&in) >= RECORD_HEAD_BYTES) {
        size_t len = read_u32(&in);
        uint8_t kind = read_u8(&in);
        read_bytes(&in, RECORD_HEAD_BYTES - 5);
        if (len > read_left(&in))
            len = read_left(&in);
        size_t begin = record_begin(&log);
        buf_append_slice(&log, read_bytes(&in, len));
        record_end((enum record_kind)(kind > 0 ? kind : RECORD_ARRIVAL), begin, &log);
        size_t pad = record_size(len) - RECORD_HEAD_BYTES - len;
        read_bytes(&in, pad < read_left(&in) ? pad : read_left(&in));
        count++;
    }
    scan(buf_slice(&log));
    struct slice left = buf_slice(&log);
    struct record record;
    for (; record_decode(left, &record) == RECORD_OK; count--)
        left = slice_of(left.ptr + record.whole.len, left.len - record.whole.len);
    ASSERT(count == 0);
    ASSERT(left.len == 0);
    buf_fini(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of(data, size);
    take_version(bytes);
    scan(bytes);
    scan_repaired(bytes);
    return 0;
}
