/* test_base64url - text and bytes, one form each.
 *
 * Does:   the examples of RFC 4648, random round trips, and for short texts every possible one:
 *         accepted exactly when it is the encoding of something.
 * Not:    -
 * Holds:  U1.
 * Limits: -
 * See:    causal/base64url.h; RFC 4648 section 10.
 */
#include "unit.h"

#include "causal/base64url.h"

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static void assert_encodes(const char *bytes, const char *text)
{
    uint8_t out[64];
    size_t len = strlen(text);
    causal__base64url_encode(slice_str(bytes), out);
    assert_int_equal(BASE64URL_CHARS(strlen(bytes)), len);
    assert_memory_equal(out, text, len);
    assert_true(causal__base64url_decode(slice_str(text), out, &len));
    assert_true(slice_equal(slice_of(out, len), slice_str(bytes)));
}

static void examples_of_the_rfc(void **state)
{
    (void)state;
    assert_encodes("", "");
    assert_encodes("f", "Zg");
    assert_encodes("fo", "Zm8");
    assert_encodes("foo", "Zm9v");
    assert_encodes("foob", "Zm9vYg");
    assert_encodes("fooba", "Zm9vYmE");
    assert_encodes("foobar", "Zm9vYmFy");
    assert_encodes("\xfb\xff\xfe", "-__-");
}

static void random_bytes_come_back(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 20000; round++) {
        uint8_t bytes[100];
        uint8_t text[BASE64URL_CHARS(sizeof(bytes))];
        uint8_t back[BASE64URL_BYTES(sizeof(text))];
        size_t len = rng_below(&rng, sizeof(bytes) + 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_u64(&rng);
        size_t chars = BASE64URL_CHARS(len);
        causal__base64url_encode(slice_of(bytes, len), text);
        for (size_t i = 0; i < chars; i++)
            assert_non_null(memchr(ALPHABET, text[i], 64));
        size_t back_len = 0;
        assert_true(causal__base64url_decode(slice_of(text, chars), back, &back_len));
        assert_true(slice_equal(slice_of(bytes, len), slice_of(back, back_len)));
    }
}

/* Accepted exactly when encoding what came out gives text back. */
static bool is_sound(struct slice text)
{
    uint8_t bytes[8];
    uint8_t again[8];
    size_t len = 0;
    if (!causal__base64url_decode(text, bytes, &len))
        return false;
    assert_int_equal(BASE64URL_CHARS(len), text.len);
    causal__base64url_encode(slice_of(bytes, len), again);
    assert_memory_equal(again, text.ptr, text.len);
    return true;
}

static void every_text_of_one_and_two(void **state)
{
    (void)state;
    uint32_t sound = 0;
    for (uint32_t i = 0; i < 65536; i++) {
        uint8_t text[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        assert_false(is_sound(slice_of(text, 1)));
        sound += is_sound(slice_of(text, 2));
    }
    assert_int_equal(sound, 256);
}

static void every_text_of_three_and_four(void **state)
{
    (void)state;
    uint32_t sound_3 = 0;
    for (uint32_t i = 0; i < 64 * 64 * 64; i++) {
        uint8_t text[3] = {(uint8_t)ALPHABET[i % 64], (uint8_t)ALPHABET[i / 64 % 64],
                           (uint8_t)ALPHABET[i / 4096]};
        sound_3 += is_sound(slice_of(text, 3));
    }
    assert_int_equal(sound_3, 65536);
    for (size_t at = 0; at < 4; at++) {
        uint32_t sound_4 = 0;
        for (uint32_t c = 0; c < 256; c++) {
            uint8_t text[4] = {'A', 'b', '-', '9'};
            text[at] = (uint8_t)c;
            sound_4 += is_sound(slice_of(text, 4));
        }
        assert_int_equal(sound_4, 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(every_text_of_one_and_two),
        cmocka_unit_test(every_text_of_three_and_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
