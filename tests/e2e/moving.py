"""moving - the part of a storm in which slots move: an operator who reshards, faults that wait for
the moments of that, and data of which every key is known.

Spells are of two kinds. In every third, faults of all kinds come as they come. In the others, a few
on lines alone, while ambushes (ambush.py) are carried out. When a spell is over the operator begins
nothing new until what he has begun has come to its end; then he goes on, and for a while nothing
goes wrong.
"""
import random

from ambush import KINDS, MOMENTS, Ambusher, Stranger, ambushes_of
from membership.ground import Data
from membership.resharding import check_counts, check_data, reshard, told
from nemesis import Planner
from resharder import Resharder

SPELL_S = 6.0
KEYS = 3000
AMBUSHES = 8                    # of a spell, at most
BESIDE = ("line", "slow", "mute", "flap")   # what happens while ambushes are carried out
SIDES = {"before": ("members", "filling", "filled"), "at": ("handing over",),
         "after": ("arriving", "closing")}
MANY = 10                       # where so many reshards are wanted, all of these must occur
THROUGH_S = 20.0                # from the end of a spell until nothing moves any more
EACH_S = 12.0                   # seconds of load for one reshard, on average, at most
LAST = 3                        # shards in the end
LONGER = 3.0                    # a storm with fewer goes on, so many times as long at most


def is_ambushed(number):
    return number % 3 != 1


def plan_of(seed, number, seconds, names):
    if is_ambushed(number):
        return Planner(seed + number, seconds, names, BESIDE, 1).plan()
    return Planner(seed + number, seconds, names, tracks=2).plan()


def ambushes_at(seed, number):
    """Those of one spell."""
    return ambushes_of(seed, number, AMBUSHES) if is_ambushed(number) else []


class Moving:
    """What a storm does beside itself where slots move, in the order in which it does it."""

    def __init__(self, report, cluster, nemesis, pulse, load, seed, seconds):
        self.report, self.cluster, self.nemesis, self.pulse = report, cluster, nemesis, pulse
        self.load, self.seed, self.seconds = load, seed, seconds
        self.wanted = int(seconds / EACH_S)
        self.data = Data(cluster, KEYS)
        self.stranger = Stranger(load, len(load.workers), seed + len(load.workers))
        load.workers.append(self.stranger)
        self.resharder = Resharder(cluster.at, seed, nemesis.note)
        self.count = len(cluster.ask(cluster[0], "/shard/ids").field("shard-ids"))
        self.met = []           # ambushes
        self.through = []       # seconds, of each calm
        self.ended = 0          # reshards before the operator last went on

    def begin(self):
        self.data.load(self.report)
        self.resharder.start()
        self.resharder.go(self.count)

    def goes_on(self, lasted):
        """Fewer reshards than wanted in a storm that has lasted so long: the machine is slow."""
        return self.resharder.stormy < self.wanted and lasted < self.seconds * LONGER

    def lie_in_wait(self, number, seconds):
        """The ambusher of a spell that begins, or None."""
        self.resharder.storm()
        if not is_ambushed(number):
            return None
        ambusher = Ambusher(self.nemesis, self.stranger, ambushes_at(self.seed, number), seconds,
                            random.Random(f"victims {self.seed} {number}"))
        ambusher.start()
        return ambusher

    def end_ambush(self, ambusher):
        ambusher.join()
        self.met += ambusher.met
        for ambush in ambusher.met:
            self.report.say(f"met {ambush}" + (f": {ambush.accepted} writes accepted there"
                                               if ambush.accepted else ""))
        self.report.check(ambusher.error is None, f"{len(ambusher.met)} ambushes came about",
                          repr(ambusher.error))

    def said(self):
        return [told(self.cluster, node) for node in self.cluster.nodes]

    def is_settled(self):
        """The operator has seen the end of what he wanted, and all say the same: nothing moves."""
        if not self.resharder.is_idle():
            return False
        said = self.said()
        self.count = said[0].get("shard-count")
        return all(one.get("resharding") is False and one.get("open-terms") == 0 and
                   one.get("shard-count") == self.count for one in said)

    def settle(self, what):
        """After the last fault of a spell."""
        self.resharder.hold()
        good, took = self.pulse.until(self.is_settled, THROUGH_S)
        self.through.append(took)
        self.report.check(good, f"{what}: each reshard that was asked for has ended, everybody has "
                          f"{self.count} shards, nothing moves (after {took:.2f} s)",
                          [self.resharder.is_idle(), *self.said()])

    def go_on(self):
        self.ended = self.resharder.ended()
        self.resharder.go(self.count)

    def has_moved(self):
        """Since the operator went on some reshard has come to its end."""
        return self.resharder.ended() > self.ended

    def stop(self):
        """Before the load is stopped."""
        self.settle("the end")
        self.resharder.stop()
        self.last()
        problems = self.resharder.problems()
        self.report.check(not problems, "every answer to the operator made sense", problems[:3])
        self.report.check(self.resharder.stormy >= self.wanted,
                          f"{self.resharder.stormy} reshards are complete that met faults (wanted: "
                          f"{self.wanted})", self.resharder)
        if self.wanted >= MANY:
            missing = [when for when, moments in SIDES.items()
                       if not any(ambush.moment in moments for ambush in self.met)]
            self.report.check(not missing and any(ambush.accepted for ambush in self.met),
                              "ambushes before, at and after the switch came about, and some who "
                              "were cut off took writes", missing)

    def last(self):
        """Who cancels may leave a shard without slots behind; so all is even only after this."""
        answer, took = reshard(self.cluster[0], LAST)
        self.report.check(answer.status == 200, f"a last reshard, to {LAST} shards (answered after "
                          f"{took:.2f} s)", answer)
        self.settle("the last reshard")

    def end(self, live):
        """`live`: keys that are there beside the data."""
        check_data(self.report, self.cluster, self.data, "after all reshards")
        check_counts(self.report, self.cluster, KEYS + live, "after all reshards")
        self.settle("after the last reads")

    def count_met(self, **wanted):
        return sum(all(getattr(ambush, name) == value for name, value in wanted.items())
                   for ambush in self.met)

    def figures(self):
        yield str(self.resharder)
        yield "ambushes: " + ", ".join(f"{self.count_met(moment=moment)} {moment}"
                                       for moment in MOMENTS) + "; " + \
            ", ".join(f"{self.count_met(kind=kind)} {kind}" for kind in KINDS)
        yield "writes accepted by who was cut off: " + ", ".join(
            f"{sum(ambush.accepted for ambush in self.met if ambush.moment in moments)} {when} the "
            "switch" for when, moments in SIDES.items()) + \
            f"; {sum(ambush.alone for ambush in self.met)} of them with one copy"
        yield (f"nothing moved any more {max(self.through):.2f} s after the last fault, at the "
               "latest")
