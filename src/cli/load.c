/* load - many keys written.
 *
 * Does:   the first pass: lines to writes, answers to figures.
 * Not:    reading back: verify.c. Words: report.c.
 * Holds:  D1, D2.
 * Limits: -
 * See:    load.h.
 */
#define _GNU_SOURCE
#include "cli/load.h"

#include "http/http.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MS 10U   /* between looks at a slow pipe */
#define ANSWER_MS 100U /* between looks at the clock for the progress bar */

bool load__stopped(const struct load *load)
{
    return *load->cli->stop > 0 || load->gave_up;
}

void load__complain(struct load *load, uint64_t line, struct slice key, const char *what,
                    struct slice detail)
{
    if (load->complaints++ > COMPLAINTS_MAX)
        return;
    progress_clear(&load->progress);
    if (load->complaints > COMPLAINTS_MAX) {
        fprintf(load->cli->err, "thence: and more like that\n");
        return;
    }
    fprintf(load->cli->err, "line %llu", (unsigned long long)line);
    if (key.len > 0) {
        struct buf text = BUF_EMPTY;
        json_put_string(&text, slice_of(key.ptr, key.len < 60 ? key.len : 60));
        fprintf(load->cli->err, ", key %.*s", (int)text.len, (const char *)text.ptr);
        buf_fini(&text);
    }
    fprintf(load->cli->err, ": %s%s%.*s\n", what, detail.len > 0 ? ": " : "", (int)detail.len,
            (const char *)detail.ptr);
}

void load__fail(struct load *load, const struct load_slot *slot, const struct client_answer *answer,
                const char *what)
{
    struct slice detail = answer->why != NULL ? slice_str(answer->why) : SLICE_EMPTY;
    struct json_member error = {SLICE_LIT("error"), {.type = JSON_NONE}};
    struct json_value whole;
    struct json_error wrong;
    if (answer->status != 0 && json_scan_members(answer->body, &whole, &error, 1, &wrong) &&
        error.value.type == JSON_STRING)
        detail = error.value.raw;
    load__complain(load, slot->line, buf_slice(&slot->key), what, detail);
    if (load->in_a_row++ == 0 || slot->line < load->in_a_row_from)
        load->in_a_row_from = slot->line;
    load->unreachable = answer->outcome == CLIENT_UNREACHABLE || answer->outcome == CLIENT_TIMED_OUT
                            ? load->unreachable + 1
                            : 0;
    load->gave_up = load->gave_up || load->in_a_row >= FAILURES_IN_A_ROW_MAX;
}

/* ---- Requests under way ---- */

void load__ask(struct load *load, struct client_ask *ask, const struct line *line)
{
    uint32_t i = 0;
    while (load->slots[i].used)
        i++;
    ASSERT(i < load->cli->options->jobs);
    struct load_slot *slot = &load->slots[i];
    struct buf target = BUF_EMPTY;
    client_put_target(&target, line->key);
    slot->used = true;
    slot->line = line->number;
    slot->bytes = line->key.len + line->value.len;
    buf_reset(&slot->key);
    buf_append_slice(&slot->key, line->key);
    ask->target = buf_slice(&target);
    ask->session = &load->session;
    ask->node = CLIENT_ANY;
    ask->wait_ms = load->cli->options->wait_ms;
    ask->tag = i;
    client_start(load->client, ask);
    load->slots_used++;
    load->bytes_under_way += slot->bytes;
    buf_fini(&target);
}

void load__take(struct load *load,
                void (*judge)(struct load *, struct load_slot *, const struct client_answer *))
{
    struct client_answer answer;
    while (client_take(load->client, &answer)) {
        struct load_slot *slot = &load->slots[answer.tag];
        ASSERT(slot->used);
        load->tally.retries += answer.retries;
        judge(load, slot, &answer);
        slot->used = false;
        load->slots_used--;
        load->bytes_under_way -= slot->bytes;
        buf_fini(&slot->value);
    }
}

static void show(struct load *load)
{
    const struct load_tally *tally = &load->tally;
    struct progress_now now = {.done = load->lines.bytes,
                               .keys = tally->keys,
                               .bytes = tally->bytes,
                               .retries = tally->retries,
                               .wrong =
                                   tally->unknown + tally->failed + tally->differ + tally->bad};
    progress_show(&load->progress, &now);
}

void load__wait(struct load *load, bool for_input)
{
    show(load);
    if (load->slots_used > 0) {
        client_poll(load->client, for_input ? INPUT_MS : ANSWER_MS);
        return;
    }
    struct pollfd fd = {.fd = load->lines.fd, .events = POLLIN};
    if (for_input)
        poll(&fd, 1, (int)ANSWER_MS);
}

