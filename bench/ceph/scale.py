"""Makes many images, snapshots or clones by librbd in one process: `rbd` takes longer to start than to make one."""
import sys

import rados
import rbd

FEATURES = 61  # Ceph's five default features
what, *numbers = sys.argv[1:]
first, last = map(int, numbers)
images = rbd.RBD()


def connect():
    cluster = rados.Rados(conffile="")  # CEPH_CONF
    cluster.connect()
    return cluster, cluster.open_ioctx("rbd")


def make_images():
    # librbd takes image ids from 31 random bits of each client: one client is soon out of luck (EBADF).
    for start in range(first, last, 2000):
        one, ioctx = connect()
        for n in range(start, min(last, start + 2000)):
            images.create(ioctx, f"image{n}", 1 << 30, old_format=False, features=FEATURES)
        ioctx.close()
        one.shutdown()


def make_snapshots():
    if first == 0:
        images.create(pool, "snapped", 64 << 20, old_format=False, features=FEATURES)
    with rbd.Image(pool, "snapped") as image:
        for n in range(first, last):
            image.create_snap(f"s{n}")
            image.write(b"x" * 4096, n * 7 * 4096 % (64 << 20))


def make_clones():
    if first == 0:
        images.create(pool, "clone0", 64 << 20, old_format=False, features=FEATURES)
        with rbd.Image(pool, "clone0") as image:
            image.write(b"x" * (1 << 20), 0)
    for n in range(first, last):
        with rbd.Image(pool, f"clone{n}") as image:
            image.create_snap("s")
            image.protect_snap("s")
        images.clone(pool, f"clone{n}", "s", pool, f"clone{n + 1}", features=FEATURES)


cluster, pool = connect()
{"images": make_images, "snapshots": make_snapshots, "clones": make_clones}[what]()
pool.close()
cluster.shutdown()
