#!/usr/bin/env python3
"""test_soak - is the long run as robust as it says? With a toy in place of thence-sim.

Last line: `N passed, N failed`.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
RUN = os.path.join(HERE, "run")

# Seeds by what they do: 13 breaks I9, 17 asserts, 23 is killed by a signal, 29 hangs, 31 is killed
# once, 37 takes its time, 41 ends badly behind its line, 43 sleeps. Everything else is clean.
TOY = """#!/usr/bin/env python3
import json, os, sys, time
if "--shrink" in sys.argv:
    print("world 1\\nVIOLATION\\n  repeat: thence-sim --seed 13 --nodes 2 --story")
    sys.exit(3)
first = int(sys.argv[sys.argv.index("--first") + 1])
seeds = int(sys.argv[sys.argv.index("--seeds") + 1])
once = os.path.join(os.path.dirname(os.path.abspath(__file__)), "once")
for seed in range(first, first + seeds):
    line = {"seed": seed, "nodes": 3, "ops": 10, "answered": 9, "unknown": 1, "virtual_us": 5,
            "faults": {"crash": 2}, "answers": {"E_OK": 9},
            "marks": {"RARE": seed % 2, "NEVER": 0}, "violation": None}
    if seed == 13:
        line["violation"] = {"kind": "liveness", "invariant": "I9", "text": "a | pipe"}
    if seed == 17:
        print(json.dumps({"seed": 17, "violation":
                          {"kind": "crash", "invariant": "assertion", "text": "x at y:1"}}))
        sys.exit(4)
    if seed == 23 or (seed == 31 and not os.path.exists(once)):
        open(once, "w").close() if seed == 31 else None
        print("what a pity", file=sys.stderr)
        sys.stderr.flush()
        os.kill(os.getpid(), 11)
    while seed == 29:
        pass
    if seed == 43:
        time.sleep(1000)
    if seed == 37 or "SLOW" in os.environ:
        time.sleep(0.2)
    with open(os.path.join(os.path.dirname(once), "ran"), "a") as ran:
        ran.write(f"{seed}\\n")
    print(json.dumps(line), flush=True)
if first + seeds - 1 == 41:
    sys.exit(5)
