/* look - a data directory that nobody uses, only to be read.
 *
 * Does:   see look.h.
 * Not:    -
 * Holds:  E1, E2.
 * Limits: -
 * See:    look.h.
 */
#define _GNU_SOURCE
#include "sys/look.h"

#include "sys/segment_names.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static bool refuse(struct look *look, const char *path, const char *reason, struct buf *why)
{
    buf_append_slice(why, SLICE_LIT("cannot read data directory "));
    buf_append_slice(why, slice_str(path));
    buf_append_slice(why, SLICE_LIT(": "));
    buf_append_slice(why, slice_str(reason));
    look_close(look);
    return false;
}

/* NULL, or why not. A shared lock: it keeps a node out, and is refused while one is in. */
static const char *lock(struct look *look)
{
    look->lock_fd = openat(look->fd, "lock", O_RDONLY | O_CLOEXEC);
    if (look->lock_fd < 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (flock(look->lock_fd, LOCK_SH | LOCK_NB) == 0)
        return NULL;
    return errno == EWOULDBLOCK ? "a node uses it; stop that first" : strerror(errno);
}

static int map_all(struct look *look)
{
    uint64_t *ids;
    size_t count;
    int error = sys__segment_list(look->fd, &ids, &count);
    if (count > 0)
        look->segments = mem_zalloc(count, sizeof(*look->segments));
    for (size_t i = 0; i < count && error == 0; i++) {
        look->segments[i].id = ids[i];
        error = sys__segment_map(look->fd, ids[i], &look->segments[i].bytes);
        if (error == 0)
            look->count++;
    }
    mem_free(ids);
    return error;
}

bool look_open(struct look *look, const char *path, struct buf *why)
{
    *look = (struct look){.fd = -1, .lock_fd = -1};
    look->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (look->fd < 0)
        return refuse(look, path, strerror(errno), why);
    const char *reason = lock(look);
    if (reason != NULL)
        return refuse(look, path, reason, why);
    int error = map_all(look);
    if (error != 0)
        return refuse(look, path, strerror(error), why);
    return look->count > 0 || refuse(look, path, "there is no log in it", why);
}

void look_close(struct look *look)
{
    for (size_t i = 0; i < look->count; i++)
        sys__segment_unmap(look->segments[i].bytes);
    mem_free(look->segments);
    if (look->lock_fd >= 0)
        close(look->lock_fd);
    if (look->fd >= 0)
        close(look->fd);
    *look = (struct look){.fd = -1, .lock_fd = -1};
}
