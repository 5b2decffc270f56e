/* test_json - our JSON against tables, and against jansson and yajl.
 *
 * Does:   tables of texts that are and are not JSON; members, duplicates, escapes; the writer;
 *         random texts, whole and damaged: jansson (as strict as we are) must give the same
 *         verdict, yajl must take what we take; values must come back byte for byte.
 * Not:    numbers as numbers: nobody here has any.
 * Holds:  J1, J2, J3.
 * Limits: jansson says nothing about numbers that it cannot hold, nor about NUL in names.
 * See:    src/http/json.h.
 */
#include "unit.h"

/* jansson calls its types as we call ours. */
#ifdef HAVE_JANSSON
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#endif
#ifdef HAVE_YAJL
#include <yajl/yajl_parse.h>
#endif

#include "http/http.h"

/* A copy that ends where its allocation ends, so that the address sanitizer sees one byte more. */
static uint8_t *exact(struct slice text)
{
    uint8_t *copy = malloc(text.len > 0 ? text.len : 1);
    assert_non_null(copy);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

static bool accepts(struct slice text, struct json_error *error)
{
    struct json_value value;
    uint8_t *copy = exact(text);
    bool good = json_scan(slice_of(copy, text.len), &value, error);
    if (!good) {
        assert_non_null(error->sentence);
        assert_true(error->offset <= text.len);
    }
    free(copy);
    return good;
}

/* ---- Tables ---- */

struct row {
    const char *text; /* NUL-terminated */
    enum json_type type;
};

static const struct row good_rows[] = {
    {"null", JSON_NULL},
    {"true", JSON_TRUE},
    {"false", JSON_FALSE},
    {" \t\r\nnull\n", JSON_NULL},
    {"0", JSON_NUMBER},
    {"-0", JSON_NUMBER},
    {"10.50e+07", JSON_NUMBER},
    {"1E400", JSON_NUMBER},
    {"18446744073709551616", JSON_NUMBER},
    {"0.1000000000000000055511151231257827021181583404541015625", JSON_NUMBER},
    {"\"\"", JSON_STRING},
    {"\"\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\"", JSON_STRING},
    {"\"\\uD83D\\uDE00\"", JSON_STRING},
    {"\"\\ud7ff\\ue000\"", JSON_STRING},
    {"\"\x7f\"", JSON_STRING},
    {"\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"", JSON_STRING},
    {"\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", JSON_STRING},
    {"[]", JSON_ARRAY},
    {"[ 1 , [ ] , {\"a\" : [{}]} ]", JSON_ARRAY},
    {"{}", JSON_OBJECT},
    {"{ }", JSON_OBJECT},
    {"{\"a\":1,\"a\":2}", JSON_OBJECT},
    {"{\"\":{\"\":[null]}}", JSON_OBJECT},
};

static const char *const bad_rows[] = {
    "",
    " ",
    "nul",
    "nulll",
    "Null",
    "true false",
    "1,",
    "+1",
    "01",
    "-",
    "-a",
    "1.",
    ".5",
    "1.e1",
    "1e",
    "1e+",
    "0x10",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "'a'",
    "\"",
    "\"a",
    "\"\\\"",
    "\"\\x41\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\U0041\"",
    "\"\n\"",
    "\"\t\"",
    "\"\x1f\"",
    /* halves of surrogate pairs */
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud800\\n\"",
    "\"\\ud83d\\u0041\"",
    "\"\\udc00\\ud800\"",
    /* UTF-8: lone tails, cut, overlong, surrogates, above U+10FFFF, Latin-1, a byte order mark */
    "\"\x80\"",
    "\"\xC2\"",
    "\"\xC0\x80\"",
    "\"\xC1\xBF\"",
    "\"\xE0\x80\x80\"",
    "\"\xE0\x9F\xBF\"",
    "\"\xED\xA0\x80\"",
    "\"\xED\xBF\xBF\"",
    "\"\xF0\x80\x80\x80\"",
    "\"\xF0\x8F\xBF\xBF\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xF5\x80\x80\x80\"",
    "\"\xE2\x82\"",
    "\"\xF0\x9F\x98\"",
    "\"\xFF\"",
    "\"gr\xFC\xDF\"",
    "\xEF\xBB\xBF{}",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "]",
    "{",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{1:2}",
    "{\"a\":1]",
    "{\"a\"}",
    "{}{}",
    "// x\n1",
    "/* x */1",
    "[1]x",
    "[{\"a\":1,}]",
    "[{\"a\"]",
};

static void table_of_good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++) {
        struct slice text = slice_str(good_rows[i].text);
        struct json_value value;
        struct json_error error = {.sentence = NULL};
        if (!json_scan(text, &value, &error))
            fail_msg("refused: %s: %s", good_rows[i].text, error.sentence);
        assert_int_equal(value.type, good_rows[i].type);
        assert_true(value.raw.ptr >= text.ptr);
        assert_true(value.raw.ptr + value.raw.len <= text.ptr + text.len);
    }
}

