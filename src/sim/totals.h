/* totals - what is said of a seed and of many.
 *
 * Does:   adds results up; prints them for people and, a line of JSON a seed, for programs.
 * Not:    the run itself: run.c. Its lines: story.c.
 * Holds:  -
 * Limits: -
 * See:    tests/soak/run, which reads the JSON.
 */
#pragma once

#include "sim/options.h"

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
    uint64_t faults[FAULT_COUNT]; /* of all */
    uint64_t errors[64];          /* answers by number of their error */
    uint64_t purged;              /* of all */
    uint64_t walks;               /* of all */
    uint64_t parked;              /* of all */
    uint64_t marks[MARK_COUNT];   /* seeds that reached it */
};

void totals_add(struct totals *totals, const struct run_result *result);
void totals_print(const struct totals *totals, double seconds, FILE *out);

/* The marks of base/marks.def, with the seeds that reached each; returns how many none did. */
uint32_t totals_print_marks(const struct totals *totals, bool all, FILE *out);

void totals_print_seed(uint64_t seed, const struct run_result *result, FILE *out);
void totals_print_violation(const struct options *options, uint64_t seed,
                            const struct run_result *result, FILE *out);

/* One line of JSON: everything that is known of the seed. */
void totals_json(uint64_t seed, const struct run_result *result, FILE *out);

/* The same of a seed that ended the process: what is known is the assertion. */
void totals_json_crash(uint64_t seed, const char *what, const char *file, int line, FILE *out);
