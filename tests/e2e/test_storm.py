#!/usr/bin/env python3
"""test_storm - the parts of the storm that need no nodes: its plans, its values, what its operator
makes of answers, and a history that it recorded (sample.history.gz), judged as it is and with lies
in it.

THENCE_BIN as for `run`. Last line: `N passed, N failed`.
"""
import json
import os
import random
import sys

import ambush
import resharder
from cluster import NAMES
from connection import Answer
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


def ambushes(report, seed):
    drawn = [ambush.ambushes_of(seed, number, 8) for number in range(SEEDS)]
    again = [ambush.ambushes_of(seed, number, 8) for number in range(SEEDS)]
    report.equal([str(one) for spell in again for one in spell],
                 [str(one) for spell in drawn for one in spell], "ambushes: the same again")
    for name, all_of_them in (("moment", ambush.MOMENTS), ("role", ambush.ROLES),
                              ("kind", ambush.KINDS)):
        report.equal({getattr(one, name) for spell in drawn for one in spell}, set(all_of_them),
                     f"ambushes: every {name} occurs")
    said = {"phase": "slots are handed over", "transits": [{"phase": "filled", "into": "s1"},
                                                           {"phase": "arriving", "into": "s2"}]}
    report.equal([ambush.moment_in(said, moment) and ambush.moment_in(said, moment)["into"]
                  for moment in ambush.MOMENTS], [None, None, "s1", None, "s2", None],
                 "the moments of two transits are told apart")


def answer(status, **fields):
    return Answer(status, {}, json.dumps(fields).encode())


def operator(report):
    """What he makes of answers: (how a wish has ended, does he take it for begun, is it odd)."""
    down = next(iter(resharder.REASONS))
    done, later = answer(200, result="resharded"), answer(202, result="resharding")
    cancelled, refused = answer(409, error=resharder.CANCELLED), answer(409, error=down)
    for what, answers, meddled, wanted in (
            ("nobody there, then done", (None, done), False, ("done", False, 0)),
            ("refused", (refused,), False, ("refused", False, 0)),
            ("lost, then refused: asked again", (False, refused), False, (None, True, 0)),
            ("202, then a 503: asked again", (later, answer(503)), False, (None, True, 0)),
            ("cancelled, and somebody did", (cancelled,), True, ("cancelled", False, 0)),
            ("cancelled, and nobody did", (cancelled,), False, ("cancelled", False, 1)),
            ("a refusal without a known reason", (answer(409, error="so"),), False,
             ("refused", False, 1)),
            ("200 for another thing", (answer(200, result="added"),), False,
             ("refused", False, 1))):
        he = resharder.Resharder([], 1, lambda text: None)
        he.meddled = meddled
        wish = resharder.Wish(3, None)
        for one in answers:
            he.judge(wish, one)
        report.equal((wish.end, wish.begun, len(he.odd)), wanted, f"the operator: {what}")


def counting(report):
    """Of wishes that have ended: (completed, of them under faults, shards there are)."""
    for what, count, calm, ends, wanted in (
            ("one, in a spell", 2, None, ((3, "done"),), (1, 1, 3)),
            ("one, in a calm", 2, 1, ((3, "done"),), (1, 0, 3)),
            ("one of two", 2, 1, ((3, "done"), (1, "refused")), (1, 0, 3)),
            ("both of two, in whatever order", 2, None, ((3, "done"), (1, "done")), (2, 2, None)),
            ("cancelled", 2, None, ((3, "cancelled"),), (0, 0, None)),
            ("from nobody knows where", None, None, ((3, "done"),), (0, 0, 3))):
        he = resharder.Resharder([], 1, lambda text: None)
        he.go(count)
        he.calm = calm
        wishes = [resharder.Wish(number, calm) for number, _ in ends]
        for wish, (_, end) in zip(wishes, ends):
            wish.has_ended(end)
        he.account(wishes)
        report.equal((he.completed, he.stormy, he.count), wanted, f"reshards counted: {what}")


def main():
    report = Report()
    seed = random.randrange(1 << 32)
    report.say(f"seed {seed}")
    plans(report, seed)
    ambushes(report, seed)
    operator(report)
    counting(report)
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
