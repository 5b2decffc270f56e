/* test_random - the judge against the definitions, on small histories by chance.
 *
 * Does:   histories of a toy store, honest and lying, changed and made up: judge and naive must
 *         agree on all counts, findings must be what they say; causal convergence itself is tried
 *         on the smallest (J1, J2).
 * Not:    big histories: test_speed.c.
 * Holds:  -
 * Limits: -
 * See:    src/check/judge.h.
 */
#include "unit.h"

#include "judged.h"
#include "naive.h"
#include "toy.h"

struct seen {
    uint32_t histories;               /* judged */
    uint32_t patterns[PATTERN_COUNT]; /* histories with it */
    uint32_t valid;                   /* without any */
    uint32_t tried;                   /* convergence was tried */
    uint32_t lenient;                 /* not convergent, nothing found: with deletes */
};

static struct slice text_of(const struct toy_history *history, bool timeless, struct buf *text)
{
    buf_reset(text);
    for (uint32_t i = 0; i < history->count; i++)
        toy_line_write(&history->lines[i], timeless, text);
    return slice_of(text->ptr, text->len > 0 ? text->len - 1 : 0);
}

/* ---- findings must be what they say ---- */

static bool is_stale(const struct finding *finding, const struct naive *naive)
{
    const struct op *ops = naive->history->ops;
    const struct op *read = &ops[finding->read];
    return ops[finding->young].key == read->key && naive->before[finding->young][finding->read] &&
           finding->old == naive->source[finding->read] &&
           (finding->old == OP_NONE || naive->before[finding->old][finding->young]) &&
           finding->pattern == naive_guarantee(naive, finding->read, finding->young);
}

static bool is_lost(const struct finding *finding, const struct naive *naive)
{
    const struct final *final = &naive->history->finals[finding->final_a];
    uint32_t winner = naive_final_source(naive, finding->final_a);
    return naive->history->ops[finding->young].key == final->key && naive->exists[finding->young] &&
           finding->old == winner && (winner == OP_NONE || naive->before[winner][finding->young]);
}

static bool is_link(const struct link *link, uint32_t next, const struct naive *naive)
{
    const struct history *history = naive->history;
    uint32_t count = history->count;
    if (link->by == OP_NONE)
        return naive->before[link->op][next];
    if (link->by >= count) {
        const struct final *final = &history->finals[link->by - count];
        bool nothing = final->value == NAMES_NONE && history->ops[next].kind == OP_DELETE;
        return (nothing || naive_final_source(naive, link->by - count) == next) &&
               history->ops[next].key == final->key && naive->exists[link->op];
    }
    return naive->source[link->by] == next && naive->before[link->op][link->by] &&
           history->ops[link->op].key == history->ops[next].key;
}

static bool is_cycle(const struct verdict *verdict, const struct naive *naive)
{
    for (uint32_t i = 0; i < verdict->cycle_count; i++)
        if (!is_link(&verdict->cycle[i], verdict->cycle[(i + 1) % verdict->cycle_count].op, naive))
            return false;
    return verdict->cycle_count > 1;
}

static bool is_true(const struct finding *finding, const struct verdict *verdict,
                    const struct naive *naive)
{
    const struct history *history = naive->history;
    switch (finding->pattern) {
    case PATTERN_THIN_AIR:
        return finding->read != OP_NONE ? naive->source[finding->read] == OP_NONE
                                        : naive_final_source(naive, finding->final_a) == OP_NONE;
    case PATTERN_FUTURE:
        return history->ops[finding->read].end_us < history->ops[finding->old].start_us;
    case PATTERN_CYCLE:
    case PATTERN_CONFLICT:
        return is_cycle(verdict, naive);
    case PATTERN_READ_OWN:
    case PATTERN_MONOTONIC_READ:
    case PATTERN_MONOTONIC_WRITE:
    case PATTERN_FOLLOW_READ:
        return is_stale(finding, naive);
    case PATTERN_DIVERGED:
        return history->finals[finding->final_a].key == history->finals[finding->final_b].key &&
               history->finals[finding->final_a].value != history->finals[finding->final_b].value;
    case PATTERN_LOST:
        return is_lost(finding, naive);
    case PATTERN_COUNT:
        break;
    }
    return false;
}

/* ---- comparing ---- */

