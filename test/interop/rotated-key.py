"""A client at work whose key is replaced: rotated-key.py KEYRING. Prints what became of its writes, and of new logins."""
import json
import os
import subprocess
import sys

import rados

CONF = {"rados_osd_op_timeout": "20", "rados_mon_op_timeout": "20"}
old = sys.argv[1]
new = old + ".new"


def client(keyring):
    cluster = rados.Rados(name="client.bob", conffile="", conf={**CONF, "keyring": keyring})
    cluster.connect()
    return cluster


def write(cluster, name):
    pool = cluster.open_ioctx("rbd")
    pool.write_full(name, b"written")
    pool.close()


def tell(what, work):
    try:
        work()
        print(what, "works", flush=True)
    except rados.Error as error:
        print(what, type(error).__name__, flush=True)


held = client(old)
tell("before,", lambda: write(held, "o0"))
subprocess.run(
    ["ceph", "auth", "rotate", "client.bob", "-o", new],
    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
# On the link that there is, and on new ones with the tickets that there are.
for n in range(6):
    tell("held,", lambda: write(held, f"o{n}"))
tell("held, asking the monitor,", lambda: held.mon_command(json.dumps({"prefix": "osd dump"}), b""))
tell("the old key,", lambda: client(old))
tell("the new key,", lambda: write(client(new), "o7"))
tell("held,", lambda: write(held, "o0"))
os._exit(0)
