#!/usr/bin/python3
"""A client at work whose key is removed: removed-key.py KEYRING. Prints what became of its writes, before and after."""
import os
import subprocess
import sys

import rados

cluster = rados.Rados(
    name="client.bob",
    conffile="",
    conf={"keyring": sys.argv[1], "rados_osd_op_timeout": "4"},
)
cluster.connect()
pool = cluster.open_ioctx("rbd")
for n in range(6):
    pool.write_full("o%d" % n, b"before")
print("written", flush=True)
subprocess.run(["ceph", "auth", "rm", "client.bob"], check=True, stderr=subprocess.DEVNULL)
for n in range(2):
    try:
        pool.write_full("o%d" % n, b"after")
        print("written")
    except rados.Error as error:
        print(type(error).__name__)
sys.stdout.flush()
# Nobody answers a farewell.
os._exit(0)
