/* table - the state of a node: the current version of every key.
 *
 * Does:   see table.h. Ties index (by key), lists (by dot), slab and dependencies together.
 * Not:    -
 * Holds:  B1 to B5.
 * Limits: see table.h; SLAB_CHUNKS_MAX.
 * See:    table.h; README.md.
 */
#include "store/table.h"

#include "store/table_actor.h"
#include "store/table_deps.h"
#include "store/table_index.h"

/* One version: 28 bytes, key, value. Its dependencies are named by its note in the slab. */
struct entry {
    uint64_t hlc;           /* its time */
    uint64_t dot;           /* actor index 16 bits, seq 48 bits */
    uint32_t lengths_low;   /* lengths: form 2 bits, has dependencies 1, key length 14, */
    uint32_t position_low;  /* value length 27, mark 2; position: of its log record / 8 */
    uint16_t lengths_high;  /* upper bits of lengths */
    uint16_t position_high; /* upper bits of position */
    uint8_t bytes[];        /* key, then value */
};

#define ENTRY_BYTES offsetof(struct entry, bytes)
#define FORM_MASK 3U
#define DEPS_BIT 4U
#define KEY_SHIFT 3U
#define KEY_MASK 0x3fffU
#define VALUE_SHIFT 17U
#define VALUE_BYTES_MAX ((UINT32_C(1) << 27) - 1)
#define MARK_SHIFT 14U /* of lengths_high */
#define MARK_MASK 3U

static_assert(ENTRY_BYTES == 28, "no padding");
static_assert(LIMIT_KEY_BYTES <= KEY_MASK, "a key length fits");
static_assert(LIMIT_VALUE_BYTES <= VALUE_BYTES_MAX, "a value length fits");
static_assert(TABLE_SENT <= MARK_MASK, "a mark fits");
static_assert(VALUE_TOMBSTONE <= FORM_MASK, "a form fits");
static_assert(LIMIT_SEQ == (UINT64_C(1) << 48) - 1, "a seq fits beside an actor index");

struct table {
    uint64_t seed;                    /* of the hash of keys */
    struct slab slab;                 /* versions and dependencies */
    struct actors actors;             /* lists and cursors */
    struct deps deps;                 /* interned dependencies */
    struct index_pool pool;           /* what the indexes share */
    struct index *slots;              /* LIMIT_SLOTS of them */
    uint64_t live;                    /* versions with a value */
    uint64_t tombstones;              /* versions without */
    uint64_t stony[LIMIT_SLOTS / 64]; /* slots that have tombstones, as bits */
    uint64_t log_bytes;               /* what a checkpoint would write */
    uint64_t marks;                   /* versions that are marked */
    enum plant plant;                 /* PLANT build only: the active planted bug */
};

static struct entry *entry_at(const struct table *table, table_ref ref)
{
    return slab__at(&table->slab, ref);
}

static uint64_t lengths_of(const struct entry *entry)
{
    return (uint64_t)entry->lengths_high << 32 | entry->lengths_low;
}

static enum value_form form_of(const struct entry *entry)
{
    return (enum value_form)(entry->lengths_low & FORM_MASK);
}

static uint32_t key_len(const struct entry *entry)
{
    return entry->lengths_low >> KEY_SHIFT & KEY_MASK;
}

static uint32_t value_len(const struct entry *entry)
{
    return (uint32_t)(lengths_of(entry) >> VALUE_SHIFT) & VALUE_BYTES_MAX;
}

static struct slice key_of(const struct entry *entry)
{
    return slice_of(entry->bytes, key_len(entry));
}

static uint64_t seq_of(const struct entry *entry)
{
    return entry->dot & LIMIT_SEQ;
}

static uint32_t actor_index_of(const struct entry *entry)
{
    return (uint32_t)(entry->dot >> 48);
}

static struct dot dot_of(const struct table *table, const struct entry *entry)
{
    uint32_t actor = table->actors.all[actor_index_of(entry)].id;
    return (struct dot){.actor = actor, .seq = seq_of(entry)};
}

