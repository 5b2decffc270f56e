/* main - thence-sim: runs seeds and says what was found.
 *
 * Does:   options, totals, the one command that repeats a violation.
 * Not:    anything of the world.
 * Holds:  exits with the worst verdict_kind that it met (verdict.h): 0 clean, 1 safety, 2 bad
 *         options, 3 liveness, 4 an assertion, 5 too little happened.
 * Limits: -
 * See:    README.md in this folder.
 */
#include "sim/run.h"
#include "sim/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SCRIPT_BYTES_MAX 65536U

struct options {
    uint64_t first;     /* seed to begin with */
    uint64_t seeds;     /* how many */
    uint64_t stop;      /* after so many violations */
    enum plant plant;   /* planted bug */
    const char *until;  /* stop at the first violation of this invariant */
    const char *script; /* a scenario instead of seeds: its file */
    bool story;         /* print everything */
    bool replay;        /* run each seed twice */
    bool quiet;         /* only the last line */
};

struct totals {
    uint64_t seeds;               /* run */
    uint64_t violations;          /* found */
    enum verdict_kind worst;      /* of all */
    uint64_t ops;                 /* of all */
    uint64_t answered;            /* of all */
    uint64_t unknowns;            /* of all */
    uint64_t writes;              /* of all */
    uint64_t steps;               /* of all */
    uint64_t virtual_us;          /* of all */
    uint64_t node_us;             /* virtual time of all nodes together */
    uint64_t faults[FAULT_COUNT]; /* of all */
    uint64_t errors[64];          /* answers by number of their error */
    uint64_t purged;              /* of all */
    uint64_t walks;               /* of all */
    uint64_t parked;              /* of all */
};

/* What assert_report prints when a node stops on a bug: the end of the program. */
static uint64_t seed_now;
static const char *plant_now = "";

void assert_report(const char *what, const char *file, int line)
{
    printf("VIOLATION assertion, seed %llu: %s at %s:%d\n  repeat: thence-sim --seed %llu%s%s "
           "--story\n",
           (unsigned long long)seed_now, what, file, line, (unsigned long long)seed_now,
           plant_now[0] != '\0' ? " --plant " : "", plant_now);
    fflush(stdout);
    _Exit(VERDICT_CRASH); /* break on assert_failed to see it in a debugger */
}

static const char *const plant_names[] = {
    "",
#ifdef THENCE_PLANT
#define PLANT(name, what, caught_by) #name,
#include "base/plant.def"
#undef PLANT
#endif
};

static bool parse_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool parse_plant(const char *text, enum plant *plant)
{
#ifdef THENCE_PLANT
    for (uint32_t i = 1; i < PLANT_COUNT; i++) {
        if (strcmp(text, plant_names[i]) == 0) {
            *plant = (enum plant)i;
            return true;
        }
    }
#else
    (void)plant;
    fputs("thence-sim: planted bugs are only in a build with -DTHENCE_PLANT=ON\n", stderr);
#endif
    fprintf(stderr, "thence-sim: no planted bug is called %s\n", text);
    return false;
}

static const char usage_text[] =
    "usage: thence-sim [--seeds N] [--first S] [--seed S] [--story] [--check-replay]\n"
    "                  [--plant NAME] [--until INVARIANT] [--stop-after N] [--quiet]\n"
    "       thence-sim --script FILE [--story]\n"
    "\n"
    "Runs the nodes of a cluster in a virtual world, breaks it, and judges what they do.\n"
    "  --seeds N       so many worlds (20), from seed --first S (1) on\n"
    "  --seed S        this one\n"
    "  --story         tell everything that happens\n"
    "  --check-replay  run each seed twice: the hash must be the same\n"
    "  --stop-after N  after N violations (1)\n"
    "  --plant NAME    with a planted bug (PLANT build); --until INVARIANT: until that catches it\n"
    "  --script FILE   a scenario by hand\n"
    "  --quiet         only violations and totals\n"
    "\n"
    "exit status: 0 clean; 1 safety: something happened that never may; 2 bad options;\n"
    "3 liveness: what had to come about did not, in the virtual time that it may take;\n"
    "4 crash: an assertion; 5 too little happened to believe the rest. The worst one counts.\n";

static int usage(void)
{
    fputs(usage_text, stderr);
    return VERDICT_USAGE;
}

/* One option; *at moves over its value. False when it makes no sense. */
static bool parse_option(struct options *options, int argc, char **argv, int *at)
{
    const char *name = argv[*at];
    if (strcmp(name, "--help") == 0) {
        fputs(usage_text, stdout);
        exit(VERDICT_GOOD);
    }
    if (strcmp(name, "--story") == 0)
        return options->story = true;
    if (strcmp(name, "--check-replay") == 0)
        return options->replay = true;
    if (strcmp(name, "--quiet") == 0)
        return options->quiet = true;
    if (*at + 1 >= argc)
        return false;
    const char *value = argv[++*at];
    if (strcmp(name, "--seeds") == 0)
        return parse_number(value, &options->seeds);
    if (strcmp(name, "--first") == 0)
        return parse_number(value, &options->first);
    if (strcmp(name, "--stop-after") == 0)
        return parse_number(value, &options->stop);
    if (strcmp(name, "--script") == 0) {
        options->script = value;
        return true;
    }
    if (strcmp(name, "--plant") == 0)
        return parse_plant(value, &options->plant);
    if (strcmp(name, "--until") == 0) {
        options->until = value;
        return true;
    }
    options->seeds = 1;
    return strcmp(name, "--seed") == 0 && parse_number(value, &options->first);
}

