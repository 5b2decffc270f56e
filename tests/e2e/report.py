"""report - one line for each check, and the count in the last line.

The exit status of a suite is what `end` returns: 0 when nothing failed. A suite that is told to
stop (SIGTERM, SIGINT) leaves as it would at its end, so that what it started is stopped too.
"""
import signal
import sys
import threading
import time


def leave(number, frame):
    """Once: whoever insists must not stop the cleaning up."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.lock = threading.Lock()
        self.since = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)

    def check(self, good, what, detail=""):
        """Counts and prints one check. Returns `good`, as a bool."""
        with self.lock:
            if good:
                self.passed += 1
                print(f"ok     {what}", flush=True)
            else:
                self.failed += 1
                print(f"FAILED {what}{': ' if detail else ''}{detail}", flush=True)
        return bool(good)

    def equal(self, got, wanted, what):
        return self.check(got == wanted, what, f"got {got!r}, wanted {wanted!r}")

    def say(self, text):
        with self.lock:
            print(f"       {text}", flush=True)

    def chapter(self, title):
        with self.lock:
            print(f"---- {title} ({time.monotonic() - self.since:.1f} s)", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.stdout.flush()
        return 0 if self.failed == 0 and self.passed > 0 else 1
