"""Has an image open and its exclusive lock until its input ends, by the unmodified library.

    rbd-owner.py CONF POOL IMAGE
"""
import sys

import rados
import rbd

conf, pool, name = sys.argv[1:4]
cluster = rados.Rados(conffile=conf, name="client.admin")
cluster.connect()
io = cluster.open_ioctx(pool)
image = rbd.Image(io, name)
image.write(b"owner", 0)
assert image.is_exclusive_lock_owner()
print("READY", flush=True)
sys.stdin.read()
assert image.is_exclusive_lock_owner()
image.close()
io.close()
cluster.shutdown()
