#!/usr/bin/python3
"""Random operations on two RBD images through librbd, checked against a model: one seed, one sequence.

fsx.py CONF SEED OPS LOG [kill]

The sequence follows from SEED alone; OPS is where it ends. LOG gets a line for each operation. With `kill` the
word "kill" on stdout asks whoever started this to kill the server and to start it again, and a line on stdin
tells that this is done. Says what is wrong on stdout and exits with 1.
"""
import faulthandler
import os
import random
import sys
import time
import traceback

import plan as plans
from librbd import Cluster, Failed
from model import Wrong
from subject import STEPS, Subject

POOL_BYTES = 4 << 20
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
        self.plan = plans.Plan(self.dice)
        self.noise = random.Random(1).randbytes(POOL_BYTES)
        """(operation, image, offset, length) of what has changed bytes."""
        self.touched = []
        self.conf = conf
        self.cluster = Cluster(conf, {})
        """Images of a run that failed may be there: names of one run are its own."""
        self.prefix = "%d-%d" % (seed, os.getpid())
        self.before = self.objects()

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

    def objects(self):
        return {(pool, name) for pool in plans.POOLS for name in self.cluster.objects(pool)}

    def check_nothing_left(self):
        """
        Images that are gone leave no objects, but for the pool's own. An object that is gone is listed until the
        OSD has trimmed its snapshots; a real one takes its time (osd_snap_trim_sleep), so there it is asked for.
        """
        own = {"rbd_directory", "rbd_info", "rbd_children", "rbd_trash"}
        deadline = time.monotonic() + TRIMMED_WITHIN
        while True:
            left = {entry for entry in self.objects() - self.before if entry[1] not in own}
            if not self.kills:
                left = {entry for entry in left if self.cluster.exists(*entry)}
            if not left:
                return
            if time.monotonic() > deadline:
                names = sorted(pool + "/" + name for pool, name in left)
                raise Wrong("%d objects are left: %s" % (len(names), ", ".join(names[:10])))
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
