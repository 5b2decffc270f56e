/* main - thence-sim: runs seeds and says what was found.
 *
 * Does:   one seed after the other, a scenario, what an assertion leaves behind.
 * Not:    options (options.c), what is printed (totals.c), anything of the world.
 * Holds:  exits with the worst verdict_kind that it met (verdict.h): 0 clean, 1 safety, 2 bad
 *         options, 3 liveness, 4 an assertion, 5 too little happened.
 * Limits: -
 * See:    README.md in this folder.
 */
#define _XOPEN_SOURCE 700 /* processes of their own for worlds that may end in an assertion */

#include "sim/script.h"
#include "sim/shrink.h"
#include "sim/totals.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_BYTES_MAX 65536U

/* A world in a process of its own that takes longer is not what is looked for. */
#define WORLD_CPU_S_MAX 300U

/* What assert_report prints when a node stops on a bug: the end of the program. */
static uint64_t seed_now;
static struct options options_now;
static struct world *world_now;
static int parent_now = -1; /* of a world in a process of its own: where its result goes */

static void tell_parent(const struct run_result *result)
{
    if (write(parent_now, result, sizeof *result) != (ssize_t)sizeof *result)
        _Exit(VERDICT_USAGE);
}

void assert_report(const char *what, const char *file, int line)
{
    if (parent_now >= 0) {
        struct run_result result = {0};
        if (world_now != NULL)
            run_result_of(world_now, &result);
        result.verdict.bad = false;
        verdict_say(&result.verdict, "assert", "%s at %s:%d", what, file, line);
        tell_parent(&result);
        _Exit(VERDICT_CRASH);
    }
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
    struct run_order order = {
        .plant = options->plant, .blind = options->blind, .scope = options->scope};
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

/* ---- One that fails, made smaller ---- */

struct hunt {
    struct run_order order; /* of each world, but for its scope */
    struct run_result last; /* the last one that broke */
};

/* Runs a world in a process of its own; false when nothing came back. */
static bool run_apart(const struct run_order *order, struct run_result *result)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit most = {WORLD_CPU_S_MAX, WORLD_CPU_S_MAX};
        setrlimit(RLIMIT_CPU, &most);
        parent_now = ends[1];
        run_seed(order, result);
        tell_parent(result);
        _Exit(VERDICT_GOOD);
    }
    close(ends[1]);
    size_t len = 0;
    ssize_t more = 1;
    while (more > 0 && len < sizeof *result) {
        more = read(ends[0], (char *)result + len, sizeof *result - len);
        len += more > 0 ? (size_t)more : 0;
    }
    close(ends[0]);
    int status = 0;
    if (child > 0)
        waitpid(child, &status, 0);
    return len == sizeof *result;
}

static bool same_failure(const struct verdict *a, const struct verdict *b)
{
    if (strcmp(a->invariant, b->invariant) != 0)
        return false;
    return strcmp(a->invariant, "assert") != 0 || strcmp(a->text, b->text) == 0;
}

static bool hunt_try(void *arg, const struct scope *scope, struct shrink_seen *seen)
{
    struct hunt *hunt = arg;
    struct run_result result;
    struct run_order order = hunt->order;
    order.scope = *scope;
    if (!run_apart(&order, &result) || !result.verdict.bad)
        return false;
    if (hunt->last.verdict.bad && !same_failure(&hunt->last.verdict, &result.verdict))
        return false;
    hunt->last = result;
    *seen = (struct shrink_seen){.begun = result.begun,
                                 .fault_last = result.fault_last,
                                 .ms = result.virtual_us / 1000,
                                 .nodes = result.nodes,
                                 .shards = result.shards,
                                 .sessions = result.sessions};
    return true;
}

static int shrink(const struct options *options)
{
    struct hunt hunt = {.order = {.seed = options->first, .plant = options->plant}};
    hunt.order.world = &world_now;
    struct shrink found = {.try = hunt_try, .arg = &hunt, .out = stdout, .scope = options->scope};
    if (!shrink_run(&found)) {
        printf("seed %llu breaks nothing\n", (unsigned long long)options->first);
        return VERDICT_GOOD;
    }
    struct options small = *options;
    small.scope = found.scope;
    printf("the smallest of %u worlds:\n", found.runs);
    totals_print_violation(&small, options->first, &hunt.last, stdout);
    return (int)verdict_kind(&hunt.last.verdict);
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
    if (options_now.script != NULL)
        return run_script(&options_now);
    return options_now.shrink ? shrink(&options_now) : run_seeds(&options_now);
}