"""


class Place:
    """A folder with a toy, a journal and a page."""

    def __init__(self, folder, toy=TOY):
        self.folder = folder
        self.sim = os.path.join(folder, "sim")
        self.change(toy)

    def change(self, toy):
        with open(self.sim, "w", encoding="utf-8") as out:
            out.write(toy)
        os.chmod(self.sim, 0o755)

    def command(self, *options):
        return [RUN, "--sim", self.sim, "--state", os.path.join(self.folder, "state"), "--report",
                self.page_at(), "--cpu", "1", "--chunk", "5", *options]

    def run(self, *options):
        done = subprocess.run(self.command(*options), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.returncode, done.stdout.decode()

    def start(self, *options):
        return subprocess.Popen(self.command(*options), stdout=subprocess.DEVNULL,
                                env=dict(os.environ, SLOW="1"))

    def page_at(self):
        return os.path.join(self.folder, "page.md")

    def page(self):
        with open(self.page_at(), encoding="utf-8") as page:
            return page.read()

    def ran(self):
        """Seeds that the toys ran to their end, in order. Toys run in the state folder."""
        with open(os.path.join(self.folder, "state", "ran"), encoding="utf-8") as ran:
            return [int(line) for line in ran]

    def journal(self):
        return os.path.join(self.folder, "state", "journal")

    def chunks(self):
        """Lines of the journal but the first."""
        if not os.path.exists(self.journal()):
            return 0
        with open(self.journal(), encoding="utf-8") as lines:
            return max(0, len(lines.readlines()) - 1)

    def await_chunks(self, count):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.chunks() >= count:
                return
            time.sleep(0.02)
        raise AssertionError("no progress")


def clean(place):
    status, text = place.run("--seeds", "12")
    assert status == 0, text
    assert "1 to 12: all" in place.page() and "None." in place.page(), place.page()
    assert "| operations | 120 |" in place.page() and "| crash | 24 |" in place.page()
    assert "| RARE | 6 |" in place.page() and "Never reached: `NEVER`." in place.page()
    assert place.ran() == list(range(1, 13))


def behind_the_last_line(place):
    status, text = place.run("--seeds", "2", "--first", "40")
    assert status == 1, text
    assert "| 41 | end (crash) | ended with status 5 behind its last line" in place.page()


def stands_still(place):
    status, text = place.run("--seeds", "2", "--first", "42", "--cpu", "0.1")
    assert status == 1, text
    assert "| 43 | hang (crash) | said nothing for 2 s |" in place.page(), place.page()


def findings(place):
    status, text = place.run("--seeds", "40", "--jobs", "3")
    page = place.page()
    assert status == 1, text
    assert "1 to 40: all" in page, page
    for row in ("| 13 | I9 (liveness) | a \\| pipe Smaller: `thence-sim --seed 13 --nodes 2 ",
                "| 17 | assertion (crash) | x at y:1 ",
                "| 23 | end (crash) | ended with signal 11: what a pity |",
                "| 29 | hang (crash) | took more than 1.0 s of processor time |"):
        assert row in page, page
    assert "| 31 | end (crash) | ended with signal 11 once, not when it was run again" in page, page
    assert set(place.ran()) == set(range(1, 41)) - {17, 23, 29}


def told_to_stop(place):
    for number in (signal.SIGINT, signal.SIGTERM):
        before = place.chunks()
        soak = place.start("--seeds", "100", "--first", "100")
        place.await_chunks(before + 1)
        soak.send_signal(number)
        status = soak.wait(timeout=20)
        assert status == 3, status
        assert " of 100, ended early" in place.page(), place.page()
    before = len(place.ran())
    status, text = place.run("--seeds", "100", "--first", "100")
    assert status == 0 and "goes on" in text, text
    assert before < 60, "the test was too slow to show anything"
    assert set(place.ran()) == set(range(100, 200))
    assert len(place.ran()) <= 102, "a stop lost more than the seed under way"


def killed(place):
    soak = place.start("--seeds", "30", "--first", "100")
    place.await_chunks(2)
    soak.kill()
    soak.wait()
    with open(place.journal(), "ab") as journal:
        journal.write(b'{"first": 110, "la')  # as a power cut leaves it
    status, text = place.run("--seeds", "30", "--first", "100")
    assert status == 0 and "goes on" in text, text
    assert "100 to 129: all" in place.page()
    assert set(place.ran()) == set(range(100, 130))
    assert len(place.ran()) <= 30 + 10, "more than a chunk was lost"


def another_source(place):
    place.run("--seeds", "5")
    place.change(TOY + "\n# changed\n")
    status, text = place.run("--seeds", "10")
    assert status == 0 and "begins anew" in text, text
    assert place.ran().count(1) == 2
    place.change(TOY + "\n# changed once more\n")
    status, text = place.run("--seeds", "12", "--go-on")
    assert status == 0 and "goes on, as told" in text, text
    assert place.ran().count(1) == 2 and place.ran().count(12) == 1
    assert "(10 seeds), then program" in place.page() and "(2 seeds)" in place.page()


def one_at_a_time(place):
    soak = place.start("--seeds", "100", "--first", "100")
    place.await_chunks(1)
    status, text = place.run("--seeds", "100", "--first", "100")
    soak.terminate()
    soak.wait()
    assert status == 2 and "another one is at work" in text, text


def has_begun(place, number):
    with open(os.path.join(place.folder, "storms"), encoding="utf-8") as lines:
        return f"storm {number}\n" in lines


def beside(place):
    storm = os.path.join(place.folder, "storm")
    with open(storm, "w", encoding="utf-8") as out:
        out.write("#!/bin/sh\necho storm $2 >>" + place.folder + "/storms\n"
                  "[ $2 = 3 ] && sleep 60\necho '7 passed, 0 failed'\n")
    os.chmod(storm, 0o755)
    soak = place.start("--seeds", "3", "--storms", "3", "--storm", storm)
    place.await_chunks(3)  # the seeds, storms 1 and 2
    until = time.monotonic() + 30
    while not has_begun(place, 3) and time.monotonic() < until:
        time.sleep(0.02)
    soak.terminate()
    assert soak.wait(timeout=50) == 3
    assert "| storm 2 | 7 passed, 0 failed | 0 |" in place.page(), place.page()
    assert "storm 3" not in place.page()
    status, text = place.run("--seeds", "3", "--storms", "2", "--storm", storm)
    assert status == 0, text
    with open(os.path.join(place.folder, "storms"), encoding="utf-8") as lines:
        assert lines.read().split() == ["storm", "1", "storm", "2", "storm", "3"]


def returns(place):
    empty = os.path.join(place.folder, "empty")
    with open(empty, "w", encoding="utf-8") as out:
        out.write(f"#!/bin/sh\necho $* >>{place.folder}/returns\necho '9 passed, 0 failed'\n")
    os.chmod(empty, 0o755)
    for _ in range(2):      # the second time nothing is left to do
        status, text = place.run("--seeds", "3", "--returns", "70", "--empty", empty)
        assert status == 0, text
    assert "| returns 51 to 70 | 9 passed, 0 failed | 0 |" in place.page(), place.page()
    with open(os.path.join(place.folder, "returns"), encoding="utf-8") as lines:
        assert lines.read().split("\n")[:-1] == ["--kills 50 --seed 1 kills",
                                                 "--kills 20 --seed 51 kills"]


def nonsense(place):
    place.change("#!/bin/sh\necho usage >&2\nexit 2\n")
    status, text = place.run("--seeds", "5")
    assert status == 2 and "refuses its options: usage" in text, text
    assert place.run("--seeds", "0")[0] == 2


def figures_add_up(place):
    place.run("--seeds", "9", "--jobs", "2")
    with open(place.journal(), encoding="utf-8") as lines:
        ranges = [json.loads(line) for line in lines][1:]
    assert sum(line["sums"]["faults"]["crash"] for line in ranges) == 18
    assert sum(line["sums"]["sizes"]["3"] for line in ranges) == 9


def overlapping(place):
    """Ranges that overlap: no seed counts twice, and no finding is gone with a line."""
    place.run("--first", "4", "--seeds", "7")
    place.run("--first", "1", "--seeds", "9")
    status, text = place.run("--first", "1", "--seeds", "14")
    assert status == 1, text
    assert "1 to 14: all" in place.page() and "| operations | 140 |" in place.page(), place.page()
    place.run("--first", "12", "--seeds", "4")
    assert place.run("--first", "10", "--seeds", "6")[0] == 1
    assert "10 to 15: all" in place.page() and "| operations | 60 |" in place.page(), place.page()
    assert "| 13 | I9 (liveness) " in place.page(), place.page()


def main():
    passed = failed = 0
    for test in (clean, findings, behind_the_last_line, stands_still, told_to_stop, killed,
                 another_source, one_at_a_time, beside, returns, nonsense, figures_add_up,
                 overlapping):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Place(folder))
                passed += 1
                print(f"ok     {test.__name__}")
            except AssertionError:
                failed += 1
                print(f"FAILED {test.__name__}: {traceback.format_exc()}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
