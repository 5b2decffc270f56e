/* options - what thence-sim was asked for on its command line.
 *
 * Does:   see options.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    options.h.
 */
#include "sim/options.h"

#include <errno.h>
#include <stdlib.h>

#define SEEDS_DEFAULT 20U

static const char *const plant_names[] = {
    "",
#ifdef THENCE_PLANT
#define PLANT(name, what, caught_by) #name,
#include "base/plant.def"
#undef PLANT
#endif
};

enum option {
    OPTION_SEEDS,
    OPTION_FIRST,
    OPTION_SEED,
    OPTION_STORY,
    OPTION_QUIET,
    OPTION_JSON,
    OPTION_HISTORY,
    OPTION_SHRINK,
    OPTION_NODES,
    OPTION_SHARDS,
    OPTION_SESSIONS,
    OPTION_OPS,
    OPTION_MS,
    OPTION_WITHOUT_FAULTS,
    OPTION_MARKS,
    OPTION_MARKS_REQUIRED,
    OPTION_STOP_AFTER,
    OPTION_UNTIL,
    OPTION_CHECK_REPLAY,
    OPTION_PLANT,
    OPTION_BLIND,
    OPTION_SCRIPT,
    OPTION_HELP,
};

/* A heading stands above the rows whose `heading` it is. */
struct row {
    enum option option;  /* which */
    const char *name;    /* as it is typed */
    const char *value;   /* what follows it; NULL: nothing */
    const char *heading; /* NULL: that of the row before */
    const char *help;    /* one line */
};

static const struct row rows[] = {
    {OPTION_SEEDS, "--seeds", "N", "Which worlds", "so many, one seed each (20)"},
    {OPTION_FIRST, "--first", "S", NULL, "from this seed on (1)"},
    {OPTION_SEED, "--seed", "S", NULL, "the world of this seed alone"},
    {OPTION_SCRIPT, "--script", "FILE", NULL, "a scenario instead: see src/sim/script.h"},
    {OPTION_NODES, "--nodes", "N", "How much of a world", "at most so many nodes"},
    {OPTION_SHARDS, "--shards", "N", NULL, "at most so many shards"},
    {OPTION_SESSIONS, "--sessions", "N", NULL, "at most so many clients"},
    {OPTION_OPS, "--ops", "N", NULL, "at most so many operations of all clients"},
    {OPTION_MS, "--ms", "N", NULL, "faults and clients for so many virtual milliseconds"},
    {OPTION_WITHOUT_FAULTS, "--without-faults", "LIST", NULL,
     "without the faults of these numbers: 1-4,7,20- (0-: without any)"},
    {OPTION_SHRINK, "--shrink", NULL, NULL,
     "look for less of the world of --seed that fails in the same way"},
    {OPTION_STORY, "--story", NULL, "What is told", "everything that happens, line by line"},
    {OPTION_QUIET, "--quiet", NULL, NULL, "violations and totals only"},
    {OPTION_JSON, "--json", NULL, NULL, "a line of JSON for each world, and nothing else"},
    {OPTION_HISTORY, "--history", "FILE", NULL,
     "what clients did and saw in one world: thence-check judges it"},
    {OPTION_MARKS, "--marks", NULL, NULL,
     "the rare paths of src/base/marks.def, and how many worlds were on each"},
    {OPTION_STOP_AFTER, "--stop-after", "N", "When to stop", "after so many violations (1)"},
    {OPTION_UNTIL, "--until", "NAME", NULL, "at the first violation of this invariant only"},
    {OPTION_CHECK_REPLAY, "--check-replay", NULL, "What is done beside",
     "each world twice: the hash of all that happened must be the same"},
    {OPTION_MARKS_REQUIRED, "--marks-required", NULL, NULL,
     "a rare path on which no world was is a failure (status 5)"},
    {OPTION_PLANT, "--plant", "NAME", NULL, "with this bug of src/base/plant.def (PLANT build)"},
    {OPTION_BLIND, "--blind", NULL, NULL,
     "the judges in the world say nothing, so that a history is written to its end"},
    {OPTION_HELP, "--help", NULL, NULL, "this text"},
};

void options_help(FILE *out)
{
    fputs("thence-sim runs clusters of the production node in virtual worlds. One number, the\n"
          "seed, decides everything in a world; every answer, log record and frame is judged.\n\n"
          "usage: thence-sim [option]...\n",
          out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char left[40];
        snprintf(left, sizeof left, "%s%s%s", rows[i].name, rows[i].value != NULL ? " " : "",
                 rows[i].value != NULL ? rows[i].value : "");
        if (rows[i].heading != NULL)
            fprintf(out, "\n%s:\n", rows[i].heading);
        fprintf(out, "  %-22s %s\n", left, rows[i].help);
    }
    fputs("\nExit status, the worst of all worlds:\n"
          "  0  clean\n"
          "  1  safety: something happened that never may\n"
          "  2  the options make no sense\n"
          "  3  liveness: what had to come about did not, in the virtual time that it may take\n"
          "  4  crash: an assertion; the worlds after it did not run\n"
          "  5  too little happened to believe the rest\n",
          out);
}

