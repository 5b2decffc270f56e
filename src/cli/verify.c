/* verify - many keys read back.
 *
 * Does:   the second pass of load: each line that was surely written, and not superseded, is read
 *         through another node than it was written through, and compared byte for byte.
 * Not:    -
 * Holds:  -
 * Limits: with one node there is no other one: then it is that one.
 * See:    load.h.
 */
#define _GNU_SOURCE
#include "cli/load.h"

#include "http/http.h"
#include "sys/sys.h"

/* Of several lines with one key only the last is what must stand there, even if its own write is
 * not sure. Open addressing over line numbers by the hashes of their keys. */
static void mark_superseded(struct load_marks *marks)
{
    size_t slots = 16;
    while (slots < 2 * marks->count)
        slots *= 2;
    uint64_t *lines = mem_zalloc(slots, sizeof(*lines)); /* from 1; 0 is free */
    for (size_t i = 0; i < marks->count; i++) {
        if (marks->hashes[i] == 0)
            continue; /* no usable line */
        size_t at = marks->hashes[i] & (slots - 1);
        while (lines[at] != 0 && marks->hashes[lines[at] - 1] != marks->hashes[i])
            at = (at + 1) & (slots - 1);
        if (lines[at] != 0)
            marks->nodes[lines[at] - 1] = MARK_SUPERSEDED;
        lines[at] = i + 1;
    }
    mem_free(lines);
}

static void judge_read(struct load *load, struct load_slot *slot,
                       const struct client_answer *answer)
{
    struct json_member value = {SLICE_LIT("value"), {.type = JSON_NONE}};
    struct json_value whole;
    struct json_error error;
    bool found = answer->outcome == CLIENT_ANSWERED && answer->status == 200;
    if (found && json_scan_members(answer->body, &whole, &value, 1, &error) &&
        slice_equal(value.value.raw, buf_slice(&slot->value))) {
        load->tally.keys++;
        load->tally.bytes += slot->bytes;
        load->tally.same_node += answer->node == slot->written;
        load->in_a_row = 0;
        load->unreachable = 0;
    } else if (found || (answer->outcome == CLIENT_ANSWERED && answer->status == 404)) {
        load->tally.differ++;
        load__fail(load, slot, answer, found ? "reads back otherwise" : "cannot be found");
    } else {
        load->tally.failed++;
        load__fail(load, slot, answer, "cannot be read");
    }
}

static void read_line(struct load *load, const struct line *line, uint8_t written)
{
    bool alone = client_node_count(load->client) == 1;
    struct client_ask ask = {.verb = CLIENT_GET, .avoid = alone ? CLIENT_ANY : written};
    load__ask(load, &ask, line);
    struct load_slot *slot = NULL;
    for (uint32_t i = 0; slot == NULL; i++)
        if (load->slots[i].used && load->slots[i].line == line->number)
            slot = &load->slots[i];
    slot->written = written;
    buf_append_slice(&slot->value, line->value);
}

/* False: the end. */
static bool read_lines(struct load *load, uint64_t line_count)
{
    struct line line;
    while (load->slots_used < load->cli->options->jobs &&
           load->bytes_under_way < BYTES_UNDER_WAY_MAX) {
        enum lines_result result = lines_next(&load->lines, &line);
        if (result == LINES_BAD)
            continue;
        if (result != LINES_GOOD || line.number > line_count)
            return false;
        uint8_t mark =
            line.number <= load->marks.count ? load->marks.nodes[line.number - 1] : MARK_UNCHECKED;
        if (mark == MARK_SUPERSEDED)
            load->tally.superseded++;
        else if (mark == MARK_UNCHECKED)
            load->tally.unchecked++;
        else
            read_line(load, &line, mark);
    }
    return true;
}

void load__verify(struct load *load, int fd, uint64_t line_count)
{
    bool more = true;
    uint64_t bytes = load->lines.bytes;
    mark_superseded(&load->marks);
    lines_fini(&load->lines);
    lines_init(&load->lines, fd, load->cli->options->format);
    load->tally = (struct load_tally){0};
    load->complaints = 0;
    load->in_a_row = 0;
    progress_init(&load->progress, load->cli, "verifying", bytes);
    while (*load->cli->stop < 2) {
        if (more && !load__stopped(load))
            more = read_lines(load, line_count);
        if (load->slots_used == 0 && (!more || load__stopped(load)))
            break;
        load__wait(load, false);
        load__take(load, judge_read);
    }
    progress_clear(&load->progress);
    load->tally.took_ms = machine_mono_ms() - load->progress.began_ms;
}
