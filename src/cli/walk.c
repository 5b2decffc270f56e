/* walk - goes through JSON that was found valid.
 *
 * Does:   see walk.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    walk.h.
 */
#include "cli/walk.h"

#include "http/http.h"

bool walk_next(struct slice array, size_t *at, struct slice *element)
{
    struct json_value value;
    if (!json_next(array, at, &value))
        return false;
    *element = value.raw;
    return true;
}

struct slice walk_member(struct slice object, const char *name)
{
    struct json_member member = {slice_str(name), {.type = JSON_NONE}};
    struct json_value value;
    struct json_error error;
    if (!json_scan_members(object, &value, &member, 1, &error) || member.value.type == JSON_NONE)
        return SLICE_EMPTY;
    return member.value.raw;
}

bool walk_number(struct slice raw, uint64_t *number)
{
    *number = 0;
    if (raw.len == 0 || raw.len > 19)
        return false;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] < '0' || raw.ptr[i] > '9')
            return false;
        *number = *number * 10 + (raw.ptr[i] - '0');
    }
    return true;
}

uint64_t walk_count(struct slice object, const char *name)
{
    uint64_t number;
    return walk_number(walk_member(object, name), &number) ? number : 0;
}

struct slice walk_text(struct slice raw)
{
    bool text = raw.len >= 2 && raw.ptr[0] == '"';
    return text ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE_EMPTY;
}
