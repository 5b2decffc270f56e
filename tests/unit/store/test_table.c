/* test_table - the state of a node, against an array of versions.
 *
 * Does:   random puts, removals and trimmed dependencies, in many slots and in few; the greatest
 *         and least of every field; memory that comes back; actors that come and go; a slot made
 *         huge by one hash tag, up and down again.
 * Not:    cursors (test_cursor.c), scans (test_scan.c).
 * Holds:  B1, B2, B3.
 * Limits: -
 * See:    store/table.h, model.h.
 */
#include "unit.h"

#include "model.h"

#define STEPS 20000U

struct run {
    struct rng rng;      /* of this test */
    struct table *table; /* under test */
    struct model *model; /* what it should hold */
    uint64_t seq;        /* given out last, over all actors */
    uint64_t hlc;        /* about now */
};

static struct run run_new(uint32_t keys, uint32_t tags)
{
    struct run run = {.rng = unit_rng(), .hlc = 1000};
    run.table = table_new(rng_u64(&run.rng));
    run.model = model_new(keys, tags);
    return run;
}

static void run_free(struct run *run)
{
    table_check(run->table);
    table_free(run->table);
    model_free(run->model);
}

static void random_put(struct run *run, uint32_t number)
{
    struct model_version version;
    model_random(&run->rng, 5, &version);
    run->hlc += rng_below(&run->rng, 2);
    run->seq += 1 + rng_below(&run->rng, 3);
    /* Now and then an older one, and times that are equal. */
    version.hlc = run->hlc - rng_below(&run->rng, 20);
    version.dot.seq = run->seq;
    struct version view = model_view(run->model, number, &version);
    assert_int_equal(table_put(run->table, run->model->slots[number], &view, version.position),
                     model_put(run->model, number, &version));
}

static void random_remove(struct run *run, uint32_t number)
{
    struct model *model = run->model;
    table_ref ref = table_find(run->table, model->slots[number], model_key(model, number));
    if (ref == 0)
        return;
    table_remove(run->table, ref);
    model->all[number].there = false;
}

static void random_trim(struct run *run, uint32_t number)
{
    struct model *model = run->model;
    struct model_version *stands = &model->all[number];
    table_ref ref = table_find(run->table, model->slots[number], model_key(model, number));
    if (ref == 0 || stands->deps.count == 0)
        return;
    if (rng_chance(&run->rng, 1, 2))
        vv_init(&stands->deps);
    else
        vv_set(&stands->deps, stands->deps.entries[0].actor, 0);
    table_trim_deps(run->table, ref, model_deps(model, stands));
}

static void random_steps(struct run *run, uint32_t puts_of_ten)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t number = (uint32_t)rng_below(&run->rng, run->model->keys_count);
        if (rng_below(&run->rng, 10) < puts_of_ten)
            random_put(run, number);
        else if (rng_chance(&run->rng, 1, 2))
            random_remove(run, number);
        else
            random_trim(run, number);
        if (i % (STEPS / 8) == 0) {
            model_compare(run->model, run->table);
            table_check(run->table);
        }
    }
    model_compare(run->model, run->table);
}

static void many_slots_match_the_model(void **state)
{
    (void)state;
    struct run run = run_new(2000, 0);
    random_steps(&run, 7);
    random_steps(&run, 2);
    run_free(&run);
}

static void few_slots_match_the_model(void **state)
{
    (void)state;
    struct run run = run_new(MODEL_KEYS, 2);
    random_steps(&run, 8);
    random_steps(&run, 1);
    random_steps(&run, 5);
    run_free(&run);
}

static void one_key_matches_the_model(void **state)
{
    (void)state;
    struct run run = run_new(1, 0);
    random_steps(&run, 5);
    run_free(&run);
}

static void counts_are_those_of_each_slot(void **state)
{
    (void)state;
    struct run run = run_new(1000, 7);
    random_steps(&run, 7);
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        uint32_t live = 0;
        uint32_t tombstones = 0;
        uint64_t bytes = 0;
        for (uint32_t i = 0; i < run.model->keys_count; i++) {
            const struct model_version *stands = &run.model->all[i];
            if (!stands->there || run.model->slots[i] != slot)
                continue;
            live += stands->form != VALUE_TOMBSTONE;
            if (stands->form != VALUE_TOMBSTONE)
                bytes += run.model->key_len[i] + stands->value_len;
            tombstones += stands->form == VALUE_TOMBSTONE;
        }
        assert_int_equal(table_slot_live(run.table, slot), live);
        assert_int_equal(table_slot_bytes(run.table, slot), bytes);
        assert_int_equal(table_slot_tombstones(run.table, slot), tombstones);
    }
    run_free(&run);
}