static struct slice deps_of(const struct table *table, table_ref ref)
{
    if ((entry_at(table, ref)->lengths_low & DEPS_BIT) == 0)
        return SLICE_EMPTY;
    return deps__bytes(&table->slab, slab__note(&table->slab, ref));
}

/* What a checkpoint writes for it. */
static uint64_t record_bytes(const struct table *table, table_ref ref)
{
    const struct entry *entry = entry_at(table, ref);
    return record_size((size_t)VERSION_HEAD_BYTES + deps_of(table, ref).len + key_len(entry) +
                       value_len(entry));
}

static uint64_t pool_hash(const void *arg, uint32_t ref)
{
    const struct table *table = arg;
    return hash_seeded(key_of(entry_at(table, ref)), table->seed);
}

static void pool_fetch(const void *arg, uint32_t ref)
{
    const struct table *table = arg;
    const uint8_t *entry = slab__at(&table->slab, ref);
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + 63);
}

struct table *table_new(uint64_t seed)
{
    struct table *table = mem_zalloc(1, sizeof *table);
    table->seed = seed;
    slab__init(&table->slab);
    table->slots = mem_zalloc(LIMIT_SLOTS, sizeof *table->slots);
    table->pool.hash = pool_hash;
    table->pool.fetch = pool_fetch;
    table->pool.table = table;
    return table;
}

void table_plant(struct table *table, enum plant plant)
{
    table->plant = plant;
    table->actors.plant = plant;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++)
        index__fini(&table->slots[slot], &table->pool);
    ASSERT(table->pool.bytes == 0);
    actors__fini(&table->actors);
    deps__fini(&table->deps);
    slab__fini(&table->slab);
    mem_free(table->slots);
    mem_free(table);
}

/* --- by key ------------------------------------------------------------------------------ */

/* Where in the index the ref of key stands, or NULL. */
static uint32_t *place_find(const struct table *table, uint32_t slot, uint64_t hash,
                            struct slice key)
{
    struct index_probe probe;
    uint32_t place = 0;
    index__probe(&table->slots[slot], hash, &probe);
    while (index__probe_next(&probe, &place)) {
        uint32_t *at = &probe.refs[place];
        if (slice_equal(key_of(entry_at(table, *at)), key))
            return at;
    }
    return NULL;
}

table_ref table_find(const struct table *table, uint32_t slot, struct slice key)
{
    ASSERT(slot < LIMIT_SLOTS);
    if (table->slots[slot].parts == NULL)
        return 0;
    const uint32_t *at = place_find(table, slot, hash_seeded(key, table->seed), key);
    return at == NULL ? 0 : *at;
}

void table_view(const struct table *table, table_ref ref, struct version *version)
{
    ASSERT(ref != 0);
    const struct entry *entry = entry_at(table, ref);
    *version = (struct version){
        .dot = dot_of(table, entry),
        .hlc = entry->hlc,
        .form = form_of(entry),
        .deps = deps_of(table, ref),
        .key = key_of(entry),
        .value = slice_of(entry->bytes + key_len(entry), value_len(entry)),
    };
}

struct dot table_dot(const struct table *table, table_ref ref)
{
    ASSERT(ref != 0);
    return dot_of(table, entry_at(table, ref));
}

uint64_t table_hlc(const struct table *table, table_ref ref)
{
    ASSERT(ref != 0);
    return entry_at(table, ref)->hlc;
}

uint32_t table_slot(const struct table *table, table_ref ref)
{
    ASSERT(ref != 0);
    return slot_of(key_of(entry_at(table, ref)));
}

uint64_t table_position(const struct table *table, table_ref ref)
{
    ASSERT(ref != 0);
    const struct entry *entry = entry_at(table, ref);
    return ((uint64_t)entry->position_high << 32 | entry->position_low) * 8;
}