static void table_of_bad_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
        struct json_error error = {.sentence = NULL};
        if (accepts(slice_str(bad_rows[i]), &error))
            fail_msg("accepted: %s", bad_rows[i]);
    }
    /* NUL is no blank, and none is allowed in a string. */
    struct json_error error;
    assert_false(accepts(slice_of("1\0", 2), &error));
    assert_false(accepts(slice_of("\"\0\"", 3), &error));
}

/* Every prefix of a text that ends in a bracket is refused, whatever the place of the cut. */
static void cut_texts_are_refused(void **state)
{
    (void)state;
    struct slice text = SLICE_LIT("{\"k\\u00e9y\": [true, false, null, -1.5e-7, \"\xF0\x9F\x98\x80 "
                                  "long enough for words of eight\"], \"\": {\"x\": {}}}");
    struct json_error error;
    assert_true(accepts(text, &error));
    for (size_t len = 0; len < text.len; len++)
        assert_false(accepts(slice_of(text.ptr, len), &error));
}

/* ---- Depth ---- */

static struct buf nested(uint32_t depth, bool objects)
{
    struct buf text = BUF_EMPTY;
    for (uint32_t i = 0; i < depth; i++)
        buf_append_slice(&text, objects && i % 2 == 0 ? SLICE_LIT("{\"a\":") : SLICE_LIT("["));
    buf_u8(&text, '7');
    for (uint32_t i = depth; i > 0; i--)
        buf_u8(&text, objects && i % 2 == 1 ? '}' : ']');
    return text;
}

static void depth_is_limited(void **state)
{
    (void)state;
    for (int objects = 0; objects < 2; objects++) {
        struct json_error error;
        struct buf deepest = nested(JSON_DEPTH_MAX, objects == 1);
        struct buf deeper = nested(JSON_DEPTH_MAX + 1, objects == 1);
        assert_true(accepts(buf_slice(&deepest), &error));
        assert_false(accepts(buf_slice(&deeper), &error));
        assert_non_null(strstr(error.sentence, "deep"));
        buf_fini(&deepest);
        buf_fini(&deeper);
    }
}

/* A megabyte of brackets must cost no more than reading it. */
static void endless_nesting_is_refused_at_once(void **state)
{
    (void)state;
    struct buf text = BUF_EMPTY;
    memset(buf_grow(&text, 1U << 20), '[', 1U << 20);
    struct json_error error;
    assert_false(accepts(buf_slice(&text), &error));
    assert_int_equal(error.offset, JSON_DEPTH_MAX + 1);
    buf_fini(&text);
}

/* ---- Members ---- */

static bool scan_two(struct slice text, struct json_member members[2])
{
    struct json_value value;
    struct json_error error;
    members[0].name = SLICE_LIT("value");
    members[1].name = SLICE_LIT("causal-metadata");
    return json_scan_members(text, &value, members, 2, &error);
}

static void members_are_found(void **state)
{
    (void)state;
    struct json_member members[2];
    assert_true(scan_two(SLICE_LIT(" {\"x\":{\"value\":1}, \"value\" : [ 1 ,2 ] ,"
                                   "\"causal-metadata\":null}"),
                         members));
    assert_int_equal(members[0].value.type, JSON_ARRAY);
    assert_true(slice_equal(members[0].value.raw, SLICE_LIT("[ 1 ,2 ]")));
    assert_int_equal(members[1].value.type, JSON_NULL);

    assert_true(scan_two(SLICE_LIT("{\"v\\u0061lu\\u0065\":1e400}"), members));
    assert_true(slice_equal(members[0].value.raw, SLICE_LIT("1e400")));
    assert_int_equal(members[1].value.type, JSON_NONE);

    assert_true(scan_two(SLICE_LIT("{\"valu\":1,\"values\":2,\"Value\":3,\"\":4}"), members));
    assert_int_equal(members[0].value.type, JSON_NONE);
    assert_true(scan_two(SLICE_LIT("{\"v\\u0061l\":1,\"\\u0076alues\":2}"), members));
    assert_int_equal(members[0].value.type, JSON_NONE);
    assert_true(scan_two(SLICE_LIT("[\"value\", 1]"), members));
    assert_int_equal(members[0].value.type, JSON_NONE);
    assert_true(scan_two(SLICE_LIT("\"value\""), members));
    assert_int_equal(members[0].value.type, JSON_NONE);
}