/* Against going slot by slot; the limits 0, 64 and 16384 are where words and rounds end. */
static void the_way_to_tombstones_is_found(void **state)
{
    (void)state;
    struct run run = run_new(40, 0);
    random_steps(&run, 3);
    static const uint32_t mosts[] = {1, 63, 64, 65, 2048, LIMIT_SLOTS};
    for (uint32_t from = 0; from < LIMIT_SLOTS; from += from % 64 < 2 ? 1 : 31) {
        for (size_t i = 0; i < sizeof mosts / sizeof mosts[0]; i++) {
            uint32_t way = 1;
            while (way < mosts[i] &&
                   table_slot_tombstones(run.table, (from + way) % LIMIT_SLOTS) == 0)
                way++;
            assert_int_equal(table_way_to_tombstones(run.table, from, mosts[i]), way);
        }
    }
    run_free(&run);
}

/* --- single fields ------------------------------------------------------------------------ */

static enum table_put_result put(struct table *table, const char *key, uint32_t actor, uint64_t seq,
                                 uint64_t hlc)
{
    struct version version = {
        .dot = {.actor = actor, .seq = seq},
        .hlc = hlc,
        .form = VALUE_JSON,
        .key = slice_str(key),
        .value = SLICE_LIT("1"),
    };
    return table_put(table, slot_of(version.key), &version, 0);
}

static void the_greater_hlc_then_the_greater_actor_wins(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    assert_int_equal(put(table, "k", 5, 1, 10), TABLE_CREATED);
    assert_int_equal(put(table, "k", 5, 1, 10), TABLE_OLDER); /* the same */
    assert_int_equal(put(table, "k", 9, 1, 9), TABLE_OLDER);
    assert_int_equal(put(table, "k", 4, 1, 10), TABLE_OLDER);
    assert_int_equal(put(table, "k", 6, 1, 10), TABLE_REPLACED);
    assert_int_equal(put(table, "k", 1, 1, 11), TABLE_REPLACED);
    /* By id, not by when the actor was first seen here. */
    assert_int_equal(put(table, "k", 3, 1, 11), TABLE_REPLACED);
    table_check(table);
    table_free(table);
}

static void name_absent(const char *key, uint32_t actor, uint64_t hlc, struct buf *body)
{
    struct version gone = {.dot = {actor, 7}, .hlc = hlc, .key = slice_str(key)};
    version_absent_encode(&gone, body);
}

/* What the record names goes, and what it won over; what came later stays. */
static void a_removal_is_replayed(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct buf body = BUF_EMPTY;
    put(table, "same", 2, 7, 50);
    put(table, "older", 1, 7, 50);
    put(table, "newer", 3, 7, 50);
    name_absent("same", 2, 50, &body);
    name_absent("never there", 2, 50, &body);
    name_absent("older", 2, 50, &body);
    name_absent("newer", 2, 50, &body);
    assert_true(table_replay_absent(table, SLICE_EMPTY));
    assert_int_equal(table_live(table), 3);
    assert_true(table_replay_absent(table, buf_slice(&body)));
    assert_int_equal(table_live(table), 1);
    assert_int_not_equal(table_find(table, slot_of(SLICE_LIT("newer")), SLICE_LIT("newer")), 0);
    table_free(table);
    buf_fini(&body);
}

/* Wherever the record is cut: what stands whole before the cut is done. */
static void a_removal_that_is_cut(void **state)
{
    (void)state;
    struct buf body = BUF_EMPTY;
    name_absent("a", 1, 50, &body);
    size_t one = body.len;
    name_absent("b", 1, 50, &body);
    for (size_t len = 0; len <= body.len; len++) {
        struct table *table = table_new(1);
        put(table, "a", 1, 7, 50);
        put(table, "b", 1, 7, 50);
        assert_int_equal(table_replay_absent(table, slice_of(body.ptr, len)), len % one == 0);
        assert_int_equal(table_live(table), 2 - len / one);
        table_free(table);
    }
    buf_reset(&body);
    name_absent("a", 1, 50, &body);
    body.ptr[one - 3] = 0; /* no key */
    body.len--;
    struct table *table = table_new(1);
    assert_false(table_replay_absent(table, buf_slice(&body)));
    table_free(table);
    buf_fini(&body);
}

