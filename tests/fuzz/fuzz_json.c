/* fuzz_json - any bytes as JSON, and as text for the writer.
 *
 * Does:   what is accepted must be accepted again as the value it is found to be, and inside an
 *         object; strings must survive unescaping and writing; whatever the writer makes
 *         of any bytes must be accepted.
 * Not:    other judges: tests/unit/http/test_json.c has jansson and yajl.
 * Holds:  J1, J2 (against itself).
 * Limits: -
 * See:    src/http/json.h.
 */
#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unescaped and written anew, a string stands for the same bytes. */
static void string_try(struct slice raw)
{
    struct buf once = BUF_EMPTY;
    struct buf again = BUF_EMPTY;
    struct buf twice = BUF_EMPTY;
    struct json_value value;
    struct json_error error;
    json_unescape(raw, &once);
    json_put_string(&again, buf_slice(&once));
    ASSERT(json_scan(buf_slice(&again), &value, &error));
    ASSERT(value.type == JSON_STRING);
    json_unescape(value.raw, &twice);
    ASSERT(slice_equal(buf_slice(&once), buf_slice(&twice)));
    buf_fini(&once);
    buf_fini(&again);
    buf_fini(&twice);
}

/* As the member of an object: found there with the same bytes, one level deeper. */
static void member_try(struct slice text, const struct json_value *value)
{
    struct buf object = BUF_EMPTY;
    struct json_member member = {SLICE_LIT("value"), {.type = JSON_NONE}};
    struct json_value whole;
    struct json_error error;
    buf_append_slice(&object, SLICE_LIT("{\"a\":[],\"va\\u006cue\":"));
    buf_append_slice(&object, text);
    buf_append_slice(&object, SLICE_LIT(",\"b\":{}}"));
    bool good = json_scan_members(buf_slice(&object), &whole, &member, 1, &error);
    if (value == NULL) {
        /* Text that is refused may still close the object and open another member. */
        MAYBE(good);
    } else if (good) {
        ASSERT(member.value.type == value->type);
        ASSERT(slice_equal(member.value.raw, value->raw));
    } else {
        ASSERT(strstr(error.sentence, "deep") != NULL);
    }
    buf_fini(&object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1] = {0};
    struct slice text = slice_of(size > 0 ? data : nothing, size);
    struct json_value value;
    struct json_value again;
    struct json_error error = {.sentence = NULL};
    struct buf written = BUF_EMPTY;
    bool good = json_scan(text, &value, &error);
    if (good) {
        ASSERT(json_scan(value.raw, &again, &error));
        ASSERT(again.type == value.type);
        ASSERT(slice_equal(again.raw, value.raw));
        if (value.type == JSON_STRING)
            string_try(value.raw);
    } else {
        ASSERT(error.sentence != NULL);
        ASSERT(error.offset <= size);
    }
    member_try(text, good ? &value : NULL);
    json_put_string(&written, text);
    ASSERT(json_scan(buf_slice(&written), &again, &error));
    buf_fini(&written);
    return 0;
}
