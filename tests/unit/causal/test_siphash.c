/* test_siphash - the MAC against the values that its authors published.
 *
 * Does:   the vector of the paper's appendix A, and those of the reference implementation for
 *         every length that ends a word differently.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    Aumasson and Bernstein 2012, appendix A; the authors' vectors for 64-bit output, key
 *         00 01 … 0f, message 00 01 … of each length.
 */
#include "unit.h"

#include "causal/causal.h"

/* By length of the message; the bytes of the authors' table read as little-endian numbers. */
static const uint64_t published[16] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
};

static void counting_bytes(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)i;
}

static void published_vectors(void **state)
{
    (void)state;
    struct siphash_key key;
    uint8_t message[64];
    counting_bytes(key.bytes, sizeof(key.bytes));
    counting_bytes(message, sizeof(message));
    for (size_t len = 0; len < 16; len++)
        assert_int_equal(siphash(&key, slice_of(message, len)), published[len]);
    assert_int_equal(siphash(&key, slice_of(message, 63)), 0x958a324ceb064572);
}

/* A MAC in which some bit of key, message or length did not count would show here. */
static void every_bit_counts(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct siphash_key key;
    uint8_t message[40] = {0};
    for (size_t i = 0; i < sizeof(key.bytes); i++)
        key.bytes[i] = (uint8_t)rng_u64(&rng);
    uint64_t before = siphash(&key, slice_of(message, sizeof(message)));
    for (size_t bit = 0; bit < sizeof(message) * 8; bit++) {
        message[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(siphash(&key, slice_of(message, sizeof(message))), before);
        message[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t bit = 0; bit < sizeof(key.bytes) * 8; bit++) {
        key.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(siphash(&key, slice_of(message, sizeof(message))), before);
        key.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_not_equal(siphash(&key, slice_of(message, sizeof(message) - 1)), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
