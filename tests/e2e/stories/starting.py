"""starting - the first start, in any order and with delays; starts that must be refused."""
import os
import socket
import subprocess
import tempfile

import wait
from client import Client, Session
from cluster import Cluster, Written, binary, free_ports


def first_start(report, cluster):
    """Frank first, the others in disorder; each only once the one before answers."""
    order = [cluster[i] for i in (5, 2, 0, 4, 1)]
    order[0].start()
    up = wait.until(lambda: cluster.status(order[0], "/healthz") == 200, 10)
    report.check(up is not None, "a node that waits for the others answers /healthz")
    answer = cluster.client.request(order[0].at, "PUT", "/kvs/early", {"value": 1})
    report.check(answer.status == 503 and cluster[0].address in answer.body.decode(),
                 "before the first configuration a PUT is 503 and names who is missing", answer)
    answer = cluster.ask(order[0], "/view")
    report.equal((answer.status, answer.field("view")), (200, [order[0].address]),
                 "/view shows who is reachable")
    report.equal(cluster.status(order[0], "/readyz"), 503, "/readyz is 503 until it serves")
    for node in order[1:]:
        node.start()
        wait.until(lambda node=node: cluster.status(node, "/healthz") == 200, 10)
    sees = wait.until(lambda: len(cluster.ask(order[0], "/view").field("view")) == 5, 10)
    report.check(sees is not None, "five of six see each other")
    report.equal([cluster.status(node, "/readyz") for node in order], [503] * 5,
                 "five of six do not begin without the sixth")
    answer = cluster.ask(order[1], "/readyz")
    report.check(cluster[3].address in answer.body.decode(), "they say whom they wait for", answer)
    cluster[3].start()
    took = cluster.wait_ready()
    return report.check(took is not None, "with the sixth all six serve"
                        f"{'' if took is None else f' (after {took:.2f} s)'}", cluster.why_not())


