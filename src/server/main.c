/* main - the program thence-node.
 *
 * Does:   options, signals, one loop with one shell, the exit status.
 * Not:    anything else.
 * Holds:  exit status 0 after a clean stop, 1 when the node could not start or go on, 2 for options
 *         that make no sense. Only a PLANT build knows of THENCE_PLANTED.
 * Limits: -
 * See:    shell.h, options.h; docs/api.md "Starting a node".
 */
#define _GNU_SOURCE
#include "server/healthcheck.h"
#include "server/shell.h"
#include "sys/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* A bug leaves a line behind before the process aborts. */
void assert_report(const char *what, const char *file, int line)
{
    dprintf(STDERR_FILENO, "assertion failed: %s at %s:%d\n", what, file, line);
}

static const char *get_environment(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

static void print(int fd, const struct buf *text)
{
    ssize_t wrote = write(fd, text->ptr, text->len);
    (void)wrote;
}

/* The first signal stops cleanly, the second at once. */
static void on_signal(uv_signal_t *handle, int number)
{
    static bool again;
    (void)number;
    if (again)
        _exit(1);
    again = true;
    shell_stop(handle->data);
}

/* They do not keep the loop alive: it ends when the shell does. */
static void watch(uv_loop_t *loop, uv_signal_t *handle, int number, struct shell *shell)
{
    int failed = uv_signal_init(loop, handle);
    failed |= uv_signal_start(handle, on_signal, number);
    ASSERT(failed == 0);
    handle->data = shell;
    uv_unref((uv_handle_t *)handle);
}

#ifdef THENCE_PLANT
/* The planted bug that the environment names; a name that is none is no test. */
static enum plant planted(void)
{
    const char *wanted = getenv("THENCE_PLANTED");
    if (wanted == NULL || wanted[0] == '\0')
        return PLANT_NONE;
    enum plant plant = plant_named(wanted);
    if (plant == PLANT_NONE)
        _exit(2);
    return plant;
}
#endif

/* Writing to a closed pipe, or past a limit on file sizes, is an error and no reason to die. */
static void ignore_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

static void say_start(struct logger *logger, const struct options *options,
                      const struct shell *shell)
{
    char port[8];
    int len = snprintf(port, sizeof(port), "%u", (unsigned)shell_port(shell));
    logger_say(logger, TRACE_INFO, "thence-node " THENCE_VERSION " listens", "port",
               slice_of(port, (size_t)len));
    if (options->warning != NULL)
        logger_say(logger, TRACE_WARN, options->warning, NULL, SLICE_EMPTY);
}

static int run(const struct options *options)
{
    struct logger logger;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct buf why = BUF_EMPTY;
    logger_init(&logger, STDERR_FILENO, options->log_format, options->log_level, machine_wall_ms);
    ignore_signals();
    machine_raise_open_files();
    int failed = uv_loop_init(&loop);
    ASSERT(failed == 0);
    struct shell *shell = shell_new(&loop, options, &logger);
    watch(&loop, &signals[0], SIGTERM, shell);
    watch(&loop, &signals[1], SIGINT, shell);
    if (shell_start(shell, &why)) {
        say_start(&logger, options, shell);
    } else {
        buf_u8(&why, '\0');
        logger_say(&logger, TRACE_ERROR, (const char *)why.ptr, NULL, SLICE_EMPTY);
    }
    buf_fini(&why);
    uv_run(&loop, UV_RUN_DEFAULT);
    int exit_code = shell_exit_code(shell);
    uv_close((uv_handle_t *)&signals[0], NULL);
    uv_close((uv_handle_t *)&signals[1], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    shell_free(shell);
    uv_loop_close(&loop);
    logger_fini(&logger);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct options *options = mem_alloc(sizeof(*options));
    struct options_env env = {get_environment, NULL};
    struct buf text = BUF_EMPTY;
    int exit_code = 0;
    switch (options_read(options, argc, (const char *const *)argv, &env, &text)) {
    case OPTIONS_RUN:
#ifdef THENCE_PLANT
        options->node.plant = planted();
#endif
        exit_code = run(options);
        break;
    case OPTIONS_HEALTHCHECK:
        exit_code = healthcheck(options) ? 0 : 1;
        break;
    case OPTIONS_SAY:
        print(STDOUT_FILENO, &text);
        break;
    case OPTIONS_BAD:
        print(STDERR_FILENO, &text);
        exit_code = 2;
        break;
    }
    buf_fini(&text);
    mem_free(options);
    return exit_code;
}