static void members_may_not_stand_twice(void **state)
{
    (void)state;
    struct json_member members[2];
    assert_false(scan_two(SLICE_LIT("{\"value\":1,\"value\":1}"), members));
    assert_false(scan_two(SLICE_LIT("{\"value\":1,\"\\u0076alue\":1}"), members));
    assert_false(scan_two(SLICE_LIT("{\"value\":null,\"x\":0,\"value\":null}"), members));
    assert_true(
        scan_two(SLICE_LIT("{\"x\":1,\"value\":{\"value\":1,\"value\":2},\"x\":2}"), members));
}

static void empty_objects(void **state)
{
    (void)state;
    assert_true(json_is_empty_object(SLICE_LIT("{}")));
    assert_true(json_is_empty_object(SLICE_LIT("{ \n\t}")));
    assert_false(json_is_empty_object(SLICE_LIT("{ \"a\":1}")));
    assert_false(json_is_empty_object(SLICE_LIT("[]")));
}

/* ---- Strings ---- */

static void strings_are_unescaped(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    json_unescape(SLICE_LIT("\"a\\u00e9\\ud83d\\ude00\\u20AC\\\"\\/\\b\\f\\n\\r\\t\\\\u\""), &out);
    struct slice want = SLICE_LIT("a\xC3\xA9\xF0\x9F\x98\x80\xE2\x82\xAC\"/\b\f\n\r\t\\u");
    assert_true(slice_equal(buf_slice(&out), want));
    buf_reset(&out);
    json_unescape(SLICE_LIT("\"\\u0000\""), &out);
    assert_int_equal(out.len, 1);
    assert_int_equal(out.ptr[0], 0);
    buf_fini(&out);
}

/* Whatever bytes go in: what comes out is JSON; and where they were UTF-8 they come back. */
static void written_strings_are_read_back(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct buf text = BUF_EMPTY;
    struct buf back = BUF_EMPTY;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[40];
        size_t len = rng_below(&rng, sizeof(bytes) + 1);
        bool ascii = rng_chance(&rng, 1, 2);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_below(&rng, ascii ? 128 : 256);
        struct json_value value;
        struct json_error error;
        buf_reset(&text);
        buf_reset(&back);
        json_put_string(&text, slice_of(bytes, len));
        assert_true(json_scan(buf_slice(&text), &value, &error));
        assert_int_equal(value.type, JSON_STRING);
        json_unescape(value.raw, &back);
        if (ascii)
            assert_true(slice_equal(buf_slice(&back), slice_of(bytes, len)));
    }
    buf_fini(&text);
    buf_fini(&back);
}

static void the_writer_sets_commas(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    buf_u8(&out, '{');
    json_put_text(&out, SLICE_LIT("a"), SLICE_LIT("\"{"));
    json_put_number(&out, SLICE_LIT("n"), UINT64_MAX);
    json_put_name(&out, SLICE_LIT("l"));
    buf_u8(&out, '[');
    for (int i = 0; i < 2; i++) {
        json_put_comma(&out);
        json_put_string(&out, SLICE_LIT("\x01\xFF"));
    }
    buf_append_slice(&out, SLICE_LIT("]}"));
    struct slice want = SLICE_LIT("{\"a\":\"\\\"{\",\"n\":18446744073709551615,"
                                  "\"l\":[\"\\u0001\xEF\xBF\xBD\",\"\\u0001\xEF\xBF\xBD\"]}");
    assert_true(slice_equal(buf_slice(&out), want));
    buf_fini(&out);
}

/* ---- Random texts and their judges ---- */

static void put_blanks(struct rng *rng, struct buf *out)
{
    while (rng_chance(rng, 1, 6))
        buf_u8(out, (uint8_t) " \t\r\n"[rng_below(rng, 4)]);
}

static void put_digits(struct rng *rng, struct buf *out)
{
    uint64_t count = rng_between(rng, 1, rng_chance(rng, 1, 10) ? 30 : 4);
    for (uint64_t i = 0; i < count; i++)
        buf_u8(out, (uint8_t)('0' + rng_below(rng, 10)));
}