/* ---- Writing ---- */

static void mark(struct load_marks *marks, uint64_t line, uint8_t node)
{
    ASSERT(line > 0);
    if (line > marks->cap) {
        marks->cap = line < 4096 ? 8192 : 2 * line;
        marks->nodes = mem_realloc(marks->nodes, marks->cap);
        marks->hashes = mem_realloc(marks->hashes, marks->cap * sizeof(*marks->hashes));
    }
    for (; marks->count < line; marks->count++) {
        marks->nodes[marks->count] = MARK_UNCHECKED;
        marks->hashes[marks->count] = 0;
    }
    marks->nodes[line - 1] = node;
}

static bool says(struct slice body, const char *what)
{
    return body.len > 0 && memmem(body.ptr, body.len, what, strlen(what)) != NULL;
}

static void judge_write(struct load *load, struct load_slot *slot,
                        const struct client_answer *answer)
{
    struct load_tally *tally = &load->tally;
    bool good =
        answer->outcome == CLIENT_ANSWERED && (answer->status == 200 || answer->status == 201);
    if (good) {
        tally->keys++;
        tally->bytes += slot->bytes;
        tally->created += answer->status == 201;
        tally->replaced += answer->status == 200;
        tally->alone += says(answer->body, "\"copies\":1");
        tally->lost += says(answer->body, "\"lost\":[");
        load->in_a_row = 0;
        load->unreachable = 0;
        if (load->cli->options->verify)
            mark(&load->marks, slot->line, (uint8_t)answer->node);
    } else if (answer->outcome == CLIENT_UNKNOWN) {
        tally->unknown++;
        load__fail(load, slot, answer, "not known whether it was written");
    } else {
        tally->failed++;
        load__fail(load, slot, answer, "not written");
    }
}

/* Everything is answered, and the session is one token that covers it. */
static void settle(struct load *load)
{
    ASSERT(load->slots_used == 0);
    if (load->last_key.len > 0)
        client_settle(load->client, &load->session, buf_slice(&load->last_key), load->cli->stop);
    recent_reset(&load->recent);
}

static void write_line(struct load *load, const struct line *line)
{
    struct buf body = BUF_EMPTY;
    buf_reserve(&body, line->value.len + 10);
    buf_append_slice(&body, SLICE_LIT("{\"value\":"));
    buf_append_slice(&body, line->value);
    buf_u8(&body, '}');
    struct client_ask ask = {.verb = CLIENT_PUT,
                             .body = buf_slice(&body),
                             .avoid = CLIENT_ANY,
                             .copies = load->cli->options->copies};
    load__ask(load, &ask, line);
    buf_reset(&load->last_key);
    buf_append_slice(&load->last_key, line->key);
    buf_fini(&body);
}

/* Numbers must stay those of the input: what is left out here is an empty line there. */
static void spool(struct load *load, const struct line *line)
{
    if (load->spool == NULL)
        return;
    for (; load->spool_line + 1 < line->number; load->spool_line++)
        fputc('\n', load->spool);
    fwrite(line->text.ptr, 1, line->text.len, load->spool);
    fputc('\n', load->spool);
    load->spool_line = line->number;
}

/* A good line: false when it has to wait until all before it is settled. */
static bool start_line(struct load *load, const struct line *line)
{
    uint64_t hash = hash_bytes(line->key);
    if (!recent_add(&load->recent, hash)) {
        if (load->slots_used > 0)
            return false;
        settle(load);
        recent_add(&load->recent, hash);
    }
    if (load->cli->options->verify) {
        mark(&load->marks, line->number, MARK_UNCHECKED);
        load->marks.hashes[line->number - 1] = hash;
        spool(load, line);
    }
    write_line(load, line);
    return true;
}

static void bad_line(struct load *load, const struct line *line)
{
    char at[32] = "";
    if (line->offset > 0)
        snprintf(at, sizeof(at), "byte %zu", line->offset);
    load->tally.bad++;
    load__complain(load, line->number, SLICE_EMPTY, line->why, slice_str(at));
}

/* Starts what can be started. Returns WAIT, END, FAIL, or GOOD: no more room. */
static enum lines_result start_lines(struct load *load, struct line *held, bool *holds)
{
    const struct cli_options *options = load->cli->options;
    while (load->slots_used < options->jobs && load->bytes_under_way < BYTES_UNDER_WAY_MAX) {
        enum lines_result result = *holds ? LINES_GOOD : lines_next(&load->lines, held);
        if (result == LINES_BAD && held->number > options->skip_lines)
            bad_line(load, held);
        if (result == LINES_BAD)
            continue;
        if (result != LINES_GOOD)
            return result;
        if (held->number <= options->skip_lines)
            continue;
        *holds = !start_line(load, held);
        if (*holds)
            return LINES_GOOD;
    }
    return LINES_GOOD;
}

