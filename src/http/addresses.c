/* addresses - the nodes that a request names.
 *
 * Does:   see addresses.h.
 * Not:    -
 * Holds:  D1.
 * Limits: -
 * See:    addresses.h.
 */
#include "http/addresses.h"

/* Of what was not understood, so much is told. */
#define TOLD_BYTES_MAX 300U

/* Is it one of those in the list already? */
static bool names(struct slice list, struct slice address)
{
    while (list.len > 0) {
        const uint8_t *comma = memchr(list.ptr, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.ptr) : list.len;
        if (slice_equal(slice_of(list.ptr, len), address))
            return true;
        list = comma != NULL ? slice_of(comma + 1, list.len - len - 1) : SLICE_EMPTY;
    }
    return false;
}

static void add(struct slice text, size_t from, struct buf *room, struct http_refusal *refusal)
{
    struct address address;
    if (!address_parse(text, &address)) {
        struct slice told =
            slice_of(text.ptr, text.len < TOLD_BYTES_MAX ? text.len : TOLD_BYTES_MAX);
        http_refuse_about(refusal, 400, "Not an address of the form HOST:PORT", told);
        return;
    }
    struct slice canonical = slice_str(address.text);
    if (names(slice_of(room->ptr + from, room->len - from), canonical))
        return;
    if (room->len > from)
        buf_u8(room, ',');
    buf_append_slice(room, canonical);
}

/* An escaped text is unescaped behind the list, and stays there only to be complained about. */
static void add_string(struct slice raw, size_t from, struct buf *room,
                       struct http_refusal *refusal)
{
    struct slice text;
    if (json_is_plain(raw, &text)) {
        add(text, from, room, refusal);
        return;
    }
    size_t end = room->len;
    json_unescape(raw, room);
    text = slice_of(room->ptr + end, room->len - end);
    struct address address;
    if (!address_parse(text, &address)) {
        add(text, from, room, refusal);
        return;
    }
    room->len = end;
    add(slice_str(address.text), from, room, refusal);
}

static void add_array(const struct json_value *value, size_t from, struct buf *room,
                      struct http_refusal *refusal)
{
    struct json_value element;
    size_t at = 0;
    uint32_t count = 0;
    while (refusal->status == 0 && json_next(value->raw, &at, &element)) {
        if (++count > LIMIT_MEMBERS)
            http_refuse(refusal, 400, "The request names more addresses than a cluster can have");
        else if (element.type != JSON_STRING)
            http_refuse(refusal, 400, "An address is a text of the form HOST:PORT");
        else
            add_string(element.raw, from, room, refusal);
    }
    if (count == 0)
        http_refuse(refusal, 400, "The request names no address");
}

struct slice http_addresses_read(const struct json_value *value, enum http_addresses many,
                                 struct buf *room, struct http_refusal *refusal)
{
    size_t from = room->len;
    if (value->type == JSON_STRING)
        add_string(value->raw, from, room, refusal);
    else if (value->type == JSON_ARRAY && many != HTTP_ADDRESSES_ONE)
        add_array(value, from, room, refusal);
    else if (value->type == JSON_NONE || value->type == JSON_NULL)
        http_refuse(refusal, 400,
                    many == HTTP_ADDRESSES_WITHOUT
                        ? "The request does not specify without: the addresses to be given up"
                        : "The request does not specify a socket-address");
    else
        http_refuse(refusal, 400,
                    many == HTTP_ADDRESSES_ONE
                        ? "An address is a text of the form HOST:PORT"
                        : "An address is a text of the form HOST:PORT; several stand in a list");
    return slice_of(room->ptr + from, room->len - from);
}
