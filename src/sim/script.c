/* script - a scenario as lines of text: who does what, and what must come of it.
 *
 * Does:   see script.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    script.h.
 */
#include "sim/script.h"

#include "sim/judge.h"
#include "sim/people.h"

#include <stdarg.h>
#include <stdio.h>

#define WORDS_MAX 10U
#define ANSWER_US_MAX 8000000U

struct script {
    struct world *world;                     /* owned; NULL before `world` */
    enum plant plant;                        /* PLANT build only */
    FILE *story;                             /* of the world */
    FILE *out;                               /* answers */
    struct slice names[SCRIPT_SESSIONS_MAX]; /* of sessions, as they appeared */
    uint32_t name_count;                     /* in use */
    struct slice words[WORDS_MAX];           /* of the line */
    uint32_t word_count;                     /* in use */
    char answer[200];                        /* the last one */
    uint32_t line;                           /* number of the line */
    bool bad;                                /* something was not as it should be */
};

__attribute__((format(printf, 2, 3))) static void complain(struct script *script,
                                                           const char *format, ...)
{
    va_list arguments;
    script->bad = true;
    fprintf(script->out, "line %u: ", script->line);
    va_start(arguments, format);
    vfprintf(script->out, format, arguments);
    va_end(arguments);
    fputc('\n', script->out);
}

static bool word_is(const struct script *script, uint32_t at, const char *text)
{
    return at < script->word_count && slice_equal(script->words[at], slice_str(text));
}

/* A number after `prefix` (0: none), below most; else complains and gives 0. */
static uint64_t number(struct script *script, uint32_t at, char prefix, uint64_t most)
{
    struct slice word = at < script->word_count ? script->words[at] : SLICE_EMPTY;
    size_t i = prefix != 0 && word.len > 0 && word.ptr[0] == (uint8_t)prefix ? 1 : 0;
    bool good = word.len > i && (prefix == 0 || i == 1);
    uint64_t value = 0;
    for (; i < word.len && good; i++) {
        good = word.ptr[i] >= '0' && word.ptr[i] <= '9' && value < 10000000000;
        value = value * 10 + (word.ptr[i] - '0');
    }
    if (good && value < most)
        return value;
    complain(script, "word %u should be a number below %llu", at, (unsigned long long)most);
    return 0;
}

static uint32_t node_at(struct script *script, uint32_t at)
{
    return (uint32_t)number(script, at, 'n', script->world->node_count);
}

static void run_for(struct script *script, uint64_t us)
{
    struct world *world = script->world;
    uint64_t end = world->time.now_us + us;
    while (!world->verdict.bad && world->time.now_us < end && world_next(world)) {}
}

/* ---- The world ---- */

/* KNOB=VALUE */
static void set_knob(struct script *script, uint32_t at, struct knobs *knobs)
{
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    struct slice word = script->words[at];
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].name);
        if (word.len <= len || word.ptr[len] != '=' ||
            !slice_equal(slice_of(word.ptr, len), slice_str(rows[i].name)))
            continue;
        script->words[at] = slice_of(word.ptr + len + 1, word.len - len - 1);
        *knobs_field(knobs, &rows[i]) = number(script, at, 0, rows[i].most + 1);
        return;
    }
    complain(script, "no such knob");
}

static void make_world(struct script *script)
{
    struct swarm swarm;
    swarm_calm(&swarm, (uint32_t)number(script, 1, 0, 8), (uint32_t)number(script, 2, 0, 4));
    swarm.knobs.durability = word_is(script, 3, "disk") ? 1 : 0;
    for (uint32_t i = 4; i < script->word_count; i++)
        set_knob(script, i, &swarm.knobs);
    if (script->bad || script->world != NULL)
        return;
    script->world = world_new(&swarm, script->plant, script->story);
    client_stop(script->world->client);
    vtime_after(&script->world->time, 100000, WORLD_SAMPLE, 0, 0, 0);
    for (uint32_t i = 0; i < 100 && !script->world->booted; i++)
        run_for(script, 100000);
    fprintf(script->out, "%u nodes, %u shards%s\n", swarm.nodes, swarm.shards,
            script->world->booted ? "" : ": they do not start");
    script->bad = script->bad || !script->world->booted;
}

static void cut(struct script *script)
{
    struct vnet *net = &script->world->net;
    uint32_t from = node_at(script, 1);
    for (uint32_t i = 0; i < script->world->node_count; i++) {
        if (i == from || (!word_is(script, 2, "all") && i != node_at(script, 2)))
            continue;
        vnet_cut(net, from, i, true);
        vnet_cut(net, i, from, true);
    }
}

static void slow(struct script *script)
{
    uint32_t from = node_at(script, 1);
    uint32_t to = node_at(script, 2);
    script->world->net.extra_us[from][to] = number(script, 3, 0, 100000) * 1000;
}

/* The disk shows no trace of what was not synced. */
static void power_cut_without_trace(struct world *world, uint32_t node)
{
    world_crash(world, node);
    vdisk_forget(&world->nodes[node].disk);
    world_power_cut(world, node);
}