static void one_dot_for_two_keys_breaks_nothing(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    static const char *const keys[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        put(table, keys[i], 7, 1, 10);
    table_check(table);
    for (size_t i = 0; i < 4; i++) {
        struct slice key = slice_str(keys[(i + 2) % 4]);
        table_remove(table, table_find(table, slot_of(key), key));
        table_check(table);
    }
    assert_int_equal(table_live(table), 0);
    table_free(table);
}

static void the_greatest_of_every_field_comes_back(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    uint8_t *bytes = mem_zalloc(1, LIMIT_VALUE_BYTES);
    memset(bytes, 'x', LIMIT_VALUE_BYTES);
    struct vv deps;
    vv_init(&deps);
    for (uint32_t i = 0; i < LIMIT_VV_ENTRIES; i++)
        assert_true(vv_set(&deps, UINT32_MAX - i, LIMIT_SEQ));
    struct buf encoded = BUF_EMPTY;
    deps_encode(&deps, &encoded);
    struct version version = {
        .dot = {.actor = UINT32_MAX, .seq = LIMIT_SEQ},
        .hlc = UINT64_MAX,
        .form = VALUE_RAW,
        .deps = buf_slice(&encoded),
        .key = slice_of(bytes, LIMIT_KEY_BYTES),
        .value = slice_of(bytes, LIMIT_VALUE_BYTES),
    };
    uint64_t position = (UINT64_C(1) << 51) - 8;
    uint32_t slot = slot_of(version.key);
    assert_int_equal(table_put(table, slot, &version, position), TABLE_CREATED);
    table_ref ref = table_find(table, slot, version.key);
    struct version view;
    table_view(table, ref, &view);
    assert_true(dot_equal(view.dot, version.dot));
    assert_int_equal(view.hlc, UINT64_MAX);
    assert_int_equal(view.form, VALUE_RAW);
    assert_true(slice_equal(view.deps, version.deps));
    assert_true(slice_equal(view.key, version.key));
    assert_true(slice_equal(view.value, version.value));
    assert_int_equal(table_position(table, ref), position);
    assert_true(table_memory_bytes(table) > LIMIT_VALUE_BYTES);
    table_check(table);
    table_remove(table, ref);
    assert_int_equal(table_actor_next(table, 0), 0);
    table_check(table);
    buf_fini(&encoded);
    mem_free(bytes);
    table_free(table);
}

static void every_size_comes_back(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    uint8_t *bytes = mem_zalloc(1, 20000);
    for (uint32_t len = 0; len < 20000; len += len < 1200 ? 1 : 97) {
        memset(bytes, (int)(len % 251), len);
        struct version version = {.dot = {.actor = 1, .seq = len + 1},
                                  .hlc = len,
                                  .form = VALUE_JSON,
                                  .key = slice_of(&len, sizeof len),
                                  .value = slice_of(bytes, len)};
        table_put(table, slot_of(version.key), &version, 0);
    }
    for (uint32_t len = 0; len < 20000; len += len < 1200 ? 1 : 97) {
        struct slice key = slice_of(&len, sizeof len);
        struct version version;
        table_view(table, table_find(table, slot_of(key), key), &version);
        assert_int_equal(version.value.len, len);
        for (uint32_t i = 0; i < len; i++)
            assert_int_equal(version.value.ptr[i], len % 251);
    }
    table_check(table);
    mem_free(bytes);
    table_free(table);
}

/* What is put may borrow from what stands there. */
static void a_version_may_be_made_of_the_one_it_replaces(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct version version = {.dot = {.actor = 1, .seq = 1},
                              .hlc = 1,
                              .form = VALUE_JSON,
                              .key = SLICE_LIT("key"),
                              .value = SLICE_LIT("a value of some length")};
    uint32_t slot = slot_of(version.key);
    table_put(table, slot, &version, 0);
    for (uint64_t i = 2; i < 100; i++) {
        struct version next;
        table_view(table, table_find(table, slot, SLICE_LIT("key")), &next);
        next.dot.seq = i;
        next.hlc = i;
        assert_int_equal(table_put(table, slot, &next, 0), TABLE_REPLACED);
    }
    table_view(table, table_find(table, slot, SLICE_LIT("key")), &version);
    assert_true(slice_equal(version.value, SLICE_LIT("a value of some length")));
    table_free(table);
}

/* --- memory ------------------------------------------------------------------------------- */

static void memory_comes_back(void **state)
{
    (void)state;
    struct run run = run_new(3000, 3);
    uint64_t empty = table_memory_bytes(run.table);
    random_steps(&run, 9);
    uint64_t full = table_memory_bytes(run.table);
    uint64_t held = table_held_bytes(run.table);
    assert_true(held >= full);
    for (uint32_t i = 0; i < run.model->keys_count; i++)
        random_remove(&run, i);
    table_check(run.table);
    assert_int_equal(table_actor_next(run.table, 0), 0);
    /* What stays are two directories: of chunks (held, not used) and of actors. */
    assert_true(table_memory_bytes(run.table) - empty < 2000);
    assert_true(table_held_bytes(run.table) < held / 20);
    run_free(&run);
}

static void freed_memory_is_used_again(void **state)
{
    (void)state;
    struct run run = run_new(2000, 0);
    for (uint32_t i = 0; i < 2000; i++)
        put(run.table, (const char *)run.model->keys[i], 1, i + 1, 1);
    uint64_t held = table_held_bytes(run.table);
    for (uint64_t seq = 2001; seq < 40000; seq++) {
        uint32_t number = (uint32_t)rng_below(&run.rng, 2000);
        put(run.table, (const char *)run.model->keys[number], 1, seq, seq);
    }
    /* The lists may have become thinner, and a chunk more is in use. */
    assert_true(table_held_bytes(run.table) <= held + held / 5 + 65536);
    run_free(&run);
}

/* --- actors ------------------------------------------------------------------------------- */

static void actors_come_and_go(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct slice key = SLICE_LIT("k");
    for (uint32_t actor = 1; actor <= 200000; actor++) {
        assert_int_equal(put(table, "k", actor, 1, actor),
                         actor == 1 ? TABLE_CREATED : TABLE_REPLACED);
        assert_int_equal(table_actor_next(table, 0), actor);
        assert_int_equal(table_actor_next(table, actor), 0);
    }
    assert_int_equal(table_dot(table, table_find(table, slot_of(key), key)).actor, 200000);
    table_check(table);
    table_free(table);
}

static void actors_are_listed_in_order(void **state)
{
    (void)state;
    struct run run = run_new(500, 0);
    random_steps(&run, 6);
    uint32_t actor = 0;
    for (;;) {
        uint32_t expected = 0;
        for (uint32_t i = 0; i < run.model->keys_count; i++) {
            const struct model_version *stands = &run.model->all[i];
            if (stands->there && stands->dot.actor > actor &&
                (expected == 0 || stands->dot.actor < expected))
                expected = stands->dot.actor;
        }
        actor = table_actor_next(run.table, actor);
        assert_int_equal(actor, expected);
        if (actor == 0)
            break;
    }
    run_free(&run);
}

/* --- dependencies ------------------------------------------------------------------------- */

static void the_sweep_meets_every_version_with_dependencies(void **state)
{
    (void)state;
    struct run run = run_new(1500, 0);
    uint64_t sweep = 0;
    assert_int_equal(table_next_with_deps(run.table, &sweep), 0);
    random_steps(&run, 7);
    uint64_t count = table_deps_count(run.table);
    assert_true(count > 10);
    for (uint64_t round = 0; round < 2; round++) {
        uint64_t met = 0;
        for (uint32_t i = 0; i < run.model->keys_count; i++)
            run.model->all[i].position = 0; /* from here on: met in this round */
        for (uint64_t i = 0; i < count; i++) {
            table_ref ref = table_next_with_deps(run.table, &sweep);
            struct version version;
            table_view(run.table, ref, &version);
            assert_true(version.deps.len > 0);
            for (uint32_t k = 0; k < run.model->keys_count; k++)
                if (slice_equal(version.key, model_key(run.model, k)))
                    met += run.model->all[k].position++ == 0;
        }
        assert_int_equal(met, count);
    }
    for (uint64_t i = 0; i < count; i++)
        table_trim_deps(run.table, table_next_with_deps(run.table, &sweep), SLICE_EMPTY);
    assert_int_equal(table_deps_count(run.table), 0);
    assert_int_equal(table_next_with_deps(run.table, &sweep), 0);
    run_free(&run);
}

static void equal_dependencies_are_stored_once(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct vv deps;
    vv_init(&deps);
    for (uint32_t i = 1; i <= 100; i++)
        vv_set(&deps, i, 1);
    struct buf encoded = BUF_EMPTY;
    deps_encode(&deps, &encoded);
    for (uint64_t i = 1; i <= 1000; i++) {
        struct version version = {.dot = {.actor = 1, .seq = i},
                                  .hlc = i,
                                  .form = VALUE_TOMBSTONE,
                                  .deps = buf_slice(&encoded),
                                  .key = slice_of(&i, sizeof i)};
        table_put(table, slot_of(version.key), &version, 0);
    }
    assert_int_equal(table_deps_count(table), 1000);
    /* 1200 bytes each would be 1.2 MB. */
    assert_true(table_memory_bytes(table) < 200000);
    table_check(table);
    buf_fini(&encoded);
    table_free(table);
}

static void many_different_dependencies(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 1; i <= 5000; i++) {
            struct vv deps;
            vv_init(&deps);
            vv_set(&deps, 1 + (uint32_t)(i % 7), i);
            struct buf encoded = BUF_EMPTY;
            deps_encode(&deps, &encoded);
            struct version version = {.dot = {.actor = 1, .seq = i},
                                      .hlc = i,
                                      .form = VALUE_TOMBSTONE,
                                      .deps = buf_slice(&encoded),
                                      .key = slice_of(&i, sizeof i)};
            table_put(table, slot_of(version.key), &version, 0);
            buf_fini(&encoded);
        }
        table_check(table);
        for (uint64_t i = 1; i <= 5000; i++) {
            struct slice key = slice_of(&i, sizeof i);
            table_remove(table, table_find(table, slot_of(key), key));
        }
        table_check(table);
    }
    table_free(table);
}