static void add(struct totals *totals, const struct run_result *result)
{
    totals->seeds++;
    totals->violations += result->verdict.bad ? 1 : 0;
    totals->worst = verdict_worse(totals->worst, verdict_kind(&result->verdict));
    totals->ops += result->ops;
    totals->answered += result->answered;
    totals->unknowns += result->unknowns;
    totals->writes += result->writes;
    totals->steps += result->steps;
    totals->virtual_us += result->virtual_us;
    totals->node_us += result->virtual_us * result->nodes;
    totals->purged += result->purged;
    totals->walks += result->walks;
    totals->parked += result->parked;
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        totals->faults[i] += result->faults[i];
    for (uint32_t i = 0; i < 64; i++)
        totals->errors[i] += result->errors[i];
}

static void print_violation(const struct options *options, uint64_t seed,
                            const struct run_result *result)
{
    bool plant = options->plant != PLANT_NONE;
    printf("VIOLATION %s, seed %llu (%s; %u nodes, %u shards, at %.3f s): %s\n"
           "  repeat: thence-sim --seed %llu%s%s --story\n",
           result->verdict.invariant, (unsigned long long)seed,
           verdict_word(verdict_kind(&result->verdict)), result->nodes, result->shards,
           (double)result->virtual_us / 1e6, result->verdict.text, (unsigned long long)seed,
           plant ? " --plant " : "", plant ? plant_names[options->plant] : "");
}

static void print_seed(uint64_t seed, const struct run_result *result)
{
    uint64_t faults = 0;
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        faults += result->faults[i];
    printf("seed %llu: %u nodes, %u shards, %.1f s, %llu ops, %.1f %% answered, %llu unknown, "
           "%llu retries, %llu faults, %llu steps, hash %016llx\n",
           (unsigned long long)seed, result->nodes, result->shards,
           (double)result->virtual_us / 1e6, (unsigned long long)result->ops,
           result->ops == 0 ? 0.0 : 100.0 * (double)result->answered / (double)result->ops,
           (unsigned long long)result->unknowns, (unsigned long long)result->retries,
           (unsigned long long)faults, (unsigned long long)result->steps,
           (unsigned long long)result->hash);
}

static void print_totals(const struct totals *totals, double seconds)
{
    printf("faults:");
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        printf(" %s %llu", fault_word((enum fault)i), (unsigned long long)totals->faults[i]);
    printf("\nanswers:");
    for (unsigned i = 0; i < 64; i++) {
        enum err err = E_OK;
        if (totals->errors[i] > 0 && (i == 0 || err_from_number(i, &err)))
            printf(" %s %llu", err_name(err), (unsigned long long)totals->errors[i]);
    }
    printf("\n%llu writes, %llu parked, %llu walks, %llu purged (of processes that lived to the "
           "last fault)\n",
           (unsigned long long)totals->writes, (unsigned long long)totals->parked,
           (unsigned long long)totals->walks, (unsigned long long)totals->purged);
    double least = seconds > 0.001 ? seconds : 0.001;
    printf("%llu seeds, %llu violations, %llu ops, %.1f %% answered, %llu unknown, %llu steps, "
           "%.0f steps/s, %.0f cluster-seconds/s, %.0f s\n",
           (unsigned long long)totals->seeds, (unsigned long long)totals->violations,
           (unsigned long long)totals->ops,
           totals->ops == 0 ? 0.0 : 100.0 * (double)totals->answered / (double)totals->ops,
           (unsigned long long)totals->unknowns, (unsigned long long)totals->steps,
           (double)totals->steps / least, (double)totals->virtual_us / 1e6 / least, seconds);
}

static void run_one(const struct options *options, uint64_t seed, struct totals *totals,
                    struct run_result *result)
{
    seed_now = seed;
    run_seed(seed, options->plant, options->story ? stdout : NULL, result);
    if (options->replay && !result->verdict.bad) {
        struct run_result again;
        run_seed(seed, options->plant, NULL, &again);
        if (again.hash != result->hash)
            verdict_say(&result->verdict, "S2", "a second run gave another trace: %016llx, %016llx",
                        (unsigned long long)result->hash, (unsigned long long)again.hash);
    }
    add(totals, result);
    if (!options->quiet)
        print_seed(seed, result);
    if (result->verdict.bad)
        print_violation(options, seed, result);
    fflush(stdout);
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
    struct options options = {.first = 1, .seeds = 20, .stop = 1};
    for (int at = 1; at < argc; at++) {
        if (!parse_option(&options, argc, argv, &at))
            return usage();
    }
    plant_now = plant_names[options.plant];
    if (options.script != NULL)
        return run_script(&options);
    struct totals totals = {0};
    clock_t begin = clock();
    for (uint64_t i = 0; i < options.seeds; i++) {
        struct run_result result;
        run_one(&options, options.first + i, &totals, &result);
        if (options.until == NULL && totals.violations >= options.stop)
            break;
        if (options.until != NULL && result.verdict.bad &&
            strcmp(options.until, result.verdict.invariant) == 0)
            break;
    }
    print_totals(&totals, (double)(clock() - begin) / CLOCKS_PER_SEC);
    return (int)totals.worst;
}