static void process(struct script *script)
{
    struct world *world = script->world;
    uint32_t node = node_at(script, 1);
    if (word_is(script, 0, "crash"))
        world_crash(world, node);
    else if (word_is(script, 0, "power") && word_is(script, 2, "traceless"))
        power_cut_without_trace(world, node);
    else if (word_is(script, 0, "power"))
        world_power_cut(world, node);
    else if (word_is(script, 0, "pause"))
        world_pause(world, node);
    else if (word_is(script, 0, "resume"))
        world_resume(world, node);
    else if (world->nodes[node].node == NULL) {
        vnet_boot(&world->net, node);
        world_start(world, node);
    }
}

static void settle(struct script *script)
{
    struct world *world = script->world;
    char why[256] = "";
    for (uint32_t i = 0; i < 100 && !judge_converged(world, why); i++)
        run_for(script, 100000);
    if (!judge_converged(world, why))
        complain(script, "replicas do not agree: %s", why);
    else
        judge_tables(world);
    fprintf(script->out, "settled\n");
}

/* ---- Clients ---- */

static uint32_t session_of(struct script *script, uint32_t at)
{
    for (uint32_t i = 0; i < script->name_count; i++) {
        if (slice_equal(script->names[i], script->words[at]))
            return i;
    }
    if (script->name_count == SCRIPT_SESSIONS_MAX) {
        complain(script, "too many names");
        return 0;
    }
    script->names[script->name_count] = script->words[at];
    return script->name_count++;
}

static void describe(struct script *script, const struct call *call)
{
    static const char *const outcomes[] = {
        "",        "found",   "missing", "created",   "replaced",  "deleted", "counted",  "added",
        "present", "removed", "placed",  "recovered", "resharded", "begun",   "cancelled"};
    size_t size = sizeof script->answer;
    if (call->refused || call->lost)
        snprintf(script->answer, size, "%s", call->refused ? "refused" : "silence");
    else if (call->outcome == OUTCOME_FOUND)
        snprintf(script->answer, size, "found w%u", call->found);
    else if (call->outcome != OUTCOME_NONE)
        snprintf(script->answer, size, "%s%s", outcomes[call->outcome],
                 call->replied_copies == 1 ? ", copies 1" : "");
    else
        snprintf(script->answer, size, "%s%s%s", err_name(call->err),
                 call->unknown ? ", outcome unknown" : "", call->waiting);
}

/* Until it is answered, or given up. */
static void await(struct script *script, const struct call *call)
{
    while (!script->world->verdict.bad && call->state != CALL_DONE && world_next(script->world)) {}
    describe(script, call);
}

static void ask_key(struct script *script, enum op op, uint32_t key, uint32_t copies)
{
    struct client *client = script->world->client;
    uint32_t session = session_of(script, 0);
    uint32_t node = node_at(script, 2);
    if (script->bad)
        return;
    uint64_t number = client_probe(client, node, op, key, session, copies, ANSWER_US_MAX);
    const struct call *call = client_call(client, number);
    await(script, call);
    fprintf(script->out, "%.*s %.*s n%u k%u", (int)script->words[0].len,
            (const char *)script->words[0].ptr, (int)script->words[1].len,
            (const char *)script->words[1].ptr, node, key);
    if (op == OP_PUT)
        fprintf(script->out, " w%u", call->asked.write);
    fprintf(script->out, ": %s\n", script->answer);
    client_keep(client, session, number);
}

static uint32_t key_at(struct script *script, uint32_t at)
{
    return (uint32_t)number(script, at, 'k', script->world->oracle.key_count);
}

static void ask(struct script *script, enum op op)
{
    uint32_t copies = word_is(script, 4, "two") ? 2 : 0;
    ask_key(script, op, key_at(script, 3), copies);
}

static void puts_all(struct script *script)
{
    uint32_t last = key_at(script, 4);
    for (uint32_t key = key_at(script, 3); key <= last && !script->bad; key++)
        ask_key(script, OP_PUT, key, 0);
}

/* ---- Operators ---- */

static enum op wished(const struct script *script)
{
    if (word_is(script, 1, "list"))
        return OP_VIEW_ADD;
    if (word_is(script, 1, "place"))
        return OP_SHARD_ADD;
    if (word_is(script, 1, "reshard"))
        return OP_RESHARD;
    if (word_is(script, 1, "cancel"))
        return OP_RESHARD_CANCEL;
    return word_is(script, 1, "recover") ? OP_RECOVER : OP_VIEW_REMOVE;
}