def run_once(environment, arguments=(), seconds=10):
    """(exit status or None while it still runs, what it said)."""
    with tempfile.TemporaryDirectory(prefix="thence-e2e-") as folder:
        full = {"PATH": os.environ["PATH"], "DATA_DIR": os.path.join(folder, "data")}
        full.update(environment)
        process = subprocess.Popen([binary(), *arguments], env=full, cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        try:
            said, _ = process.communicate(timeout=seconds)
            return process.returncode, said.decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None, "it went on running"


REFUSED = [
    ("no SOCKET_ADDRESS", {}, (), "SOCKET_ADDRESS"),
    ("a SOCKET_ADDRESS without a port", {"SOCKET_ADDRESS": "127.0.0.1"}, (), "SOCKET_ADDRESS"),
    ("a port of 65536", {"SOCKET_ADDRESS": "127.0.0.1:65536"}, (), "SOCKET_ADDRESS"),
    ("a VIEW that is no list", {"VIEW": "a,b,c"}, (), "VIEW"),
    ("a VIEW with an empty entry", {"VIEW": "127.0.0.1:1,,127.0.0.1:2"}, (), "VIEW"),
    ("a VIEW without the node itself", {"VIEW": "127.0.0.1:1,127.0.0.1:2"}, (), "VIEW"),
    ("a VIEW with an address twice", {"VIEW": "{own},127.0.0.1:1,127.0.0.1:1"}, (), "VIEW"),
    ("three nodes for two shards", {"VIEW": "{own},127.0.0.1:1,127.0.0.1:2", "SHARD_COUNT": "2"},
     (), "SHARD_COUNT"),
    ("one node for two shards", {"SHARD_COUNT": "2"}, (), "SHARD_COUNT"),
    ("SHARD_COUNT=0", {"SHARD_COUNT": "0"}, (), "SHARD_COUNT"),
    ("SHARD_COUNT=-1", {"SHARD_COUNT": "-1"}, (), "SHARD_COUNT"),
    ("SHARD_COUNT=two", {"SHARD_COUNT": "two"}, (), "SHARD_COUNT"),
    ("SHARD_COUNT=2^40", {"SHARD_COUNT": "1099511627776"}, (), "SHARD_COUNT"),
    ("DURABILITY=maybe", {"DURABILITY": "maybe"}, (), "DURABILITY"),
    ("WAIT_MS=soon", {"WAIT_MS": "soon"}, (), "WAIT_MS"),
    ("WAIT_MS=-5", {"WAIT_MS": "-5"}, (), "WAIT_MS"),
    ("MAX_KEY_BYTES=0", {"MAX_KEY_BYTES": "0"}, (), "MAX_KEY_BYTES"),
    ("MAX_VALUE_BYTES=1T", {"MAX_VALUE_BYTES": "1T"}, (), "MAX_VALUE_BYTES"),
    ("LOG=loud", {"LOG": "loud"}, (), "LOG"),
    ("LISTEN=everywhere", {"LISTEN": "everywhere"}, (), "LISTEN"),
    ("LISTEN on an address of another machine", {"LISTEN": "192.0.2.77:9"}, (), "192.0.2.77"),
    ("an option that is none", {}, ("--no-such-option=1",), "--no-such-option"),
    ("an option without its value", {}, ("--view",), "--view"),
    ("DATA_DIR below a file", {"DATA_DIR": "/etc/hostname/data"}, (), "/etc/hostname"),
]


def refused_starts(report):
    own = f"127.0.0.1:{free_ports(1)[0]}"
    for what, environment, arguments, word in REFUSED:
        full = {} if what == "no SOCKET_ADDRESS" else {"SOCKET_ADDRESS": own}
        full.update({name: value.replace("{own}", own) for name, value in environment.items()})
        status, said = run_once(full, arguments)
        good = status not in (0, None) and status > 0 and word in said and len(said.split()) > 3
        report.check(good, f"{what} is refused with a sentence", f"exit {status}: {said[:300]!r}")


def second_process(report, cluster):
    """The data directory of a node that runs, and its port."""
    node = cluster[0]
    environment = {"SOCKET_ADDRESS": node.address, "VIEW": cluster.view, "SHARD_COUNT": "2"}
    other = f"127.0.0.1:{free_ports(1)[0]}"
    status, said = run_once(dict(environment, LISTEN=other,
                                 DATA_DIR=os.path.join(node.folder, "data")))
    report.check(status not in (0, None) and status > 0 and len(said.split()) > 3,
                 "a second process on the same data directory is refused", f"{status}: {said!r}")
    status, said = run_once(dict(environment, LISTEN=node.address))
    report.check(status not in (0, None) and status > 0 and len(said.split()) > 3,
                 "a second process on the same port is refused", f"{status}: {said!r}")
    report.equal(cluster.status(node, "/readyz"), 200, "and the first one goes on serving")


def words(report):
    for argument, word in (("--help", "SOCKET_ADDRESS"), ("--version", "thence-node")):
        status, said = run_once({}, (argument,))
        report.check(status == 0 and word in said, f"{argument} exits 0 and says {word}", said)


def has_v6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def forms_of_addresses(report):
    """Names, and IPv6 where this machine has it."""
    forms = ["127.0.0.1:{port}", "localhost:{port}"]
    if has_v6():
        forms.append("[::1]:{port}")
    else:
        report.say("this machine has no IPv6: names and IPv4 only")
    with Cluster(shards=1, count=len(forms), place=Written(forms)) as cluster:
        cluster.start()
        took = cluster.wait_ready()
        report.check(took is not None, f"nodes at {', '.join(forms)} find each other",
                     cluster.why_not())
        token = None
        for node in cluster.nodes:
            answer = cluster.client.request(node.at, "PUT", f"/kvs/{node.name}",
                                            {"value": node.name, "causal-metadata": token})
            token = answer.token()
        values = [cluster.client.get(other.at, f"/kvs/{node.name}",
                                     {"Causal-Context": token}).field("value")
                  for node in cluster.nodes for other in cluster.nodes]
        report.equal(values, [node.name for node in cluster.nodes for _ in cluster.nodes],
                     "and read what each other writes")
        report.equal(cluster.ask(cluster[0], "/view").field("view"),
                     [node.address for node in cluster.nodes], "addresses stay as written")


def differing_starts(report):
    """Nodes that were told different things do not begin, and say so; the order of VIEW may
    differ; without SHARD_COUNT it is one shard."""
    with Cluster(count=4, shards=2) as cluster:
        odd = cluster[3]
        odd.environment = dict(odd.environment, SHARD_COUNT="1")
        cluster[1].environment = dict(cluster[1].environment,
                                      VIEW=",".join(reversed(cluster.view.split(","))))
        cluster.start()
        took = wait.until(lambda: all("SHARD_COUNT" in cluster.detail(node)
                                      for node in cluster.nodes), 10)
        report.check(took is not None, "nodes with different SHARD_COUNTs say so, all of them",
                     cluster.why_not())
        report.equal([cluster.status(node, "/readyz") for node in cluster.nodes], [503] * 4,
                     "and do not begin")
        report.equal(odd.stop()[0], 0, "a node that still waits stops with exit 0")
        odd.environment["SHARD_COUNT"] = "2"
        odd.start()
        report.check(cluster.wait_ready() is not None, "once they agree they begin, whatever the "
                     "order in VIEW", cluster.why_not())
        sizes = [len(cluster.ask(cluster[0], f"/shard/members/s{shard}").field("shard-members"))
                 for shard in (0, 1)]
        report.equal(sizes, [2, 2], "four nodes, two shards: two and two")
    with Cluster(count=2, shards=None) as cluster:
        cluster.start()
        report.check(cluster.wait_ready() is not None, "two nodes without SHARD_COUNT begin",
                     cluster.why_not())
        report.equal(cluster.ask(cluster[1], "/shard/ids").field("shard-ids"), ["s0"],
                     "as one shard")


def single_node(report):
    """VIEW of one address, one shard: allowed, with a warning."""
    with Cluster(count=1, shards=1) as cluster:
        cluster.start()
        report.check(cluster.wait_ready() is not None, "a node alone serves", cluster.why_not())
        node = cluster[0]
        report.check("alone" in node.log(), "and warns that it is alone", node.log()[-300:])
        session = Session(Client())
        result = session.put(node.at, "only", {"deep": [1, 2, 3]})
        report.check(result.answer is not None and result.answer.status == 201,
                     "a PUT at a node alone", result)
        result = session.get(node.at, "only")
        report.equal(result.value, {"deep": [1, 2, 3]}, "a GET at a node alone")
        report.equal(cluster.ask(node, "/shard/ids").field("shard-ids"), ["s0"],
                     "it is one shard")
        node.kill()
        node.start()
        report.check(cluster.wait_ready() is not None, "killed and started again it serves",
                     cluster.why_not())
        report.equal(session.get(node.at, "only").value, {"deep": [1, 2, 3]},
                     "and has what it acknowledged")
        session.client.close()
        report.equal(node.stop()[0], 0, "a node alone ends with exit 0")
