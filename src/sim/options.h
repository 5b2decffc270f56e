/* options - what thence-sim was asked for on its command line.
 *
 * Does:   reads the command line, prints the help, writes the command that repeats one seed.
 * Not:    running anything: main.c.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "sim/run.h"

struct options {
    uint64_t first;      /* seed to begin with */
    uint64_t seeds;      /* how many */
    uint64_t stop;       /* after so many violations */
    enum plant plant;    /* planted bug */
    const char *until;   /* stop at the first violation of this invariant; NULL: of any */
    const char *script;  /* a scenario instead of seeds: its file; NULL: none */
    bool story;          /* print everything */
    bool replay;         /* run each seed twice */
    bool quiet;          /* only the last lines */
    bool json;           /* each seed as a line of JSON */
    struct scope scope;  /* how much of each world */
    bool shrink;         /* look for a smaller world that fails like this one */
    const char *history; /* a file for what clients did and saw; NULL: none */
    bool blind;          /* the judges of the world say nothing */
    bool marks;          /* print all marks */
    bool marks_required; /* a mark that no seed reached is a failure */
    bool help;           /* explain the options and do nothing */
};

/* False when they make no sense; then a sentence went to `complaints`. */
bool options_parse(struct options *options, int argc, char **argv, FILE *complaints);

void options_help(FILE *out);

/* The one command that tells the story of a seed. */
void options_repeat(const struct options *options, uint64_t seed, FILE *out);
