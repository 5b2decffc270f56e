"""wait - on conditions, with a deadline. Nothing here guesses how long something takes."""
import time

POLL_S = 0.01


def until(condition, seconds, poll_s=POLL_S):
    """Asks again and again. Returns the seconds it took, or None when it did not come true."""
    start = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - start
        if time.monotonic() - start > seconds:
            return None
        time.sleep(poll_s)
