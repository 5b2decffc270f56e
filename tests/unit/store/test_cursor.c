/* test_cursor - walking the list of an actor while the table changes.
 *
 * Does:   several cursors, stepped at random among random puts and removals: whenever one says
 *         that it is past the tail, it owes nothing; order, where nothing is inserted behind it;
 *         what lies below its beginning does not concern it; traps T13 and 4.3 in small.
 * Not:    -
 * Holds:  B2, B4.
 * Limits: -
 * See:    store/table.h; docs/protocol.md section 4.3.
 */
#include "unit.h"

#include "model.h"

#define KEYS 400U
#define ACTORS 3U
#define CURSORS 6U
#define STEPS 60000U

/* What a cursor was handed: by key, the seq. */
struct walker {
    struct table_cursor cursor; /* under test */
    bool open;                  /* it is */
    uint64_t handed[KEYS];      /* seq handed out for the key, 0: none */
};

struct run {
    struct rng rng;                 /* of this test */
    struct table *table;            /* under test */
    struct model *model;            /* what is there */
    struct walker walkers[CURSORS]; /* under test */
    uint64_t seqs[ACTORS + 1];      /* given out last, by actor */
    uint64_t hlc;                   /* of the last put */
};

static void step_put(struct run *run)
{
    uint32_t number = (uint32_t)rng_below(&run->rng, KEYS);
    struct model_version version = {.there = true, .form = VALUE_JSON};
    version.dot.actor = 1 + (uint32_t)rng_below(&run->rng, ACTORS);
    run->seqs[version.dot.actor] += 1 + rng_below(&run->rng, 4);
    version.dot.seq = run->seqs[version.dot.actor];
    /* A late one now and then: a seq that was left out, but the newest time. */
    if (rng_chance(&run->rng, 1, 5))
        version.dot.seq = 1 + rng_below(&run->rng, version.dot.seq);
    for (uint32_t i = 0; i < KEYS; i++)
        if (run->model->all[i].there && dot_equal(run->model->all[i].dot, version.dot))
            return; /* a dot names one write */
    version.hlc = ++run->hlc;
    struct version view = model_view(run->model, number, &version);
    table_put(run->table, run->model->slots[number], &view, 0);
    model_put(run->model, number, &version);
    for (uint32_t i = 0; i < CURSORS; i++)
        run->walkers[i].handed[number] = 0;
}

static void step_remove(struct run *run)
{
    uint32_t number = (uint32_t)rng_below(&run->rng, KEYS);
    struct slice key = model_key(run->model, number);
    table_ref ref = table_find(run->table, run->model->slots[number], key);
    if (ref == 0)
        return;
    table_remove(run->table, ref);
    run->model->all[number].there = false;
    for (uint32_t i = 0; i < CURSORS; i++)
        run->walkers[i].handed[number] = 0;
}

static void walker_owes_nothing(const struct run *run, const struct walker *walker)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        const struct model_version *stands = &run->model->all[i];
        bool concerned = stands->there && stands->dot.actor == walker->cursor.actor &&
                         stands->dot.seq > walker->cursor.from;
        if (concerned)
            assert_int_equal(walker->handed[i], stands->dot.seq);
    }
}

static void step_walk(struct run *run)
{
    struct walker *walker = &run->walkers[rng_below(&run->rng, CURSORS)];
    if (!walker->open) {
        uint32_t actor = 1 + (uint32_t)rng_below(&run->rng, ACTORS);
        uint64_t after =
            rng_chance(&run->rng, 1, 3) ? 0 : rng_below(&run->rng, run->seqs[actor] + 5);
        table_cursor_open(run->table, &walker->cursor, actor, after);
        memset(walker->handed, 0, sizeof walker->handed);
        walker->open = true;
    }
    for (uint64_t i = rng_below(&run->rng, 60); i > 0; i--) {
        uint64_t before = walker->cursor.after;
        table_ref ref = table_cursor_next(run->table, &walker->cursor);
        if (ref == 0) {
            walker_owes_nothing(run, walker);
            return;
        }
        struct version version;
        table_view(run->table, ref, &version);
        assert_int_equal(version.dot.actor, walker->cursor.actor);
        assert_true(version.dot.seq > before);
        assert_true(version.dot.seq > walker->cursor.from);
        for (uint32_t k = 0; k < KEYS; k++)
            if (slice_equal(version.key, model_key(run->model, k)))
                walker->handed[k] = version.dot.seq;
    }
    if (rng_chance(&run->rng, 1, 40)) {
        table_cursor_close(run->table, &walker->cursor);
        walker->open = false;
    }
}

