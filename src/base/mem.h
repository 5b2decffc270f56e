/* mem - allocation that cannot fail.
 *
 * Does:   the malloc family, but out of memory aborts: limits refuse long before that
 *         (docs/protocol.md I8), so a NULL here is a machine that is out of its senses.
 * Not:    accounting: whoever owns memory counts it against its own limit.
 * Holds:  M1 the result is never NULL.
 * Limits: sizes up to PTRDIFF_MAX.
 * See:    limits.h.
 */
#pragma once

#include <stddef.h>

/* size bytes, not initialised; a size of 0 gives a pointer that may be freed. */
void *mem_alloc(size_t size);

/* count * size bytes, zeroed; an overflow of the product aborts. */
void *mem_zalloc(size_t count, size_t size);

/* Grows or shrinks; old may be NULL. */
void *mem_realloc(void *old, size_t size);

/* A copy of the size bytes at src (src may be NULL when size is 0); the caller frees it. */
void *mem_dup(const void *src, size_t size);

/* Frees; NULL is fine. */
void mem_free(void *ptr);
