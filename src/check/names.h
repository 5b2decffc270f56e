/* names - strings as small numbers.
 *
 * Does:   one number for each different string, and back.
 * Not:    removal.
 * Holds:  A1 equal strings have equal numbers; numbers count 0, 1, 2 …
 * Limits: 2^32 - 1 strings; memory.
 * See:    history.h.
 */
#pragma once

#include "base/base.h"

#define NAMES_NONE UINT32_MAX

struct names {
    struct buf bytes;   /* all strings, each with a NUL behind it */
    size_t *at;         /* where string number i begins; owned */
    uint32_t count;     /* strings */
    uint32_t cap;       /* allocated in at */
    uint32_t *table;    /* open addressing: number + 1, 0 for free; owned */
    uint32_t table_cap; /* a power of two */
};

void names_init(struct names *names);
void names_fini(struct names *names);

/* The number of text, made if need be. */
uint32_t names_add(struct names *names, struct slice text);

/* The number of text, or NAMES_NONE. */
uint32_t names_find(const struct names *names, struct slice text);

/* NUL-terminated; valid until the next add. */
const char *names_text(const struct names *names, uint32_t number);