/* The first pass; returns the first line that was not handled. */
static uint64_t write_all(struct load *load)
{
    struct line held;
    bool holds = false;
    enum lines_result result = LINES_GOOD;
    while (*load->cli->stop < 2) {
        if (result != LINES_END && !load__stopped(load))
            result = start_lines(load, &held, &holds);
        if (result == LINES_FAIL) {
            fprintf(load->cli->err, "thence: %s: %s\n", load->cli->options->file, strerror(errno));
            load->gave_up = true;
            result = LINES_END;
        }
        if (load->slots_used == 0 && (result == LINES_END || load__stopped(load)))
            break;
        load__wait(load, result == LINES_WAIT);
        load__take(load, judge_write);
    }
    uint64_t next = load->lines.number + !holds;
    for (uint32_t i = 0; i < load->cli->options->jobs; i++)
        if (load->slots[i].used && load->slots[i].line < next)
            next = load->slots[i].line;
    if (load->gave_up && load->in_a_row > 0 && load->in_a_row_from < next)
        next = load->in_a_row_from;
    load->tally.unknown += load->slots_used; /* a second Ctrl-C left them */
    if (load->slots_used == 0)
        settle(load);
    progress_clear(&load->progress);
    return next;
}

/* ---- All of it ---- */

static void init(struct load *load, const struct cli *cli)
{
    *load = (struct load){.cli = cli};
    client_session_init(&load->session);
    recent_init(&load->recent);
    load->slots = mem_zalloc(cli->options->jobs, sizeof(*load->slots));
}

static void fini(struct load *load)
{
    client_free(load->client);
    for (uint32_t i = 0; i < load->cli->options->jobs; i++) {
        buf_fini(&load->slots[i].key);
        buf_fini(&load->slots[i].value);
    }
    mem_free(load->slots);
    mem_free(load->marks.nodes);
    mem_free(load->marks.hashes);
    recent_fini(&load->recent);
    client_session_fini(&load->session);
    lines_fini(&load->lines);
    buf_fini(&load->last_key);
    if (load->spool != NULL)
        fclose(load->spool);
}

/* The two passes over an open file. */
static enum exit_status load_fd(struct load *load, int fd)
{
    const struct cli *cli = load->cli;
    struct stat about;
    off_t start = lseek(fd, 0, SEEK_CUR);
    bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && start >= 0;
    if (cli->options->verify && !regular && (load->spool = tmpfile()) == NULL) {
        fprintf(cli->err, "thence: no temporary file to read back from: %s\n", strerror(errno));
        return EXIT_USAGE;
    }
    lines_init(&load->lines, fd, cli->options->format);
    progress_init(&load->progress, cli, "loading", regular ? (uint64_t)(about.st_size - start) : 0);
    uint64_t next = write_all(load);
    struct load_tally written = load->tally;
    written.took_ms = machine_mono_ms() - load->progress.began_ms;
    bool verifies = cli->options->verify && !load__stopped(load);
    if (verifies) {
        uint64_t lines = load->lines.number;
        if (load->spool != NULL)
            fflush(load->spool);
        int from = load->spool != NULL ? fileno(load->spool) : fd;
        lseek(from, load->spool != NULL ? 0 : start, SEEK_SET);
        load__verify(load, from, lines);
    }
    return load__report(load, &written, verifies ? &load->tally : NULL, next);
}

enum exit_status cli_load(const struct cli *cli)
{
    struct load load;
    struct client_options how;
    enum exit_status status = EXIT_USAGE;
    bool standard = strcmp(cli->options->file, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(cli->options->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(cli->err, "thence: %s: %s\n", cli->options->file, strerror(errno));
        return EXIT_USAGE;
    }
    init(&load, cli);
    client_options_init(&how);
    how.attempt_ms_max = cli->options->timeout_ms;
    if (cli__session_read(cli, &load.session))
        load.client = cli__client_new(cli, &how);
    if (load.client != NULL) {
        status = load_fd(&load, fd);
        if (!cli__session_write(cli, &load.session) && status == EXIT_OK)
            status = EXIT_USAGE;
    }
    fini(&load);
    if (!standard)
        close(fd);
    return status;
}
