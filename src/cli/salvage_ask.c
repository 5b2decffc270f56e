/* salvage_ask - the requests of a salvage.
 *
 * Does:   looks every key up, and writes those that are absent, in the order of their clocks.
 * Not:    deciding whether to write: salvage.c.
 * Holds:  V1.
 * Limits: SALVAGE_JOBS.
 * See:    salvage.h.
 */
#include "cli/said.h"
#include "cli/salvage.h"

#define COMPLAINTS_MAX 10U

/* The type and the bytes of a raw value (wire/version.h). */
static struct slice split_raw(struct slice value, struct slice *type)
{
    *type = SLICE_EMPTY;
    if (value.len == 0 || value.ptr[0] >= value.len)
        return value;
    *type = slice_of(value.ptr + 1, value.ptr[0]);
    return slice_of(value.ptr + 1 + type->len, value.len - 1 - type->len);
}

void rescue_note(struct rescue *rescue, size_t i, enum verdict verdict)
{
    rescue->counts[rescue->verdicts[i]]--;
    rescue->verdicts[i] = (uint8_t)verdict;
    rescue->counts[verdict]++;
}

static bool is_same(const struct version *version, const struct client_answer *answer)
{
    if (version->form == VALUE_RAW) {
        struct slice type;
        struct slice bytes = split_raw(version->value, &type);
        return slice_equal(answer->body, bytes) && slice_equal(answer->type, type);
    }
    struct said said;
    cli__said_read(&said, answer);
    return cli__said_has(&said, SAID_VALUE) &&
           slice_equal(said.members[SAID_VALUE].value.raw, version->value);
}

static void complain(struct rescue *rescue, const struct version *version,
                     const struct client_answer *answer, const char *what)
{
    struct buf key = BUF_EMPTY;
    if (rescue->complaints++ >= COMPLAINTS_MAX)
        return;
    json_put_string(&key,
                    slice_of(version->key.ptr, version->key.len < 60 ? version->key.len : 60));
    fprintf(rescue->cli->err, "thence: key %.*s: %s: ", (int)key.len, (const char *)key.ptr, what);
    if (answer->why != NULL)
        fprintf(rescue->cli->err, "%s\n", answer->why);
    else
        fprintf(rescue->cli->err, "answered %d\n", answer->status);
    buf_fini(&key);
}

static void judge_look(struct rescue *rescue, const struct client_answer *answer)
{
    struct version version;
    salvage_missing(rescue->salvage, answer->tag, &version);
    bool deleted = version.form == VALUE_TOMBSTONE;
    bool answered = answer->outcome == CLIENT_ANSWERED;
    if (answered && answer->status == 404)
        rescue_note(rescue, answer->tag, deleted ? VERDICT_SAME : VERDICT_ABSENT);
    else if (answered && answer->status == 200)
        rescue_note(rescue, answer->tag,
                    deleted                     ? VERDICT_STANDING
                    : is_same(&version, answer) ? VERDICT_SAME
                                                : VERDICT_OTHER);
    else
        complain(rescue, &version, answer, "not looked up");
}

static void judge_write(struct rescue *rescue, const struct client_answer *answer)
{
    struct version version;
    salvage_missing(rescue->salvage, answer->tag, &version);
    bool good =
        answer->outcome == CLIENT_ANSWERED && (answer->status == 200 || answer->status == 201);
    if (good)
        rescue_note(rescue, answer->tag, VERDICT_WRITTEN);
    else if (answer->outcome == CLIENT_UNKNOWN)
        rescue_note(rescue, answer->tag, VERDICT_UNKNOWN);
    if (!good)
        complain(rescue, &version, answer,
                 answer->outcome == CLIENT_UNKNOWN ? "not known whether it was written"
                                                   : "not written");
}

static void start(struct rescue *rescue, size_t i, bool writes)
{
    struct version version;
    struct buf target = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    salvage_missing(rescue->salvage, i, &version);
    client_put_target(&target, version.key);
    struct client_ask ask = {.verb = writes ? CLIENT_PUT : CLIENT_GET,
                             .target = buf_slice(&target),
                             .session = writes ? &rescue->session : NULL,
                             .node = CLIENT_ANY,
                             .avoid = CLIENT_ANY,
                             .wait_ms = UINT64_MAX,
                             .tag = i};
    if (writes && version.form == VALUE_RAW) {
        ask.body = split_raw(version.value, &ask.type);
    } else if (writes) {
        buf_append_slice(&body, SLICE_LIT("{\"value\":"));
        buf_append_slice(&body, version.value);
        buf_u8(&body, '}');
        ask.body = buf_slice(&body);
    }
    client_start(rescue->client, &ask);
    buf_fini(&target);
    buf_fini(&body);
}

/* One pass over all of them; false: Ctrl-C. */
static bool pass(struct rescue *rescue, bool writes)
{
    struct client_answer answer;
    size_t next = 0;
    while (true) {
        while (next < rescue->count && client_under_way(rescue->client) < SALVAGE_JOBS) {
            if (!writes || rescue->verdicts[next] == VERDICT_ABSENT)
                start(rescue, next, writes);
            next++;
        }
        if (client_under_way(rescue->client) == 0)
            return true;
        client_poll(rescue->client, 200);
        while (client_take(rescue->client, &answer)) {
            if (writes)
                judge_write(rescue, &answer);
            else
                judge_look(rescue, &answer);
        }
        if (*rescue->cli->stop > 0)
            return false;
    }
}

bool rescue_look(struct rescue *rescue)
{
    return pass(rescue, false);
}

bool rescue_write(struct rescue *rescue)
{
    return pass(rescue, true);
}
