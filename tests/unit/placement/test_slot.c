/* test_slot - slots against known values and a CRC computed bit by bit.
 *
 * Does:   the check value of CRC-16/XMODEM, slots that Redis Cluster computes, hash tags by
 *         every short key over braces and letters.
 * Not:    -
 * Holds:  slot_of(key) < LIMIT_SLOTS.
 * Limits: -
 * See:    placement/slot.h; Redis Cluster specification, "Hash tags".
 */
#include "unit.h"

#include "placement/placement.h"

static uint32_t naive_crc16(const char *bytes, size_t len)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < len * 8; i++) {
        uint32_t in = (uint32_t)((uint8_t)bytes[i / 8] >> (7 - i % 8)) & 1U;
        uint32_t out = crc >> 15 & 1U;
        crc = (crc << 1 & 0xffff) ^ (in != out ? 0x1021U : 0);
    }
    return crc;
}

/* The rule of the specification, character by character. */
static uint32_t naive_slot(const char *key, size_t len)
{
    size_t open = 0;
    while (open < len && key[open] != '{')
        open++;
    size_t close = open + 1;
    while (close < len && key[close] != '}')
        close++;
    if (close < len && close > open + 1)
        return naive_crc16(key + open + 1, close - open - 1) % 16384;
    return naive_crc16(key, len) % 16384;
}

static void slots_that_redis_computes(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t slot;
    } rows[] = {
        {"", 0},
        {"123456789", 12739},
        {"foo", 12182},
        {"bar", 5061},
        {"somekey", 11058},
        {"foo{hash_tag}", 2515},
        {"bar{hash_tag}", 2515},
        {"hash_tag", 2515},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(slot_of(slice_str(rows[i].key)), rows[i].slot);
    assert_int_equal(slot_of(SLICE_EMPTY), 0);
}

static uint32_t slot_of_text(const char *text)
{
    return slot_of(slice_str(text));
}

/* The four examples of the specification. */
static void hash_tags_by_the_specification(void **state)
{
    (void)state;
    assert_int_equal(slot_of_text("{user1000}.following"), slot_of_text("user1000"));
    assert_int_equal(slot_of_text("{user1000}.followers"), slot_of_text("user1000"));
    assert_int_equal(slot_of_text("foo{}{bar}"), naive_crc16("foo{}{bar}", 10) % 16384);
    assert_int_equal(slot_of_text("foo{{bar}}zap"), slot_of_text("{bar"));
    assert_int_equal(slot_of_text("foo{bar}{zap}"), slot_of_text("bar"));
    assert_int_not_equal(slot_of_text("foo{bar"), slot_of_text("bar"));
    assert_int_not_equal(slot_of_text("}foo{bar"), slot_of_text("bar"));
    assert_int_equal(slot_of_text("}{bar}"), slot_of_text("bar"));
}

static void every_short_key_over_braces(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 8; len++) {
        for (uint32_t i = 0; i < 1U << (2 * len); i++) {
            char key[8];
            for (size_t at = 0; at < len; at++)
                key[at] = "{}ab"[i >> (2 * at) & 3];
            assert_int_equal(slot_of(slice_of(key, len)), naive_slot(key, len));
        }
    }
}

static void random_bytes_match_and_spread(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t per_part[16] = {0};
    for (uint32_t round = 0; round < 50000; round++) {
        char key[40];
        size_t len = rng_between(&rng, 8, sizeof(key));
        for (size_t i = 0; i < len; i++)
            key[i] = (char)rng_u64(&rng);
        uint32_t slot = slot_of(slice_of(key, len));
        assert_true(slot < LIMIT_SLOTS);
        assert_int_equal(slot, naive_slot(key, len));
        per_part[slot / (LIMIT_SLOTS / 16)]++;
    }
    for (size_t i = 0; i < 16; i++)
        assert_in_range(per_part[i], 50000 / 16 * 9 / 10, 50000 / 16 * 11 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_that_redis_computes),
        cmocka_unit_test(hash_tags_by_the_specification),
        cmocka_unit_test(every_short_key_over_braces),
        cmocka_unit_test(random_bytes_match_and_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
