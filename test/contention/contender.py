"""One of the writers that contend for an image's lock: the unmodified librbd. What it says: contention.ts.

    contender.py CONF POOL IMAGE MODE PARITY SLOTS SEED
"""
import random
import select
import struct
import sys
import time

import rados
import rbd

conf, pool, name, mode, parity, slots, seed = sys.argv[1:8]
BLOCK = 4096
dice = random.Random(int(seed))
cluster = rados.Rados(conffile=conf, name="client.admin", conf={"rbd_cache": "false"})
cluster.connect()
io = cluster.open_ioctx(pool)
image = rbd.Image(io, name)


def say(*words):
    print(*words, flush=True)


def goes_on():
    """Until the input ends."""
    return not select.select([sys.stdin], [], [], 0)[0]


def block(slot, count):
    return struct.pack("<QQ", slot, count) * (BLOCK // 16)


def count_of(slot):
    data = image.read(slot * BLOCK, BLOCK)
    count = struct.unpack_from("<Q", data, 8)[0]
    if data != (block(slot, count) if count > 0 else bytes(BLOCK)):
        say("torn", slot)
        sys.exit(1)
    return count


def write_own():
    counts = {}
    for slot in range(int(parity), int(slots), 2):
        counts[slot] = count_of(slot)
        say("found", slot, counts[slot])
    say("ready")
    while goes_on():
        slot = dice.choice(list(counts))
        counts[slot] += 1
        say("begun", slot, counts[slot])
        image.write(block(slot, counts[slot]), slot * BLOCK)
        say("done", slot, counts[slot])


def count_together():
    say("ready")
    while goes_on():
        try:
            image.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
        except (rbd.ReadOnlyImage, rbd.ImageBusy):
            time.sleep(0.01 * dice.random())  # somebody keeps it
            continue
        count = count_of(0) + 1
        say("begun", 0, count)
        time.sleep(0.02 * dice.random())
        image.write(block(0, count), 0)
        say("done", 0, count)
        image.lock_release()
        time.sleep(0.02 * dice.random())


(write_own if mode == "own" else count_together)()
image.close()
io.close()
cluster.shutdown()
