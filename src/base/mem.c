/* mem - allocation that cannot fail.
 *
 * Does:   see mem.h.
 * Not:    -
 * Holds:  M1.
 * Limits: -
 * See:    mem.h.
 */
#include "base/mem.h"

#include "base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_alloc(size_t size)
{
    ASSERT(size <= PTRDIFF_MAX);
    void *ptr = malloc(size > 0 ? size : 1);
    if (ptr == NULL)
        abort();
    return ptr;
}

void *mem_zalloc(size_t count, size_t size)
{
    void *ptr = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (ptr == NULL)
        abort();
    return ptr;
}

void *mem_realloc(void *old, size_t size)
{
    ASSERT(size <= PTRDIFF_MAX);
    void *ptr = realloc(old, size > 0 ? size : 1);
    if (ptr == NULL)
        abort();
    return ptr;
}

void *mem_dup(const void *src, size_t size)
{
    void *ptr = mem_alloc(size);
    if (size > 0)
        memcpy(ptr, src, size);
    return ptr;
}

void mem_free(void *ptr)
{
    free(ptr);
}
