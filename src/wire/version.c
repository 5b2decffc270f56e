/* version - one value of one key, as bytes that are made once.
 *
 * Does:   see version.h.
 * Not:    -
 * Holds:  as version.h.
 * Limits: -
 * See:    version.h.
 */
#include "wire/version.h"

static bool form_is_known(uint8_t form)
{
    return form >= VALUE_JSON && form <= VALUE_TOMBSTONE;
}

size_t version_size(const struct version *version)
{
    ASSERT(version->deps.len % VERSION_DEP_BYTES == 0);
    return VERSION_HEAD_BYTES + version->deps.len + version->key.len + version->value.len;
}

void version_encode(const struct version *version, struct buf *out)
{
    ASSERT(version->dot.actor > 0);
    ASSERT(version->dot.seq > 0 && version->dot.seq <= LIMIT_SEQ);
    ASSERT(form_is_known((uint8_t)version->form));
    ASSERT(version->deps.len <= LIMIT_VV_ENTRIES * VERSION_DEP_BYTES);
    ASSERT(version->key.len > 0 && version->key.len <= LIMIT_KEY_BYTES);
    ASSERT(version->value.len <= LIMIT_VALUE_BYTES);
    ASSERT(version->form != VALUE_TOMBSTONE || version->value.len == 0);
    uint8_t *at = buf_grow(out, version_size(version));
    at = le_store_u32(at, version->dot.actor);
    at = le_store_u64(at, version->dot.seq);
    at = le_store_u64(at, version->hlc);
    at = le_store_u8(at, (uint8_t)version->form);
    at = le_store_u8(at, 0);
    at = le_store_u16(at, (uint16_t)(version->deps.len / VERSION_DEP_BYTES));
    at = le_store_u16(at, (uint16_t)version->key.len);
    at = le_store_u16(at, 0);
    at = le_store_u32(at, (uint32_t)version->value.len);
    at = le_store_slice(at, version->deps);
    at = le_store_slice(at, version->key);
    le_store_slice(at, version->value);
}

static struct dot dep_load(const uint8_t *at)
{
    return (struct dot){le_load_u32(at), le_load_u64(at + 4)};
}

static bool deps_are_valid(struct slice deps)
{
    uint32_t last = 0;
    for (size_t at = 0; at < deps.len; at += VERSION_DEP_BYTES) {
        struct dot dep = dep_load(deps.ptr + at);
        if (dep.actor <= last || dep.seq == 0 || dep.seq > LIMIT_SEQ)
            return false;
        last = dep.actor;
    }
    return true;
}

bool version_decode(struct slice body, struct version *version)
{
    if (body.len < VERSION_HEAD_BYTES)
        return false;
    const uint8_t *head = body.ptr;
    size_t deps = (size_t)le_load_u16(head + 22) * VERSION_DEP_BYTES;
    size_t key = le_load_u16(head + 24);
    size_t value = le_load_u32(head + 28);
    if (head[21] != 0 || le_load_u16(head + 26) != 0 || !form_is_known(head[20]))
        return false;
    if (deps > LIMIT_VV_ENTRIES * VERSION_DEP_BYTES || key == 0 || key > LIMIT_KEY_BYTES ||
        value > LIMIT_VALUE_BYTES || body.len != VERSION_HEAD_BYTES + deps + key + value)
        return false;
    version->dot = dep_load(head);
    version->hlc = le_load_u64(head + 12);
    version->form = (enum value_form)head[20];
    version->deps = slice_of(head + VERSION_HEAD_BYTES, deps);
    version->key = slice_of(version->deps.ptr + deps, key);
    version->value = slice_of(version->key.ptr + key, value);
    if (version->dot.actor == 0 || version->dot.seq == 0 || version->dot.seq > LIMIT_SEQ)
        return false;
    if (version->hlc > LIMIT_HLC)
        return false; /* or a later write of the key would have no greater time to get */
    if (version->form == VALUE_TOMBSTONE && value > 0)
        return false;
    return deps_are_valid(version->deps);
}

void version_absent_encode(const struct version *gone, struct buf *out)
{
    ASSERT(gone->key.len > 0 && gone->key.len <= LIMIT_KEY_BYTES);
    buf_u32(out, gone->dot.actor);
    buf_u64(out, gone->dot.seq);
    buf_u64(out, gone->hlc);
    buf_u16(out, (uint16_t)gone->key.len);
    buf_append_slice(out, gone->key);
}

bool version_absent_decode(struct read *in, struct version *gone)
{
    *gone = (struct version){.dot.actor = read_u32(in)};
    gone->dot.seq = read_u64(in);
    gone->hlc = read_u64(in);
    gone->key = read_bytes(in, read_u16(in));
    return read_ok(in) && gone->key.len > 0;
}

bool version_newer(const struct version *a, const struct version *b)
{
    if (a->hlc != b->hlc)
        return a->hlc > b->hlc;
    return a->dot.actor > b->dot.actor;
}

void deps_encode(const struct vv *deps, struct buf *out)
{
    ASSERT(deps->count <= LIMIT_VV_ENTRIES);
    uint8_t *at = buf_grow(out, (size_t)deps->count * VERSION_DEP_BYTES);
    for (uint32_t i = 0; i < deps->count; i++) {
        at = le_store_u32(at, deps->entries[i].actor);
        at = le_store_u64(at, deps->entries[i].seq);
    }
}

uint32_t deps_count(struct slice deps)
{
    ASSERT(deps.len % VERSION_DEP_BYTES == 0);
    ASSERT(deps.len <= LIMIT_VV_ENTRIES * VERSION_DEP_BYTES);
    return (uint32_t)(deps.len / VERSION_DEP_BYTES);
}

struct dot deps_at(struct slice deps, uint32_t index)
{
    ASSERT(index < deps_count(deps));
    return dep_load(deps.ptr + (size_t)index * VERSION_DEP_BYTES);
}

bool deps_merge_into(struct slice deps, struct vv *to)
{
    uint32_t count = deps_count(deps);
    for (uint32_t i = 0; i < count; i++) {
        struct dot dep = deps_at(deps, i);
        if (!vv_raise(to, dep.actor, dep.seq))
            return false;
    }
    return true;
}
