/* cli - what every command of thence has at hand.
 *
 * Does:   see cli.h: the client, token files, small files.
 * Not:    -
 * Holds:  -
 * Limits: SESSION_BYTES_MAX.
 * See:    cli.h.
 */
#define _GNU_SOURCE
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SESSION_BYTES_MAX (1024U * 1024U)

struct client *cli__client_new(const struct cli *cli, const struct client_options *how)
{
    struct client *client = client_new(how);
    struct buf why = BUF_EMPTY;
    bool good = true;
    for (uint32_t i = 0; i < cli->options->node_count && good; i++) {
        uint32_t index;
        good = client_add_node(client, cli->options->nodes[i], &index, &why);
    }
    if (!good) {
        fprintf(cli->err, "thence: %.*s\n", (int)why.len, (const char *)why.ptr);
        client_free(client);
        client = NULL;
    }
    buf_fini(&why);
    return client;
}

enum exit_status cli__confirm(const struct cli *cli, const char *what)
{
    char answer[16] = "";
    if (cli->options->yes)
        return EXIT_OK;
    if (cli->in == NULL) {
        fprintf(cli->err, "thence: %s: nothing was done; --yes does it without a question\n", what);
        return EXIT_USAGE;
    }
    fprintf(cli->err, "Go on? [y/N] ");
    fflush(cli->err);
    if (fgets(answer, sizeof(answer), cli->in) != NULL && *cli->stop == 0 &&
        (answer[0] == 'y' || answer[0] == 'Y'))
        return EXIT_OK;
    fprintf(cli->err, "thence: nothing was done\n");
    return *cli->stop > 0 ? EXIT_INTERRUPTED : EXIT_NOT_WELL;
}

static bool complain(const struct cli *cli, const char *path, const char *what)
{
    fprintf(cli->err, "thence: %s: %s\n", path, what);
    return false;
}

/* 0, E2BIG when there is more than bytes_max, or what read said. */
static int read_fd(int fd, size_t bytes_max, struct buf *out)
{
    while (out->len <= bytes_max) {
        ssize_t got = read(fd, buf_reserve(out, 65536), 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        out->len += (size_t)got;
    }
    return E2BIG;
}

bool cli__read_file(const struct cli *cli, const char *path, size_t bytes_max, struct buf *out)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain(cli, path, strerror(errno));
    int failed = read_fd(fd, bytes_max, out);
    if (!standard)
        close(fd);
    if (failed == E2BIG)
        return complain(cli, path, "too large");
    return failed == 0 || complain(cli, path, strerror(failed));
}

bool cli__session_read(const struct cli *cli, struct client_session *session)
{
    const char *path = cli->options->token_file;
    if (path == NULL || (access(path, F_OK) != 0 && errno == ENOENT))
        return true;
    struct buf text = BUF_EMPTY;
    bool good = cli__read_file(cli, path, SESSION_BYTES_MAX, &text);
    struct slice rest = buf_slice(&text);
    while (good && rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
        if (len > 0 && !client_session_add(session, slice_of(rest.ptr, len)))
            good = complain(cli, path, "not a file of tokens; remove it to begin anew");
        rest = end != NULL ? slice_of(end + 1, rest.len - len - 1) : SLICE_EMPTY;
    }
    buf_fini(&text);
    return good;
}

static bool write_whole(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0)
            bytes = slice_of(bytes.ptr + wrote, bytes.len - (size_t)wrote);
    }
    return true;
}

/* Beside it and then renamed, so that a session is never half written. */
bool cli__session_write(const struct cli *cli, const struct client_session *session)
{
    const char *path = cli->options->token_file;
    if (path == NULL)
        return true;
    struct buf text = BUF_EMPTY;
    struct buf name = BUF_EMPTY;
    for (size_t i = 0; i < session->count; i++) {
        buf_append_slice(&text, client_session_token(session, i));
        buf_u8(&text, '\n');
    }
    buf_append_slice(&name, slice_str(path));
    buf_append(&name, ".new", 5); /* with its NUL */
    const char *beside = (const char *)name.ptr;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_whole(fd, buf_slice(&text));
    if (fd >= 0)
        good = close(fd) == 0 && good;
    good = good && rename(beside, path) == 0;
    if (!good)
        complain(cli, path, strerror(errno));
    buf_fini(&text);
    buf_fini(&name);
    return good;
}
