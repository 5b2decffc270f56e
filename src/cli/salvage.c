/* salvage - writes that only a data directory has, offered to a cluster.
 *
 * Does:   reads, looks, shows what it found, asks, writes what is absent; or lists it in a file.
 * Not:    requests: salvage_ask.c.
 * Holds:  V2.
 * Limits: -
 * See:    salvage.h.
 */
#include "cli/salvage.h"

#include "cli/progress.h"
#include "http/http.h"
#include "sys/sys.h"

#include <errno.h>

static void say(struct buf *out, uint64_t count, const char *what)
{
    buf_append_slice(out, SLICE_LIT("  "));
    put_grouped(out, count);
    buf_append_slice(out, slice_str(what));
    buf_u8(out, '\n');
}

static void say_source(const struct rescue *rescue, struct buf *out)
{
    const struct salvage_source *source = salvage_source(rescue->salvage);
    buf_append_slice(out, slice_str(rescue->cli->options->file));
    if (source->address.text[0] != '\0') {
        buf_append_slice(out, SLICE_LIT(": of the node at "));
        buf_append_slice(out, slice_str(source->address.text));
    }
    buf_append_slice(out, SLICE_LIT(", epoch "));
    buf_decimal(out, source->epoch);
    buf_append_slice(out, SLICE_LIT(": "));
    put_grouped(out, source->live);
    buf_append_slice(out, SLICE_LIT(" keys, and "));
    put_grouped(out, source->deleted);
    buf_append_slice(out, SLICE_LIT(" deleted\n"));
    if (source->damaged)
        buf_append_slice(out, SLICE_LIT("  its log is damaged: only what stands before that was "
                                        "read\n"));
}

static void show(const struct rescue *rescue)
{
    const struct salvage_source *source = salvage_source(rescue->salvage);
    const uint64_t *counts = rescue->counts;
    FILE *to = rescue->cli->options->json ? rescue->cli->err : rescue->cli->out;
    struct buf out = BUF_EMPTY;
    say_source(rescue, &out);
    say(&out, source->live + source->deleted - rescue->count, " of these writes the cluster had");
    say(&out, rescue->count, " it may lack; of these");
    say(&out, counts[VERDICT_ABSENT], " are of keys that are not there");
    say(&out, counts[VERDICT_SAME], " stand there, or are deleted there too");
    say(&out, counts[VERDICT_OTHER], " are of keys that have another value there: left alone");
    say(&out, counts[VERDICT_STANDING], " are deletes of keys that stand there: left alone");
    if (counts[VERDICT_NONE] > 0)
        say(&out, counts[VERDICT_NONE], " could not be looked up");
    fwrite(out.ptr, 1, out.len, to);
    fflush(to);
    buf_fini(&out);
}

static void print_json(const struct rescue *rescue)
{
    static const char *const names[VERDICTS] = {"not-looked-up", "absent",  "same",   "other",
                                                "standing",      "written", "unknown"};
    const struct salvage_source *source = salvage_source(rescue->salvage);
    struct buf out = BUF_EMPTY;
    buf_u8(&out, '{');
    json_put_text(&out, SLICE_LIT("address"), slice_str(source->address.text));
    json_put_number(&out, SLICE_LIT("keys"), source->live);
    json_put_number(&out, SLICE_LIT("deleted"), source->deleted);
    json_put_number(&out, SLICE_LIT("may-lack"), rescue->count);
    for (size_t i = 0; i < VERDICTS; i++)
        json_put_number(&out, slice_str(names[i]), rescue->counts[i]);
    json_put_number(&out, SLICE_LIT("left-out"), rescue->left_out);
    buf_append_slice(&out, SLICE_LIT("}\n"));
    fwrite(out.ptr, 1, out.len, rescue->cli->out);
    buf_fini(&out);
}

/* ---- The file ---- */

/* {"key":…,"value":…,"cluster":…}; false: JSON cannot say it. */
static bool put_line(const struct version *version, enum verdict verdict, struct buf *out)
{
    struct buf key = BUF_EMPTY;
    struct buf back = BUF_EMPTY;
    json_put_string(&key, version->key);
    json_unescape(buf_slice(&key), &back);
    bool good = version->form == VALUE_JSON && slice_equal(buf_slice(&back), version->key);
    if (good) {
        buf_append_slice(out, SLICE_LIT("{\"key\":"));
        buf_append_slice(out, buf_slice(&key));
        buf_append_slice(out, SLICE_LIT(",\"value\":"));
        buf_append_slice(out, version->value);
        buf_append_slice(out, verdict == VERDICT_ABSENT ? SLICE_LIT(",\"cluster\":\"absent\"}\n")
                                                        : SLICE_LIT(",\"cluster\":\"other\"}\n"));
    }
    buf_fini(&key);
    buf_fini(&back);
    return good;
}

