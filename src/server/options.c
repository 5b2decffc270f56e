/* options - what an operator says at the start.
 *
 * Does:   see options.h.
 * Not:    -
 * Holds:  O1 to O3.
 * Limits: -
 * See:    options.h.
 */
#define _GNU_SOURCE
#include "server/options.h"

#include <stdio.h>

/* What is being read, and what is said about it. */
struct reader {
    struct options *options;       /* filled in */
    const struct options_env *env; /* asked for what the command line does not say */
    int argc;                      /* of the command line */
    const char *const *argv;       /* of the command line */
    struct buf *text;              /* sentences */
    bool bad;                      /* something was refused: the first time counts */
};

/* An option that is not a knob. */
struct plain_row {
    const char *name;                                                   /* without the dashes */
    const char *env;                                                    /* variable, or NULL */
    const char *value;                                                  /* for --help */
    const char *help;                                                   /* for --help */
    bool (*read)(struct reader *, const char *name, const char *value); /* false: refused */
};

static bool refuse(struct reader *reader, const char *name, const char *value, const char *rule)
{
    if (reader->bad)
        return false;
    reader->bad = true;
    buf_append_slice(reader->text, slice_str(name));
    if (value != NULL) {
        buf_append_slice(reader->text, SLICE_LIT(": '"));
        size_t len = strnlen(value, 200);
        for (size_t i = 0; i < len; i++)
            buf_u8(reader->text, value[i] >= 0x20 ? (uint8_t)value[i] : '?');
        buf_append_slice(reader->text, SLICE_LIT("'"));
    }
    buf_append_slice(reader->text, SLICE_LIT(" "));
    buf_append_slice(reader->text, slice_str(rule));
    buf_append_slice(reader->text, SLICE_LIT("\n"));
    return false;
}

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* The next part of a list with commas; false at its end. */
static bool next_part(struct slice *rest, struct slice *part)
{
    if (rest->ptr == NULL)
        return false;
    const uint8_t *comma = rest->len == 0 ? NULL : memchr(rest->ptr, ',', rest->len);
    size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->ptr);
    *part = trimmed(slice_of(rest->ptr, len));
    *rest = comma == NULL ? SLICE_EMPTY : slice_of(comma + 1, rest->len - len - 1);
    return true;
}

/* Decimal digits, with a suffix K, M, G or T where scaled. */
static bool number_parse(const char *text, bool scaled, uint64_t *out)
{
    static const char suffixes[] = "KMGT";
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == text)
        return false;
    if (scaled && *at != '\0') {
        char upper = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
        const char *suffix = strchr(suffixes, upper);
        unsigned shift = suffix == NULL ? 64 : 10U * (unsigned)(suffix - suffixes + 1);
        if (shift >= 64 || value > UINT64_MAX >> shift)
            return false;
        value <<= shift;
        at++;
    }
    *out = value;
    return *at == '\0';
}

/* ---- The options that are not knobs ---- */

static bool read_address(struct reader *reader, const char *name, const char *value)
{
    struct options *options = reader->options;
    if (!address_parse(trimmed(slice_str(value)), &options->node.address))
        return refuse(reader, name, value, "is not IP:PORT, [v6]:PORT or name:PORT");
    const char *colon = strrchr(options->node.address.text, ':');
    uint64_t port = 0;
    ASSERT(colon != NULL);
    bool parsed = number_parse(colon + 1, false, &port);
    ASSERT(parsed);
    options->port = (uint16_t)port;
    return true;
}

static bool read_view(struct reader *reader, const char *name, const char *value)
{
    struct node_options *node = &reader->options->node;
    struct slice rest = slice_str(value);
    struct slice part;
    node->view_count = 0;
    while (next_part(&rest, &part)) {
        if (node->view_count == LIMIT_MEMBERS)
            return refuse(reader, name, NULL, "names more than 64 nodes");
        if (!address_parse(part, &node->view[node->view_count]))
            return refuse(reader, name, value,
                          "is not a list of IP:PORT, [v6]:PORT or name:PORT with commas");
        node->view_count++;
    }
    return true;
}