static bool agree(const struct verdict *verdict, const struct naive *naive)
{
    const uint64_t *counts = verdict->counts;
    bool good = counts[PATTERN_THIN_AIR] == naive->thin_air &&
                counts[PATTERN_FUTURE] == naive->future && counts[PATTERN_CYCLE] == naive->cycles &&
                counts[PATTERN_READ_OWN] + counts[PATTERN_MONOTONIC_READ] +
                        counts[PATTERN_MONOTONIC_WRITE] + counts[PATTERN_FOLLOW_READ] ==
                    naive->stale &&
                counts[PATTERN_CONFLICT] == naive->conflicts &&
                counts[PATTERN_DIVERGED] == naive->diverged && counts[PATTERN_LOST] == naive->lost;
    for (uint32_t i = 0; good && i < verdict->finding_count; i++)
        good = is_true(&verdict->findings[i], verdict, naive);
    return good;
}

static bool same_order(const struct order *order, const struct naive *naive)
{
    for (uint32_t i = 0; order->cycle_count == 0 && i < naive->history->count; i++)
        for (uint32_t j = 0; j < naive->history->count; j++)
            if (order_before(order, i, j) != naive->before[i][j])
                return false;
    return true;
}

/* Few writes to put in order, few ways to explain reads of nothing. */
static bool is_tiny(const struct history *history, uint32_t *deletes)
{
    uint64_t ways = 1;
    *deletes = 0;
    for (uint32_t i = 0; i < history->count; i++)
        *deletes += history->ops[i].kind == OP_DELETE;
    for (uint32_t i = 0; i < history->count && ways < 1000; i++)
        if (history->ops[i].kind == OP_READ && history->ops[i].value == NAMES_NONE)
            ways *= *deletes + 1;
    for (uint32_t i = 0; i < history->final_count && ways < 1000; i++)
        if (history->finals[i].value == NAMES_NONE)
            ways *= *deletes + 1;
    return naive_writes(history) <= 6 && ways <= 256;
}

/* J1 and J2. */
static bool keeps_word(const struct judged *judged, struct seen *seen)
{
    const struct verdict *verdict = &judged->verdict;
    uint32_t deletes = 0;
    if (!is_tiny(&judged->history, &deletes))
        return true;
    bool converges = naive_converges(&judged->history);
    bool found = verdict_total(verdict) > 0;
    seen->tried++;
    if (found || converges)
        return found != converges;
    seen->lenient++;
    return deletes > 0;
}

static void compare(struct slice text, struct seen *seen)
{
    struct judged judged;
    struct naive naive;
    judged_init(&judged, text);
    naive_judge(&naive, &judged.history);
    bool good = same_order(&judged.order, &naive) && agree(&judged.verdict, &naive) &&
                keeps_word(&judged, seen);
    if (!good)
        print_message("%.*s\n", (int)text.len, (const char *)text.ptr);
    assert_true(good);
    struct buf story = BUF_EMPTY;
    for (uint32_t i = 0; i < judged.verdict.finding_count; i++)
        verdict_tell(&judged.verdict, &judged.order, i, &story);
    buf_fini(&story);
    seen->histories++;
    seen->valid += verdict_total(&judged.verdict) == 0;
    for (uint32_t i = 0; i < PATTERN_COUNT; i++)
        seen->patterns[i] += judged.verdict.counts[i] > 0;
    judged_fini(&judged);
}

/* ---- histories ---- */

static struct toy_options some_options(struct rng *rng)
{
    return (struct toy_options){.replicas = (uint32_t)rng_between(rng, 2, 3),
                                .sessions = (uint32_t)rng_between(rng, 1, 5),
                                .keys = (uint32_t)rng_between(rng, 1, 3),
                                .ops = (uint32_t)rng_between(rng, 4, 30),
                                .reads = (uint32_t)rng_between(rng, 20, 70),
                                .deletes = rng_chance(rng, 1, 2) ? 10 : 0,
                                .takes = rng_chance(rng, 1, 2) ? 6 : 0,
                                .unknowns = rng_chance(rng, 1, 2) ? 25 : 0,
                                .carries = (uint32_t)rng_between(rng, 10, 80),
                                .timeless = rng_chance(rng, 1, 2)};
}

/* A line of one of two kinds, or NULL. */
static struct toy_line *some_line(struct toy_history *history, struct rng *rng, char a, char b)
{
    for (uint32_t i = 0; i < 50; i++) {
        struct toy_line *line = &history->lines[rng_below(rng, history->count)];
        if (line->kind == a || line->kind == b)
            return line;
    }
    return NULL;
}

