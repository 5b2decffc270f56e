/* segments - the files of the log.
 *
 * Does:   see segments.h.
 * Not:    -
 * Holds:  G1 to G6.
 * Limits: -
 * See:    segments.h.
 */
#define _GNU_SOURCE
#include "sys/segments.h"

#include "sys/segment_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

/* A segment that was written in this process and is not yet known to be synced, or the newest. */
struct segment_file {
    uint64_t id;     /* of the segment */
    int fd;          /* open for writing */
    uint64_t length; /* bytes written */
    uint64_t synced; /* of them synced */
    uint32_t jobs;   /* that use fd in the pool */
};

/* What one job of the pool syncs of one file. */
struct sync_part {
    uint64_t id;     /* of the segment */
    int fd;          /* its file */
    uint64_t length; /* bytes written when the job began */
};

struct sync_job {
    uv_work_t work;            /* data: the job */
    struct segments *segments; /* whose */
    uint64_t id;               /* of the COMMIT or SYNC */
    bool commit;               /* which of the two */
    bool names;                /* the directory too */
    uint64_t names_made;       /* files made when the job began */
    int error;                 /* errno of what failed, or 0 */
    size_t count;              /* parts in use */
    struct sync_part parts[];  /* ascending by id */
};

struct segments {
    uv_loop_t *loop;             /* borrowed */
    int dir_fd;                  /* borrowed */
    struct segments_calls calls; /* whom to tell */

    struct log_segment *loaded; /* mapped at start; owned */
    size_t loaded_count;        /* of them */

    struct segment_file *files; /* ascending by id; owned */
    size_t file_count;          /* in use */
    size_t file_cap;            /* allocated */
    uint64_t names_made;        /* files made in this process */
    uint64_t names_synced;      /* of them with synced names */

    uint64_t commit_id;  /* under way in the pool, or 0 */
    uint32_t jobs;       /* syncs in the pool */
    bool failed;         /* G4 */
    char why[160];       /* the sentence of the first error */
    uv_work_t drop_work; /* one removal at a time (G5) */
    bool dropping;       /* drop_work is in the pool */
    uint64_t *drops;     /* to be removed, in order; owned */
    size_t drop_count;   /* in use */
    size_t drop_cap;     /* allocated */
};

struct segments *segments_new(uv_loop_t *loop, int dir_fd, const struct segments_calls *calls)
{
    struct segments *segments = mem_zalloc(1, sizeof(*segments));
    segments->loop = loop;
    segments->dir_fd = dir_fd;
    segments->calls = *calls;
    segments->drop_work.data = segments;
    return segments;
}

void segments_free(struct segments *segments)
{
    if (segments == NULL)
        return;
    ASSERT(!segments_busy(segments));
    segments_unload(segments);
    for (size_t i = 0; i < segments->file_count; i++)
        close(segments->files[i].fd);
    mem_free(segments->files);
    mem_free(segments->drops);
    mem_free(segments);
}

bool segments_busy(const struct segments *segments)
{
    return segments->jobs > 0 || segments->dropping;
}

const char *segments_why(const struct segments *segments)
{
    return segments->why;
}

static void segments_fail(struct segments *segments, const char *what, uint64_t segment, int error)
{
    if (segments->failed)
        return;
    segments->failed = true;
    snprintf(segments->why, sizeof(segments->why), "%s log-%016llx: %s", what,
             (unsigned long long)segment, strerror(error));
}

/* ---- Reading at start ---- */

