"""packages - real input: every package of the machine's Debian index, name -> record.

Where there is no index (no apt-cache, or no lists) a synthetic one of the same size is made, and
the caller is told so.
"""
import random
import shutil
import subprocess

SYNTHETIC = 63000
SYNTHETIC_BYTES = 800


def parse(text):
    """Records in the form of RFC 822, with folded lines, as {name: {field: value}}."""
    found = {}
    for paragraph in text.split("\n\n"):
        record, last = {}, None
        for line in paragraph.split("\n"):
            if line[:1] in (" ", "\t") and last:
                record[last] += "\n" + line
            elif ": " in line or line.endswith(":"):
                last, _, value = line.partition(":")
                record[last] = value.strip()
        if "Package" in record:
            found[record["Package"]] = record
    return found


def synthetic():
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(2, 12)))
             for _ in range(5000)]
    found = {}
    for number in range(SYNTHETIC):
        name = f"{rng.choice(words)}-{rng.choice(words)}{number}"
        text = " ".join(rng.choices(words, k=SYNTHETIC_BYTES // 8))
        found[name] = {"Package": name, "Version": f"{number}.0-1", "Description": text}
    return found


def load():
    """(packages, where they come from)."""
    text = ""
    if shutil.which("apt-cache"):
        done = subprocess.run(["apt-cache", "dumpavail"], capture_output=True)
        text = done.stdout.decode("utf-8", errors="replace")
    found = parse(text)
    if len(found) < 1000:
        return synthetic(), "synthetic records: this machine has no Debian index"
    return found, "the Debian index of this machine"
