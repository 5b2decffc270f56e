/* test_vdisk - what a virtual disk keeps and what it forgets.
 *
 * Does:   appends; power cuts: what was synced survives, nothing is invented but zeroes, and
 *         each fate does occur; removals; bit rot.
 * Not:    -
 * Holds:  D1 to D3 of vdisk.h.
 * Limits: -
 * See:    src/sim/vdisk.h.
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BYTES 5000U

static void write_pattern(struct vdisk *disk, uint64_t id, size_t offset, size_t len)
{
    uint8_t bytes[BYTES];
    assert_true(len <= BYTES);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(1 + (offset + i) % 250);
    assert_true(vdisk_write(disk, id, offset, slice_of(bytes, len)));
}

static void test_appends(void **state)
{
    (void)state;
    struct vdisk disk;
    vdisk_init(&disk);
    write_pattern(&disk, 1, 0, 100);
    write_pattern(&disk, 1, 100, 50);
    assert_false(vdisk_write(&disk, 1, 10, SLICE_LIT("x"))); /* not its end */
    assert_false(vdisk_write(&disk, 2, 5, SLICE_LIT("x")));  /* not its beginning */
    write_pattern(&disk, 3, 0, 10);
    assert_false(vdisk_write(&disk, 2, 0, SLICE_LIT("x"))); /* below the last */
    assert_false(vdisk_drop(&disk, 3));                     /* not the oldest */
    assert_true(vdisk_drop(&disk, 1));
    assert_null(vdisk_find(&disk, 1));
    const struct log_segment *list = NULL;
    assert_int_equal(vdisk_view(&disk, &list), 1);
    assert_int_equal(list[0].id, 3);
    assert_int_equal(vdisk_bytes(&disk), 10);
    vdisk_check(&disk);
    vdisk_fini(&disk);
}

/* Looks at one segment after a cut; adds what it saw to the counts. */
static void look(const struct vsegment *segment, size_t synced, uint32_t fates[4])
{
    assert_true(segment->bytes.len >= synced);
    size_t zeroes = 0;
    for (size_t i = 0; i < segment->bytes.len; i++) {
        uint8_t byte = segment->bytes.ptr[i];
        assert_true(byte == 0 || byte == (uint8_t)(1 + i % 250));
        assert_true(i >= synced || byte != 0);
        zeroes += byte == 0 ? 1 : 0;
    }
    fates[0] += segment->bytes.len == BYTES && zeroes == 0 ? 1 : 0;
    fates[1] += zeroes > 0 ? 1 : 0;
    fates[2] += segment->bytes.len < BYTES ? 1 : 0;
    fates[3] += segment->bytes.len == synced && synced < BYTES ? 1 : 0;
}

static void test_power_cut(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    uint32_t fates[4] = {0, 0, 0, 0};
    for (uint32_t i = 0; i < 2000; i++) {
        struct vdisk disk;
        vdisk_init(&disk);
        size_t synced = rng_below(&rng, BYTES + 1);
        write_pattern(&disk, 1, 0, synced > 0 ? synced : 1);
        if (synced > 0)
            vdisk_sync(&disk, 1, synced);
        if (synced < BYTES)
            write_pattern(&disk, 1, synced > 0 ? synced : 1, BYTES - (synced > 0 ? synced : 1));
        vdisk_power_cut(&disk, &rng);
        vdisk_check(&disk);
        const struct vsegment *segment = vdisk_find(&disk, 1);
        if (segment != NULL)
            look(segment, synced, fates);
        assert_true(segment != NULL || synced == 0); /* its name was synced with it */
        vdisk_fini(&disk);
    }
    assert_true(fates[0] > 0 && fates[1] > 0 && fates[2] > 0);
    assert_true(fates[3] > 300); /* without a trace: no rare accident */
}

static void test_sync_all_and_rot(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    struct vdisk disk;
    vdisk_init(&disk);
    assert_false(vdisk_rot(&disk, &rng)); /* nothing there */
    write_pattern(&disk, 1, 0, 1000);
    write_pattern(&disk, 2, 0, 1000);
    vdisk_sync_all(&disk);
    assert_false(vdisk_power_cut(&disk, &rng)); /* nothing to lose */
    assert_true(vdisk_rot(&disk, &rng));
    uint32_t bits = 0;
    for (uint64_t id = 1; id <= 2; id++) {
        const struct vsegment *segment = vdisk_find(&disk, id);
        assert_int_equal(segment->bytes.len, 1000);
        for (size_t i = 0; i < 1000; i++)
            bits += (uint32_t)__builtin_popcount(segment->bytes.ptr[i] ^ (uint32_t)(1 + i % 250));
    }
    assert_int_equal(bits, 1);
    vdisk_fini(&disk);
}

/* A copy has what the cache has, as if synced, and nothing that was removed. */
static void test_copy(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5);
    struct vdisk disk;
    struct vdisk copy;
    vdisk_init(&disk);
    for (uint64_t id = 1; id <= 3; id++)
        write_pattern(&disk, id, 0, 700 * id);
    assert_true(vdisk_drop(&disk, 1));
    vdisk_copy(&copy, &disk);
    vdisk_fini(&disk);
    vdisk_check(&copy);
    assert_int_equal(copy.count, 2);
    assert_null(vdisk_find(&copy, 1));
    assert_false(vdisk_power_cut(&copy, &rng));
    assert_int_equal(vdisk_bytes(&copy), 700 * 2 + 700 * 3);
    vdisk_fini(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends), cmocka_unit_test(test_power_cut),
        cmocka_unit_test(test_sync_all_and_rot), cmocka_unit_test(test_copy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
