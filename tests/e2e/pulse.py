"""pulse - did this machine go on? A thread that should wake up often notices how late it was.

On a machine that others use too everything may stand still for seconds; then nobody is late but the
machine, and a limit of time says nothing about what is tested.
"""
import threading
import time

BEAT_S = 0.05
LATE_S = 0.2        # what is less is an ordinary day


class Pulse(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.lost_s = 0.0       # how long it stood still, all in all
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stopping.set()
        self.join()

    def run(self):
        before = time.monotonic()
        while not self.stopping.wait(BEAT_S):
            now = time.monotonic()
            if now - before > BEAT_S + LATE_S:
                self.lost_s += now - before - BEAT_S
            before = now

    def until(self, condition, seconds):
        """As wait.until, but for seconds in which the machine went on: (came true, those)."""
        start, lost = time.monotonic(), self.lost_s
        while True:
            good = condition()
            took = time.monotonic() - start - (self.lost_s - lost)
            if good or took > seconds:
                return bool(good), took
            time.sleep(BEAT_S / 5)
