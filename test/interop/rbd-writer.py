"""A writer by the unmodified library, beside another of the same image.

    rbd-writer.py CONF POOL IMAGE SLOTS SECONDS SEED

Writes blocks of 4 KiB in slots of odd number, each with the slot's number and how often it was written; says
READY once it is open, and at its end, as JSON, how often each slot was written and acknowledged.
"""
import json
import random
import struct
import sys
import time

import rados
import rbd

conf, pool, name, slots, seconds, seed = sys.argv[1:7]
BLOCK = 4096
dice = random.Random(int(seed))
cluster = rados.Rados(conffile=conf, name="client.admin", conf={"rbd_cache": "false"})
cluster.connect()
io = cluster.open_ioctx(pool)
image = rbd.Image(io, name)
print("READY", flush=True)
written = {}
owned = False
turns = 0
end = time.monotonic() + float(seconds)
while time.monotonic() < end:
    slot = 2 * dice.randrange(int(slots) // 2) + 1
    count = written.get(slot, 0) + 1
    image.write(struct.pack("<QQ", slot, count) * (BLOCK // 16), slot * BLOCK)
    written[slot] = count
    back = image.read(slot * BLOCK, 16)
    assert struct.unpack("<QQ", back) == (slot, count), (slot, count, back)
    now = image.is_exclusive_lock_owner()
    turns += now and not owned
    owned = now
image.close()
io.close()
cluster.shutdown()
print(json.dumps({"written": written, "turns": turns}))
