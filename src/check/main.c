/* main - thence-check: judges a recorded history.
 *
 * Does:   reads lines from a file or standard input, judges, tells.
 * Not:    recording.
 * Holds:  exit status 0: nothing is wrong; 1: a promise is broken; 2: the input or the command
 *         makes no sense.
 * Limits: -
 * See:    README.md in this folder.
 */
#define _GNU_SOURCE
#include "check/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOLD 5U

void assert_report(const char *what, const char *file, int line)
{
    fprintf(stderr, "thence-check: assertion failed: %s (%s:%d)\n", what, file, line);
}

static const char help[] =
    "usage: thence-check [FILE]\n"
    "Judges a recorded history (standard input without FILE): session guarantees, causality,\n"
    "convergence, and that no acknowledged write is lost.\n"
    "\n"
    "  w SESSION START END KEY VALUE FATE   a write of a value that nobody else writes\n"
    "  d SESSION START END KEY ID FATE      a delete, under a name that no value has\n"
    "  r SESSION START END KEY VALUE FATE   a read; VALUE - when the key did not exist\n"
    "  c SESSION TIME OTHER [COUNT]         SESSION takes over the context of OTHER (as it was\n"
    "                                       after its first COUNT lines)\n"
    "  f NODE KEY VALUE                     a final read at one replica\n"
    "FATE is ok, no or unknown; times are microseconds.\n"
    "\n"
    "exit status: 0 valid, 1 a promise is broken, 2 the input makes no sense\n";

static int read_all(FILE *file, struct history *history)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = 0;
    int status = 0;
    while (status == 0 && (len = getline(&line, &cap, file)) >= 0) {
        if (len > 0 && line[len - 1] == '\n')
            len--;
        const char *why = "a line is too long";
        if ((size_t)len > HISTORY_LINE_BYTES ||
            !history_line(history, slice_of(line, (size_t)len), &why)) {
            fprintf(stderr, "thence-check: line %" PRIu32 ": %s\n", history->lines, why);
            status = 2;
        }
    }
    mem_free(line); /* from malloc, as all that mem hands out */
    return status;
}

static void tell(const struct order *order, const struct verdict *verdict)
{
    struct buf story = BUF_EMPTY;
    for (uint32_t i = 0; i < verdict->finding_count && i < TOLD; i++)
        verdict_tell(verdict, order, i, &story);
    fwrite(story.ptr, 1, story.len, stdout);
    buf_fini(&story);
    for (uint32_t i = 0; i < PATTERN_COUNT; i++)
        if (verdict->counts[i] > 0)
            printf("%s: %" PRIu64 "\n", pattern_name((enum pattern)i), verdict->counts[i]);
    if (order->history->final_count > 0 && verdict->unread > 0)
        printf("without a final read: %" PRIu32 " keys\n", verdict->unread);
}

static int judge_all(struct history *history)
{
    uint32_t where = 0;
    const char *why = "";
    if (!history_end(history, &where, &why)) {
        fprintf(stderr, "thence-check: line %" PRIu32 ": %s\n", where, why);
        return 2;
    }
    nothing_deduce(history);
    struct order order;
    order_init(&order, history);
    struct verdict verdict;
    judge(&order, &verdict);
    tell(&order, &verdict);
    uint64_t total = verdict_total(&verdict);
    printf("%s: %" PRIu32 " operations (%" PRIu32 " of unknown outcome) and %" PRIu32
           " refused, of %" PRIu32 " sessions on %" PRIu32 " keys; %" PRIu32
           " final reads at %" PRIu32 " nodes; %" PRIu64 "%s violations; %.1f s\n",
           total == 0 ? "valid" : "BROKEN", history->count, history->unknown, history->refused,
           history->sessions.count, history->keys.count, history->final_count, history->nodes.count,
           total, total >= COUNTED_MAX ? " or more" : "", (double)clock() / CLOCKS_PER_SEC);
    verdict_fini(&verdict);
    order_fini(&order);
    return total == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1] != '\0')) {
        bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
        fputs(help, asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    FILE *file = stdin;
    if (argc == 2 && strcmp(argv[1], "-") != 0)
        file = fopen(argv[1], "r");
    if (file == NULL) {
        perror(argv[1]);
        return 2;
    }
    struct history history;
    history_init(&history);
    int status = read_all(file, &history);
    if (status == 0)
        status = judge_all(&history);
    history_fini(&history);
    if (file != stdin)
        fclose(file);
    return status;
}