static enum exit_status export_lines(struct rescue *rescue)
{
    const struct cli *cli = rescue->cli;
    FILE *file = fopen(cli->options->export_file, "wx");
    uint64_t lines = 0;
    bool good = file != NULL;
    for (size_t i = 0; i < rescue->count && good; i++) {
        struct version version;
        struct buf line = BUF_EMPTY;
        enum verdict verdict = rescue->verdicts[i];
        if (verdict != VERDICT_ABSENT && verdict != VERDICT_OTHER)
            continue;
        salvage_missing(rescue->salvage, i, &version);
        if (put_line(&version, verdict, &line)) {
            good = fwrite(line.ptr, 1, line.len, file) == line.len;
            lines++;
        } else {
            rescue->left_out++;
        }
        buf_fini(&line);
    }
    good = file != NULL && fclose(file) == 0 && good;
    if (!good) {
        fprintf(cli->err, "thence: %s: %s\n", cli->options->export_file, strerror(errno));
        return EXIT_USAGE;
    }
    if (!cli->options->json)
        fprintf(cli->out, "%llu lines in %s, for thence load; nothing was written to the cluster\n",
                (unsigned long long)lines, cli->options->export_file);
    if (rescue->left_out > 0)
        fprintf(cli->err, "thence: %llu left out: raw values, and keys that are not UTF-8\n",
                (unsigned long long)rescue->left_out);
    return rescue->counts[VERDICT_NONE] + rescue->left_out > 0 ? EXIT_NOT_WELL : EXIT_OK;
}

/* ---- All of it ---- */

static enum exit_status write_absent(struct rescue *rescue)
{
    const struct cli *cli = rescue->cli;
    if (rescue->counts[VERDICT_ABSENT] == 0)
        return rescue->counts[VERDICT_NONE] > 0 ? EXIT_NOT_WELL : EXIT_OK;
    fprintf(cli->options->json ? cli->err : cli->out,
            "What is not there would be written, as new writes. A key that was deleted in the "
            "cluster\nmeanwhile comes back, if its write is among these.\n");
    enum exit_status status = cli__confirm(cli, "keys are to be written");
    if (status != EXIT_OK)
        return status;
    if (!rescue_write(rescue))
        return EXIT_INTERRUPTED;
    if (!cli->options->json)
        fprintf(cli->out, "written %llu, unknown %llu, not written %llu\n",
                (unsigned long long)rescue->counts[VERDICT_WRITTEN],
                (unsigned long long)rescue->counts[VERDICT_UNKNOWN],
                (unsigned long long)rescue->counts[VERDICT_ABSENT]);
    if (rescue->counts[VERDICT_ABSENT] + rescue->counts[VERDICT_NONE] > 0)
        return EXIT_NOT_WELL;
    return rescue->counts[VERDICT_UNKNOWN] > 0 ? EXIT_UNKNOWN : EXIT_OK;
}

static enum exit_status run(struct rescue *rescue, const struct salvage_cluster *cluster)
{
    const struct cli *cli = rescue->cli;
    if (!salvage_related(rescue->salvage, cluster)) {
        fprintf(cli->err, "thence: %s belongs to another history than that of this cluster\n",
                cli->options->file);
        return EXIT_USAGE;
    }
    rescue->count = salvage_compare(rescue->salvage, cluster);
    rescue->verdicts = mem_zalloc(rescue->count + 1, 1);
    rescue->counts[VERDICT_NONE] = rescue->count;
    if (!rescue_look(rescue))
        return EXIT_INTERRUPTED;
    show(rescue);
    enum exit_status status =
        cli->options->export_file != NULL ? export_lines(rescue) : write_absent(rescue);
    if (cli->options->json)
        print_json(rescue);
    return status;
}

/* The cluster is asked with patience, unlike for its status. */
static struct client *client_of(const struct cli *cli, const struct status *status)
{
    struct client_options how;
    client_options_init(&how);
    how.attempt_ms_max = cli->options->timeout_ms;
    struct client *client = client_new(&how);
    for (uint32_t i = 0; i < status->node_count; i++) {
        struct buf why = BUF_EMPTY;
        uint32_t index;
        if (status->nodes[i].answered && status->nodes[i].named.len > 0)
            (void)client_add_node(client, status->nodes[i].address, &index, &why);
        buf_fini(&why);
    }
    return client;
}

/* Whoever lags may say that a key is absent which others have. */
static void warn_of_lag(const struct cli *cli, const struct status *status)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < status->node_count; i++)
        if (status->nodes[i].answered && status->nodes[i].behind > most)
            most = status->nodes[i].behind;
    if (most > 0)
        fprintf(cli->err,
                "thence: note: a member is %llu writes behind; what it lacks looks absent. thence "
                "status shows when they agree\n",
                (unsigned long long)most);
}

static enum exit_status with_cluster(const struct cli *cli, struct status *status, void *arg)
{
    struct rescue *rescue = arg;
    enum exit_status result = EXIT_UNAVAILABLE;
    struct salvage_cluster *cluster = mem_zalloc(1, sizeof(*cluster));
    if (cli__salvage_cluster(cli, status, cluster)) {
        warn_of_lag(cli, status);
        rescue->client = client_of(cli, status);
        result = run(rescue, cluster);
    }
    mem_free(cluster);
    return result;
}

enum exit_status cli_salvage(const struct cli *cli)
{
    struct rescue rescue = {.cli = cli};
    struct look look;
    struct buf why = BUF_EMPTY;
    enum exit_status status = EXIT_USAGE;
    client_session_init(&rescue.session);
    if (look_open(&look, cli->options->file, &why)) {
        rescue.salvage = salvage_new(look.segments, look.count);
        status = cli__with_members(cli, with_cluster, &rescue);
        look_close(&look);
    } else {
        fprintf(cli->err, "thence: %.*s\n", (int)why.len, (const char *)why.ptr);
    }
    client_free(rescue.client);
    client_session_fini(&rescue.session);
    salvage_free(rescue.salvage);
    mem_free(rescue.verdicts);
    buf_fini(&why);
    return status;
}
