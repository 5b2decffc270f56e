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
    "  members               who belongs to the cluster\n"
    "  add ADDRESS           list a node, put it into a shard\n"
    "  remove ADDRESS…       take nodes off the list\n"
    "  recover --without ADDRESS…\n"
    "                        go on for good without nodes that are gone (or\n"
    "                        --from-directories: nobody remembers the cluster)\n"
    "  reshard N             move slots until there are N shards\n"
    "  salvage DIRECTORY     write again what only the directory of a removed node has\n"
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
    "  1    the key does not exist; load: lines failed or differ; status, members: not all nodes\n"
    "       serve; or the question whether to go on was answered with no\n"
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
    "about that, which slots are on their way, and how far each node is behind. Asks the nodes\n"
    "given, and then those that these name as members; nodes that are down are shown as such.\n"
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

static const char help_members[] =
    "usage: thence members [OPTION]…\n"
    "\n"
    "Shows who belongs to the cluster by the newest configuration that any node knows.\n"
    "\n"
    "  STATE     active: has all data of its shard and serves it; syncing: fills up; leaving: "
    "hands\n"
    "            over; spare: of no shard, forwards; invited: listed, has not shown up yet\n"
    "  ACTOR     under which number its writes are counted\n"
    "  BEHIND    writes of its shard that another member has and this one lacks, at most\n"
    "\n"
    "  --json                the same as JSON\n" USAGE_NODES
    "  --timeout SECONDS     how long to wait for each node (2)\n" USAGE_HELP "\n"
    "Exit status: 0 all members are alive, and active or spare, 1 some are not, 2 usage, 3 no "
    "node\n"
    "could be reached.\n";

#define USAGE_CHANGE_WAIT                                                                          \
    "  --wait SECONDS        how long the node may take for it (0 to 30; 10)\n"
#define USAGE_CHANGE_EXIT(later)                                                                   \
    "2 usage, or nobody to ask and no --yes,\n"                                                    \
    "3 no node could be reached, or no majority" later ",\n"                                       \
    "4 not known whether it happened (thence members shows it), 5 refused.\n"

static const char help_add[] =
    "usage: thence add [OPTION]… ADDRESS\n"
    "\n"
    "Lists the node at ADDRESS (HOST:PORT, as its SOCKET_ADDRESS says) and says `added` or\n"
    "`already present`. It becomes a spare as soon as it has started and shown up. With --shard it "
    "is\n"
    "put into that shard too: it fills up from the members, then it serves.\n"
    "\n"
    "  --shard ID            the shard, such as s0; refused until the node has shown up:\n"
    "                        start it, and ask again\n"
    "  --json                print the answers as JSON\n" USAGE_NODES USAGE_CHANGE_WAIT
        USAGE_TIMEOUT USAGE_HELP "\n"
    "Exit status: 0 done, " USAGE_CHANGE_EXIT("");

static const char help_remove[] =
    "usage: thence remove [OPTION]… ADDRESS…\n"
    "\n"
    "Takes members off the list, all of them in one change, and says `deleted`. A live one hands\n"
    "over what it has first. Of a dead one, writes that only it had are given up: then, and with\n"
    "--force, there is a question. Shows before what will come of it. A removed node stays out "
    "until\n"
    "thence add, or until it is started with an empty directory.\n"
    "\n"
    "  --force               rather leave a shard with fewer than two members than be refused\n"
    "  --yes                 do not ask\n"
    "  --json                print the answer as JSON\n" USAGE_NODES USAGE_CHANGE_WAIT USAGE_TIMEOUT
        USAGE_HELP "\n"
    "Exit status: 0 done, 1 answered with no, " USAGE_CHANGE_EXIT(
        ", or a member still hands over, and leaves when that\nis done (ask again)");

