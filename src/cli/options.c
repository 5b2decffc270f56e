/* options - the command line of thence.
 *
 * Does:   see options.h.
 * Not:    texts: help.c.
 * Holds:  O1.
 * Limits: -
 * See:    options.h.
 */
#define _GNU_SOURCE
#include "cli/options.h"

#include "placement/placement.h"

#include <getopt.h>
#include <stdio.h>

#define DEFAULT_NODES                                                                              \
    "127.0.0.1:8082,127.0.0.1:8083,127.0.0.1:8084,127.0.0.1:8085,127.0.0.1:8086,127.0.0.1:8087"

enum {
    OPT_NODE = 1000,
    OPT_TOKEN_FILE,
    OPT_WAIT,
    OPT_TIMEOUT,
    OPT_COPIES,
    OPT_JSON,
    OPT_RAW,
    OPT_TYPE,
    OPT_JOBS,
    OPT_SKIP,
    OPT_FORMAT,
    OPT_VERIFY,
    OPT_QUIET,
    OPT_SHARD,
    OPT_WITHOUT,
    OPT_FROM_DIRECTORIES,
    OPT_FORCE,
    OPT_YES,
    OPT_EXPORT,
    OPT_CANCEL,
    OPT_HELP,
    OPT_VERSION,
};

#define ON(command) (1U << (command))
#define ON_KEYS (ON(CLI_PUT) | ON(CLI_GET) | ON(CLI_DELETE))
#define ON_CHANGES (ON(CLI_ADD) | ON(CLI_REMOVE) | ON(CLI_RECOVER))
#define ON_ALL                                                                                     \
    (ON_KEYS | ON_CHANGES | ON(CLI_STATUS) | ON(CLI_LOAD) | ON(CLI_MEMBERS) | ON(CLI_SALVAGE) |    \
     ON(CLI_RESHARD) | ON(CLI_NONE))

/* Which commands take an option. */
static const struct {
    int option;        /* OPT_… */
    unsigned commands; /* ON(…) of each */
} takers[] = {
    {OPT_NODE, ON_ALL},
    {OPT_TOKEN_FILE, ON_KEYS | ON(CLI_LOAD)},
    {OPT_WAIT, ON_KEYS | ON_CHANGES | ON(CLI_LOAD)},
    {OPT_TIMEOUT, ON_ALL},
    {OPT_COPIES, ON(CLI_PUT) | ON(CLI_DELETE) | ON(CLI_LOAD)},
    {OPT_JSON, ON_ALL},
    {OPT_RAW, ON(CLI_PUT)},
    {OPT_TYPE, ON(CLI_PUT)},
    {OPT_JOBS, ON(CLI_LOAD)},
    {OPT_SKIP, ON(CLI_LOAD)},
    {OPT_FORMAT, ON(CLI_LOAD)},
    {OPT_VERIFY, ON(CLI_LOAD)},
    {OPT_QUIET, ON(CLI_LOAD)},
    {OPT_SHARD, ON(CLI_ADD)},
    {OPT_WITHOUT, ON(CLI_RECOVER)},
    {OPT_FROM_DIRECTORIES, ON(CLI_RECOVER)},
    {OPT_FORCE, ON(CLI_REMOVE)},
    {OPT_YES, ON(CLI_REMOVE) | ON(CLI_RECOVER) | ON(CLI_SALVAGE) | ON(CLI_RESHARD)},
    {OPT_EXPORT, ON(CLI_SALVAGE)},
    {OPT_CANCEL, ON(CLI_RESHARD)},
    {OPT_HELP, ON_ALL},
    {OPT_VERSION, ON_ALL},
};

static const struct option long_options[] = {
    {"node", required_argument, NULL, OPT_NODE},
    {"token-file", required_argument, NULL, OPT_TOKEN_FILE},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"copies", required_argument, NULL, OPT_COPIES},
    {"json", no_argument, NULL, OPT_JSON},
    {"raw", required_argument, NULL, OPT_RAW},
    {"type", required_argument, NULL, OPT_TYPE},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"skip", required_argument, NULL, OPT_SKIP},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"verify", no_argument, NULL, OPT_VERIFY},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"shard", required_argument, NULL, OPT_SHARD},
    {"without", required_argument, NULL, OPT_WITHOUT},
    {"from-directories", no_argument, NULL, OPT_FROM_DIRECTORIES},
    {"force", no_argument, NULL, OPT_FORCE},
    {"yes", no_argument, NULL, OPT_YES},
    {"export", required_argument, NULL, OPT_EXPORT},
    {"cancel", no_argument, NULL, OPT_CANCEL},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static void say(struct buf *text, const char *what)
{
    buf_append_slice(text, slice_str(what));
}