/* --- changes ----------------------------------------------------------------------------- */

static void deps_attach(struct table *table, table_ref ref, struct slice deps)
{
    if (deps.len == 0)
        return;
    slab__set_note(&table->slab, ref, deps__intern(&table->deps, &table->slab, deps));
    entry_at(table, ref)->lengths_low |= DEPS_BIT;
}

static void deps_detach(struct table *table, table_ref ref)
{
    struct entry *entry = entry_at(table, ref);
    if ((entry->lengths_low & DEPS_BIT) == 0)
        return;
    deps__release(&table->deps, &table->slab, slab__note(&table->slab, ref));
    slab__set_note(&table->slab, ref, 0);
    entry->lengths_low &= ~DEPS_BIT;
}

static void note_stony(struct table *table, const struct index *index)
{
    size_t slot = (size_t)(index - table->slots);
    uint64_t bit = UINT64_C(1) << (slot % 64);
    if (index->tombstones > 0)
        table->stony[slot / 64] |= bit;
    else
        table->stony[slot / 64] &= ~bit;
}

static void count(struct table *table, struct index *index, const struct entry *entry, bool more)
{
    enum value_form form = form_of(entry);
    uint32_t *of_slot = form == VALUE_TOMBSTONE ? &index->tombstones : &index->live;
    uint64_t *of_all = form == VALUE_TOMBSTONE ? &table->tombstones : &table->live;
    uint64_t bytes = form == VALUE_TOMBSTONE ? 0 : (uint64_t)key_len(entry) + value_len(entry);
    ASSERT(more || (*of_slot > 0 && index->bytes >= bytes));
    *of_slot = more ? *of_slot + 1 : *of_slot - 1;
    *of_all = more ? *of_all + 1 : *of_all - 1;
    index->bytes = more ? index->bytes + bytes : index->bytes - bytes;
    if (form == VALUE_TOMBSTONE && !PLANTED(table->plant, STONES_UNNOTED))
        note_stony(table, index);
}

/* A copy of version that is in no index yet. */
static table_ref entry_new(struct table *table, struct index *index, const struct version *version,
                           uint64_t position)
{
    table_ref ref = slab__alloc(&table->slab, ENTRY_BYTES + version->key.len + version->value.len);
    struct entry *entry = entry_at(table, ref);
    uint32_t actor = actors__take(&table->actors, version->dot.actor);
    uint64_t lengths = (uint64_t)version->value.len << VALUE_SHIFT |
                       (uint64_t)version->key.len << KEY_SHIFT | (uint64_t)version->form;
    entry->hlc = version->hlc;
    entry->dot = (uint64_t)actor << 48 | version->dot.seq;
    entry->lengths_low = (uint32_t)lengths;
    entry->lengths_high = (uint16_t)(lengths >> 32);
    entry->position_low = (uint32_t)(position / 8);
    entry->position_high = (uint16_t)(position / 8 >> 32);
    memcpy(entry->bytes, version->key.ptr, version->key.len);
    if (version->value.len > 0)
        memcpy(entry->bytes + version->key.len, version->value.ptr, version->value.len);
    deps_attach(table, ref, version->deps);
    actors__insert(&table->actors, actor, version->dot.seq, ref);
    count(table, index, entry, true);
    table->log_bytes += record_bytes(table, ref);
    return ref;
}

/* Frees a version that is in no index any more. */
static void entry_free(struct table *table, struct index *index, table_ref ref)
{
    const struct entry *entry = entry_at(table, ref);
    table_mark(table, ref, TABLE_UNMARKED);
    table->log_bytes -= record_bytes(table, ref);
    count(table, index, entry, false);
    actors__remove(&table->actors, actor_index_of(entry), seq_of(entry), ref);
    deps_detach(table, ref);
    slab__free(&table->slab, ref);
}

enum table_mark table_mark_of(const struct table *table, table_ref ref)
{
    ASSERT(ref != 0);
    return (enum table_mark)(entry_at(table, ref)->lengths_high >> MARK_SHIFT & MARK_MASK);
}