static bool read_shard_count(struct reader *reader, const char *name, const char *value)
{
    uint64_t count = 0;
    if (!number_parse(value, false, &count) || count == 0 || count > LIMIT_SHARDS)
        return refuse(reader, name, value, "is not a number of shards from 1 to 32");
    reader->options->node.shard_count = (uint32_t)count;
    return true;
}

static bool read_data_dir(struct reader *reader, const char *name, const char *value)
{
    size_t len = strlen(value);
    if (len == 0 || len >= OPTIONS_PATH_BYTES)
        return refuse(reader, name, NULL, "is not the name of a directory");
    memcpy(reader->options->data_dir, value, len + 1);
    return true;
}

/* A name may be several addresses, or none yet: where to listen is said in numbers. Of names none
 * is made of digits and dots alone (address_parse). */
static bool is_numeric(const struct address *address)
{
    return address->text[0] == '[' || address->text[strspn(address->text, "0123456789.")] == ':';
}

static bool read_listen(struct reader *reader, const char *name, const char *value)
{
    struct options *options = reader->options;
    struct slice rest = slice_str(value);
    struct slice part;
    options->listen_count = 0;
    while (next_part(&rest, &part)) {
        struct address address;
        if (!address_parse(part, &address) || !is_numeric(&address))
            return refuse(
                reader, name, value,
                "is not a list of IP:PORT or [v6]:PORT with commas, in numbers, no names");
        if (options->listen_count == OPTIONS_LISTEN_MAX)
            return refuse(reader, name, NULL, "names more than 4 addresses");
        memcpy(options->listen[options->listen_count++], address.text, sizeof(address.text));
    }
    return true;
}

static bool read_log(struct reader *reader, const char *name, const char *value)
{
    struct options *options = reader->options;
    struct slice rest = slice_str(value);
    struct slice part;
    while (next_part(&rest, &part)) {
        if (slice_equal(part, SLICE_LIT("text")))
            options->log_format = LOG_FORMAT_TEXT;
        else if (slice_equal(part, SLICE_LIT("json")))
            options->log_format = LOG_FORMAT_JSON;
        else if (slice_equal(part, SLICE_LIT("story")))
            options->log_level = TRACE_STORY;
        else if (slice_equal(part, SLICE_LIT("info")))
            options->log_level = TRACE_INFO;
        else if (slice_equal(part, SLICE_LIT("warn")))
            options->log_level = TRACE_WARN;
        else if (slice_equal(part, SLICE_LIT("error")))
            options->log_level = TRACE_ERROR;
        else
            return refuse(reader, name, value,
                          "is not made of text or json, and story, info, warn or error");
    }
    return true;
}

static const struct plain_row plain_rows[] = {
    {"socket-address", "SOCKET_ADDRESS", "ADDRESS",
     "IP:PORT of this node as the others and clients know it; needed", read_address},
    {"view", "VIEW", "ADDRESS,...", "addresses of all nodes, this one included (default: it alone)",
     read_view},
    {"shard-count", "SHARD_COUNT", "N", "shards at the first start (default: 1)", read_shard_count},
    {"data-dir", "DATA_DIR", "PATH", "where the log lies (default thence-data-PORT)",
     read_data_dir},
    {"listen", "LISTEN", "ADDRESS,...",
     "where to listen, up to 4 IP:PORT, no names (default: that port on every interface)",
     read_listen},
    {"log", "LOG", "WORD,...", "text or json; story, info, warn or error (default text,info)",
     read_log},
};

#define PLAIN_ROWS (sizeof(plain_rows) / sizeof(plain_rows[0]))

/* ---- Knobs ---- */

static bool knob_is_size(const struct knob_row *row)
{
    size_t len = strlen(row->name);
    return len > 6 && strcmp(row->name + len - 6, "_bytes") == 0;
}

static bool knob_is_durability(const struct knob_row *row)
{
    return strcmp(row->name, "durability") == 0;
}

/* 67108864 as 64M; numbers that no suffix divides stay as they are. */
static void put_number(struct buf *out, uint64_t value, bool size)
{
    static const char suffixes[] = "KMGT";
    unsigned at = 0;
    while (size && at < 4 && value >= 1024 && value % 1024 == 0) {
        value /= 1024;
        at++;
    }
    buf_decimal(out, value);
    if (at > 0)
        buf_u8(out, (uint8_t)suffixes[at - 1]);
}