static bool parse_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static bool parse_plant(const char *text, enum plant *plant, FILE *complaints)
{
    *plant = plant_named(text);
    if (*plant != PLANT_NONE)
        return true;
#ifndef THENCE_PLANT
    fputs("thence-sim: planted bugs are only in a build with -DTHENCE_PLANT=ON\n", complaints);
#endif
    fprintf(complaints, "thence-sim: no planted bug is called %s\n", text);
    return false;
}

static bool set_scope(struct scope *scope, const struct row *row, const char *value)
{
    uint64_t number = 0;
    if (row->option == OPTION_WITHOUT_FAULTS)
        return scope_parse_faults(scope, value);
    if (!parse_number(value, &number) || number == 0)
        return false;
    if (row->option == OPTION_OPS)
        scope->ops = number;
    else if (row->option == OPTION_MS)
        scope->ms = number;
    else if (number > UINT32_MAX)
        return false;
    else if (row->option == OPTION_NODES)
        scope->nodes = (uint32_t)number;
    else if (row->option == OPTION_SHARDS)
        scope->shards = (uint32_t)number;
    else
        scope->sessions = (uint32_t)number;
    return true;
}

static bool set(struct options *options, const struct row *row, const char *value, FILE *complaints)
{
    switch (row->option) {
    case OPTION_SEEDS:
        return parse_number(value, &options->seeds) && options->seeds > 0;
    case OPTION_FIRST:
        return parse_number(value, &options->first);
    case OPTION_SEED:
        options->seeds = 1;
        return parse_number(value, &options->first);
    case OPTION_STORY:
        return options->story = true;
    case OPTION_QUIET:
        return options->quiet = true;
    case OPTION_JSON:
        return options->json = true;
    case OPTION_HISTORY:
        options->history = value;
        return true;
    case OPTION_BLIND:
        return options->blind = true;
    case OPTION_MARKS:
        return options->marks = true;
    case OPTION_MARKS_REQUIRED:
        return options->marks_required = true;
    case OPTION_SHRINK:
        return options->shrink = true;
    case OPTION_NODES:
    case OPTION_SHARDS:
    case OPTION_SESSIONS:
    case OPTION_OPS:
    case OPTION_MS:
    case OPTION_WITHOUT_FAULTS:
        return set_scope(&options->scope, row, value);
    case OPTION_STOP_AFTER:
        return parse_number(value, &options->stop) && options->stop > 0;
    case OPTION_UNTIL:
        options->until = value;
        return true;
    case OPTION_CHECK_REPLAY:
        return options->replay = true;
    case OPTION_PLANT:
        return parse_plant(value, &options->plant, complaints);
    case OPTION_SCRIPT:
        options->script = value;
        return true;
    case OPTION_HELP:
        return options->help = true;
    }
    return false;
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

bool options_parse(struct options *options, int argc, char **argv, FILE *complaints)
{
    *options = (struct options){.first = 1, .seeds = SEEDS_DEFAULT, .stop = 1};
    for (int at = 1; at < argc; at++) {
        const struct row *row = find_row(argv[at]);
        if (row == NULL) {
            fprintf(complaints, "thence-sim: unknown option %s: --help lists them\n", argv[at]);
            return false;
        }
        const char *value = "";
        if (row->value != NULL) {
            if (at + 1 >= argc) {
                fprintf(complaints, "thence-sim: %s needs a value: %s\n", row->name, row->value);
                return false;
            }
            value = argv[++at];
        }
        if (!set(options, row, value, complaints)) {
            fprintf(complaints, "thence-sim: %s makes no sense of %s\n", row->name, value);
            return false;
        }
    }
    bool any = options->history == NULL && !options->shrink;
    if (!any && options->seeds != 1)
        fputs("thence-sim: that is done with one world: name it with --seed\n", complaints);
    return any || options->seeds == 1;
}

void options_repeat(const struct options *options, uint64_t seed, FILE *out)
{
    fprintf(out, "thence-sim --seed %llu", (unsigned long long)seed);
    if (options->plant != PLANT_NONE)
        fprintf(out, " --plant %s", plant_names[options->plant]);
    scope_print(&options->scope, out);
    fputs(" --story", out);
}