void table_mark(struct table *table, table_ref ref, enum table_mark mark)
{
    struct entry *entry = entry_at(table, ref);
    if (table_mark_of(table, ref) != TABLE_UNMARKED) {
        ASSERT(table->marks > 0);
        table->marks--;
    }
    table->marks += mark != TABLE_UNMARKED;
    uint32_t others = entry->lengths_high & ~(MARK_MASK << MARK_SHIFT);
    entry->lengths_high = (uint16_t)(others | (uint32_t)mark << MARK_SHIFT);
}

uint64_t table_marks(const struct table *table)
{
    return table->marks;
}

static void version_assert(const struct version *version, uint64_t position)
{
    ASSERT(version->dot.actor > 0);
    ASSERT(version->dot.seq > 0);
    ASSERT(version->dot.seq <= LIMIT_SEQ);
    ASSERT(version->key.len > 0);
    ASSERT(version->key.len <= LIMIT_KEY_BYTES);
    ASSERT(version->value.len <= VALUE_BYTES_MAX);
    ASSERT(version->form >= VALUE_JSON);
    ASSERT(version->form <= VALUE_TOMBSTONE);
    ASSERT(version->deps.len % VERSION_DEP_BYTES == 0);
    ASSERT(position % 8 == 0);
    ASSERT(position < UINT64_C(1) << 51);
}

enum table_put_result table_put(struct table *table, uint32_t slot, const struct version *version,
                                uint64_t position)
{
    ASSERT(slot < LIMIT_SLOTS);
    version_assert(version, position);
    struct index *index = &table->slots[slot];
    uint64_t hash = hash_seeded(version->key, table->seed);
    uint32_t *place = place_find(table, slot, hash, version->key);
    if (place == NULL) {
        table_ref ref = entry_new(table, index, version, position);
        index__insert(index, &table->pool, hash, ref);
        return TABLE_CREATED;
    }
    table_ref old = *place;
    const struct entry *entry = entry_at(table, old);
    struct version stands = {.dot = dot_of(table, entry), .hlc = entry->hlc};
    bool newer = version_newer(version, &stands);
    if (PLANTED(table->plant, LAST_ARRIVAL_WINS))
        newer = !dot_equal(version->dot, stands.dot);
    if (!newer)
        return TABLE_OLDER;
    bool live = form_of(entry) != VALUE_TOMBSTONE;
    /* The new one first: version may borrow from the old one. */
    *place = entry_new(table, index, version, position);
    entry_free(table, index, old);
    return live ? TABLE_REPLACED : TABLE_CREATED;
}

void table_remove(struct table *table, table_ref ref)
{
    ASSERT(ref != 0);
    uint32_t slot = table_slot(table, ref);
    struct index *index = &table->slots[slot];
    index__remove(index, &table->pool, pool_hash(table, ref), ref);
    entry_free(table, index, ref);
    if (index->live == 0 && index->tombstones == 0)
        index__fini(index, &table->pool);
}

bool table_replay_absent(struct table *table, struct slice body)
{
    struct read in = read_of(body);
    while (read_left(&in) > 0) {
        struct version gone;
        struct version stands;
        if (!version_absent_decode(&in, &gone))
            return false;
        table_ref ref = table_find(table, slot_of(gone.key), gone.key);
        if (ref == 0)
            continue;
        table_view(table, ref, &stands);
        if (!version_newer(&stands, &gone))
            table_remove(table, ref);
    }
    return true;
}

