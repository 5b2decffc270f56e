/* test_rest - where a log rests, and which batch ends that.
 *
 * Does:   marks, heads of segments and RECORD_REST, each with the batches behind it.
 * Not:    that nothing is lost at random: test_log.c.
 * Holds:  L6.
 * Limits: -
 * See:    store/log.h.
 */
#include "unit.h"

#include "disk.h"

static void commit(struct disk *disk, struct log *log)
{
    disk_take(disk, log, 1);
    disk_step_add(disk, DISK_SYNC);
    log_synced(log, log_position(log));
}

static bool rests(const struct disk *disk)
{
    struct disk_image image = disk_image_at(disk, disk->step_count);
    struct log *log = log_new();
    struct disk_found found;
    disk_recover(&image, log, &found);
    assert_int_equal(found.out.record_count, disk->record_count);
    disk_free(&found.out);
    log_free(log);
    disk_image_free(&image);
    return found.recovery.rests;
}

/* An idle node comes to rest, and a crash of its machine then leaves no doubt. */
static void marks_come_to_rest(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct disk disk = {0};
    log_mark(log);
    assert_false(log_pending(log));
    for (uint32_t i = 0; i < 3; i++) {
        disk_append(&disk, log, RECORD_ARRIVAL, SLICE_LIT("body"));
        commit(&disk, log);
    }
    assert_false(rests(&disk));
    uint32_t batches = 0;
    for (uint32_t i = 0; i < 5; i++) {
        log_mark(log);
        batches += log_pending(log);
        if (log_pending(log))
            commit(&disk, log);
    }
    assert_int_equal(batches, 1);
    assert_true(rests(&disk));
    disk_free(&disk);
    log_free(log);
}

/* Though everything is synced all the time, the log rests only where it is told to. */
static void only_the_first_batch_ends_a_rest(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct disk disk = {0};
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 5; i++) {
            disk_append(&disk, log, RECORD_ARRIVAL, SLICE_LIT("body"));
            assert_int_equal(log_rest_ends(log), i == 0);
            disk_append(&disk, log, RECORD_ARRIVAL, SLICE_LIT("more"));
            assert_int_equal(log_rest_ends(log), i == 0);
            commit(&disk, log);
            assert_false(rests(&disk));
        }
        if (round == 2) {
            log_roll(log); /* the head of the next segment covers all */
            continue;
        }
        log_mark(log);
        assert_true(log_pending(log));
        if (round == 3) /* before it is taken: the mark is in the same batch */
            disk_append(&disk, log, RECORD_ARRIVAL, SLICE_LIT("late"));
        assert_int_equal(log_rest_ends(log), round == 3);
        commit(&disk, log);
        assert_int_equal(rests(&disk), round != 3);
    }
    disk_free(&disk);
    log_free(log);
}

static void a_batch_may_end_in_a_rest(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct disk disk = {0};
    for (uint32_t i = 0; i < 5; i++) {
        disk_append(&disk, log, RECORD_CEILING, SLICE_LIT("12345678"));
        assert_true(log_rest_ends(log));
        log_rest(log);
        commit(&disk, log);
        assert_true(rests(&disk));
        log_mark(log); /* it rests without */
        assert_false(log_pending(log));
    }
    disk_append(&disk, log, RECORD_ARRIVAL, SLICE_LIT("body"));
    assert_true(log_rest_ends(log));
    commit(&disk, log);
    assert_false(rests(&disk));
    disk_free(&disk);
    log_free(log);
}

/* What recovery found goes on: the log that rested is awoken by the first batch of the next. */
static void a_rest_is_found_again(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct disk disk = {0};
    disk_append(&disk, log, RECORD_START, SLICE_LIT("body"));
    log_rest(log);
    commit(&disk, log);
    struct disk_image image = disk_image_at(&disk, disk.step_count);
    struct disk_found found;
    disk_recover(&image, log, &found);
    assert_true(found.recovery.rests);
    log_append(log, RECORD_ARRIVAL, SLICE_LIT("body"));
    assert_true(log_rest_ends(log));
    disk_free(&found.out);
    disk_image_free(&image);
    disk_free(&disk);
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_come_to_rest),
        cmocka_unit_test(only_the_first_batch_ends_a_rest),
        cmocka_unit_test(a_batch_may_end_in_a_rest),
        cmocka_unit_test(a_rest_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