/* "thence: <subject>: <what>", and where to read more. */
static enum cli_options_result complain(const struct cli_options *options, struct buf *text,
                                        const char *subject, const char *what)
{
    const char *word = cli_command_word(options->command);
    say(text, "thence: ");
    say(text, subject);
    say(text, what);
    say(text, "\ntry: thence ");
    say(text, word);
    say(text, word[0] != '\0' ? " --help\n" : "--help\n");
    return CLI_OPTIONS_BAD;
}

/* A decimal number from least to most; false: it is none. */
static bool to_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    size_t len = strlen(text);
    *number = 0;
    if (len == 0 || len > 18)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return *number >= least && *number <= most;
}

/* Adds what a comma-separated list names; false: too many, or an empty name. */
static bool add_nodes(struct cli_options *options, const char *list)
{
    while (true) {
        size_t len = strcspn(list, ",");
        if (len == 0 || options->node_count == CLIENT_NODES_MAX)
            return false;
        char *name = mem_alloc(len + 1);
        memcpy(name, list, len);
        name[len] = '\0';
        options->nodes[options->node_count++] = name;
        if (list[len] == '\0')
            return true;
        list += len + 1;
    }
}

/* The same of members; several spellings of one address are one. False: one of them is no address,
 * or *many: they are too many. */
static bool add_members(struct cli_options *options, const char *list, bool *many)
{
    *many = false;
    while (true) {
        size_t len = strcspn(list, ",");
        struct address address;
        if (!address_parse(slice_of((const uint8_t *)list, len), &address))
            return false;
        bool known = false;
        for (uint32_t i = 0; i < options->member_count; i++)
            known = known || strcmp(options->members[i], address.text) == 0;
        *many = !known && options->member_count == LIMIT_MEMBERS;
        if (*many)
            return false;
        if (!known) {
            char *text = mem_alloc(strlen(address.text) + 1);
            memcpy(text, address.text, strlen(address.text) + 1);
            options->members[options->member_count++] = text;
        }
        if (list[len] == '\0')
            return true;
        list += len + 1;
    }
}

static bool is_shard_id(const char *text)
{
    size_t digits = strspn(text[0] == 's' ? text + 1 : "", "0123456789");
    return digits > 0 && digits <= 10 && text[digits + 1] == '\0';
}

static const char *number_or_why(const char *text, uint64_t least, uint64_t most, uint64_t *number,
                                 const char *why)
{
    return to_number(text, least, most, number) ? NULL : why;
}

/* NULL, or what is wrong with the value of a numeric option. */
static const char *take_number(struct cli_options *options, int option, const char *value)
{
    uint64_t number = 0;
    const char *why = NULL;
    switch (option) {
    case OPT_WAIT:
        why = number_or_why(value, 0, 30, &number, "--wait takes 0 to 30 seconds");
        options->wait_ms = number * 1000;
        break;
    case OPT_TIMEOUT:
        why = number_or_why(value, 1, 3600, &number, "--timeout takes 1 to 3600 seconds");
        options->timeout_ms = number * 1000;
        break;
    case OPT_COPIES:
        why = number_or_why(value, 1, 2, &number, "--copies takes 1 or 2");
        options->copies = (uint32_t)number;
        break;
    case OPT_JOBS:
        why = number_or_why(value, 1, CLI_JOBS_MAX, &number, "--jobs takes 1 to 1024");
        options->jobs = (uint32_t)number;
        break;
    default:
        ASSERT(option == OPT_SKIP);
        why = number_or_why(value, 0, UINT64_MAX, &number, "--skip takes a number of lines");
        options->skip_lines = number;
        break;
    }
    return why;
}