static void put_number(struct rng *rng, struct buf *out)
{
    if (rng_chance(rng, 1, 3))
        buf_u8(out, '-');
    if (rng_chance(rng, 1, 3)) {
        buf_u8(out, '0');
    } else {
        buf_u8(out, (uint8_t)('1' + rng_below(rng, 9)));
        put_digits(rng, out);
    }
    if (rng_chance(rng, 1, 3)) {
        buf_u8(out, '.');
        put_digits(rng, out);
    }
    if (rng_chance(rng, 1, 4)) {
        buf_u8(out, rng_chance(rng, 1, 2) ? 'e' : 'E');
        if (rng_chance(rng, 1, 2))
            buf_u8(out, rng_chance(rng, 1, 2) ? '+' : '-');
        buf_u8(out, (uint8_t)('0' + rng_below(rng, 10)));
    }
}

static void put_character(struct rng *rng, struct buf *out)
{
    static const char *const some[] = {
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u00e9",
        "\\u0041",
        "\\uD834\\uDD1E",
        "\\ud800\\udc00",
        "\\uffff",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80",
        "\xED\x9F\xBF",
        "{",
        "]",
    };
    if (rng_chance(rng, 1, 3))
        buf_append_slice(out, slice_str(some[rng_below(rng, sizeof(some) / sizeof(some[0]))]));
    else
        buf_u8(out, (uint8_t)('a' + rng_below(rng, 26)));
}

static void put_string(struct rng *rng, struct buf *out)
{
    buf_u8(out, '"');
    for (uint64_t left = rng_below(rng, 14); left > 0; left--)
        put_character(rng, out);
    buf_u8(out, '"');
}

static void put_value(struct rng *rng, struct buf *out, uint32_t depth)
{
    static const char *const words[] = {"null", "true", "false"};
    uint64_t kind = rng_below(rng, depth > 4 ? 3 : 5);
    if (kind == 0) {
        buf_append_slice(out, slice_str(words[rng_below(rng, 3)]));
    } else if (kind == 1) {
        put_number(rng, out);
    } else if (kind == 2) {
        put_string(rng, out);
    } else {
        buf_u8(out, kind == 3 ? '[' : '{');
        put_blanks(rng, out);
        uint64_t count = rng_below(rng, 4);
        for (uint64_t i = 0; i < count; i++) {
            if (i > 0)
                buf_u8(out, ',');
            put_blanks(rng, out);
            if (kind == 4) {
                put_string(rng, out);
                put_blanks(rng, out);
                buf_u8(out, ':');
                put_blanks(rng, out);
            }
            put_value(rng, out, depth + 1);
            put_blanks(rng, out);
        }
        buf_u8(out, kind == 3 ? ']' : '}');
    }
}

/* One to three bytes changed, taken out or put in. */
static void damage(struct rng *rng, struct buf *text)
{
    static const char bytes[] = "{}[],:\"\\ue+-.0129tfn/ \n\x01\x80\xBF\xC2\xE2\xED\xF0\xFF"
                                "dDaA";
    for (uint64_t left = rng_between(rng, 1, 3); left > 0 && text->len > 0; left--) {
        size_t at = rng_below(rng, text->len);
        uint8_t byte = (uint8_t)bytes[rng_below(rng, sizeof(bytes) - 1)];
        uint64_t how = rng_below(rng, 3);
        if (how == 0) {
            text->ptr[at] = byte;
        } else if (how == 1) {
            memmove(text->ptr + at, text->ptr + at + 1, text->len - at - 1);
            text->len--;
        } else {
            buf_u8(text, 0);
            memmove(text->ptr + at + 1, text->ptr + at, text->len - at - 1);
            text->ptr[at] = byte;
        }
    }
}

enum verdict { SAYS_NO, SAYS_YES, SAYS_NOTHING };

