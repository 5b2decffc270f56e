#!/usr/bin/env python3
"""test_storm - the parts of the storm that need no nodes: its plans, its values, and a history that
it recorded (sample.history.gz), judged as it is and with lies in it.

THENCE_BIN as for `run`. Last line: `N passed, N failed`.
"""
import os
import random
import sys

from cluster import NAMES
from nemesis import ALL, KINDS, Planner
from report import Report
from spoil import check_lies, read_lines
from verdict import opinion
from workload import value_of, word_of

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample.history.gz")
SEEDS, SECONDS = 200, 12.0
# What a step does to the process that it names: (state before, state after).
MOVES = {"kill": ("runs", "dead"), "stop": ("runs", "dead"), "start": ("dead", "runs"),
         "pause": ("runs", "paused"), "resume": ("paused", "runs")}
BACK = {"heal": "cut", "plug": "unplug", "fast": "slow"}


def follow(plan):
    """What is wrong with a plan, or None: nobody is killed twice, all is taken back in time."""
    state, under_way = dict.fromkeys(ALL, "runs"), {}
    for at, verb, what in sorted((step for fault in plan for step in fault.steps),
                                 key=lambda step: step[0]):
        if not 0 <= at <= SECONDS:
            return f"{verb} {what} at {at}"
        if verb in MOVES:
            before, after = MOVES[verb]
            if state[what] != before:
                return f"{verb} {what} at {at}: it {state[what]}"
            state[what] = after
        else:
            thing = (BACK.get(verb, verb), repr(what))
            under_way[thing] = under_way.get(thing, 0) + (-1 if verb in BACK else 1)
            if under_way[thing] < 0:
                return f"{verb} {what} at {at}: there was none"
    left = [what for what, times in under_way.items() if times] + \
        [node for node in ALL if state[node] != "runs"]
    return f"never taken back: {left}" if left else None


def plans(report, seed):
    wrong, kinds, faults, together = [], set(), 0, 0
    for number in range(SEEDS):
        plan = Planner(seed + number, SECONDS, NAMES).plan()
        again = Planner(seed + number, SECONDS, NAMES).plan()
        if [fault.steps for fault in plan] != [fault.steps for fault in again]:
            wrong.append(f"seed {seed + number}: another plan the second time")
        found = follow(plan)
        if found:
            wrong.append(f"seed {seed + number}: {found}")
        kinds |= {fault.kind for fault in plan}
        faults += len(plan)
        together += sum(any(other is not fault and other.at <= fault.at < other.until
                            for other in plan) for fault in plan)
    report.check(not wrong, f"{SEEDS} plans: the same again, nobody is killed twice, all is taken "
                 "back", wrong[:3])
    report.equal(kinds, set(KINDS), "every kind of fault occurs")
    report.check(together > faults / 2, f"of {faults} faults {together} begin while another lasts")


def main():
    report = Report()
    seed = random.randrange(1 << 32)
    report.say(f"seed {seed}")
    plans(report, seed)
    values = [value_of(f"{number}.{number}") for number in range(2000)]
    report.check(max(map(len, values)) > 60000 and
                 [word_of(value) for value in values] == [f"{n}.{n}" for n in range(2000)],
                 "what was written is recognised, long or short")
    long = max(values, key=len)
    report.check(all(word_of(bad) not in (word_of(long), bad) for bad in
                     (long[:-1], long + "x", long[:100] + "y" + long[101:])),
                 "and what is not whole is not")
    lines = read_lines(SAMPLE)
    verdict = opinion(lines)
    report.check(verdict.status == 0, f"a history of six real nodes: {verdict.last}", str(verdict))
    check_lies(report, lines, seed)
    return report.end()


sys.exit(main())