static void cursors_owe_nothing_past_the_tail(void **state)
{
    (void)state;
    struct run run = {.rng = unit_rng()};
    run.table = table_new(rng_u64(&run.rng));
    run.model = model_new(KEYS, 2);
    for (uint32_t i = 0; i < STEPS; i++) {
        uint64_t choice = rng_below(&run.rng, 10);
        if (choice < 6)
            step_put(&run);
        else if (choice < 8)
            step_remove(&run);
        else
            step_walk(&run);
        if (i % (STEPS / 20) == 0)
            table_check(run.table);
    }
    for (uint32_t i = 0; i < CURSORS; i++)
        if (run.walkers[i].open)
            table_cursor_close(run.table, &run.walkers[i].cursor);
    table_check(run.table);
    table_free(run.table);
    model_free(run.model);
}

static void put(struct table *table, const char *key, uint64_t seq, uint64_t hlc)
{
    struct version version = {.dot = {.actor = 1, .seq = seq},
                              .hlc = hlc,
                              .form = VALUE_JSON,
                              .key = slice_str(key),
                              .value = SLICE_LIT("1")};
    table_put(table, slot_of(version.key), &version, 0);
}

static uint64_t next_seq(struct table *table, struct table_cursor *cursor)
{
    table_ref ref = table_cursor_next(table, cursor);
    return ref == 0 ? 0 : table_dot(table, ref).seq;
}

static void an_insert_behind_moves_it_back(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct table_cursor cursor;
    put(table, "a", 10, 1);
    put(table, "b", 20, 1);
    table_cursor_open(table, &cursor, 1, 5);
    assert_int_equal(next_seq(table, &cursor), 10);
    assert_int_equal(next_seq(table, &cursor), 20);
    assert_int_equal(next_seq(table, &cursor), 0);
    put(table, "c", 15, 1); /* T13: the source is itself catching up */
    assert_int_equal(next_seq(table, &cursor), 15);
    put(table, "d", 7, 1);
    assert_int_equal(next_seq(table, &cursor), 7);
    put(table, "e", 5, 1); /* covered by whoever asked */
    put(table, "f", 3, 1);
    assert_int_equal(next_seq(table, &cursor), 10);
    assert_int_equal(next_seq(table, &cursor), 15);
    assert_int_equal(next_seq(table, &cursor), 20);
    assert_int_equal(next_seq(table, &cursor), 0);
    put(table, "g", 21, 1); /* behind the tail it goes on */
    assert_int_equal(next_seq(table, &cursor), 21);
    table_cursor_close(table, &cursor);
    table_check(table);
    table_free(table);
}

static void what_is_next_may_be_overwritten_or_removed(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct table_cursor cursor;
    put(table, "a", 1, 1);
    put(table, "b", 2, 1);
    put(table, "c", 3, 1);
    put(table, "d", 4, 1);
    table_cursor_open(table, &cursor, 1, 0);
    assert_int_equal(next_seq(table, &cursor), 1);
    put(table, "b", 5, 2);
    table_remove(table, table_find(table, slot_of(SLICE_LIT("c")), SLICE_LIT("c")));
    assert_int_equal(next_seq(table, &cursor), 4);
    assert_int_equal(next_seq(table, &cursor), 5);
    assert_int_equal(next_seq(table, &cursor), 0);
    table_cursor_close(table, &cursor);
    table_free(table);
}

/* A cursor keeps its actor, also while that has no version. */
static void an_actor_may_be_empty(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct table_cursor cursors[2];
    table_cursor_open(table, &cursors[0], 1, 0);
    table_cursor_open(table, &cursors[1], 1, 0);
    assert_int_equal(next_seq(table, &cursors[0]), 0);
    assert_int_equal(table_actor_next(table, 0), 0);
    put(table, "a", 9, 1);
    table_check(table);
    assert_int_equal(next_seq(table, &cursors[0]), 9);
    table_remove(table, table_find(table, slot_of(SLICE_LIT("a")), SLICE_LIT("a")));
    put(table, "a", 3, 2);
    assert_int_equal(next_seq(table, &cursors[0]), 3);
    table_cursor_close(table, &cursors[0]);
    assert_int_equal(next_seq(table, &cursors[1]), 3);
    table_cursor_close(table, &cursors[1]);
    table_check(table);
    table_free(table);
}

static void it_ends_at_the_greatest_seq(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct table_cursor cursor;
    put(table, "a", LIMIT_SEQ, 1);
    table_cursor_open(table, &cursor, 1, LIMIT_SEQ - 1);
    assert_int_equal(next_seq(table, &cursor), LIMIT_SEQ);
    assert_int_equal(next_seq(table, &cursor), 0);
    table_cursor_close(table, &cursor);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursors_owe_nothing_past_the_tail),
        cmocka_unit_test(an_insert_behind_moves_it_back),
        cmocka_unit_test(what_is_next_may_be_overwritten_or_removed),
        cmocka_unit_test(an_actor_may_be_empty),
        cmocka_unit_test(it_ends_at_the_greatest_seq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
