/* help - what thence says of itself.
 *
 * Does:   one text for each command, one for all.
 * Not:    -
 * Holds:  every option that options.c takes is named here.
 * Limits: -
 * See:    options.c; tests/unit/cli/test_options.c compares the two.
 */
#include "cli/options.h"

#define USAGE_NODES                                                                                \
    "  --node HOST:PORT[,…]  nodes to talk to, in turn; may be given several times\n"            \
    "                        (else $THENCE_NODES, else 127.0.0.1:8082 … 8087)\n"
#define USAGE_TOKEN                                                                                \
    "  --token-file FILE     keep the session in FILE: what one command has seen or\n"             \
    "                        written, the next one with the same FILE finds\n"
#define USAGE_WAIT                                                                                 \
    "  --wait SECONDS        how long a node may wait for what the session has seen\n"             \
    "                        (0 to 30; else the node decides, mostly 1)\n"
#define USAGE_TIMEOUT                                                                              \
    "  --timeout SECONDS     how long to wait for the answer to one attempt (10)\n"
#define USAGE_COPIES "  --copies 2            count a write that one node alone has as unknown\n"
#define USAGE_HELP "  --help                this\n"

static const char help_all[] =
    "usage: thence COMMAND [OPTION]… [ARGUMENT]…\n"
    "\n"
    "  put KEY JSON          write a value (put KEY --raw FILE: bytes)\n"
    "  get KEY               read it\n"
    "  delete KEY            delete it\n"
    "  status                nodes, shards, key counts, lag\n"
    "  load FILE             write many keys, one a line; - is standard input\n"
    "\n"
    "  thence COMMAND --help says more; thence --version.\n"
    "\n"
    "Nodes: --node HOST:PORT[,…], else the variable THENCE_NODES, else 127.0.0.1:8082 … 8087.\n"
    "\n"
    "What is safe to send again (reads; writes of which a node says that they did not happen) is\n"
    "sent again up to seven times, after 10, 20, 40 … 640 ms. A write that has happened or has "
    "not\n"
    "is never sent again: it is reported as unknown.\n"
    "\n"
    "Exit status\n"
    "  0    all went well\n"
    "  1    the key does not exist; load: lines failed or differ; status: not all nodes serve\n"
    "  2    the command line, or a file that it names, is not usable\n"
    "  3    no node could be reached, or none could answer in time\n"
    "  4    the outcome of a write is not known\n"
    "  5    a node refused the request\n"
    "  130  interrupted\n";

static const char help_put[] =
    "usage: thence put [OPTION]… KEY JSON\n"
    "       thence put [OPTION]… KEY --raw FILE\n"
    "\n"
    "Writes a value under a key and says whether it is `created` or `replaced`. JSON is any JSON\n"
    "value: text needs its quotes ('\"like this\"'), a negative number a -- before it; - reads it\n"
    "from standard input. With --raw the bytes of FILE (- is standard input) are the value.\n"
    "\n"
    "  --raw FILE            store bytes instead of JSON\n"
    "  --type TYPE           their content type (application/octet-stream)\n" USAGE_COPIES
    "  --json                print the whole answer as JSON\n" USAGE_NODES USAGE_TOKEN USAGE_WAIT
        USAGE_TIMEOUT USAGE_HELP "\n"
    "Exit status: 0 written, 2 usage, 3 not written, 4 unknown, 5 refused.\n";

static const char help_get[] =
    "usage: thence get [OPTION]… KEY\n"
    "\n"
    "Prints the value of a key: JSON and a newline, or the bytes of a value that was stored raw.\n"
    "\n"
    "  --json                print the whole answer as JSON\n" USAGE_NODES USAGE_TOKEN USAGE_WAIT
        USAGE_TIMEOUT USAGE_HELP "\n"
    "Exit status: 0 found, 1 the key does not exist, 2 usage, 3 no answer, 5 refused.\n";

static const char help_delete[] =
    "usage: thence delete [OPTION]… KEY\n"
    "\n"
    "Deletes a key and says `deleted`.\n"
    "\n" USAGE_COPIES
    "  --json                print the whole answer as JSON\n" USAGE_NODES USAGE_TOKEN USAGE_WAIT
        USAGE_TIMEOUT USAGE_HELP "\n"
    "Exit status: 0 deleted, 1 there was no such key, 2 usage, 3 not deleted, 4 unknown,\n"
    "5 refused.\n";

static const char help_status[] =
    "usage: thence status [OPTION]…\n"
    "\n"
    "Shows shards and nodes: who serves, how many keys each shard has and whether the nodes agree\n"
    "about that, and how far each node is behind. Asks the nodes given, and then those that these\n"
    "name as members; nodes that are down are shown as such.\n"
    "\n"
    "  KEYS      live keys that the node holds\n"
    "  BEHIND    writes of its shard that another member has and this one lacks, at most\n"
    "  PARKED    requests that wait at the node for what their session has seen\n"
    "  PENDING   bytes of writes received that wait for their causes\n"
    "  MEMORY    held by table, queues and windows\n"
    "  LOG       bytes of log on disk\n"
    "\n"
    "  --json                the same as JSON\n" USAGE_NODES
    "  --timeout SECONDS     how long to wait for each node (2)\n" USAGE_HELP "\n"
    "Colours only on a terminal, and not where NO_COLOR is set.\n"
    "Exit status: 0 all nodes serve and agree, 1 some do not, 2 usage, 3 no node could be "
    "reached.\n";

static const char help_load[] =
    "usage: thence load [OPTION]… FILE\n"
    "\n"
    "Writes one key a line of FILE (- is standard input), through all nodes in turn, many at a\n"
    "time, as one session: requests carry the token learnt so far. A later line for the same key\n"
    "is written after the earlier one, and wins. Lines that are not usable are named and left "
    "out;\n"
    "after a hundred failures in a row it stops.\n"
    "\n"
    "  --format FORMAT       json: {\"key\": \"…\", \"value\": …} a line, other members are "
    "ignored;\n"
    "                        tsv: key, tab, JSON (json)\n"
    "  --jobs N              requests under way (64, at most 1024). Up to 8, each one carries all\n"
    "                        that was answered before it; with more, tokens are folded together\n"
    "                        on the way and reach later requests after some round trips\n"
    "  --skip N              leave out the first N lines (to go on after Ctrl-C)\n"
    "  --verify              then read each key back through another node than it was written\n"
    "                        through, and compare exactly. Takes some 40 bytes of memory a line\n"
    "  --quiet               no progress\n" USAGE_COPIES
    "  --json                end with one line of JSON instead of sentences\n" USAGE_NODES
        USAGE_TOKEN USAGE_WAIT USAGE_TIMEOUT USAGE_HELP "\n"
    "Ctrl-C waits for what is under way and says how far it got; a second one does not wait.\n"
    "Exit status: 0 every line is written (and verified), 1 lines failed, differ or are not "
    "usable,\n"
    "2 usage, 3 no node could be reached, 4 no failures, but unknown outcomes, 130 interrupted.\n";

const char *cli_help(enum cli_command command)
{
    switch (command) {
    case CLI_PUT:
        return help_put;
    case CLI_GET:
        return help_get;
    case CLI_DELETE:
        return help_delete;
    case CLI_STATUS:
        return help_status;
    case CLI_LOAD:
        return help_load;
    case CLI_NONE:
        return help_all;
    }
    UNREACHABLE();
}

const char *cli_command_word(enum cli_command command)
{
    static const char *const words[] = {"put", "get", "delete", "status", "load", ""};
    return words[command];
}