/* NULL, or what is wrong. */
static const char *take_option(struct cli_options *options, int option, const char *value)
{
    bool many = false;
    switch (option) {
    case OPT_NODE:
        return add_nodes(options, value) ? NULL : "--node takes HOST:PORT, at most 64 of them";
    case OPT_TOKEN_FILE:
        options->token_file = value;
        return NULL;
    case OPT_JSON:
        options->json = true;
        return NULL;
    case OPT_RAW:
        options->file = value;
        return NULL;
    case OPT_TYPE:
        options->type = value;
        return NULL;
    case OPT_VERIFY:
        options->verify = true;
        return NULL;
    case OPT_QUIET:
        options->quiet = true;
        return NULL;
    case OPT_SHARD:
        options->shard = value;
        return is_shard_id(value) ? NULL : "--shard takes an s and a number, such as s0";
    case OPT_WITHOUT:
        if (add_members(options, value, &many))
            return NULL;
        return many ? "--without: more than 64 addresses are named"
                    : "--without takes HOST:PORT, several with commas";
    case OPT_FROM_DIRECTORIES:
        options->from_directories = true;
        return NULL;
    case OPT_FORCE:
        options->force = true;
        return NULL;
    case OPT_YES:
        options->yes = true;
        return NULL;
    case OPT_EXPORT:
        options->export_file = value;
        return NULL;
    case OPT_CANCEL:
        options->cancel = true;
        return NULL;
    case OPT_FORMAT:
        options->format = strcmp(value, "tsv") == 0 ? CLI_TSV : CLI_JSON_LINES;
        if (strcmp(value, "tsv") != 0 && strcmp(value, "json") != 0)
            return "--format takes json or tsv";
        return NULL;
    default:
        return take_number(options, option, value);
    }
}

static bool is_taken(const struct cli_options *options, int option)
{
    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
        if (takers[i].option == option)
            return (takers[i].commands & ON(options->command)) != 0;
    UNREACHABLE();
}

static bool find_command(struct cli_options *options, const char *word)
{
    for (enum cli_command command = CLI_PUT; command < CLI_NONE; command++) {
        if (strcmp(word, cli_command_word(command)) == 0) {
            options->command = command;
            return true;
        }
    }
    return false;
}

/* The command is the first word that is no option, or value of one: found in a first pass, so that
 * options may stand before it. */
static enum cli_options_result find_words(struct cli_options *options, int argc, char **argv,
                                          char **copy, struct buf *text)
{
    memcpy(copy, argv, ((size_t)argc + 1) * sizeof(*copy));
    optind = 0;
    opterr = 0;
    while (getopt_long(argc, copy, ":h", long_options, NULL) != -1)
        continue;
    if (optind < argc && !find_command(options, copy[optind]))
        return complain(options, text, copy[optind], ": no such command");
    return CLI_OPTIONS_RUN;
}

/* Addresses follow the command: those of members to be changed. For recover they may stand behind
 * --without A as well: what a shell makes of a list. */
static enum cli_options_result take_addresses(struct cli_options *options, char **words, int count,
                                              struct buf *text)
{
    bool many = false;
    bool recovers = options->command == CLI_RECOVER;
    if (recovers && options->member_count == 0 && (!options->from_directories || count > 0))
        return complain(options, text, "--without ADDRESS", " is needed");
    if (!recovers && count == 0)
        return complain(options, text, "ADDRESS", " is needed");
    if (options->command == CLI_ADD && count > 1)
        return complain(options, text, words[1], ": one argument too many");
    for (int i = 0; i < count; i++)
        if (!add_members(options, words[i], &many))
            return complain(options, text, words[i],
                            many ? ": more than 64 addresses are named"
                                 : ": an address is HOST:PORT");
    if (options->command == CLI_ADD && options->member_count > 1)
        return complain(options, text, words[0], ": one address at a time");
    return CLI_OPTIONS_RUN;
}

static enum cli_options_result take_shard_count(struct cli_options *options, const char *word,
                                                struct buf *text)
{
    uint64_t count = 0;
    if (word != NULL && !to_number(word, 1, LIMIT_SHARDS, &count))
        return complain(options, text, word, ": a number of shards is 1 to 32");
    options->shard_count = (uint32_t)count;
    return CLI_OPTIONS_RUN;
}