void table_trim_deps(struct table *table, table_ref ref, struct slice deps)
{
    ASSERT(ref != 0);
    ASSERT(deps.len % VERSION_DEP_BYTES == 0);
    ASSERT(deps.len <= deps_of(table, ref).len);
    if (slice_equal(deps, deps_of(table, ref)))
        return;
    table->log_bytes -= record_bytes(table, ref);
    uint32_t old = slab__note(&table->slab, ref);
    if (deps.len > 0) {
        /* Released last: deps may borrow from it. */
        slab__set_note(&table->slab, ref, deps__intern(&table->deps, &table->slab, deps));
        deps__release(&table->deps, &table->slab, old);
    } else {
        deps_detach(table, ref);
    }
    table->log_bytes += record_bytes(table, ref);
}

table_ref table_next_with_deps(const struct table *table, uint64_t *state)
{
    return slab__next_noted(&table->slab, state);
}

/* --- counts ------------------------------------------------------------------------------ */

uint64_t table_deps_count(const struct table *table)
{
    return table->slab.noted;
}

uint64_t table_live(const struct table *table)
{
    return table->live;
}

uint64_t table_tombstones(const struct table *table)
{
    return table->tombstones;
}

uint32_t table_slot_live(const struct table *table, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    return table->slots[slot].live;
}

uint64_t table_slot_bytes(const struct table *table, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    return table->slots[slot].bytes;
}

uint32_t table_slot_tombstones(const struct table *table, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    return table->slots[slot].tombstones;
}

uint32_t table_way_to_tombstones(const struct table *table, uint32_t slot, uint32_t most)
{
    ASSERT(slot < LIMIT_SLOTS);
    for (uint32_t way = 1; way <= most;) {
        uint32_t at = (slot + way) % LIMIT_SLOTS;
        uint64_t word = table->stony[at / 64] >> (at % 64);
        uint32_t near = word != 0 ? (uint32_t)__builtin_ctzll(word) : 64 - at % 64;
        if (word != 0 && way + near <= most)
            return way + near;
        way += near;
    }
    return most;
}

uint64_t table_memory_bytes(const struct table *table)
{
    return table->slab.used_bytes + table->pool.bytes + table->deps.bytes + table->actors.bytes;
}

uint64_t table_held_bytes(const struct table *table)
{
    return table->slab.held_bytes + table->pool.bytes + table->deps.bytes + table->actors.bytes;
}

uint64_t table_log_bytes(const struct table *table)
{
    return table->log_bytes;
}

/* --- by dot ------------------------------------------------------------------------------ */

void table_cursor_open(struct table *table, struct table_cursor *cursor, uint32_t actor,
                       uint64_t after)
{
    ASSERT(actor > 0);
    *cursor = (struct table_cursor){.actor = actor, .from = after, .after = after};
    actors__cursor_open(&table->actors, cursor);
}

void table_cursor_close(struct table *table, struct table_cursor *cursor)
{
    actors__cursor_close(&table->actors, cursor);
}

table_ref table_cursor_next(struct table *table, struct table_cursor *cursor)
{
    const struct actor *actor = actors__find(&table->actors, cursor->actor);
    ASSERT(actor != NULL);
    ASSERT(cursor->after >= cursor->from);
    table_ref ref = cursor->after < LIMIT_SEQ ? list__above(&actor->list, cursor->after) : 0;
    if (ref != 0)
        cursor->after = seq_of(entry_at(table, ref));
    return ref;
}

uint32_t table_actor_next(const struct table *table, uint32_t actor)
{
    return actors__next(&table->actors, actor);
}

uint64_t table_last_seq(const struct table *table, uint32_t actor)
{
    const struct actor *found = actors__find(&table->actors, actor);
    return found != NULL ? list__last(&found->list) : 0;
}

/* --- by slot ----------------------------------------------------------------------------- */

void table_scan_begin(const struct table *table, struct table_scan *scan, uint32_t slot)
{
    ASSERT(table != NULL);
    ASSERT(slot < LIMIT_SLOTS);
    *scan = (struct table_scan){.slot = slot};
}

table_ref table_scan_next(const struct table *table, struct table_scan *scan)
{
    ASSERT(scan->slot < LIMIT_SLOTS);
    return index__scan(&table->slots[scan->slot], &scan->position, &scan->generation);
}

