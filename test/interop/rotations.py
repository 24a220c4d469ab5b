"""A client with an open image that works without a break while the secrets of its tickets are rotated.

    rotations.py CONF LOG MODE COUNT

Writes and reads an image by the unmodified library, every link in MODE, until it has had tickets sealed under COUNT
secrets more than the first. Links break all the time (ms_inject_socket_failures), so that each ticket is shown in a
handshake of its own. Fails with the first error, or the first block that is not what was written; prints what it did.
"""
import json
import os
import random
import re
import sys
import time

import rados
import rbd

conf, log, mode, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
PATIENCE_S = 200
BLOCK, BLOCKS = 4096, 2048

cluster = rados.Rados(conffile=conf, name="client.admin", conf={
    # Every ping looks whether tickets are due. The default of 10 s is longer than those of this test live.
    "mon_client_ping_interval": "1",
    "ms_client_mode": mode, "ms_mon_client_mode": mode,
    "ms_inject_socket_failures": "300",
    "rbd_cache": "false",
    "log_file": log, "debug_auth": "10", "debug_ms": "1",
    # A link that is refused is tried again for ever: that is an error here.
    "rados_osd_op_timeout": "40", "rados_mon_op_timeout": "40",
})


def log_text():
    with open(log, encoding="utf-8", errors="replace") as file:
        return file.read()


def secrets(text):
    """Ids of the secrets that the tickets for OSDs were sealed under, in order."""
    return list(dict.fromkeys(re.findall(r"service osd secret_id (\d+) ", text)))


def sessions(text):
    """The mode of each session with an OSD."""
    return re.findall(r"conn\(\S+ \S+ (\w+) \S+ s=READY .*\.ready entity=osd\.", text)


cluster.connect()
io = cluster.open_ioctx("rbd")
rbd.RBD().create(io, "held", BLOCK * BLOCKS)
dice = random.Random(1)
written, operations, looked = {}, 0, 0.0
end = time.monotonic() + PATIENCE_S
with rbd.Image(io, "held") as image:
    while True:
        block = dice.randrange(BLOCKS)
        if block in written:
            assert image.read(block * BLOCK, BLOCK) == written[block], f"block {block}"
        written[block] = dice.randbytes(BLOCK)
        image.write(written[block], block * BLOCK)
        operations += 1
        if time.monotonic() - looked < 1:
            continue
        looked = time.monotonic()
        if len(secrets(log_text())) > count:
            break
        if looked > end:
            sys.exit(f"secrets seen in {PATIENCE_S} s: {secrets(log_text())}")
    for block, content in written.items():
        assert image.read(block * BLOCK, BLOCK) == content, f"block {block}"
text = log_text()
found = sessions(text)
print(json.dumps({
    "secrets": len(secrets(text)), "operations": operations,
    "sessions": len(found), "modes": sorted(set(found)),
}))
sys.stdout.flush()
io.close()
cluster.shutdown()
os.remove(log)
