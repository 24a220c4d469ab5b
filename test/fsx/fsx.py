#!/usr/bin/python3
"""Random operations on two RBD images through librbd, checked against a model: one seed, one sequence.

fsx.py CONF SEED OPS LOG [kill] [own]

The sequence follows from SEED alone; OPS is where it ends. LOG gets a line for each operation. With `kill` the
word "kill" on stdout asks whoever started this to kill the server and to start it again, and a line on stdin
tells that this is done. With `own` the images are this package's own client's, in place of the unmodified librbd.
Says what is wrong on stdout and exits with 1.
"""
import faulthandler
import os
import random
import sys
import time
import traceback

if "own" in sys.argv[5:]:
    # Before anybody takes a name from it.
    import own

    sys.modules["librbd"] = own

import plan as plans
from librbd import Cluster, Failed
from model import Wrong
from subject import STEPS, Subject

POOL_BYTES = 4 << 20
"""One seed in so many has encrypted images: deriving their keys takes seconds."""
ENCRYPTED_EVERY = 16
"""Seconds that an OSD may take to trim the snapshots of the images that are gone."""
TRIMMED_WITHIN = 60


class Session:
    def __init__(self, conf, seed, ops, log, kills):
        self.seed = seed
        self.ops = ops
        self.count = 0
        self.letter = "A"
        self.kills = kills
        self.kill_count = 0
        self.out = open(log, "w", encoding="utf8")
        self.dice = random.Random(seed)
        self.plan = plans.Plan(self.dice, encrypted=seed % ENCRYPTED_EVERY == 0)
        self.noise = random.Random(1).randbytes(POOL_BYTES)
        """(operation, image, offset, length) of what has changed bytes."""
        self.touched = []
        self.conf = conf
        self.cluster = Cluster(conf, {})
        """Images of a run that failed may be there: names of one run are its own."""
        self.prefix = "%d-%d" % (seed, os.getpid())
        """Ids of all images of this run."""
        self.ids = set()
        for pool in plans.POOLS:
            self.cluster.pool(pool)

    def begin(self, letter, text):
        self.count += 1
        self.letter = letter
        self.out.write("%d %s %s\n" % (self.count, letter, text))
        self.out.flush()

    def note(self, letter, offset, length):
        self.touched.append((self.count, letter, offset, length))

    def bytes(self, length):
        """Data to write: mostly such as nothing else has, sometimes zeros or one byte over and over."""
        kind = self.dice.random()
        if kind < 0.05:
            return bytes(length)
        if kind < 0.1:
            return bytes([self.dice.randrange(256)]) * length
        start = self.dice.randrange(POOL_BYTES - length)
        stamp = b"<%s%d>" % (self.letter.encode(), self.count + 1)
        return (stamp + self.noise[start : start + length])[:length]

    def draws_kill(self, chance):
        """The dice are thrown even where nothing may be killed, so that the sequence stays the same."""
        return self.dice.random() < chance and self.kills

    def maybe_kill(self, chance):
        if self.draws_kill(chance):
            self.kill(0.01)

    def kill(self, within):
        time.sleep(random.random() * within)
        self.out.write("# killed\n")
        print("kill", flush=True)
        if sys.stdin.readline().strip() != "up":
            raise SystemExit("nobody has started the server again")
        self.kill_count += 1

    def run(self):
        subjects = [Subject(self, letter) for letter in "AB"]
        steps, weights = list(STEPS), list(STEPS.values())
        while self.count < self.ops:
            step = self.dice.choices(steps, weights)[0]
            step(self.dice.choice(subjects))
        for subject in subjects:
            subject.end()
        self.check_nothing_left()
        self.cluster.close()

    def check_nothing_left(self):
        """
        Images that are gone leave no objects. A whiteout may be listed: an object that librbd creates and removes
        in one request leaves one for good, on a real OSD, too. It does not exist if it is asked for. Clones go in
        the background; a real OSD takes its time (osd_snap_trim_sleep), so there they are not waited for.
        """
        for pool in plans.POOLS:
            mine = (name for name in self.cluster.objects(pool) if self.ids & set(name.split(".")))
            left = sorted(name for name in mine if self.cluster.exists(pool, name))
            if left:
                raise Wrong("%d objects are left in %s: %s" % (len(left), pool, ", ".join(left[:10])))
        deadline = time.monotonic() + TRIMMED_WITHIN
        while self.kills and any(self.cluster.clones(pool) > 0 for pool in plans.POOLS):
            if time.monotonic() > deadline:
                raise Wrong("clones are left")
            time.sleep(0.2)

    def tell(self, error):
        what = str(error) if isinstance(error, (Wrong, Failed)) else traceback.format_exc()
        print("seed %d, operation %d, image %s: %s" % (self.seed, self.count, self.letter, what))
        place = str(error).partition("byte ")[2].split(" ")[0]
        if isinstance(error, Wrong) and place.isdigit():
            at = int(place)
            for count, letter, offset, length in self.touched[::-1]:
                if letter == self.letter and offset <= at < offset + length:
                    print("  written by operation %d: %d~%d" % (count, offset, length))
                    break
        if isinstance(error, Wrong):
            traceback.print_exc(file=sys.stdout)


def main():
    faulthandler.enable()
    conf, seed, ops, log, *rest = sys.argv[1:]
    session = Session(conf, int(seed), int(ops), log, "kill" in rest)
    try:
        session.run()
    except Exception as error:
        session.tell(error)
        # Not by way of librbd's destructors: an image may be open.
        sys.stdout.flush()
        os._exit(1)
    print("done %d operations, %d kills" % (session.count, session.kill_count))


if __name__ == "__main__":
    main()
