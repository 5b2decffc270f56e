/* directory - the data directory: ours alone, and the same one as last time.
 *
 * Does:   see directory.h.
 * Not:    -
 * Holds:  D1, D2.
 * Limits: -
 * See:    directory.h.
 */
#define _GNU_SOURCE
#include "sys/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"

static bool directory_refuse(struct buf *why, const char *path, const char *reason)
{
    buf_append_slice(why, SLICE_LIT("cannot use data directory "));
    buf_append_slice(why, slice_str(path));
    buf_append_slice(why, SLICE_LIT(": "));
    buf_append_slice(why, slice_str(reason));
    return false;
}

/* mkdir -p. What matters is whether the directory can be opened afterwards. */
static void directory_make(const char *path)
{
    size_t len = strlen(path);
    char *part = mem_dup(path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        (void)mkdir(part, 0700);
        part[i] = path[i];
    }
    mem_free(part);
}

/* The name of a new directory survives a crash of the machine only once its parent is synced. */
static void directory_sync_parent(int fd)
{
    int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return;
    (void)fsync(parent);
    close(parent);
}

static uint64_t directory_identity(const struct stat *lock)
{
    uint64_t words[2] = {(uint64_t)lock->st_ino, (uint64_t)lock->st_ctim.tv_sec};
    return hash_bytes(slice_of(words, sizeof(words)));
}

/* Opens the lock file; makes it at the first start, and makes it last. */
static int directory_open_lock(int fd)
{
    int lock_fd = openat(fd, LOCK_NAME, O_RDWR | O_CLOEXEC);
    if (lock_fd >= 0 || errno != ENOENT)
        return lock_fd;
    lock_fd = openat(fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_fd < 0)
        return lock_fd;
    if (fsync(lock_fd) != 0 || fsync(fd) != 0) {
        int reason = errno;
        close(lock_fd);
        errno = reason;
        return -1;
    }
    directory_sync_parent(fd);
    return lock_fd;
}

bool directory_open(struct directory *directory, const char *path, struct buf *why)
{
    *directory = (struct directory){-1, -1, 0};
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        directory_make(path);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return directory_refuse(why, path, strerror(errno));
    int lock_fd = directory_open_lock(fd);
    struct stat lock;
    bool locked = lock_fd >= 0 && flock(lock_fd, LOCK_EX | LOCK_NB) == 0;
    if (!locked || fstat(lock_fd, &lock) != 0) {
        bool taken = lock_fd >= 0 && errno == EWOULDBLOCK;
        directory_refuse(why, path, taken ? "another process uses it" : strerror(errno));
        if (lock_fd >= 0)
            close(lock_fd);
        close(fd);
        return false;
    }
    *directory = (struct directory){fd, lock_fd, directory_identity(&lock)};
    return true;
}

/* Another file takes its place: another inode, for ours is still open. Where the disk refuses even
 * that, a change of mode to what it was gives the old one a new change time. */
void directory_distrust(struct directory *directory)
{
    int fd = openat(directory->fd, LOCK_NAME ".new", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool replaced =
        fd >= 0 && renameat(directory->fd, LOCK_NAME ".new", directory->fd, LOCK_NAME) == 0;
    if (!replaced)
        (void)fchmod(directory->lock_fd, 0600);
    if (fd >= 0)
        close(fd);
}

void directory_close(struct directory *directory)
{
    if (directory->lock_fd >= 0)
        close(directory->lock_fd);
    if (directory->fd >= 0)
        close(directory->fd);
    *directory = (struct directory){-1, -1, 0};
}
