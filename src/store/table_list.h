/* table_list - the current versions of one actor, ascending by seq.
 *
 * Does:   a sorted array cut into pages: insert anywhere, remove, "the first above seq".
 * Not:    knowing what a version is: it keeps seqs and refs. Cursors: table_actor.h.
 * Holds:  L1 (seq, ref) ascend strictly through all pages. L2 no page is empty; all seqs of a
 *         page have the same upper 32 bits; page.seq is its first. L3 bytes is what is allocated.
 * Limits: LIST_PAGE_ITEMS a page; the directory of pages moves as one piece: 24 bytes for about
 *         400 versions.
 * See:    docs/protocol.md section 4.3; README.md says why these are not linked lists.
 */
#pragma once

#include "base/base.h"

#define LIST_PAGE_ITEMS 512U

struct list_page {
    uint64_t seq;    /* of the first item */
    uint64_t *items; /* lower 32 bits of the seq, then the ref; ascending */
    uint32_t count;  /* in use */
    uint32_t cap;    /* allocated */
};

struct list {
    struct list_page *pages; /* ascending */
    uint32_t count;          /* pages in use */
    uint32_t cap;            /* pages allocated */
    uint64_t versions;       /* items of all pages */
    uint64_t bytes;          /* allocated for pages and items */
};

void list__fini(struct list *list);

void list__insert(struct list *list, uint64_t seq, uint32_t ref);

/* It must be there. */
void list__remove(struct list *list, uint64_t seq, uint32_t ref);

/* The first with a seq above, or 0. */
uint32_t list__above(const struct list *list, uint64_t seq);

/* The greatest seq, 0 when there is none. */
uint64_t list__last(const struct list *list);

bool list__has(const struct list *list, uint64_t seq, uint32_t ref);

/* Asserts L1 to L3. */
void list__check(const struct list *list);