bool segments_load(struct segments *segments, struct buf *why)
{
    ASSERT(segments->loaded == NULL);
    uint64_t *ids = NULL;
    size_t count = 0;
    int error = sys__segment_list(segments->dir_fd, &ids, &count);
    struct log_segment *loaded = mem_zalloc(count + 1, sizeof(*loaded));
    size_t done = 0;
    while (error == 0 && done < count) {
        loaded[done].id = ids[done];
        error = sys__segment_map(segments->dir_fd, ids[done], &loaded[done].bytes);
        if (error == 0)
            done++;
    }
    if (error == 0 && count > 0 && fsync(segments->dir_fd) != 0)
        error = errno;
    segments->loaded = loaded;
    segments->loaded_count = done;
    if (error != 0) {
        char text[160];
        snprintf(text, sizeof(text), "cannot read log-%016llx: %s",
                 (unsigned long long)(done < count ? ids[done] : 0), strerror(error));
        buf_append_slice(why, slice_str(text));
        segments_unload(segments);
    }
    mem_free(ids);
    return error == 0;
}

const struct log_segment *segments_loaded(const struct segments *segments, size_t *count)
{
    *count = segments->loaded_count;
    return segments->loaded;
}

void segments_unload(struct segments *segments)
{
    for (size_t i = 0; i < segments->loaded_count; i++)
        sys__segment_unmap(segments->loaded[i].bytes);
    mem_free(segments->loaded);
    segments->loaded = NULL;
    segments->loaded_count = 0;
}

/* ---- Syncing ---- */

static struct segment_file *segments_find(struct segments *segments, uint64_t id)
{
    for (size_t i = 0; i < segments->file_count; i++)
        if (segments->files[i].id == id)
            return &segments->files[i];
    return NULL;
}

/* Runs in the pool: touches the job alone. Ascending, so that a later segment never outlives an
 * earlier one that it speaks of. */
static void sync_run(uv_work_t *work)
{
    struct sync_job *job = work->data;
    for (size_t i = 0; i < job->count && job->error == 0; i++)
        if (fdatasync(job->parts[i].fd) != 0)
            job->error = errno;
    if (job->names && job->error == 0 && fsync(job->segments->dir_fd) != 0)
        job->error = errno;
}

/* Closes what is synced and not the newest. */
static void segments_close_synced(struct segments *segments)
{
    size_t kept = 0;
    for (size_t i = 0; i < segments->file_count; i++) {
        struct segment_file *file = &segments->files[i];
        bool newest = i + 1 == segments->file_count;
        if (newest || file->jobs > 0 || file->synced < file->length)
            segments->files[kept++] = *file;
        else
            close(file->fd);
    }
    segments->file_count = kept;
}

static void sync_settle(struct segments *segments, const struct sync_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        struct segment_file *file = segments_find(segments, job->parts[i].id);
        ASSERT(file != NULL);
        ASSERT(file->jobs > 0);
        file->jobs--;
        if (job->error == 0 && job->parts[i].length > file->synced)
            file->synced = job->parts[i].length;
    }
    if (job->error == 0 && job->names && job->names_made > segments->names_synced)
        segments->names_synced = job->names_made;
    segments_close_synced(segments);
}

static void sync_done(uv_work_t *work, int status)
{
    struct sync_job *job = work->data;
    struct segments *segments = job->segments;
    ASSERT(status == 0);
    ASSERT(segments->jobs > 0);
    segments->jobs--;
    sync_settle(segments, job);
    bool failed_before = segments->failed;
    if (job->error != 0)
        segments_fail(segments, "cannot sync", job->count > 0 ? job->parts[0].id : 0, job->error);
    if (job->commit)
        segments->commit_id = 0;
    const struct segments_calls *calls = &segments->calls;
    if (segments->failed) {
        if (!failed_before)
            calls->failed(calls->arg, segments->why);
    } else if (job->commit) {
        calls->committed(calls->arg, job->id);
    } else {
        calls->synced(calls->arg, job->id);
    }
    mem_free(job);
}

static void sync_start(struct segments *segments, uint64_t id, bool commit)
{
    size_t size = sizeof(struct sync_job) + segments->file_count * sizeof(struct sync_part);
    struct sync_job *job = mem_zalloc(1, size);
    job->work.data = job;
    job->segments = segments;
    job->id = id;
    job->commit = commit;
    job->names = segments->names_synced < segments->names_made;
    job->names_made = segments->names_made;
    for (size_t i = 0; i < segments->file_count; i++) {
        struct segment_file *file = &segments->files[i];
        if (file->synced == file->length)
            continue;
        file->jobs++;
        job->parts[job->count++] = (struct sync_part){file->id, file->fd, file->length};
    }
    segments->jobs++;
    int refused = uv_queue_work(segments->loop, &job->work, sync_run, sync_done);
    ASSERT(refused == 0);
}

