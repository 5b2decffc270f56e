/* json - strict JSON: a scanner that keeps values as their bytes, and a writer.
 *
 * Does:   checks a whole text against RFC 8259 (grammar, UTF-8, escapes, surrogate pairs, depth) in
 *         one pass without allocating, and finds members of the object at its top. Values stay
 *         the bytes they came as: numbers keep every digit.
 * Not:    a tree; numbers as numbers.
 * Holds:  J1 what is accepted is JSON by RFC 8259 in valid UTF-8 (RFC 3629), every \u escape
 *         names a Unicode scalar value (a pair of surrogates names one, a lone one none), and is
 *         nested at most JSON_DEPTH_MAX deep. J2 all other texts are refused. J3 time is
 *         linear in the length of the text.
 * Limits: JSON_DEPTH_MAX; memory for unescaping is the caller's.
 * See:    RFC 8259, RFC 3629; tests/unit/http/test_json.c (jansson and yajl judge).
 */
#pragma once

#include "base/base.h"

/* Objects and arrays inside each other, the outermost counted. */
#define JSON_DEPTH_MAX 128U

enum json_type {
    JSON_NONE, /* not there */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    enum json_type type; /* what */
    struct slice raw;    /* its bytes without blanks around; a string with its quotes; borrowed */
};

/* What is wrong with a text. */
struct json_error {
    const char *sentence; /* static; a clause without a full stop */
    size_t offset;        /* of the byte where it was noticed */
};

struct json_member {
    struct slice name;       /* to look for, unescaped */
    struct json_value value; /* found, or of type JSON_NONE */
};

/* Checks text and gives the value that it is. False: *error says why. */
bool json_scan(struct slice text, struct json_value *value, struct json_error *error);

/* The same; when the value is an object, sets value of each of the `count` members (and JSON_NONE
 * where there is none). Names are compared unescaped. A name of the list that occurs twice in the
 * object is an error: readers differ on which one holds (RFC 8259 section 4). Other names may. */
bool json_scan_members(struct slice text, struct json_value *value, struct json_member *members,
                       size_t count, struct json_error *error);

/* The object `raw` as json_scan gave it has no members. */
bool json_is_empty_object(struct slice raw);

/* The elements of an array one by one: raw as json_scan gave it, *at is 0 at first. False: no
 * more. */
bool json_next(struct slice raw, size_t *at, struct json_value *element);

/* Appends the UTF-8 that a string stands for; raw with its quotes, as json_scan gave it. */
void json_unescape(struct slice raw, struct buf *out);

/* True when the string `raw` (with its quotes) is the same before and after unescaping; then
 * *inside is what stands between the quotes. */
bool json_is_plain(struct slice raw, struct slice *inside);

/* ---- The writer: appends; brackets are the caller's ---- */

/* A comma, unless out is empty or ends in an opening bracket, a colon or a comma. */
void json_put_comma(struct buf *out);

/* Text in quotes, escaped where it must be. Bytes that are not UTF-8 become U+FFFD. */
void json_put_string(struct buf *out, struct slice text);

/* A comma where one is due, the name in quotes (it needs no escapes), a colon. */
void json_put_name(struct buf *out, struct slice name);

/* The same with a value: "name":"text", "name":number and "name":true. */
void json_put_text(struct buf *out, struct slice name, struct slice text);
void json_put_number(struct buf *out, struct slice name, uint64_t number);
void json_put_bool(struct buf *out, struct slice name, bool value);