static void put_range(struct buf *out, const struct knob_row *row)
{
    bool size = knob_is_size(row);
    put_number(out, row->least, size);
    buf_append_slice(out, SLICE_LIT(" to "));
    put_number(out, row->most, size);
}

static bool read_knob(struct reader *reader, const struct knob_row *row, const char *name,
                      const char *value)
{
    uint64_t *field = knobs_field(&reader->options->node.knobs, row);
    if (knob_is_durability(row)) {
        *field = strcmp(value, "disk") == 0;
        if (*field == 0 && strcmp(value, "os") != 0)
            return refuse(reader, name, value, "is neither os nor disk");
        return true;
    }
    uint64_t number = 0;
    bool fits = number_parse(value, knob_is_size(row), &number);
    if (fits && number >= row->least && number <= row->most) {
        *field = number;
        return true;
    }
    struct buf rule = BUF_EMPTY;
    buf_append_slice(&rule, SLICE_LIT("is not a number from "));
    put_range(&rule, row);
    buf_u8(&rule, '\0');
    refuse(reader, name, value, (const char *)rule.ptr);
    buf_fini(&rule);
    return false;
}

/* ---- Environment and command line ---- */

static void option_name(const char *name, char option[64])
{
    size_t len = strlen(name);
    ASSERT(len + 3 <= 64);
    memcpy(option, "--", 2);
    for (size_t i = 0; i <= len; i++)
        option[i + 2] = (char)(name[i] == '_' ? '-' : name[i]);
}

