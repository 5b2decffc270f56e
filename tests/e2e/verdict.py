"""verdict - the end of a suite under load: quiet, last reads, judgement.

Two judges that share no code have to agree: judge.py, and thence-check (src/check).
"""
import os
import re
import subprocess
import time

from cluster import binary
from history import Lines
from judge import judge

AGREE_S = 10.0


class Opinion:
    """What thence-check says: status 0 valid, 1 broken, 2 not understood."""

    def __init__(self, done):
        self.status = done.returncode
        self.text = (done.stdout + done.stderr).strip()
        self.last = self.text.split("\n")[-1]
        # What was found how often, by name.
        self.kinds = {name: int(count)
                      for name, count in re.findall(r"^([a-z-]+): (\d+)$", self.text, re.M)}

    def __str__(self):
        """Stories may be long; what was found stands at the end."""
        text = self.text
        return text if len(text) < 4000 else f"{text[:3000]}\n…\n{text[-1000:]}"


def opinion(lines):
    """Of a history given as lines."""
    return Opinion(subprocess.run([binary("thence-check")], input="\n".join(lines) + "\n",
                                  capture_output=True, text=True))


def second_opinion(history):
    """(exit status, last line) of thence-check."""
    said = opinion(Lines(history.events).lines)
    return said.status, said.last


def end_load(report, cluster, load, what):
    """Stops the load, waits until all agree, judges. The history stays when it is broken."""
    load.stop()
    problems = load.problems()
    report.check(not problems, f"{what}: every answer made sense", problems[:3])
    nodes = {node.name: node.at for node in cluster.nodes}
    took = load.wait_agreed(nodes, AGREE_S)
    report.check(took is not None, f"{what}: afterwards all nodes show the same"
                 f"{'' if took is None else f' (after {took:.2f} s)'}")
    wrong = load.covered(nodes)
    report.check(not wrong, f"{what}: and cover what every session has seen", wrong[:3])
    start = time.monotonic()
    violations = judge(load.history)
    events = load.history.events
    counts = {outcome: sum(event.outcome == outcome for event in events if event.op != "final")
              for outcome in ("ok", "absent", "refused", "unknown")}
    report.say(f"{what}: {len(events)} events {counts}, {load.figures}; seed {load.seed}; judged "
               f"in {time.monotonic() - start:.1f} s")
    whole = report.check(not violations, f"{what}: no session guarantee broken, no acknowledged "
                         "write lost, replicas agree", "\n".join(map(str, violations[:5])))
    status, said = second_opinion(load.history)
    whole &= report.check(status == 0, f"{what}: thence-check says {said}")
    if not whole:
        path = os.path.join(cluster.folder, f"{what.replace(' ', '-')}.history")
        load.history.save(path)
        report.say(f"tests/e2e/judge.py {path}")
        cluster.keep = True
