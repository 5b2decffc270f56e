/* test_outbox - frames wait for whoever sends them.
 *
 * Does:   random sequences of frames to one or several addressees, taken apart again.
 * Not:    the order of commits and frames: tests of node.
 * Holds:  O1 of outbox.h.
 * Limits: -
 * See:    src/wire/outbox.h.
 */
#include "gen.h"

/* The i-th item is the i-th walk acknowledgement that went in. */
static void assert_item(const struct outbox *outbox, size_t i, uint64_t to, uint64_t epoch)
{
    const struct outbox_item *item = &outbox->items[i];
    struct frame frame;
    struct msg_walk_ack ack;
    assert_true(item->begin + item->len <= outbox->bytes.len);
    assert_true(frame_decode(slice_of(outbox->bytes.ptr + item->begin, item->len), &frame));
    assert_int_equal(frame.type, MSG_WALK_ACK);
    assert_int_equal(item->type, MSG_WALK_ACK);
    assert_true(frame.lineage == 7 && frame.epoch == epoch);
    assert_true(msg_walk_ack_decode(frame.body, &ack));
    assert_true(item->to == to);
}

static void test_frames_by_addressee(void **state)
{
    struct rng *rng = *state;
    struct outbox outbox;
    outbox_init(&outbox);
    for (int round = 0; round < 100; round++) {
        uint64_t to[200], epoch[200];
        size_t count = 0;
        outbox.lineage = 7;
        while (count < 100) {
            outbox.epoch = rng_below(rng, 9);
            struct msg_walk_ack ack = {.walk = count, .number = rng_u64(rng)};
            to[count] = rng_u64(rng);
            epoch[count] = outbox.epoch;
            outbox_walk_ack(&outbox, to[count++], &ack);
            while (count < 100 && rng_chance(rng, 1, 3)) {
                size_t before = outbox.bytes.len;
                to[count] = rng_u64(rng);
                epoch[count] = outbox.epoch;
                outbox_also(&outbox, to[count++]);
                assert_int_equal(outbox.bytes.len, before); /* no copy */
            }
        }
        assert_int_equal(outbox.count, count);
        for (size_t i = 0; i < count; i++)
            assert_item(&outbox, i, to[i], epoch[i]);
        outbox_reset(&outbox);
        assert_int_equal(outbox.count, 0);
        assert_int_equal(outbox.bytes.len, 0);
    }
    outbox_fini(&outbox);
}

int main(void)
{
    struct rng rng = gen_rng();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_frames_by_addressee, &rng),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
