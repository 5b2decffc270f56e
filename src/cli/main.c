/* main - the program thence.
 *
 * Does:   command line, environment, signals, the exit status.
 * Not:    anything else.
 * Holds:  exit statuses: exit.h.
 * Limits: -
 * See:    help.c; `thence --help`.
 */
#define _GNU_SOURCE
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t stops; /* how often Ctrl-C was pressed */

/* A bug leaves a line behind before the process aborts. */
void assert_report(const char *what, const char *file, int line)
{
    dprintf(STDERR_FILENO, "assertion failed: %s at %s:%d\n", what, file, line);
}

static void on_stop(int number)
{
    (void)number;
    if (stops < 100)
        stops++;
}

static void watch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* `thence status | head` is no reason to die half-way */
}

static enum exit_status run(const struct cli_options *options)
{
    struct cli cli = {.options = options,
                      .in = isatty(STDIN_FILENO) == 1 ? stdin : NULL,
                      .out = stdout,
                      .err = stderr,
                      .out_colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL,
                      .err_terminal = isatty(STDERR_FILENO) == 1,
                      .stop = &stops};
    watch_signals();
    switch (options->command) {
    case CLI_PUT:
    case CLI_GET:
    case CLI_DELETE:
        return cli_key(&cli);
    case CLI_STATUS:
        return cli_status(&cli);
    case CLI_LOAD:
        return cli_load(&cli);
    case CLI_MEMBERS:
        return cli_members(&cli);
    case CLI_ADD:
    case CLI_REMOVE:
    case CLI_RECOVER:
        return cli_change(&cli);
    case CLI_SALVAGE:
        return cli_salvage(&cli);
    case CLI_RESHARD:
        return cli_reshard(&cli);
    case CLI_NONE:
        break;
    }
    UNREACHABLE();
}

int main(int argc, char **argv)
{
    struct cli_options options;
    struct buf text = BUF_EMPTY;
    int status = EXIT_OK;
    switch (cli_options_read(&options, argc, argv, getenv("THENCE_NODES"), &text)) {
    case CLI_OPTIONS_RUN:
        status = (int)run(&options);
        break;
    case CLI_OPTIONS_SAY:
        fwrite(text.ptr, 1, text.len, stdout);
        break;
    case CLI_OPTIONS_BAD:
        fwrite(text.ptr, 1, text.len, stderr);
        status = EXIT_USAGE;
        break;
    }
    buf_fini(&text);
    cli_options_fini(&options);
    return fflush(stdout) == 0 || status != EXIT_OK ? status : EXIT_USAGE;
}