static enum verdict jansson_says(struct slice text)
{
#ifdef HAVE_JANSSON
    json_error_t error;
    json_t *root =
        json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (root != NULL) {
        json_decref(root);
        return SAYS_YES;
    }
    enum json_error_code code = json_error_code(&error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ? SAYS_NOTHING
                                                                                      : SAYS_NO;
#else
    (void)text;
    return SAYS_NOTHING;
#endif
}

static enum verdict yajl_says(struct slice text)
{
#ifdef HAVE_YAJL
    static const unsigned char nothing[1] = {0};
    static const yajl_callbacks none = {0};
    yajl_handle handle = yajl_alloc(&none, NULL, NULL);
    assert_non_null(handle);
    bool good = yajl_parse(handle, text.len > 0 ? text.ptr : nothing, text.len) == yajl_status_ok &&
                yajl_complete_parse(handle) == yajl_status_ok;
    yajl_free(handle);
    return good ? SAYS_YES : SAYS_NO;
#else
    (void)text;
    return SAYS_NOTHING;
#endif
}

static void judge(struct slice text)
{
    struct json_error error = {.sentence = ""};
    bool ours = accepts(text, &error);
    if (!ours && strstr(error.sentence, "deep") != NULL)
        return;
    enum verdict strict = jansson_says(text);
    if (strict != SAYS_NOTHING && strict != (ours ? SAYS_YES : SAYS_NO))
        fail_msg("jansson disagrees, we say %s: %.*s", ours ? "yes" : error.sentence, (int)text.len,
                 (const char *)text.ptr);
    if (ours && yajl_says(text) == SAYS_NO)
        fail_msg("yajl refuses: %.*s", (int)text.len, (const char *)text.ptr);
}

static void tables_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++)
        judge(slice_str(good_rows[i].text));
    for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++)
        judge(slice_str(bad_rows[i]));
}

static void random_texts_are_judged(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct buf text = BUF_EMPTY;
    for (int round = 0; round < 60000; round++) {
        buf_reset(&text);
        put_blanks(&rng, &text);
        put_value(&rng, &text, 0);
        put_blanks(&rng, &text);
        if (round % 4 != 0) {
            damage(&rng, &text);
        } else {
            struct json_error error;
            assert_true(accepts(buf_slice(&text), &error));
        }
        judge(buf_slice(&text));
    }
    buf_fini(&text);
}

/* The value of a body is the bytes that were sent, wherever it stands. */
static void values_keep_their_bytes(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct buf text = BUF_EMPTY;
    struct buf value = BUF_EMPTY;
    for (int round = 0; round < 20000; round++) {
        buf_reset(&text);
        buf_reset(&value);
        put_value(&rng, &value, 0);
        buf_u8(&text, '{');
        put_blanks(&rng, &text);
        if (rng_chance(&rng, 1, 2)) {
            buf_append_slice(&text, SLICE_LIT("\"x\":"));
            put_value(&rng, &text, 1);
            buf_u8(&text, ',');
        }
        put_blanks(&rng, &text);
        buf_append_slice(&text, SLICE_LIT("\"value\":"));
        put_blanks(&rng, &text);
        buf_append_slice(&text, buf_slice(&value));
        put_blanks(&rng, &text);
        if (rng_chance(&rng, 1, 2))
            buf_append_slice(&text, SLICE_LIT(",\"causal-metadata\":\"t\""));
        buf_u8(&text, '}');
        struct json_member members[2];
        assert_true(scan_two(buf_slice(&text), members));
        assert_true(slice_equal(members[0].value.raw, buf_slice(&value)));
    }
    buf_fini(&text);
    buf_fini(&value);
}

/* Elements come out one by one, whatever stands inside them. */
static void elements_of_arrays(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want; /* each element followed by a bar */
    } rows[] = {
        {"[]", ""},
        {"[ \n ]", ""},
        {"[1]", "1|"},
        {"[ 1 , \"a\" ,null]", "1|\"a\"|null|"},
        {"[[1,2],{\"a\":[3,4],\"b\":{}} , []]", "[1,2]|{\"a\":[3,4],\"b\":{}}|[]|"},
        {"[\"a,]b\",\"\\\"],\",\"\\\\\",2]", "\"a,]b\"|\"\\\"],\"|\"\\\\\"|2|"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct json_value whole;
        struct json_value element;
        struct json_error error;
        struct buf got = BUF_EMPTY;
        size_t at = 0;
        assert_true(json_scan(slice_str(rows[i].text), &whole, &error));
        while (json_next(whole.raw, &at, &element)) {
            assert_int_not_equal(element.type, JSON_NONE);
            buf_append_slice(&got, element.raw);
            buf_u8(&got, '|');
        }
        assert_true(slice_equal(buf_slice(&got), slice_str(rows[i].want)));
        buf_fini(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_good_texts),
        cmocka_unit_test(table_of_bad_texts),
        cmocka_unit_test(cut_texts_are_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(endless_nesting_is_refused_at_once),
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(members_may_not_stand_twice),
        cmocka_unit_test(empty_objects),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(written_strings_are_read_back),
        cmocka_unit_test(the_writer_sets_commas),
        cmocka_unit_test(tables_are_judged),
        cmocka_unit_test(random_texts_are_judged),
        cmocka_unit_test(values_keep_their_bytes),
        cmocka_unit_test(elements_of_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