/* --- check ------------------------------------------------------------------------------- */

struct totals {
    uint64_t versions;   /* in the indexes */
    uint64_t live;       /* of these, with a value */
    uint64_t with_deps;  /* of these, with dependencies */
    uint64_t marked;     /* of these, marked */
    uint64_t log_bytes;  /* what a checkpoint would write */
    uint64_t slab_bytes; /* of versions */
    uint64_t live_bytes; /* of keys and values of the live ones */
};

static void entry_check(const struct table *table, uint32_t slot, table_ref ref,
                        struct totals *totals)
{
    const struct entry *entry = entry_at(table, ref);
    ASSERT(table_slot(table, ref) == slot);
    ASSERT(table_find(table, slot, key_of(entry)) == ref);
    const struct actor *actor = &table->actors.all[actor_index_of(entry)];
    ASSERT(actor->id != 0);
    ASSERT(list__has(&actor->list, seq_of(entry), ref));
    bool with_deps = (entry->lengths_low & DEPS_BIT) != 0;
    ASSERT(with_deps == (slab__note(&table->slab, ref) != 0));
    totals->versions++;
    totals->live += form_of(entry) != VALUE_TOMBSTONE;
    if (form_of(entry) != VALUE_TOMBSTONE)
        totals->live_bytes += key_of(entry).len + value_len(entry);
    totals->with_deps += with_deps;
    totals->marked += table_mark_of(table, ref) != TABLE_UNMARKED;
    totals->log_bytes += record_bytes(table, ref);
    totals->slab_bytes += slab__cost(ENTRY_BYTES + key_len(entry) + value_len(entry));
}

static void slot_check(const struct table *table, uint32_t slot, struct totals *totals)
{
    const struct index *index = &table->slots[slot];
    struct totals before = *totals;
    struct table_scan scan;
    ASSERT((table->stony[slot / 64] >> (slot % 64) & 1) == (index->tombstones > 0));
    table_scan_begin(table, &scan, slot);
    for (table_ref ref = table_scan_next(table, &scan); ref != 0;
         ref = table_scan_next(table, &scan))
        entry_check(table, slot, ref, totals);
    uint64_t live = totals->live - before.live;
    ASSERT(index->live == live);
    ASSERT(index->bytes == totals->live_bytes - before.live_bytes);
    ASSERT(index->tombstones == totals->versions - before.versions - live);
    ASSERT((index->parts == NULL) == (totals->versions == before.versions));
}

void table_check_slot(const struct table *table, uint32_t slot)
{
    struct totals totals = {0};
    ASSERT(slot < LIMIT_SLOTS);
    uint64_t index_bytes = index__check(&table->slots[slot], &table->pool);
    ASSERT(index_bytes <= table->pool.bytes);
    slot_check(table, slot, &totals);
}

void table_check(const struct table *table)
{
    struct totals totals = {0};
    uint64_t index_bytes = 0;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        const struct index *index = &table->slots[slot];
        bool bare =
            index->parts == NULL && index->depth == 0 && index->live == 0 && index->tombstones == 0;
        if (bare && (table->stony[slot / 64] >> (slot % 64) & 1) == 0)
            continue; /* most of them, in a small table */
        index_bytes += index__check(index, &table->pool);
        slot_check(table, slot, &totals);
    }
    ASSERT(index_bytes == table->pool.bytes);
    ASSERT(totals.live == table->live);
    ASSERT(totals.versions - totals.live == table->tombstones);
    ASSERT(totals.log_bytes == table->log_bytes);
    ASSERT(totals.marked == table->marks);
    ASSERT(totals.with_deps == deps__check(&table->deps, &table->slab));
    ASSERT(totals.with_deps == table->slab.noted);
    slab__check(&table->slab);
    ASSERT(totals.slab_bytes <= table->slab.used_bytes);
    ASSERT(totals.versions == actors__check(&table->actors));
}
