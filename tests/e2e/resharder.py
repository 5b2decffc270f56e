"""resharder - an operator who wants another number of shards again and again, whatever goes wrong
meanwhile, and keeps account of what became of each wish.

A wish is a number, asked for at one node after another until it has ended:

    done        200: there are so many shards, and nothing of before is open
    refused     409 with a reason, and surely nothing had begun
    cancelled   409: this operator had changed his mind, or asked for two numbers at once

Whoever does not know whether it has begun (no answer, 202, 503) asks on: that is what a careful
operator does, since asking again changes nothing. So in a calm every wish comes to an end.
"""
import random
import threading
import time

from client import Client
from connection import Lost, Unreachable

COUNTS = (1, 2, 3)          # of shards that six nodes can have
HOW = {"one": 5, "cancelled": 3, "two": 2}      # what he does, and how often
ANSWER_S = 2.0              # how long he waits for one node before he asks another
AGAIN_S = 0.05
CANCEL_S = (0.0, 0.3)       # after which he changes his mind
PAUSE_S = (0.0, 0.3)        # between two wishes
PATH = "/shard/reshard"
CANCELLED = "The moving of slots was cancelled"
REASONS = {
    "A member of a shard cannot be reached, and may have what no other has; wait for it, or remove "
    "it, with force where nobody can take its place": "a member is down",
    "Slots are moving between shards; wait until that is done, or cancel it": "slots are moving",
    "A shard still gathers the writes of a member that has gone; try again later, or remove those "
    "of its members that are down, too": "a shard gathers writes",
    "A member still hands over what it has; try again when that is done, or remove it if it is "
    "down": "a member hands over",
}


class Wish:
    def __init__(self, count, calm):
        self.count = count
        self.calm = calm            # the number of the one in which it was asked for, or None
        self.since = time.monotonic()
        self.begun = False          # perhaps
        self.withdrawn = False      # and that has been answered
        self.end = None             # "done", "refused" or "cancelled"
        self.took = None

    def has_ended(self, how):
        self.end, self.took = how, time.monotonic() - self.since


