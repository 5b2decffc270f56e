/* said - what an answer of a node says.
 *
 * Does:   see said.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    said.h.
 */
#include "cli/said.h"

bool cli__ask(const struct cli *cli, struct client *client, const struct client_ask *what,
              struct client_answer *answer)
{
    client_start(client, what);
    while (!client_take(client, answer)) {
        if (*cli->stop > 0)
            return false;
        client_poll(client, 1000);
    }
    return true;
}

void cli__said_read(struct said *said, const struct client_answer *answer)
{
    static const char *const names[] = {"error",  "detail", "result", "value",
                                        "reason", "copies", "lost",   "waiting-for"};
    struct json_value whole;
    struct json_error error;
    for (size_t i = 0; i < SAID_COUNT; i++)
        said->members[i] = (struct json_member){slice_str(names[i]), {.type = JSON_NONE}};
    static const char json[] = "application/json";
    bool typed = answer->type.len >= sizeof(json) - 1 &&
                 memcmp(answer->type.ptr, json, sizeof(json) - 1) == 0;
    said->json = typed &&
                 json_scan_members(answer->body, &whole, said->members, SAID_COUNT, &error) &&
                 whole.type == JSON_OBJECT;
}

void cli__said_put(const struct said *said, size_t which, struct buf *out)
{
    const struct json_value *value = &said->members[which].value;
    if (said->json && value->type == JSON_STRING)
        json_unescape(value->raw, out);
}

bool cli__said_has(const struct said *said, size_t which)
{
    return said->json && said->members[which].value.type != JSON_NONE;
}

enum exit_status cli__said_status(const struct client_answer *answer)
{
    switch (answer->outcome) {
    case CLIENT_ANSWERED:
        break;
    case CLIENT_UNKNOWN:
        return EXIT_UNKNOWN;
    case CLIENT_UNREACHABLE:
    case CLIENT_TIMED_OUT:
    case CLIENT_GARBAGE:
        return EXIT_UNAVAILABLE;
    }
    if (answer->status >= 200 && answer->status < 300)
        return EXIT_OK;
    if (answer->status == 404)
        return EXIT_NOT_WELL;
    return answer->status == 503 || answer->status == 429 ? EXIT_UNAVAILABLE : EXIT_REFUSED;
}

void cli__said_print_json(const struct cli *cli, const char *node,
                          const struct client_answer *answer, const struct said *said)
{
    static const char *const outcomes[] = {"answered", "unknown", "unreachable", "timed-out",
                                           "garbage"};
    struct buf out = BUF_EMPTY;
    buf_u8(&out, '{');
    json_put_text(&out, SLICE_LIT("outcome"), slice_str(outcomes[answer->outcome]));
    json_put_number(&out, SLICE_LIT("status"), (uint64_t)answer->status);
    json_put_text(&out, SLICE_LIT("node"), slice_str(node));
    json_put_number(&out, SLICE_LIT("retries"), answer->retries);
    if (answer->why != NULL)
        json_put_text(&out, SLICE_LIT("why"), slice_str(answer->why));
    if (said->json) {
        json_put_name(&out, SLICE_LIT("answer"));
        buf_append_slice(&out, answer->body);
    } else if (answer->status != 0) {
        json_put_text(&out, SLICE_LIT("type"), answer->type);
        json_put_number(&out, SLICE_LIT("bytes"), answer->body.len);
    }
    buf_append_slice(&out, SLICE_LIT("}\n"));
    fwrite(out.ptr, 1, out.len, cli->out);
    buf_fini(&out);
}

void cli__said_print_notes(const struct cli *cli, const struct said *said)
{
    if (cli__said_has(said, SAID_COPIES))
        fprintf(cli->err, "thence: note: one node alone has this write; it is on its disk\n");
    if (cli__said_has(said, SAID_LOST)) {
        struct slice lost = said->members[SAID_LOST].value.raw;
        fprintf(cli->err, "thence: note: writes that this session had seen may be lost: %.*s\n",
                (int)lost.len, (const char *)lost.ptr);
    }
}
