/* test_address - texts of addresses, good and bad.
 *
 * Does:   a table of what is accepted and how it is written; a table of what is refused; random
 *         texts: what comes out goes in again and comes out equal.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    placement/config.h, address_parse; RFC 5952.
 */
#include "unit.h"

#include "placement/placement.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static const char *const good[][2] = {
    {"10.0.0.1:8085", "10.0.0.1:8085"},
    {"0.0.0.0:1", "0.0.0.0:1"},
    {"255.255.255.255:65535", "255.255.255.255:65535"},
    {"10.0.0.1:08085", "10.0.0.1:8085"},
    {"10.0.0.1:00001", "10.0.0.1:1"},
    {"localhost:80", "localhost:80"},
    {"Node-1.Example.ORG:80", "node-1.example.org:80"},
    {"my_service_1:8085", "my_service_1:8085"},
    {"a:1", "a:1"},
    {"1a:1", "1a:1"},
    {"1.2.3.4.example:1", "1.2.3.4.example:1"},
    {LABEL_63 ":1", LABEL_63 ":1"},
    {LABEL_63 "." LABEL_63 "." LABEL_63 ".b2345678901234567890123456789012345678901234567890"
              "12345678901:65535",
     LABEL_63 "." LABEL_63 "." LABEL_63 ".b2345678901234567890123456789012345678901234567890"
              "12345678901:65535"},
    {"[::]:80", "[::]:80"},
    {"[::1]:80", "[::1]:80"},
    {"[0:0:0:0:0:0:0:1]:80", "[::1]:80"},
    {"[2001:DB8::A]:80", "[2001:db8::a]:80"},
    {"[2001:0db8:0000:0000:0000:0000:0000:000a]:80", "[2001:db8::a]:80"},
    {"[2001:db8::]:80", "[2001:db8::]:80"},
    {"[1:2:3:4:5:6:7:8]:80", "[1:2:3:4:5:6:7:8]:80"},
    {"[1:0:3:4:5:6:7:8]:80", "[1:0:3:4:5:6:7:8]:80"},
    {"[1::3:4:5:6:7:8]:80", "[1:0:3:4:5:6:7:8]:80"},
    {"[::2:3:4:5:6:7:8]:80", "[0:2:3:4:5:6:7:8]:80"},
    {"[1:2:3:4:5:6:7::]:80", "[1:2:3:4:5:6:7:0]:80"},
    {"[1:0:0:4:5:0:0:8]:80", "[1::4:5:0:0:8]:80"},
    {"[1:0:0:4:0:0:0:8]:80", "[1:0:0:4::8]:80"},
    {"[::ffff:10.0.0.1]:80", "[::ffff:a00:1]:80"},
    {"[64:ff9b::1.2.3.4]:80", "[64:ff9b::102:304]:80"},
    {"[1:2:3:4:5:6:1.2.3.4]:80", "[1:2:3:4:5:6:102:304]:80"},
};

static void good_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct address address;
        struct address again;
        if (!address_parse(slice_str(good[i][0]), &address))
            fail_msg("%s is refused", good[i][0]);
        assert_string_equal(address.text, good[i][1]);
        assert_true(address_parse(slice_str(address.text), &again));
        assert_string_equal(again.text, good[i][1]);
    }
}

static const char *const bad[] = {
    "",
    ":",
    "80",
    "host",
    "host:",
    ":80",
    "host:0",
    "host:00000",
    "host:65536",
    "host:99999",
    "host:100000",
    "host:000080",
    "host:-1",
    "host:+1",
    "host:8o",
    "host: 80",
    "host:80 ",
    " host:80",
    "ho st:80",
    "host:80:80",
    "host:80\n",
    "http://host:80",
    "user@host:80",
    /* almost numbers */
    "1.2.3:80",
    "1.2.3.4.5:80",
    "256.1.1.1:80",
    "1.2.3.999:80",
    "01.2.3.4:80",
    "1.2.3.00:80",
    "1..3.4:80",
    ".1.2.3.4:80",
    "1.2.3.4.:80",
    "1234:80",
    "host.1:80",
    "1.2.3.-4:80",
    /* names */
    "-host:80",
    "host-:80",
    "a..b:80",
    ".a:80",
    "a.:80",
    "a.-b:80",
    "h\xc3\xb6st:80",
    "a/b:80",
    "a*:80",
    LABEL_63 "4:80",
    LABEL_63 "." LABEL_63 "." LABEL_63 ".b2345678901234567890123456789012345678901234567890"
             "123456789012:1",
    /* v6 */
    "::1:80",
    "[]:80",
    "[:]:80",
    "[::1]",
    "[::1]:",
    "[::1:80",
    "::1]:80",
    "[::1]80",
    "[1:2:3:4:5:6:7]:80",
    "[1:2:3:4:5:6:7:8:9]:80",
    "[1:2:3:4:5:6:7:8::]:80",
    "[::1:2:3:4:5:6:7:8]:80",
    "[1::2::3]:80",
    "[:::]:80",
    "[1:::2]:80",
    "[:1::2]:80",
    "[1::2:]:80",
    "[12345::]:80",
    "[g::]:80",
    "[::1%eth0]:80",
    "[1.2.3.4::]:80",
    "[1.2.3.4]:80",
    "[::1.2.3.4:5]:80",
    "[::1.2.3]:80",
    "[::1.2.3.256]:80",
    "[1:2:3:4:5:6:7:1.2.3.4]:80",
    "[::01.2.3.4]:80",
    "[10.0.0.1]:80",
    "[host]:80",
    "[[::1]]:80",
    "[::-1]:80",
    "[:1]:80",
    "[1:]:80",
    "[1:2:3:4:5:6:7:]:80",
    "[:2:3:4:5:6:7:8]:80",
};

static void bad_addresses(void **state)
{
    (void)state;
    struct address before;
    assert_true(address_parse(SLICE_LIT("kept:1"), &before));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct address address = before;
        if (address_parse(slice_str(bad[i]), &address))
            fail_msg("%s is accepted", bad[i]);
        assert_string_equal(address.text, "kept:1");
    }
    struct address address;
    assert_false(address_parse(SLICE_EMPTY, &address));
    assert_false(address_parse(SLICE_LIT("a\0b:80"), &address));
}

/* Random strings over what addresses are made of, and good ones with one byte altered. */
static void what_comes_out_is_stable(void **state)
{
    (void)state;
    static const char letters[] = "0123456789abcdefFgG:::...[]-_";
    struct rng rng = unit_rng();
    uint32_t accepted = 0;
    for (uint32_t round = 0; round < 200000; round++) {
        char text[40] = "[2001:db8::1:0:0:7]:8085";
        size_t len = strlen(text);
        if (rng_chance(&rng, 1, 2)) {
            len = rng_between(&rng, 1, 12);
            for (size_t i = 0; i < len; i++)
                text[i] = letters[rng_below(&rng, sizeof(letters) - 1)];
        } else {
            text[rng_below(&rng, len)] = letters[rng_below(&rng, sizeof(letters) - 1)];
        }
        struct address address;
        struct address again;
        if (!address_parse(slice_of(text, len), &address))
            continue;
        accepted++;
        assert_true(address_parse(slice_str(address.text), &again));
        assert_string_equal(address.text, again.text);
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_addresses),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(what_comes_out_is_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