class Resharder(threading.Thread):
    """Does nothing until `go`, and nothing new after `hold`."""

    def __init__(self, addresses, seed, note):
        super().__init__(daemon=True)
        self.addresses, self.note = addresses, note
        self.rng = random.Random(f"reshard {seed}")
        self.lock = threading.Lock()
        self.going = self.busy = self.stopping = False
        self.calms = 0          # so many so far
        self.calm = None        # the number of the one that is
        self.count = None       # how many shards there are, where that is known
        self.meddled = False    # somebody may have cancelled, or asked for another number
        self.wishes = []
        self.completed = 0      # changes from one number to another
        self.stormy = 0         # those of them that lay not wholly in a calm
        self.reasons = {}       # of refusals -> how often
        self.odd = []           # answers that make no sense
        self.error = None

    # ---- for the storm -------------------------------------------------------------------------

    def go(self, count):
        """In a calm: there are so many shards, nothing moves, and no request is under way."""
        with self.lock:
            self.count, self.meddled, self.going = count, False, True
            self.calms += 1
            self.calm = self.calms

    def storm(self):
        """The calm is over."""
        self.calm = None

    def hold(self):
        with self.lock:
            self.going = False

    def is_idle(self):
        """Held, and no wish is open."""
        with self.lock:
            return not self.going and not self.busy

    def ended(self):
        """How many were carried out or cancelled."""
        return sum(wish.end != "refused" for wish in self.wishes)

    def stop(self):
        self.stopping = True
        self.join(60)

    def problems(self):
        return self.odd + ([self.error] if self.error is not None else [])

    # ---- wishes --------------------------------------------------------------------------------

    def run(self):
        try:
            while not self.stopping:
                with self.lock:
                    self.busy = self.going
                if self.busy:
                    self.carry_on()
                time.sleep(self.rng.uniform(*PAUSE_S))
        except Exception as error:      # must be seen, not die with the thread
            self.error = error
            self.busy = False

    def carry_on(self):
        how = self.rng.choices(list(HOW), list(HOW.values()))[0]
        others = [count for count in COUNTS if count != self.count]
        counts = self.rng.sample(others, 2 if how == "two" else 1)
        wishes = [Wish(count, self.calm) for count in counts]
        self.meddled = self.meddled or how != "one"
        tasks = [threading.Thread(target=self.pursue, args=(wish, self.draw())) for wish in wishes]
        if how == "cancelled":
            tasks.append(threading.Thread(target=self.cancel, args=(wishes[0], self.draw())))
        for task in tasks:
            task.start()
        for task in tasks:
            task.join()
        self.account(wishes)

    def draw(self):
        return random.Random(self.rng.random())

    def account(self, wishes):
        """Both of two may have come true, one after the other. Where it is not known how many
        shards there were, nothing need have moved."""
        done = [wish.count for wish in wishes if wish.end == "done"]
        self.wishes += wishes
        if self.count is not None:
            self.completed += len(done)
            if wishes[0].calm is None or wishes[0].calm != self.calm:
                self.stormy += len(done)
        if len(done) == 1:
            self.count = done[0]
        elif done or any(wish.end == "cancelled" for wish in wishes):
            self.count = None

    def pursue(self, wish, rng):
        client = Client(timeout_s=ANSWER_S)
        prefer = {"Prefer": "respond-async"} if rng.random() < 0.3 else None
        self.note(f"wanted: {wish.count} shards")
        while wish.end is None:
            if wish.withdrawn:      # to ask again would be to want it again
                wish.has_ended("cancelled")
                break
            self.judge(wish, self.ask(client, rng, "PUT", {"shard-count": wish.count}, prefer))
            if wish.begun:
                prefer = None
            if wish.end is None:
                time.sleep(AGAIN_S)
        client.close()
        self.note(f"{wish.end}: {wish.count} shards")

    def ask(self, client, rng, method, body=None, headers=None):
        """An answer; None: nothing was sent; False: nobody knows."""
        try:
            return client.request(rng.choice(self.addresses), method, PATH, body, headers)
        except Unreachable:
            return None
        except Lost:
            return False

    def judge(self, wish, answer):
        if answer is None:
            return
        error = answer.field("error") if answer else None
        if answer and answer.status == 200 and answer.field("result") == "resharded":
            wish.has_ended("done")
        elif not answer or answer.status == 503 or \
                answer.status == 202 and answer.field("result") == "resharding":
            wish.begun = True
        elif answer.status == 409 and error == CANCELLED:
            if not self.meddled:
                self.odd.append(f"cancelled by nobody: {answer!r}")
            wish.has_ended("cancelled")
        elif answer.status == 409 and error in REASONS:
            if not wish.begun:
                self.reasons[REASONS[error]] = self.reasons.get(REASONS[error], 0) + 1
                wish.has_ended("refused")
        else:
            self.odd.append(f"PUT {PATH} {wish.count}: {answer!r}")
            wish.has_ended("refused")

    def cancel(self, wish, rng):
        """Some time after that was asked for. Whoever was not answered asks again."""
        client = Client(timeout_s=ANSWER_S)
        time.sleep(rng.uniform(*CANCEL_S))
        while wish.end is None and not wish.withdrawn:
            answer = self.ask(client, rng, "DELETE")
            if answer and answer.status == 200 and answer.field("result") == "cancelled":
                self.note(f"withdrawn: {wish.count} shards")
                wish.withdrawn = True
            elif answer and answer.status not in (409, 503):
                self.odd.append(f"DELETE {PATH}: {answer!r}")
                break
            else:
                time.sleep(AGAIN_S)
        client.close()

    # ---- to be told ----------------------------------------------------------------------------

    def __str__(self):
        ends = [wish.end for wish in self.wishes]
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(self.reasons.items()))
        took = max((wish.took for wish in self.wishes if wish.end == "done"), default=0.0)
        return (f"reshards: {len(ends)} asked for, {self.completed} completed, {self.stormy} of "
                f"them under faults (the slowest in {took:.2f} s), {ends.count('cancelled')} "
                f"cancelled, {ends.count('refused')} refused ({reasons or 'none'})")
