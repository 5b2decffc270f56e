/* judged - a history from text, with its order and its verdict.
 *
 * Does:   see judged.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    judged.h.
 */
#include "judged.h"

bool judged_read(struct history *history, struct slice lines, uint32_t *where, const char **why)
{
    size_t begin = 0;
    for (size_t i = 0; lines.len > 0 && i <= lines.len; i++) {
        if (i < lines.len && lines.ptr[i] != '\n')
            continue;
        if (!history_line(history, slice_of(lines.ptr + begin, i - begin), why)) {
            *where = history->lines;
            return false;
        }
        begin = i + 1;
    }
    return history_end(history, where, why);
}

void judged_init(struct judged *judged, struct slice lines)
{
    uint32_t where = 0;
    const char *why = NULL;
    history_init(&judged->history);
    bool good = judged_read(&judged->history, lines, &where, &why);
    ASSERT(good);
    nothing_deduce(&judged->history);
    order_init(&judged->order, &judged->history);
    judge(&judged->order, &judged->verdict);
}

void judged_fini(struct judged *judged)
{
    verdict_fini(&judged->verdict);
    order_fini(&judged->order);
    history_fini(&judged->history);
}

static void time_words(uint32_t number, char kind, struct buf *lines)
{
    buf_u8(lines, ' ');
    buf_decimal(lines, number * 10);
    if (kind == 'c')
        return;
    buf_u8(lines, ' ');
    buf_decimal(lines, number * 10 + 5);
}

/* One step, without blanks around it. */
static void add_step(struct slice step, uint32_t number, struct buf *lines)
{
    char kind = (char)step.ptr[0];
    uint32_t blanks = 0;
    for (size_t i = 0; i < step.len; i++) {
        blanks += step.ptr[i] == ' ';
        if (step.ptr[i] == ' ' && blanks == 2 && kind != 'f')
            time_words(number, kind, lines);
        buf_u8(lines, step.ptr[i]);
    }
    if (blanks == 3 && kind != 'f' && kind != 'c')
        buf_append_slice(lines, SLICE_LIT(" ok"));
    buf_u8(lines, '\n');
}

void judged_steps(const char *steps, struct buf *lines)
{
    uint32_t number = 0;
    for (const char *at = steps; *at != '\0';) {
        while (*at == ' ' || *at == ';')
            at++;
        const char *end = at;
        while (*end != ';' && *end != '\0')
            end++;
        if (end > at)
            add_step(slice_of(at, (size_t)(end - at)), ++number, lines);
        at = end;
    }
}
