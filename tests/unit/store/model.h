/* model - a table so simple that it is right: an array of versions.
 *
 * Does:   what table.h promises, by looking at every version each time; random versions.
 * Not:    memory, cursors, scans: the tests say what these owe, in terms of this.
 * Holds:  -
 * Limits: MODEL_KEYS keys.
 * See:    store/table.h.
 */
#pragma once

#include "store/store.h"

#define MODEL_KEYS 4096U
#define MODEL_KEY_BYTES 40U

struct model_version {
    bool there;           /* the other fields mean something */
    struct dot dot;       /* its name */
    uint64_t hlc;         /* its time */
    enum value_form form; /* live or not */
    uint32_t value_len;   /* the bytes follow from the dot, see model_value */
    struct vv deps;       /* its dependencies */
    uint64_t position;    /* of its record */
};

struct model {
    struct model_version *all;                 /* by number of the key; MODEL_KEYS */
    uint8_t keys[MODEL_KEYS][MODEL_KEY_BYTES]; /* by number */
    uint32_t key_len[MODEL_KEYS];              /* by number */
    uint32_t slots[MODEL_KEYS];                /* by number */
    uint32_t keys_count;                       /* in use */
    struct buf value;                          /* scratch of model_value */
    struct buf deps;                           /* scratch of model_deps */
};

/* Keys 0 .. count - 1, in few slots (tags hash tags; 0: each key its own slot). */
static inline struct model *model_new(uint32_t count, uint32_t tags)
{
    struct model *model = mem_zalloc(1, sizeof *model);
    model->all = mem_zalloc(count, sizeof *model->all);
    model->keys_count = count;
    for (uint32_t i = 0; i < count; i++) {
        char *key = (char *)model->keys[i];
        int len = tags > 0 ? snprintf(key, MODEL_KEY_BYTES, "{%u}%u", i % tags, i)
                           : snprintf(key, MODEL_KEY_BYTES, "key-%u", i);
        model->key_len[i] = (uint32_t)len;
        model->slots[i] = slot_of(slice_of(key, (size_t)len));
    }
    return model;
}

static inline void model_free(struct model *model)
{
    buf_fini(&model->value);
    buf_fini(&model->deps);
    mem_free(model->all);
    mem_free(model);
}

static inline struct slice model_key(const struct model *model, uint32_t number)
{
    return slice_of(model->keys[number], model->key_len[number]);
}

/* The bytes of a value: any two differ from the first byte on, mostly. */
static inline struct slice model_value(struct model *model, const struct model_version *version)
{
    buf_reset(&model->value);
    uint8_t *at = buf_grow(&model->value, version->value_len);
    uint64_t start = version->dot.seq * 31 + version->dot.actor;
    for (uint32_t i = 0; i < version->value_len; i++)
        at[i] = (uint8_t)(start + i * (start | 1));
    return buf_slice(&model->value);
}

static inline struct slice model_deps(struct model *model, const struct model_version *version)
{
    buf_reset(&model->deps);
    deps_encode(&version->deps, &model->deps);
    return buf_slice(&model->deps);
}

/* A random version; few different dependencies, so that they are shared. */
static inline void model_random(struct rng *rng, uint32_t actors, struct model_version *version)
{
    *version = (struct model_version){.there = true};
    version->dot.actor = 1 + (uint32_t)rng_below(rng, actors) * 3;
    version->form = rng_chance(rng, 1, 4)   ? VALUE_TOMBSTONE
                    : rng_chance(rng, 1, 2) ? VALUE_RAW
                                            : VALUE_JSON;
    if (version->form != VALUE_TOMBSTONE) {
        version->value_len = (uint32_t)rng_below(rng, 60);
        if (rng_chance(rng, 1, 8))
            version->value_len = (uint32_t)rng_below(rng, 10000);
        if (rng_chance(rng, 1, 200))
            version->value_len = (uint32_t)rng_below(rng, 100000);
    }
    vv_init(&version->deps);
    if (rng_chance(rng, 1, 3))
        for (uint64_t i = rng_below(rng, 3); i < 3; i++)
            vv_set(&version->deps, 1 + (uint32_t)rng_below(rng, 4), 1 + rng_below(rng, 3));
    version->position = rng_below(rng, UINT64_C(1) << 48) * 8;
}

/* The view that the table should give; borrows from the model until the next one. */
static inline struct version model_view(struct model *model, uint32_t number,
                                        const struct model_version *version)
{
    return (struct version){
        .dot = version->dot,
        .hlc = version->hlc,
        .form = version->form,
        .deps = model_deps(model, version),
        .key = model_key(model, number),
        .value = model_value(model, version),
    };
}

/* Last writer wins. */
static inline enum table_put_result model_put(struct model *model, uint32_t number,
                                              const struct model_version *version)
{
    struct model_version *stands = &model->all[number];
    bool newer = version->hlc > stands->hlc ||
                 (version->hlc == stands->hlc && version->dot.actor > stands->dot.actor);
    if (stands->there && !newer)
        return TABLE_OLDER;
    bool live = stands->there && stands->form != VALUE_TOMBSTONE;
    *stands = *version;
    return live ? TABLE_REPLACED : TABLE_CREATED;
}

/* The table holds exactly what the model does. */
static inline void model_compare(struct model *model, const struct table *table)
{
    uint64_t live = 0;
    uint64_t tombstones = 0;
    uint64_t with_deps = 0;
    uint64_t log_bytes = 0;
    for (uint32_t i = 0; i < model->keys_count; i++) {
        const struct model_version *stands = &model->all[i];
        table_ref ref = table_find(table, model->slots[i], model_key(model, i));
        assert_int_equal(ref != 0, stands->there);
        if (ref == 0)
            continue;
        struct version version;
        table_view(table, ref, &version);
        struct version expected = model_view(model, i, stands);
        assert_true(dot_equal(version.dot, stands->dot));
        assert_true(dot_equal(table_dot(table, ref), stands->dot));
        assert_int_equal(version.hlc, stands->hlc);
        assert_int_equal(table_hlc(table, ref), stands->hlc);
        assert_int_equal(table_slot(table, ref), model->slots[i]);
        assert_int_equal(table_position(table, ref), stands->position);
        assert_int_equal(version.form, stands->form);
        assert_true(slice_equal(version.key, expected.key));
        assert_true(slice_equal(version.value, expected.value));
        assert_true(slice_equal(version.deps, expected.deps));
        live += stands->form != VALUE_TOMBSTONE;
        tombstones += stands->form == VALUE_TOMBSTONE;
        with_deps += stands->deps.count > 0;
        log_bytes += record_size(version_size(&expected));
    }
    assert_int_equal(table_live(table), live);
    assert_int_equal(table_tombstones(table), tombstones);
    assert_int_equal(table_deps_count(table), with_deps);
    assert_int_equal(table_log_bytes(table), log_bytes);
}