/* What follows the command: as many words as it takes. */
static enum cli_options_result take_words(struct cli_options *options, char **words, int count,
                                          struct buf *text)
{
    static const char *const missing[] = {
        "KEY and JSON",      "KEY", "KEY", "", "FILE", "", "", "", "", "DIRECTORY",
        "a number of shards"};
    if ((ON(options->command) & ON_CHANGES) != 0)
        return take_addresses(options, words, count, text);
    bool raw = options->command == CLI_PUT && options->file != NULL;
    bool none = options->command == CLI_STATUS || options->command == CLI_MEMBERS;
    none = none || (options->command == CLI_RESHARD && options->cancel);
    int needed = options->command == CLI_PUT ? 2 - raw : none ? 0 : 1;
    if (count < needed)
        return complain(options, text, raw ? "KEY" : missing[options->command],
                        needed == 2 ? " are needed" : " is needed");
    if (count > needed)
        return complain(options, text, words[needed], ": one argument too many");
    if (options->command == CLI_RESHARD)
        return take_shard_count(options, needed > 0 ? words[0] : NULL, text);
    if (options->command == CLI_LOAD || options->command == CLI_SALVAGE)
        options->file = words[0];
    else if (needed > 0)
        options->key = words[0];
    if (needed == 2)
        options->value = words[1];
    if (options->key != NULL && options->key[0] == '\0')
        return complain(options, text, "KEY", " is empty");
    return CLI_OPTIONS_RUN;
}

static const char *option_name(int option)
{
    for (size_t i = 0; long_options[i].name != NULL; i++)
        if (long_options[i].val == option)
            return long_options[i].name;
    UNREACHABLE();
}

/* One option as getopt found it; RUN: go on. */
static enum cli_options_result take_one(struct cli_options *options, int option, char **argv,
                                        struct buf *text)
{
    char name[64];
    if (option == '?' || option == ':') {
        const char *word = argv[optind - 1];
        bool number = word[0] == '-' && word[1] >= '0' && word[1] <= '9';
        return complain(options, text, word,
                        option == ':' ? ": needs a value"
                        : number      ? ": no such option (a negative number needs -- before it)"
                                      : ": no such option");
    }
    if (option == 'h' || option == OPT_HELP) {
        say(text, cli_help(options->command));
        return CLI_OPTIONS_SAY;
    }
    if (option == OPT_VERSION) {
        say(text, "thence " CLI_VERSION "\n");
        return CLI_OPTIONS_SAY;
    }
    if (!is_taken(options, option)) {
        snprintf(name, sizeof(name), "--%s", option_name(option));
        return complain(options, text, name, ": not an option of this command");
    }
    const char *wrong = take_option(options, option, optarg);
    return wrong != NULL ? complain(options, text, wrong, "") : CLI_OPTIONS_RUN;
}

static enum cli_options_result read_all(struct cli_options *options, int argc, char **argv,
                                        const char *nodes_env, struct buf *text)
{
    int option;
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        enum cli_options_result result = take_one(options, option, argv, text);
        if (result != CLI_OPTIONS_RUN)
            return result;
    }
    if (options->command == CLI_NONE) {
        say(text, cli_help(CLI_NONE));
        return CLI_OPTIONS_BAD;
    }
    if (options->type != NULL && options->file == NULL)
        return complain(options, text, "--type", " goes with --raw");
    if (options->export_file != NULL && options->yes)
        return complain(options, text, "--export", " writes nothing to the cluster: no --yes");
    const char *nodes = nodes_env != NULL && nodes_env[0] != '\0' ? nodes_env : DEFAULT_NODES;
    if (options->node_count == 0 && !add_nodes(options, nodes))
        return complain(options, text, "THENCE_NODES", " takes HOST:PORT,…, at most 64 of them");
    return take_words(options, argv + optind + 1, argc - optind - 1, text);
}

enum cli_options_result cli_options_read(struct cli_options *options, int argc, char **argv,
                                         const char *nodes_env, struct buf *text)
{
    *options = (struct cli_options){
        .command = CLI_NONE, .wait_ms = UINT64_MAX, .timeout_ms = 0, .jobs = 64};
    char **copy = mem_alloc(((size_t)argc + 1) * sizeof(*copy));
    enum cli_options_result result = find_words(options, argc, argv, copy, text);
    if (result == CLI_OPTIONS_RUN) {
        memcpy(copy, argv, ((size_t)argc + 1) * sizeof(*copy));
        result = read_all(options, argc, copy, nodes_env, text);
    }
    if (options->timeout_ms == 0)
        options->timeout_ms =
            options->command == CLI_STATUS || options->command == CLI_MEMBERS ? 2000 : 10000;
    mem_free(copy); /* the words themselves are the caller's */
    return result;
}

void cli_options_fini(struct cli_options *options)
{
    for (uint32_t i = 0; i < options->node_count; i++)
        mem_free(options->nodes[i]);
    options->node_count = 0;
    for (uint32_t i = 0; i < options->member_count; i++)
        mem_free(options->members[i]);
    options->member_count = 0;
}