/* What was read becomes something else that was written, mostly to the same key. */
static void change(struct toy_history *history, struct rng *rng)
{
    struct toy_line *read = some_line(history, rng, 'r', 'f');
    struct toy_line *write = some_line(history, rng, 'w', rng_chance(rng, 1, 20) ? 'd' : 'w');
    if (rng_chance(rng, 1, 8) && write != NULL) {
        write->fate = "ounooo"[rng_below(rng, 6)];
    } else if (read != NULL && write != NULL) {
        for (uint32_t i = 0; i < 20 && write->key != read->key; i++) {
            struct toy_line *other = some_line(history, rng, 'w', 'w');
            write = other != NULL ? other : write;
        }
        read->value = rng_chance(rng, 1, 8) ? 0 : write->value;
    }
}

static void made_up(const struct toy_options *options, struct rng *rng, struct toy_history *history)
{
    toy_run(options, rng, history);
    for (uint32_t i = 0; i < history->count; i++)
        if (history->lines[i].kind == 'r' && history->lines[i].value > 0)
            change(history, rng);
}

static void report(const struct seen *seen)
{
    print_message("%" PRIu32 " histories, %" PRIu32 " valid, convergence tried on %" PRIu32
                  " (%" PRIu32 " with deletes judged leniently)\n",
                  seen->histories, seen->valid, seen->tried, seen->lenient);
    for (uint32_t i = 0; i < PATTERN_COUNT; i++)
        print_message("  %-20s %" PRIu32 "\n", pattern_name((enum pattern)i), seen->patterns[i]);
}

static uint32_t rounds(uint32_t usual)
{
    const char *given = getenv("ROUNDS");
    return given != NULL ? (uint32_t)strtoul(given, NULL, 10) : usual;
}

static void test_honest(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct seen seen = {0};
    struct buf text = BUF_EMPTY;
    uint32_t count = rounds(20000);
    for (uint32_t i = 0; i < count; i++) {
        struct toy_options options = some_options(&rng);
        struct toy_history history;
        toy_run(&options, &rng, &history);
        compare(text_of(&history, options.timeless, &text), &seen);
        toy_history_fini(&history);
    }
    buf_fini(&text);
    report(&seen);
    assert_int_equal(seen.valid, seen.histories);
}

static void test_lying(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct seen seen = {0};
    struct buf text = BUF_EMPTY;
    uint32_t count = rounds(20000);
    for (uint32_t i = 0; i < count; i++) {
        struct toy_options options = some_options(&rng);
        struct toy_history history;
        options.lies = (uint32_t)rng_between(&rng, 20, 500);
        toy_run(&options, &rng, &history);
        compare(text_of(&history, options.timeless, &text), &seen);
        toy_history_fini(&history);
    }
    buf_fini(&text);
    report(&seen);
    assert_true(seen.valid < seen.histories);
}

static void test_changed(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct seen seen = {0};
    struct buf text = BUF_EMPTY;
    uint32_t count = rounds(30000);
    for (uint32_t i = 0; i < count; i++) {
        struct toy_options options = some_options(&rng);
        struct toy_history history;
        toy_run(&options, &rng, &history);
        for (uint64_t j = rng_between(&rng, 1, 3); j > 0; j--)
            change(&history, &rng);
        compare(text_of(&history, options.timeless, &text), &seen);
        toy_history_fini(&history);
    }
    buf_fini(&text);
    report(&seen);
    for (uint32_t i = 0; count >= 10000 && i < PATTERN_COUNT; i++)
        assert_true(seen.patterns[i] > 0);
}

static void test_made_up(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct seen seen = {0};
    struct buf text = BUF_EMPTY;
    uint32_t count = rounds(30000);
    for (uint32_t i = 0; i < count; i++) {
        struct toy_options options = some_options(&rng);
        struct toy_history history;
        options.ops = (uint32_t)rng_between(&rng, 3, 14);
        options.timeless = true;
        made_up(&options, &rng, &history);
        compare(text_of(&history, true, &text), &seen);
        toy_history_fini(&history);
    }
    buf_fini(&text);
    report(&seen);
    assert_true(seen.tried > count / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_lying),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_made_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
