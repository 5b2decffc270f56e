/* json_put - strict JSON: the writer.
 *
 * Does:   see json.h.
 * Not:    the scanner: json.c.
 * Holds:  what json_put_string appends, json_scan accepts, whatever the bytes are.
 * Limits: -
 * See:    json.h; RFC 8259 section 7.
 */
#include "http/json.h"
#include "http/utf8.h"

void json_put_comma(struct buf *out)
{
    if (out->len == 0)
        return;
    uint8_t last = out->ptr[out->len - 1];
    if (last != '{' && last != '[' && last != ':' && last != ',')
        buf_u8(out, ',');
}

/* A control character, a quote or a backslash. */
static void put_escape(struct buf *out, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *found = byte == 0 ? NULL : memchr(plain, byte, sizeof(plain) - 1);
    if (found != NULL) {
        uint8_t *at = buf_grow(out, 2);
        at[0] = '\\';
        at[1] = (uint8_t)names[found - plain];
        return;
    }
    uint8_t *at = buf_grow(out, 6);
    memcpy(at, "\\u00", 4);
    at[4] = (uint8_t)hex[byte >> 4];
    at[5] = (uint8_t)hex[byte & 15];
}

void json_put_string(struct buf *out, struct slice text)
{
    buf_u8(out, '"');
    size_t done = 0;
    while (done < text.len) {
        size_t from = done;
        while (done < text.len && text.ptr[done] >= 0x20 && text.ptr[done] < 0x80 &&
               text.ptr[done] != '"' && text.ptr[done] != '\\')
            done++;
        buf_append(out, text.ptr + from, done - from);
        if (done == text.len)
            break;
        if (text.ptr[done] < 0x80) {
            put_escape(out, text.ptr[done++]);
            continue;
        }
        size_t length = utf8_length(text.ptr + done, text.len - done);
        if (length == 0)
            buf_append(out, "\xEF\xBF\xBD", 3);
        else
            buf_append(out, text.ptr + done, length);
        done += length > 0 ? length : 1;
    }
    buf_u8(out, '"');
}

void json_put_name(struct buf *out, struct slice name)
{
    json_put_comma(out);
    uint8_t *at = buf_grow(out, name.len + 3);
    at[0] = '"';
    memcpy(at + 1, name.ptr, name.len);
    memcpy(at + 1 + name.len, "\":", 2);
}

void json_put_text(struct buf *out, struct slice name, struct slice text)
{
    json_put_name(out, name);
    json_put_string(out, text);
}

void json_put_number(struct buf *out, struct slice name, uint64_t number)
{
    json_put_name(out, name);
    buf_decimal(out, number);
}

void json_put_bool(struct buf *out, struct slice name, bool value)
{
    json_put_name(out, name);
    buf_append_slice(out, value ? SLICE_LIT("true") : SLICE_LIT("false"));
}
