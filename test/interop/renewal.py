"""A client that stays while its tickets are renewed, by the unmodified library.

    renewal.py CONF LOG OBJECT...       each object on an OSD of its own

Works on the first object all the time, over one link. Each further object is on an OSD that it has not spoken
to: it writes there once its service ticket is sealed under another secret than the one before, and in the end it
asks the manager something. Fails with the first error; prints the ids of the secrets it saw.
"""
import json
import re
import sys
import time

import rados

conf, log, objects = sys.argv[1], sys.argv[2], sys.argv[3:]
PATIENCE_S = 200

cluster = rados.Rados(conffile=conf, name="client.admin", conf={
    # Every ping looks whether tickets are due. The default of 10 s is longer than those of this test live.
    "mon_client_ping_interval": "1",
    "log_file": log, "debug_auth": "10",
    # A link that is refused is tried again for ever: that is an error here.
    "rados_osd_op_timeout": "40", "rados_mon_op_timeout": "40",
})


def secrets():
    """Ids of the secrets that the tickets for OSDs were sealed under, in order."""
    with open(log, encoding="utf-8", errors="replace") as file:
        return list(dict.fromkeys(re.findall(r"service osd secret_id (\d+) ", file.read())))


cluster.connect()
io = cluster.open_ioctx("rbd")
end = time.monotonic() + PATIENCE_S
for turn, other in enumerate(objects):
    while len(secrets()) <= turn:
        if time.monotonic() > end:
            sys.exit(f"secrets seen in {PATIENCE_S} s: {secrets()}")
        io.write_full(objects[0], b"%d" % turn)
        time.sleep(0.1)
    io.write_full(other, b"%d" % turn)
    assert io.read(other) == b"%d" % turn
code, _, error = cluster.mgr_command(json.dumps({"prefix": "pg stat"}), b"")
assert code == 0, error
io.close()
cluster.shutdown()
print(*secrets())
