"""clocks - wall clocks of nodes that are wrong, and wrong in another way after each start.

skew.c is compiled and preloaded. Where there is no compiler, or the nodes bring a sanitizer that
wants to be loaded first, all clocks are right.
"""
import os
import random
import shutil
import subprocess

from cluster import binary

# How wrong they may be: all the same, as on machines that ask the same server, as on machines that
# ask none, and one of six an hour ahead.
KINDS = {"right": (0,), "near": (-50, 0, 20, 200), "off": (-4000, -1000, 0, 0, 1500, 4000),
         "far": (0, 0, 0, 0, 0, 3600000)}
HERE = os.path.dirname(os.path.abspath(__file__))


class Clocks:
    def __init__(self, seed, folder):
        self.rng = random.Random(f"clocks {seed}")
        self.kind = self.rng.choice(list(KINDS))
        self.library = os.path.join(folder, "skew.so")
        if not self.compile():
            self.kind = "right"

    def compile(self):
        with open(binary(), "rb") as program:
            if b"__asan_init" in program.read():
                return False
        compiler = shutil.which("cc") or shutil.which("gcc")
        return compiler is not None and subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self.library,
             os.path.join(HERE, "skew.c")]).returncode == 0

    def set(self, node):
        """Before a start."""
        if self.kind != "right":
            node.environment["LD_PRELOAD"] = self.library
            node.environment["SKEW_MS"] = str(self.rng.choice(KINDS[self.kind]))