static const char *env_get(const struct reader *reader, const char *name)
{
    const char *value = reader->env->get(reader->env->arg, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static void read_environment(struct reader *reader)
{
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    for (size_t i = 0; i < PLAIN_ROWS; i++) {
        const char *value = env_get(reader, plain_rows[i].env);
        if (value != NULL && !reader->bad)
            plain_rows[i].read(reader, plain_rows[i].env, value);
    }
    for (size_t i = 0; i < count; i++) {
        const char *value = env_get(reader, rows[i].env);
        if (value != NULL && !reader->bad)
            read_knob(reader, &rows[i], rows[i].env, value);
    }
}

/* Hands value to whichever option is called that; NULL: none was given. */
static bool read_option(struct reader *reader, const char *option, const char *value)
{
    char name[64];
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    for (size_t i = 0; i < PLAIN_ROWS; i++) {
        option_name(plain_rows[i].name, name);
        if (strcmp(name, option) == 0)
            return value == NULL ? refuse(reader, option, NULL, "needs a value")
                                 : plain_rows[i].read(reader, option, value);
    }
    for (size_t i = 0; i < count; i++) {
        option_name(rows[i].name, name);
        if (strcmp(name, option) == 0)
            return value == NULL ? refuse(reader, option, NULL, "needs a value")
                                 : read_knob(reader, &rows[i], option, value);
    }
    return refuse(reader, option, NULL, "is not an option; --help lists them");
}

/* --name=value or --name value; returns how many arguments it took. */
static int read_argument(struct reader *reader, int at)
{
    const char *argument = reader->argv[at];
    if (strcmp(argument, "--bootstrap") == 0) {
        reader->options->node.bootstrap = true;
        return 1;
    }
    char option[64];
    const char *equals = strchr(argument, '=');
    size_t len = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
    if (len >= sizeof(option) || strncmp(argument, "--", 2) != 0) {
        refuse(reader, argument, NULL, "is not an option; --help lists them");
        return 1;
    }
    memcpy(option, argument, len);
    option[len] = '\0';
    const char *next = at + 1 < reader->argc ? reader->argv[at + 1] : NULL;
    read_option(reader, option, equals == NULL ? next : equals + 1);
    return equals == NULL && next != NULL ? 2 : 1;
}

/* ---- --help ---- */

static void help_row(struct buf *out, const char *name, const char *value, const char *env)
{
    char option[64];
    char line[128];
    option_name(name, option);
    int len = snprintf(line, sizeof(line), "  %s %s", option, value);
    buf_append(out, line, (size_t)len);
    len = snprintf(line, sizeof(line), "%*s%s%s\n      ", len < 40 ? 40 - len : 1, "",
                   env == NULL ? "" : env, "");
    buf_append(out, line, (size_t)len);
}

static void help_knob(struct buf *out, const struct knob_row *row)
{
    bool durability = knob_is_durability(row);
    help_row(out, row->name, durability ? "os|disk" : knob_is_size(row) ? "SIZE" : "N", row->env);
    buf_append_slice(out, slice_str(row->help));
    buf_append_slice(out, SLICE_LIT(" (default "));
    if (durability) {
        buf_append_slice(out, row->normal == 0 ? SLICE_LIT("os") : SLICE_LIT("disk"));
    } else {
        put_number(out, row->normal, knob_is_size(row));
        buf_append_slice(out, SLICE_LIT("; "));
        put_range(out, row);
    }
    buf_append_slice(out, SLICE_LIT(")\n"));
}

static void put_help(struct buf *out)
{
    buf_append_slice(
        out,
        SLICE_LIT("usage: thence-node [option ...]      start a node\n"
                  "       thence-node healthcheck       ask the node at the own port how it is\n"
                  "\n"
                  "Each option is also an environment variable (on the right); the option wins.\n"
                  "Sizes take the suffixes K, M, G and T. Times are in milliseconds.\n\n"));
    for (size_t i = 0; i < PLAIN_ROWS; i++) {
        help_row(out, plain_rows[i].name, plain_rows[i].value, plain_rows[i].env);
        buf_append_slice(out, slice_str(plain_rows[i].help));
        buf_append_slice(out, SLICE_LIT("\n"));
    }
    help_row(out, "bootstrap", "", NULL);
    buf_append_slice(out,
                     SLICE_LIT("make the first start with whoever of VIEW is there, by hand\n"));
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    for (size_t i = 0; i < count; i++)
        help_knob(out, &rows[i]);
    help_row(out, "help", "", NULL);
    buf_append_slice(out, SLICE_LIT("print this\n"));
    help_row(out, "version", "", NULL);
    buf_append_slice(out, SLICE_LIT("print the version\n"));
}

/* ---- All of it ---- */

static void fill_in(struct options *options)
{
    struct node_options *node = &options->node;
    if (node->view_count == 0) {
        node->view_count = 1;
        node->view[0] = node->address;
    }
    if (options->data_dir[0] == '\0')
        snprintf(options->data_dir, sizeof(options->data_dir), "thence-data-%u",
                 (unsigned)options->port);
    if (node->view_count == 1)
        options->warning = "a node alone: no other holds a copy of what is written here";
}

static enum options_result check(struct reader *reader, bool healthcheck)
{
    struct options *options = reader->options;
    if (!reader->bad && options->node.address.text[0] == '\0')
        refuse(reader, "SOCKET_ADDRESS", NULL, "is not set: the address of this node, IP:PORT");
    if (reader->bad)
        return OPTIONS_BAD;
    fill_in(options);
    const char *why = NULL;
    if (!healthcheck && node_options_check(&options->node, &why) != E_OK) {
        ASSERT(why != NULL);
        buf_append_slice(reader->text, slice_str(why));
        buf_append_slice(reader->text, SLICE_LIT("\n"));
        return OPTIONS_BAD;
    }
    return healthcheck ? OPTIONS_HEALTHCHECK : OPTIONS_RUN;
}

enum options_result options_read(struct options *options, int argc, const char *const *argv,
                                 const struct options_env *env, struct buf *text)
{
    memset(options, 0, sizeof(*options));
    options->log_level = TRACE_INFO;
    knobs_init(&options->node.knobs);
    struct reader reader = {options, env, argc, argv, text, false};
    bool healthcheck = argc > 1 && strcmp(argv[1], "healthcheck") == 0;
    for (int at = 1; at < argc; at++) {
        bool help = strcmp(argv[at], "--help") == 0;
        if (help)
            put_help(text);
        else if (strcmp(argv[at], "--version") == 0)
            buf_append_slice(text, SLICE_LIT("thence-node " THENCE_VERSION "\n"));
        else
            continue;
        return OPTIONS_SAY;
    }
    read_environment(&reader);
    for (int at = healthcheck ? 2 : 1; at < argc && !reader.bad;)
        at += read_argument(&reader, at);
    return check(&reader, healthcheck);
}
