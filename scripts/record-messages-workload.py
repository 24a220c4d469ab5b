#!/usr/bin/python3
"""What only the bindings do: odd ops, a registered service, ticket renewal, ops during peering."""
import os
import signal
import subprocess
import threading
import time

import rados

cluster = rados.Rados(conffile=os.environ["CEPH_CONF"], name="client.admin")
cluster.connect()
io = cluster.open_ioctx("vec")
io.write_full("p", b"0123456789" * 20)

try:
    io.remove_object("q")
except rados.ObjectNotFound:
    pass  # the first run
with rados.WriteOpCtx() as op:
    op.new(1)  # create, exclusive
    op.write(b"ab", 0)
    op.append(b"cd")
    op.zero(1, 1)
    op.truncate(3)
    op.writesame(b"xy", 8, 0)
    op.set_xattr("n", b"v")
    op.rm_xattr("n")
    io.operate_write_op(op, "q")
with rados.WriteOpCtx() as op:
    io.set_omap(op, ("k1", "k2"), (b"v1", b"v2"))
    io.operate_write_op(op, "q")
with rados.WriteOpCtx() as op:
    io.remove_omap_keys(op, ("k1",))
    io.operate_write_op(op, "q")
with rados.ReadOpCtx() as op:
    kept = io.get_omap_vals_by_keys(op, ("k2",))  # the op writes to it
    io.operate_read_op(op, "q")
with rados.ReadOpCtx() as op:
    kept = io.get_omap_vals(op, "", "k", 10)
    io.operate_read_op(op, "q")
with rados.WriteOpCtx() as op:
    op.remove()
    io.operate_write_op(op, "q")
with rados.WriteOpCtx() as op:
    io.remove_omap_range2(op, "a", "z")
    io.operate_write_op(op, "p")
with rados.WriteOpCtx() as op:
    op.execute("hello", "record_hello", b"you")
    io.operate_write_op(op, "h")
io.execute("p", "hello", "say_hello", b"you")
REFUSED = (
    lambda: io.execute("p", "absent", "absent", b""),
    lambda: io.cmpext("p", b"zzz", 0),
    lambda: io.get_xattr("p", "absent"),
)
for call in REFUSED:
    try:
        call()
    except (rados.Error, AssertionError):
        pass  # refused, as wanted: the reply is what is recorded
snap = io.create_self_managed_snap()
io.set_self_managed_snap_write([snap])
io.write("p", b"new", 0)
io.remove_self_managed_snap(snap)
io.set_self_managed_snap_write([])
cluster.get_cluster_stats()
cluster.wait_for_latest_osdmap()

# A service daemon: introduces itself to the manager and reports.
daemon = rados.Rados(conffile=os.environ["CEPH_CONF"], name="client.admin")
daemon.connect()
daemon.service_daemon_register("vectors", "one", {"metadata": "m"})
daemon.service_daemon_update({"status": "s"})

# Ops while placement groups peer: an OSD goes away and comes back.
conf = os.environ["CEPH_CONF"]
run = os.path.join(os.path.dirname(conf), "run")
pid = int(open(os.path.join(run, "osd.0.pid")).read())
stop = threading.Event()


def write_on():
    n = 0
    while not stop.is_set():
        io.aio_write_full(f"b{n % 64}", b"x").wait_for_safe()
        n += 1


threads = [threading.Thread(target=write_on) for _ in range(8)]
for t in threads:
    t.start()
# With both copies required, placement groups of the living OSD stay inactive and push clients back.
subprocess.run(["ceph", "osd", "pool", "set", "vec", "min_size", "2"], check=False)
os.kill(pid, signal.SIGTERM)
time.sleep(8)
subprocess.run(["ceph-osd", "-i", "0"], check=False, capture_output=True)
time.sleep(10)
stop.set()
for t in threads:
    t.join(30)
subprocess.run(["ceph", "tell", "osd.0", "cluster_log", "error", "a line"], check=False)
subprocess.run(["ceph", "mgr", "fail", "x"], check=False)
# Past the life of a service ticket.
time.sleep(75)
io.stat("p")
daemon.shutdown()
io.close()
cluster.shutdown()
