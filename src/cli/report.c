/* report - what came of a load.
 *
 * Does:   sentences or one line of JSON, and the exit status.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    load.h, help.c.
 */
#include "cli/load.h"

#include "http/http.h"

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

static void put_count(struct buf *out, uint64_t count, const char *what)
{
    put_grouped(out, count);
    put(out, what);
}

/* "4.9 s" */
static void put_seconds(struct buf *out, uint64_t ms)
{
    buf_decimal(out, (ms + 50) / 1000);
    buf_u8(out, '.');
    buf_decimal(out, (ms + 50) % 1000 / 100);
    put(out, " s");
}

static uint64_t rate(uint64_t count, uint64_t ms)
{
    return count * 1000 / (ms > 0 ? ms : 1);
}

static void put_written(struct buf *out, const struct load_tally *tally)
{
    put(out, "loaded ");
    put_count(out, tally->keys, " keys, ");
    put_bytes(out, tally->bytes);
    put(out, " in ");
    put_seconds(out, tally->took_ms);
    put(out, ": ");
    put_count(out, rate(tally->keys, tally->took_ms), " keys/s, ");
    put_bytes(out, rate(tally->bytes, tally->took_ms));
    put(out, "/s\n  created ");
    put_count(out, tally->created, " · replaced ");
    put_count(out, tally->replaced, " · retries ");
    put_count(out, tally->retries, " · unknown ");
    put_count(out, tally->unknown, " · failed ");
    put_count(out, tally->failed, " · unusable lines ");
    put_count(out, tally->bad, "\n");
    if (tally->alone > 0) {
        put(out, "  ");
        put_count(out, tally->alone, " of them were acknowledged by one node alone\n");
    }
    if (tally->lost > 0)
        put(out, "  writes that this session had seen before may be lost\n");
}

static void put_verified(struct buf *out, const struct load_tally *tally)
{
    put(out, "verified ");
    put_count(out, tally->keys, " keys in ");
    put_seconds(out, tally->took_ms);
    put(out, ": ");
    put_count(out, rate(tally->keys, tally->took_ms), " keys/s\n  equal ");
    put_count(out, tally->keys, " · differ ");
    put_count(out, tally->differ, " · not readable ");
    put_count(out, tally->failed, " · retries ");
    put_count(out, tally->retries, " · not checked ");
    put_count(out, tally->unchecked, "\n");
    if (tally->superseded > 0) {
        put(out, "  ");
        put_count(out, tally->superseded, " lines have a later line for the same key\n");
    }
    put(out, "  ");
    if (tally->same_node == 0)
        put(out, "each through another node than it was written through\n");
    else
        put_count(out, tally->same_node, " through the node that they were written through\n");
}

static void put_json_tally(struct buf *out, const struct load_tally *tally, bool verified)
{
    buf_u8(out, '{');
    json_put_number(out, SLICE_LIT("keys"), tally->keys);
    json_put_number(out, SLICE_LIT("bytes"), tally->bytes);
    json_put_number(out, SLICE_LIT("took-ms"), tally->took_ms);
    json_put_number(out, SLICE_LIT("retries"), tally->retries);
    json_put_number(out, SLICE_LIT("failed"), tally->failed);
    if (verified) {
        json_put_number(out, SLICE_LIT("differ"), tally->differ);
        json_put_number(out, SLICE_LIT("unchecked"), tally->unchecked);
        json_put_number(out, SLICE_LIT("superseded"), tally->superseded);
        json_put_number(out, SLICE_LIT("same-node"), tally->same_node);
    } else {
        json_put_number(out, SLICE_LIT("created"), tally->created);
        json_put_number(out, SLICE_LIT("replaced"), tally->replaced);
        json_put_number(out, SLICE_LIT("alone"), tally->alone);
        json_put_number(out, SLICE_LIT("lost"), tally->lost);
        json_put_number(out, SLICE_LIT("unknown"), tally->unknown);
        json_put_number(out, SLICE_LIT("unusable-lines"), tally->bad);
    }
    buf_u8(out, '}');
}

static void put_json(struct buf *out, const struct load *load, const struct load_tally *written,
                     const struct load_tally *verified, uint64_t next_line)
{
    buf_u8(out, '{');
    json_put_name(out, SLICE_LIT("loaded"));
    put_json_tally(out, written, false);
    if (verified != NULL) {
        json_put_name(out, SLICE_LIT("verified"));
        put_json_tally(out, verified, true);
    }
    json_put_name(out, SLICE_LIT("interrupted"));
    buf_append_slice(out, *load->cli->stop > 0 ? SLICE_LIT("true") : SLICE_LIT("false"));
    json_put_name(out, SLICE_LIT("gave-up"));
    buf_append_slice(out, load->gave_up ? SLICE_LIT("true") : SLICE_LIT("false"));
    json_put_number(out, SLICE_LIT("next-line"), next_line);
    put(out, "}\n");
}

/* How far it got, where it did not get to the end. */
static void say_stopped(const struct load *load, uint64_t next_line)
{
    if (!load__stopped(load))
        return;
    fprintf(load->cli->err, "thence: %s: every line before %llu was handled; --skip %llu goes on\n",
            *load->cli->stop > 0 ? "interrupted" : "gave up after too many failures in a row",
            (unsigned long long)next_line, (unsigned long long)next_line - 1);
}

static enum exit_status status_of(const struct load *load, const struct load_tally *written,
                                  const struct load_tally *verified)
{
    if (*load->cli->stop > 0)
        return EXIT_INTERRUPTED;
    if (load->gave_up && load->unreachable > 0)
        return EXIT_UNAVAILABLE;
    uint64_t wrong = written->failed + written->bad;
    if (verified != NULL)
        wrong += verified->failed + verified->differ;
    if (load->gave_up || wrong > 0)
        return EXIT_NOT_WELL;
    return written->unknown > 0 ? EXIT_UNKNOWN : EXIT_OK;
}

enum exit_status load__report(const struct load *load, const struct load_tally *written,
                              const struct load_tally *verified, uint64_t next_line)
{
    struct buf out = BUF_EMPTY;
    if (load->cli->options->json) {
        put_json(&out, load, written, verified, next_line);
    } else {
        put_written(&out, written);
        if (verified != NULL)
            put_verified(&out, verified);
    }
    fwrite(out.ptr, 1, out.len, load->cli->out);
    fflush(load->cli->out);
    say_stopped(load, next_line);
    buf_fini(&out);
    return status_of(load, written, verified);
}
