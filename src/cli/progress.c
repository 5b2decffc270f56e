/* progress - how far a long command is.
 *
 * Does:   see progress.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    progress.h.
 */
#define _GNU_SOURCE
#include "cli/progress.h"

#include "sys/sys.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_MS 100U
#define LINE_MS 1000U
#define BAR_CELLS 24U

void put_grouped(struct buf *out, uint64_t number)
{
    struct buf digits = BUF_EMPTY;
    buf_decimal(&digits, number);
    for (size_t i = 0; i < digits.len; i++) {
        if (i > 0 && (digits.len - i) % 3 == 0)
            buf_u8(out, ',');
        buf_u8(out, digits.ptr[i]);
    }
    buf_fini(&digits);
}

void put_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {" B", " KB", " MB", " GB", " TB", " PB"};
    uint64_t tenths = bytes * 10;
    size_t unit = 0;
    while (tenths >= 10000 && unit < 5) {
        tenths = (tenths + 500) / 1000;
        unit++;
    }
    buf_decimal(out, tenths / 10);
    if (unit > 0 && tenths < 1000) {
        buf_u8(out, '.');
        buf_decimal(out, tenths % 10);
    }
    buf_append_slice(out, slice_str(units[unit]));
}

unsigned progress_columns(const struct cli *cli)
{
    struct winsize size;
    bool known = cli->err_terminal && ioctl(fileno(cli->err), TIOCGWINSZ, &size) == 0;
    return known && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_init(struct progress *progress, const struct cli *cli, const char *word,
                   uint64_t total)
{
    *progress = (struct progress){.file = cli->options->quiet ? NULL : cli->err,
                                  .terminal = cli->err_terminal,
                                  .word = word,
                                  .total = total,
                                  .columns = progress_columns(cli)};
    progress->began_ms = machine_mono_ms();
    progress->shown_ms = progress->began_ms;
}

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

/* "12,345 keys, 9.8 MB, 4,115 keys/s, 3 retries" */
static void put_figures(struct buf *out, const struct progress_now *now, uint64_t ms)
{
    put_grouped(out, now->keys);
    put(out, " keys, ");
    put_bytes(out, now->bytes);
    put(out, ", ");
    put_grouped(out, ms > 0 ? now->keys * 1000 / ms : 0);
    put(out, " keys/s");
    if (now->retries > 0) {
        put(out, ", ");
        put_grouped(out, now->retries);
        put(out, now->retries == 1 ? " retry" : " retries");
    }
    if (now->wrong > 0) {
        put(out, ", ");
        put_grouped(out, now->wrong);
        put(out, " not well");
    }
}

void put_bar(struct buf *out, uint64_t done, uint64_t total)
{
    uint64_t cells = done * BAR_CELLS / total;
    put(out, " [");
    for (unsigned i = 0; i < BAR_CELLS; i++)
        buf_u8(out, i < cells ? '#' : '-');
    put(out, "] ");
    buf_decimal(out, done * 100 / total);
    put(out, " %  ");
}

void put_time_left(struct buf *out, uint64_t done, uint64_t total, uint64_t ms)
{
    if (done == 0 || done >= total || ms < 500)
        return;
    put(out, ", ");
    double left_s = (double)(total - done) * (double)ms / (double)done / 1000.0;
    buf_decimal(out, (uint64_t)left_s + 1);
    put(out, " s left");
}

void progress_show(struct progress *progress, const struct progress_now *now)
{
    uint64_t now_ms = machine_mono_ms();
    if (progress->file == NULL ||
        now_ms - progress->shown_ms < (progress->terminal ? BAR_MS : LINE_MS))
        return;
    progress->shown_ms = now_ms;
    struct buf line = BUF_EMPTY;
    uint64_t ms = now_ms - progress->began_ms;
    uint64_t done = now->done < progress->total ? now->done : progress->total;
    put(&line, progress->word);
    if (progress->terminal && progress->total > 0)
        put_bar(&line, done, progress->total);
    else
        put(&line, ": ");
    put_figures(&line, now, ms);
    if (progress->total > 0 && now->keys > 0)
        put_time_left(&line, done, progress->total, ms);
    if (progress->terminal) {
        size_t len = line.len < progress->columns ? line.len : progress->columns - 1;
        fprintf(progress->file, "\r\x1b[K%.*s", (int)len, (const char *)line.ptr);
    } else {
        fprintf(progress->file, "%.*s\n", (int)line.len, (const char *)line.ptr);
    }
    fflush(progress->file);
    buf_fini(&line);
}

void progress_clear(struct progress *progress)
{
    if (progress->file == NULL || !progress->terminal)
        return;
    fprintf(progress->file, "\r\x1b[K");
    fflush(progress->file);
}
