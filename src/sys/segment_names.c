/* segment_names - the files of segments: their names, their list, their content.
 *
 * Does:   see segment_names.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    segment_names.h.
 */
#define _GNU_SOURCE
#include "sys/segment_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "log-"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

void sys__segment_name(uint64_t id, char name[SEGMENT_NAME_BYTES])
{
    int len = snprintf(name, SEGMENT_NAME_BYTES, PREFIX "%016llx", (unsigned long long)id);
    ASSERT(len == (int)SEGMENT_NAME_BYTES - 1);
}

/* Other files (the lock, what an operator left) are none of ours. */
static bool segment_id_of(const char *name, uint64_t *id)
{
    if (strlen(name) != SEGMENT_NAME_BYTES - 1 || memcmp(name, PREFIX, PREFIX_LEN) != 0)
        return false;
    *id = 0;
    for (const char *at = name + PREFIX_LEN; *at != '\0'; at++) {
        bool digit = *at >= '0' && *at <= '9';
        if (!digit && (*at < 'a' || *at > 'f'))
            return false;
        *id = *id << 4 | (uint64_t)(digit ? *at - '0' : *at - 'a' + 10);
    }
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* readdir says by errno alone whether it failed or ended. */
static int list_read(DIR *dir, uint64_t **ids, size_t *count)
{
    size_t cap = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno;
        uint64_t id = 0;
        if (!segment_id_of(entry->d_name, &id))
            continue;
        if (*count == cap) {
            cap = cap * 2 + 16;
            *ids = mem_realloc(*ids, cap * sizeof(uint64_t));
        }
        (*ids)[(*count)++] = id;
    }
}

int sys__segment_list(int dir_fd, uint64_t **ids, size_t *count)
{
    *ids = NULL;
    *count = 0;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return reason;
    }
    int error = list_read(dir, ids, count);
    closedir(dir);
    if (*count > 1)
        qsort(*ids, *count, sizeof(uint64_t), compare_ids);
    return error;
}

int sys__segment_map(int dir_fd, uint64_t id, struct slice *bytes)
{
    char name[SEGMENT_NAME_BYTES];
    sys__segment_name(id, name);
    *bytes = SLICE_EMPTY;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    struct stat stat;
    int error = fstat(fd, &stat) == 0 ? 0 : errno;
    /* A process that was killed leaves bytes that only the file cache has: what is replayed is
     * believed, and told, so it has to be on the disk first. */
    if (error == 0 && fdatasync(fd) != 0)
        error = errno;
    if (error == 0 && stat.st_size > 0) {
        void *map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED)
            error = errno;
        else
            *bytes = slice_of(map, (size_t)stat.st_size);
        if (error == 0)
            (void)madvise(map, (size_t)stat.st_size, MADV_SEQUENTIAL);
    }
    close(fd);
    return error;
}

void sys__segment_unmap(struct slice bytes)
{
    if (bytes.len == 0)
        return;
    /* munmap takes a pointer to what may be written; the map was made for reading. */
    uintptr_t at = (uintptr_t)bytes.ptr;
    int failed = munmap((void *)at, bytes.len);
    ASSERT(failed == 0);
}
