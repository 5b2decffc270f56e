"""found - the rows of tests/seeds.txt."""
import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SEEDS = os.path.join(ROOT, "tests", "seeds.txt")
ROW = re.compile(r"^(open )?seed (\d+)((?: --\S+(?: [^-\s,]\S*)?)*), (\w+|-), (\w+): (\S.*)$")


class Row:
    def __init__(self, match):
        self.open = match[1] is not None
        self.seed, self.options = int(match[2]), match[3].split()
        self.invariant, self.commit, self.sentence = match[4], match[5], match[6]

    def __str__(self):
        return " ".join(["seed", str(self.seed), *self.options])


def rows(path=SEEDS):
    """All of them; ValueError for a line that is none."""
    found = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("    ") and found:
                found[-1].sentence += " " + line.strip()
                continue
            match = ROW.match(line.rstrip("\n"))
            if match is None:
                raise ValueError(f"{path}:{number}: not `[open ]seed N, INVARIANT, COMMIT: …`")
            found.append(Row(match))
    return found