static const char help_recover[] =
    "usage: thence recover [OPTION]… --without ADDRESS[,…] [ADDRESS…]\n"
    "       thence recover [OPTION]… --from-directories [--without ADDRESS[,…]]\n"
    "\n"
    "For when members are gone for good and too few are left to decide anything: begins a new\n"
    "history without those named. What only they had is lost. All other nodes that remember the\n"
    "cluster have to answer, or be named; a node that answers cannot be named. Shows before what\n"
    "will come of it, and asks. Where a majority still answers, and nobody is needed of whom is\n"
    "given up, it is a removal in the same history, as with thence remove --force.\n"
    "\n"
    "With --from-directories: for when every member distrusts its log as a whole at once (all "
    "were\n"
    "restored from copies, or are damaged), so that nobody remembers who belongs to the cluster.\n"
    "Begins a new history of what the directories hold: of each key the newest version that any "
    "of\n"
    "them has. What none of them has is lost, and what was deleted since may be back. Refused "
    "while\n"
    "a member remembers.\n"
    "\n"
    "  --without ADDRESS[,…] the members to be given up; may be given several times\n"
    "  --from-directories    nobody remembers: go on with what is there\n"
    "  --yes                 do not ask\n"
    "  --json                print the answer as JSON\n" USAGE_NODES USAGE_CHANGE_WAIT USAGE_TIMEOUT
        USAGE_HELP "\n"
    "Exit status: 0 done, 1 answered with no, " USAGE_CHANGE_EXIT("");

static const char help_salvage[] =
    "usage: thence salvage [OPTION]… DIRECTORY\n"
    "\n"
    "For the data directory of a node that was removed, given up, or set aside when it came back;\n"
    "no node may use it, and it is only read. Finds the writes in it that the cluster surely had, "
    "by\n"
    "what the cluster says of its coverage and losses, and leaves those alone: were they "
    "overwritten "
    "or\n"
    "deleted since, they stay so. Of the others it asks the cluster for each key, shows how many "
    "are\n"
    "not there, asks, and writes those again, as new writes in their old order. What has another\n"
    "value there is left alone: which is newer nobody can tell.\n"
    "\n"
    "  --yes                 do not ask\n"
    "  --export FILE         write nothing to the cluster, but the keys that are not there, or "
    "are\n"
    "                        otherwise, to a new FILE: a line each, as thence load takes them, "
    "with\n"
    "                        \"cluster\":\"absent\" or \"other\"\n"
    "  --json                end with one line of JSON instead of sentences\n" USAGE_NODES
        USAGE_TIMEOUT USAGE_HELP "\n"
    "Exit status: 0 all that was absent is written (or listed), or there is nothing, 1 some is "
    "not,\n"
    "or answered with no, 2 usage, or nobody to ask and no --yes, 3 no node could be reached,\n"
    "4 unknown outcomes, 130 interrupted.\n";

static const char help_reshard[] =
    "usage: thence reshard [OPTION]… N\n"
    "       thence reshard [OPTION]… --cancel\n"
    "\n"
    "Deals members and slots out anew, over N shards of two members or more. Shows before what "
    "will\n"
    "move, asks, and then how far it is, until it is done. Everything is served meanwhile. A "
    "member "
    "that\n"
    "goes down is waited for: it may have what no other has. Interrupting this command does not "
    "stop it:\n"
    "the same command shows again how far it is.\n"
    "\n"
    "  --cancel              what has not been handed over goes back; waits until nothing moves\n"
    "  --yes                 do not ask\n"
    "  --json                end with one line of JSON instead of a sentence\n" USAGE_NODES
        USAGE_TIMEOUT USAGE_HELP "\n"
    "Exit status: 0 done, 1 answered with no, or cancelled meanwhile, 2 usage, or nobody to ask "
    "and no\n"
    "--yes, 3 no node could be reached, or no majority, 4 not known whether it has begun, 5 "
    "refused,\n"
    "130 interrupted: it goes on.\n";

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
    case CLI_MEMBERS:
        return help_members;
    case CLI_ADD:
        return help_add;
    case CLI_REMOVE:
        return help_remove;
    case CLI_RECOVER:
        return help_recover;
    case CLI_SALVAGE:
        return help_salvage;
    case CLI_RESHARD:
        return help_reshard;
    case CLI_NONE:
        return help_all;
    }
    UNREACHABLE();
}

const char *cli_command_word(enum cli_command command)
{
    static const char *const words[] = {"put", "get",    "delete",  "status",  "load",    "members",
                                        "add", "remove", "recover", "salvage", "reshard", ""};
    return words[command];
}