static void operate(struct script *script)
{
    struct world *world = script->world;
    char addresses[CALL_ADDRESS_BYTES] = "";
    struct wish wish = {.op = wished(script), .addresses = addresses};
    wish.force = word_is(script, 1, "force");
    uint32_t last = script->word_count;
    if (wish.op == OP_SHARD_ADD || wish.op == OP_RESHARD)
        wish.shard = (uint32_t)number(script, --last, 0, LIMIT_SHARDS);
    for (uint32_t i = 3; i < last && !script->bad; i++) {
        size_t len = strlen(addresses);
        snprintf(addresses + len, sizeof addresses - len, "%s%s", i > 3 ? "," : "",
                 world->nodes[node_at(script, i)].address.text);
    }
    uint32_t node = node_at(script, 2);
    if (script->bad)
        return;
    world->people = true;
    uint64_t number = client_operate(world->client, node, &wish, PEOPLE_US_MAX);
    if (wish.op == OP_RESHARD) /* the answer comes when all is so */
        return;
    await(script, client_call(world->client, number));
    fprintf(script->out, "people %.*s n%u: %s\n", (int)script->words[1].len,
            (const char *)script->words[1].ptr, node, script->answer);
}

static void touch(struct script *script)
{
    struct world *world = script->world;
    uint32_t node = node_at(script, 1);
    if (world->nodes[node].node == NULL || !node_propose_touch(world->nodes[node].node))
        complain(script, "it proposes nothing");
    world->nodes[node].turn_wanted = true;
    world_wake(world, node, 0);
}

static void expect(struct script *script, struct slice line)
{
    struct slice text = slice_of(line.ptr + 1, line.len - 1);
    while (text.len > 0 && text.ptr[0] == ' ')
        text = slice_of(text.ptr + 1, text.len - 1);
    if (!slice_equal(text, slice_str(script->answer)))
        complain(script, "expected \"%.*s\", got \"%s\"", (int)text.len, (const char *)text.ptr,
                 script->answer);
}

/* ---- Lines ---- */

static void split(struct script *script, struct slice line)
{
    script->word_count = 0;
    size_t at = 0;
    while (at < line.len && script->word_count < WORDS_MAX) {
        size_t begin = at;
        while (at < line.len && line.ptr[at] != ' ')
            at++;
        if (at > begin)
            script->words[script->word_count++] = slice_of(line.ptr + begin, at - begin);
        at++;
    }
}

static void client_line(struct script *script)
{
    if (word_is(script, 1, "put"))
        ask(script, OP_PUT);
    else if (word_is(script, 1, "puts"))
        puts_all(script);
    else if (word_is(script, 1, "get"))
        ask(script, OP_GET);
    else if (word_is(script, 1, "delete"))
        ask(script, OP_DELETE);
    else if (word_is(script, 1, "takes") && script->word_count == 3)
        client_merge(script->world->client, session_of(script, 0), session_of(script, 2));
    else if (word_is(script, 1, "forgets"))
        client_forget(script->world->client, session_of(script, 0));
    else
        complain(script, "what is this?");
}

static void run_line(struct script *script, struct slice line)
{
    split(script, line);
    if (script->word_count == 0 || script->words[0].ptr[0] == '#')
        return;
    if (word_is(script, 0, "world"))
        make_world(script);
    else if (script->world == NULL)
        complain(script, "the first line says what the world is");
    else if (word_is(script, 0, "="))
        expect(script, line);
    else if (word_is(script, 0, "cut"))
        cut(script);
    else if (word_is(script, 0, "people"))
        operate(script);
    else if (word_is(script, 0, "epoch"))
        touch(script);
    else if (word_is(script, 0, "slow"))
        slow(script);
    else if (word_is(script, 0, "size"))
        script->world->client->probe_bytes = (uint32_t)number(script, 1, 0, 100000);
    else if (word_is(script, 0, "heal"))
        vnet_heal(&script->world->net);
    else if (word_is(script, 0, "wait"))
        run_for(script, number(script, 1, 0, 1000000) * 1000);
    else if (word_is(script, 0, "clock"))
        world_step_wall(&script->world->nodes[node_at(script, 1)],
                        (int64_t)number(script, 2, 0, 2000000000));
    else if (word_is(script, 0, "disk"))
        script->world->nodes[node_at(script, 1)].disk_slow_until_us =
            script->world->time.now_us + number(script, 2, 0, 1000000) * 1000;
    else if (word_is(script, 0, "settle"))
        settle(script);
    else if (word_is(script, 0, "crash") || word_is(script, 0, "power") ||
             word_is(script, 0, "start") || word_is(script, 0, "pause") ||
             word_is(script, 0, "resume"))
        process(script);
    else
        client_line(script);
}

bool script_run(struct slice text, enum plant plant, FILE *story, FILE *out)
{
    struct script script = {.plant = plant, .story = story, .out = out};
    size_t at = 0;
    while (at < text.len && !script.bad) {
        size_t begin = at;
        while (at < text.len && text.ptr[at] != '\n')
            at++;
        script.line++;
        run_line(&script, slice_of(text.ptr + begin, at - begin));
        at++;
        if (script.world != NULL && script.world->verdict.bad)
            complain(&script, "VIOLATION %s: %s", script.world->verdict.invariant,
                     script.world->verdict.text);
    }
    if (script.world != NULL)
        world_free(script.world);
    return !script.bad;
}
