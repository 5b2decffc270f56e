/* main - thence-sim: runs seeds and says what was found.
 *
 * Does:   one seed after the other, a scenario, what an assertion leaves behind.
 * Not:    options (options.c), what is printed (totals.c), anything of the world.
 * Holds:  exits with the worst verdict_kind that it met (verdict.h): 0 clean, 1 safety, 2 bad
 *         options, 3 liveness, 4 an assertion, 5 too little happened.
 * Limits: -
 * See:    README.md in this folder.
 */
#include "sim/script.h"
#include "sim/totals.h"

#include <stdlib.h>
#include <time.h>

#define SCRIPT_BYTES_MAX 65536U

/* What assert_report prints when a node stops on a bug: the end of the program. */
static uint64_t seed_now;
static struct options options_now;

void assert_report(const char *what, const char *file, int line)
{
    if (options_now.json) {
        totals_json_crash(seed_now, what, file, line, stdout);
    } else {
        printf("VIOLATION assertion, seed %llu: %s at %s:%d\n  repeat: ",
               (unsigned long long)seed_now, what, file, line);
        options_repeat(&options_now, seed_now, stdout);
        fputc('\n', stdout);
    }
    fflush(NULL);         /* a history too */
    _Exit(VERDICT_CRASH); /* break on assert_failed to see it in a debugger */
}

static void run_one(const struct options *options, const struct run_order *order,
                    struct totals *totals, struct run_result *result)
{
    uint64_t seed = order->seed;
    seed_now = seed;
    run_seed(order, result);
    if (options->replay && !result->verdict.bad) {
        struct run_result again;
        struct run_order silent = *order;
        silent.story = NULL;
        silent.history = NULL;
        run_seed(&silent, &again);
        if (again.hash != result->hash)
            verdict_say(&result->verdict, "S2", "a second run gave another trace: %016llx, %016llx",
                        (unsigned long long)result->hash, (unsigned long long)again.hash);
    }
    totals_add(totals, result);
    if (options->json) {
        totals_json(seed, result, stdout);
    } else {
        if (!options->quiet)
            totals_print_seed(seed, result, stdout);
        if (result->verdict.bad)
            totals_print_violation(options, seed, result, stdout);
    }
    fflush(stdout);
}

static int run_seeds(const struct options *options)
{
    struct totals totals = {0};
    struct run_order order = {.plant = options->plant, .blind = options->blind};
    order.story = options->story ? stdout : NULL;
    order.history = options->history != NULL ? fopen(options->history, "w") : NULL;
    if (options->history != NULL && order.history == NULL) {
        fprintf(stderr, "thence-sim: %s cannot be written\n", options->history);
        return VERDICT_USAGE;
    }
    clock_t begin = clock();
    for (uint64_t i = 0; i < options->seeds; i++) {
        struct run_result result;
        order.seed = options->first + i;
        run_one(options, &order, &totals, &result);
        if (options->until == NULL && totals.violations >= options->stop)
            break;
        if (options->until != NULL && result.verdict.bad &&
            strcmp(options->until, result.verdict.invariant) == 0)
            break;
    }
    if (order.history != NULL)
        fclose(order.history);
    if (!options->json && (options->marks || options->marks_required) &&
        totals_print_marks(&totals, options->marks, stdout) > 0 && options->marks_required)
        totals.worst = verdict_worse(totals.worst, VERDICT_LITTLE);
    if (!options->json)
        totals_print(&totals, (double)(clock() - begin) / CLOCKS_PER_SEC, stdout);
    return (int)totals.worst;
}

static int run_script(const struct options *options)
{
    FILE *file = fopen(options->script, "rb");
    if (file == NULL) {
        fprintf(stderr, "thence-sim: %s cannot be read\n", options->script);
        return VERDICT_USAGE;
    }
    struct buf text = BUF_EMPTY;
    uint8_t *at = buf_grow(&text, SCRIPT_BYTES_MAX);
    text.len = fread(at, 1, SCRIPT_BYTES_MAX, file);
    fclose(file);
    bool good =
        script_run(buf_slice(&text), options->plant, options->story ? stdout : NULL, stdout);
    buf_fini(&text);
    return good ? VERDICT_GOOD : VERDICT_SAFETY;
}

int main(int argc, char **argv)
{
    if (!options_parse(&options_now, argc, argv, stderr))
        return VERDICT_USAGE;
    if (options_now.help) {
        options_help(stdout);
        return VERDICT_GOOD;
    }
    return options_now.script != NULL ? run_script(&options_now) : run_seeds(&options_now);
}
