/* names - strings as small numbers.
 *
 * Does:   see names.h.
 * Not:    -
 * Holds:  A1.
 * Limits: -
 * See:    names.h.
 */
#include "check/names.h"

void names_init(struct names *names)
{
    *names = (struct names){.bytes = BUF_EMPTY};
}

void names_fini(struct names *names)
{
    buf_fini(&names->bytes);
    mem_free(names->at);
    mem_free(names->table);
    names_init(names);
}

const char *names_text(const struct names *names, uint32_t number)
{
    ASSERT(number < names->count);
    return (const char *)names->bytes.ptr + names->at[number];
}

static struct slice text_of(const struct names *names, uint32_t number)
{
    size_t end = number + 1 < names->count ? names->at[number + 1] : names->bytes.len;
    return slice_of(names->bytes.ptr + names->at[number], end - names->at[number] - 1);
}

/* The place of text in the table: where it stands, or where it would go. */
static uint32_t place_of(const struct names *names, struct slice text)
{
    uint32_t mask = names->table_cap - 1;
    uint32_t at = (uint32_t)hash_bytes(text) & mask;
    while (names->table[at] != 0 && !slice_equal(text_of(names, names->table[at] - 1), text))
        at = (at + 1) & mask;
    return at;
}

uint32_t names_find(const struct names *names, struct slice text)
{
    if (names->table_cap == 0)
        return NAMES_NONE;
    uint32_t entry = names->table[place_of(names, text)];
    return entry > 0 ? entry - 1 : NAMES_NONE;
}

static void grow(struct names *names)
{
    names->table_cap = names->table_cap > 0 ? names->table_cap * 2 : 64;
    mem_free(names->table);
    names->table = mem_zalloc(names->table_cap, sizeof(*names->table));
    for (uint32_t i = 0; i < names->count; i++)
        names->table[place_of(names, text_of(names, i))] = i + 1;
}

uint32_t names_add(struct names *names, struct slice text)
{
    uint32_t found = names_find(names, text);
    if (found != NAMES_NONE)
        return found;
    ASSERT(names->count < NAMES_NONE / 2);
    if ((names->count + 1) * 2 > names->table_cap)
        grow(names);
    uint32_t place = place_of(names, text);
    if (names->count == names->cap) {
        names->cap = names->cap > 0 ? names->cap * 2 : 64;
        names->at = mem_realloc(names->at, names->cap * sizeof(*names->at));
    }
    names->at[names->count] = names->bytes.len;
    buf_append_slice(&names->bytes, text);
    buf_u8(&names->bytes, 0);
    names->table[place] = ++names->count;
    return names->count - 1;
}