/* --- one hash tag ------------------------------------------------------------------------- */

static struct slice tagged_key(uint64_t number, char key[32])
{
    int len = snprintf(key, 32, "{tag}%" PRIu64, number);
    return slice_of(key, (size_t)len);
}

static void a_huge_slot_grows_and_shrinks(void **state)
{
    (void)state;
    enum { KEYS = 60000 };
    struct table *table = table_new(3);
    char text[32];
    uint32_t slot = slot_of(tagged_key(1, text));
    for (uint64_t i = 1; i <= KEYS; i++) {
        struct version version = {.dot = {.actor = 1, .seq = i},
                                  .hlc = i,
                                  .form = VALUE_JSON,
                                  .key = tagged_key(i, text),
                                  .value = SLICE_LIT("1")};
        assert_int_equal(table_put(table, slot, &version, 0), TABLE_CREATED);
    }
    table_check(table);
    assert_int_equal(table_slot_live(table, slot), KEYS);
    for (uint64_t i = 1; i <= KEYS; i++) {
        table_ref ref = table_find(table, slot, tagged_key(i, text));
        assert_int_equal(table_dot(table, ref).seq, i);
        if (i % 8 != 0)
            table_remove(table, ref);
    }
    table_check(table);
    for (uint64_t i = 1; i <= KEYS; i++) {
        table_ref ref = table_find(table, slot, tagged_key(i, text));
        assert_int_equal(ref != 0, i % 8 == 0);
        if (ref != 0)
            table_remove(table, ref);
    }
    table_check(table);
    assert_int_equal(table_slot_live(table, slot), 0);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_slots_match_the_model),
        cmocka_unit_test(few_slots_match_the_model),
        cmocka_unit_test(one_key_matches_the_model),
        cmocka_unit_test(counts_are_those_of_each_slot),
        cmocka_unit_test(the_way_to_tombstones_is_found),
        cmocka_unit_test(the_greater_hlc_then_the_greater_actor_wins),
        cmocka_unit_test(a_removal_is_replayed),
        cmocka_unit_test(a_removal_that_is_cut),
        cmocka_unit_test(one_dot_for_two_keys_breaks_nothing),
        cmocka_unit_test(the_greatest_of_every_field_comes_back),
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(a_version_may_be_made_of_the_one_it_replaces),
        cmocka_unit_test(memory_comes_back),
        cmocka_unit_test(freed_memory_is_used_again),
        cmocka_unit_test(actors_come_and_go),
        cmocka_unit_test(actors_are_listed_in_order),
        cmocka_unit_test(the_sweep_meets_every_version_with_dependencies),
        cmocka_unit_test(equal_dependencies_are_stored_once),
        cmocka_unit_test(many_different_dependencies),
        cmocka_unit_test(a_huge_slot_grows_and_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