void segments_sync(struct segments *segments, uint64_t id)
{
    if (!segments->failed)
        sync_start(segments, id, false);
}

/* ---- Appending ---- */

static struct segment_file *segments_create(struct segments *segments, uint64_t id)
{
    char name[SEGMENT_NAME_BYTES];
    sys__segment_name(id, name);
    int fd = openat(segments->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        segments_fail(segments, "cannot create", id, errno);
        return NULL;
    }
    segments->names_made++;
    if (segments->file_count == segments->file_cap) {
        segments->file_cap = segments->file_cap * 2 + 4;
        segments->files =
            mem_realloc(segments->files, segments->file_cap * sizeof(*segments->files));
    }
    segments->files[segments->file_count++] = (struct segment_file){id, fd, 0, 0, 0};
    segments_close_synced(segments);
    return &segments->files[segments->file_count - 1];
}

static bool segments_append(struct segments *segments, uint64_t segment, uint64_t offset,
                            struct slice bytes)
{
    struct segment_file *file =
        offset == 0 ? segments_create(segments, segment) : segments_find(segments, segment);
    if (file == NULL && segments->failed)
        return false;
    ASSERT(file != NULL);
    ASSERT(file->length == offset);
    ssize_t wrote = pwrite(file->fd, bytes.ptr, bytes.len, (off_t)offset);
    if (wrote < 0 || (size_t)wrote != bytes.len) {
        /* A short write is a full disk in all but name. */
        segments_fail(segments, "cannot append to", segment, wrote < 0 ? errno : ENOSPC);
        return false;
    }
    file->length += bytes.len;
    return true;
}

enum segments_result segments_commit(struct segments *segments, uint64_t id, uint64_t segment,
                                     uint64_t offset, struct slice bytes, bool sync)
{
    ASSERT(segments->commit_id == 0);
    ASSERT(id > 0);
    if (segments->failed || !segments_append(segments, segment, offset, bytes))
        return SEGMENTS_FAILED;
    if (!sync)
        return SEGMENTS_DONE;
    segments->commit_id = id;
    sync_start(segments, id, true);
    return SEGMENTS_LATER;
}

/* ---- Removing ---- */

static void drop_next(struct segments *segments);

/* Runs in the pool; the first of drops stays where it is meanwhile. A file that cannot be removed
 * costs space and nothing else: the next start reads it and drops it again. */
static void drop_run(uv_work_t *work)
{
    struct segments *segments = work->data;
    char name[SEGMENT_NAME_BYTES];
    sys__segment_name(segments->drops[0], name);
    (void)unlinkat(segments->dir_fd, name, 0);
}

static void drop_done(uv_work_t *work, int status)
{
    struct segments *segments = work->data;
    ASSERT(status == 0);
    ASSERT(segments->drop_count > 0);
    segments->dropping = false;
    segments->drop_count--;
    memmove(segments->drops, segments->drops + 1, segments->drop_count * sizeof(uint64_t));
    drop_next(segments);
}

static void drop_next(struct segments *segments)
{
    if (segments->dropping || segments->drop_count == 0)
        return;
    segments->dropping = true;
    int refused = uv_queue_work(segments->loop, &segments->drop_work, drop_run, drop_done);
    ASSERT(refused == 0);
}

void segments_drop(struct segments *segments, uint64_t segment)
{
    if (segments->drop_count == segments->drop_cap) {
        segments->drop_cap = segments->drop_cap * 2 + 4;
        segments->drops = mem_realloc(segments->drops, segments->drop_cap * sizeof(uint64_t));
    }
    segments->drops[segments->drop_count++] = segment;
    drop_next(segments);
}
