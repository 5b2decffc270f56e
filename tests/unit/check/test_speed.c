/* test_speed - a great many operations.
 *
 * Does:   a history of 200,000 operations, 64 sessions and 1,000 keys of the toy store is read and
 *         judged within a fifth of what is owed for 10^6; one lie in it is found. OPS=1000000
 *         in the environment makes it the million (a minute with making the history).
 * Not:    a benchmark: figures are printed, only the bound is asserted.
 * Holds:  -
 * Limits: about 1 GB of memory.
 * See:    src/check/README.md.
 */
#include "unit.h"

#include <sys/resource.h>

#include "judged.h"
#include "toy.h"

/* Owed for a million operations, of processor time. */
#define SECONDS_MAX 30.0

/* Sanitizers take their time: a tenth is enough for them. */
#if defined(__SANITIZE_ADDRESS__)
#define OPERATIONS 20000U
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OPERATIONS 20000U
#endif
#endif
#ifndef OPERATIONS
#define OPERATIONS 200000U
#endif

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static uint64_t number_of(const char *name, uint64_t usual)
{
    const char *given = getenv(name);
    return given != NULL ? strtoull(given, NULL, 10) : usual;
}

static struct toy_options million(void)
{
    return (struct toy_options){.replicas = 3,
                                .sessions = (uint32_t)number_of("SESSIONS", 64),
                                .keys = (uint32_t)number_of("KEYS", 1000),
                                .ops = (uint32_t)number_of("OPS", OPERATIONS),
                                .reads = 50,
                                .deletes = (uint32_t)number_of("DELETES", 4),
                                .takes = 1,
                                .unknowns = (uint32_t)number_of("UNKNOWNS", 2),
                                .carries = 75};
}

static void write_all(const struct toy_history *history, struct buf *text)
{
    for (uint32_t i = 0; i < history->count; i++)
        toy_line_write(&history->lines[i], false, text);
    text->len--;
}

static void report(const char *what, double seconds, const struct judged *judged)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    print_message("%s: %" PRIu32 " operations of %" PRIu32 " sessions on %" PRIu32
                  " keys judged in %.2f s; %" PRIu32 " clocks, %" PRIu32
                  " leaves; process %ld MB, text and toy included\n",
                  what, judged->history.count, judged->history.sessions.count,
                  judged->history.keys.count, seconds, judged->order.clocks.row_count,
                  judged->order.clocks.leaf_count, usage.ru_maxrss / 1024);
}

/* The last session that wrote a key twice reads its first write at the very end. */
static void lie(const struct toy_history *history, struct buf *text)
{
    for (uint32_t i = history->count; i-- > 0;) {
        const struct toy_line *second = &history->lines[i];
        for (uint32_t j = 0; second->kind == 'w' && second->fate == 'o' && j < i; j++) {
            const struct toy_line *first = &history->lines[j];
            if (first->kind != 'w' || first->fate != 'o' || first->key != second->key ||
                first->session != second->session)
                continue;
            struct toy_line line = *first;
            line.kind = 'r';
            line.time = history->count + 1;
            buf_u8(text, '\n');
            toy_line_write(&line, false, text);
            text->len--;
            return;
        }
    }
}

static void test_million(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct toy_options options = million();
    struct toy_history history;
    struct buf text = BUF_EMPTY;
    toy_run(&options, &rng, &history);
    write_all(&history, &text);
    struct judged judged;
    double start = cpu_seconds();
    judged_init(&judged, buf_slice(&text));
    double took = cpu_seconds() - start;
    report("honest", took, &judged);
    assert_int_equal(verdict_total(&judged.verdict), 0);
    assert_int_equal(judged.verdict.unread, 0);
    assert_true(took <= SECONDS_MAX * options.ops / 1e6);
    judged_fini(&judged);
    lie(&history, &text);
    start = cpu_seconds();
    judged_init(&judged, buf_slice(&text));
    report("one lie", cpu_seconds() - start, &judged);
    assert_int_equal(judged.verdict.counts[PATTERN_READ_OWN], 1);
    assert_int_equal(verdict_total(&judged.verdict), 1);
    struct buf story = BUF_EMPTY;
    verdict_tell(&judged.verdict, &judged.order, 0, &story);
    fwrite(story.ptr, 1, story.len, stdout);
    buf_fini(&story);
    judged_fini(&judged);
    buf_fini(&text);
    toy_history_fini(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
