#!/usr/bin/python3
"""Records golden vectors of the object classes from a real Ceph cluster (16.2).

    CEPH_CONF=DIR/ceph.conf scripts/record-cls.py [THEME...]

Runs scripted sequences of class calls in the pool cls_probe and writes test/vectors/cls/<theme>.json:
every call with its input, errno and output, and the raw bytes of all objects at the end. The time and
the random bytes that a call used are found in what it changed, so that a replay can use the same.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

import rados

POOL = "cls_probe"
OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "test/vectors/cls")
NOSNAP = 2**64 - 2


# --- encoding -------------------------------------------------------------------------------------
def u8(x): return struct.pack("<B", x)
def u32(x): return struct.pack("<I", x)
def u64(x): return struct.pack("<Q", x)
def s64(x): return struct.pack("<q", x)
def st(x):
    b = x.encode() if isinstance(x, str) else x
    return u32(len(b)) + b
def lst(items): return u32(len(items)) + b"".join(items)
def hdr(v, compat, body): return u8(v) + u8(compat) + u32(len(body)) + body
def opt(x): return u8(0) if x is None else u8(1) + x
def utime(s, ns=0): return u32(s) + u32(ns)
def name(kind, num): return u8(kind) + s64(num)


# --- the recorder ---------------------------------------------------------------------------------
class Recorder:
    def __init__(self, cluster, io):
        self.io = io
        addr = cluster.get_addrs()
        nonce = int(addr.rsplit("/", 1)[1])
        self.origin = {"num": cluster.get_instance_id(), "ip": "127.0.0.1", "port": 0, "nonce": nonce}
        self.sequences = []
        self.watches = {}

    def sequence(self, title):
        self.clear()
        self.oids = set()
        self.binary = set()
        self.steps = []
        self.title = title

    def clear(self):
        for o in list(self.io.list_objects()):
            self.io.remove_object(o.key)

    def end(self):
        state = {oid: self.state(oid) for oid in sorted(self.oids)}
        self.sequences.append({"title": self.title, "steps": self.steps, "state": state})

    def omap(self, oid):
        if oid in self.binary:
            return self.binary_omap(oid)
        with rados.ReadOpCtx() as op:
            it, _ = self.io.get_omap_vals(op, "", "", 10000)
            self.io.operate_read_op(op, oid)
            return {k: (v or b"").hex() for k, v in it}

    def binary_omap(self, oid):
        """Keys with zero bytes, which the C interface of librados cuts short."""
        run = lambda *a: subprocess.run(["rados", "-p", POOL, *a], check=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL).stdout
        out = {}
        for key in run("listomapkeys", oid).split(b"\n")[:-1]:
            with tempfile.TemporaryDirectory() as d:
                with open(f"{d}/key", "wb") as f:
                    f.write(key)
                run("getomapval", oid, "--omap-key-file", f"{d}/key", f"{d}/value")
                with open(f"{d}/value", "rb") as f:
                    out[key.decode("latin1")] = f.read().hex()
        return out

    def state(self, oid):
        try:
            size, _ = self.io.stat(oid)
        except rados.ObjectNotFound:
            return None
        return {
            "data": self.io.read(oid, size, 0).hex() if size else "",
            "xattrs": {k: v.hex() for k, v in self.io.get_xattrs(oid)},
            "omap": self.omap(oid),
        }

    def call(self, oid, cls, method, data=b"", duration=0):
        self.oids.add(oid)
        before = self.state(oid)
        started = int(time.time())
        errno, out = 0, b""
        try:
            errno, out = self.io.execute(oid, cls, method, data, 1 << 20)
            errno = min(errno, 0)
        except rados.Error as e:
            errno = -abs(e.errno)
        ended = int(time.time()) + 1
        after = self.state(oid)
        step = {"do": "call", "oid": oid, "cls": cls, "method": method, "input": data.hex(),
                "errno": errno, "output": (out or b"").hex()}
        for key in set((after or {}).get("omap", ())) - set((before or {}).get("omap", ())):
            made = re.fullmatch(r"1_\d{10}\.\d{6}_(\d+)\.\d+", key)
            if made:
                step["version"] = int(made[1])
        old = set(flat(before))
        for text in [t for t in flat(after) if t not in old]:
            raw = bytes.fromhex(text)
            now = find_time(raw, started + duration, ended + duration)
            if now and "now" not in step:
                step["now"] = [now[0] - duration, now[1]]
            for uuid in re.findall(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", raw):
                if uuid not in data and not any(uuid in bytes.fromhex(t) for t in old):
                    step["random"] = uuid.decode().replace("-", "")
        self.steps.append(step)
        return errno, out

    def rbd(self, oid, method, data=b""):
        return self.call(oid, "rbd", method, data)

    def raw(self, step, oid, **fields):
        self.oids.add(oid)
        self.steps.append({"do": step, "oid": oid, **fields})

    def write(self, oid, data):
        self.io.write_full(oid, data)
        self.raw("write", oid, data=data.hex())

    def set_omap(self, oid, entries):
        with rados.WriteOpCtx() as op:
            self.io.set_omap(op, tuple(entries), tuple(entries.values()))
            self.io.operate_write_op(op, oid)
        self.raw("omap", oid, entries={k: v.hex() for k, v in entries.items()})

    def set_xattr(self, oid, key, value):
        self.io.set_xattr(oid, key, value)
        self.raw("xattr", oid, key=key, value=value.hex())

    def remove(self, oid):
        self.io.remove_object(oid)
        self.raw("remove", oid)

    def watch(self, oid):
        self.watches[oid] = self.io.watch(oid, lambda *a: None)
        self.raw("watch", oid)

    def unwatch(self, oid):
        self.watches.pop(oid).close()
        self.raw("unwatch", oid)

    def write_with_snap(self, oid, data):
        """Writes with a snapshot context, so that the object has seen a snapshot."""
        snap = self.io.create_self_managed_snap()
        self.io.set_self_managed_snap_write([snap])
        self.io.write_full(oid, data)
        self.io.set_self_managed_snap_write([])
        self.raw("write", oid, data=data.hex(), snapSeq=snap)
        return snap


def flat(state):
    if state is None:
        return []
    return [state["data"], *state["xattrs"].values(), *state["omap"].values()]


def find_time(raw, low, high):
    for i in range(len(raw) - 7):
        sec, nsec = struct.unpack_from("<II", raw, i)
        if low <= sec <= high and 0 < nsec < 1_000_000_000:
            return sec, nsec
    return None


# --- sequences ------------------------------------------------------------------------------------
H = "rbd_header.1"


def make_image(r, oid=H, features=61, size=1 << 30, order=22, pool=None):
    tail = b"" if pool is None else s64(pool)
    return r.rbd(oid, "create", u64(size) + u8(order) + u64(features) + st("rbd_data.1") + tail)


def snap_add(r, snap, title, ns=None, oid=H):
    return r.rbd(oid, "snapshot_add", st(title) + u64(snap) + (hdr(1, 1, ns) if ns is not None else b""))


USER = u32(0)
TRASH = u32(2) + st("old") + u32(0)
def group_ns(group, snap): return u32(1) + s64(7) + st(group) + st(snap)
def mirror_ns(state, peers, primary="", primary_snap=NOSNAP, copied=0, seqs=()):
    return (u32(3) + u8(state) + u8(0) + lst([st(p) for p in sorted(peers)]) + st(primary)
            + u64(primary_snap) + u64(copied) + lst([u64(a) + u64(b) for a, b in seqs]))


def lock_theme(r):
    def lock(oid, lock_name, kind, cookie, tag="", desc="", duration=(0, 0), flags=0):
        body = st(lock_name) + u8(kind) + st(cookie) + st(tag) + st(desc) + utime(*duration) + u8(flags)
        return r.call(oid, "lock", "lock", hdr(1, 1, body), duration=duration[0])
    def simple(method, oid, *parts):
        return r.call(oid, "lock", method, hdr(1, 1, b"".join(parts)))
    me = name(8, r.origin["num"])

    r.sequence("exclusive lock, from nothing to nothing")
    simple("get_info", "o", st("l"))
    simple("unlock", "o", st("l"), st("c"))
    lock("o", "l", 1, "c", "t", "why")
    lock("o", "l", 1, "c", "t")
    lock("o", "l", 1, "d", "t")
    lock("o", "l", 2, "d", "t")
    lock("o", "l", 1, "c", "other")
    lock("o", "l", 1, "c", "t", "renewed", flags=1)
    lock("o", "l", 1, "c", "t", "renewed again", flags=2)
    lock("o", "l", 1, "e", "t", flags=2)
    lock("o", "l", 1, "c", "t", flags=3)
    lock("o", "l", 0, "c", "t")
    lock("o", "l", 4, "c", "t")
    lock("o", "", 1, "c", "t")
    r.call("o", "lock", "lock", b"\1")
    simple("get_info", "o", st("l"))
    simple("get_info", "o", st("other"))
    r.call("o", "lock", "list_locks")
    simple("unlock", "o", st("l"), st("other"))
    simple("unlock", "o", st("l"), st("c"))
    simple("unlock", "o", st("l"), st("c"))
    simple("get_info", "o", st("l"))
    r.end()

    r.sequence("shared lock with expiry, several cookies")
    lock("o", "s", 2, "b", "t", duration=(1000, 0))
    lock("o", "s", 2, "a", "t")
    lock("o", "s", 1, "c", "t")
    lock("o", "s2", 2, "a")
    r.call("o", "lock", "list_locks")
    simple("get_info", "o", st("s"))
    simple("break_lock", "o", st("s"), name(8, 1), st("a"))
    simple("break_lock", "o", st("s"), me, st("a"))
    r.end()

    r.sequence("assert_locked and set_cookie")
    lock("o", "l", 2, "c", "t")
    simple("assert_locked", "none", st("l"), u8(2), st("c"), st("t"))
    for kind, cookie, tag in [(2, "c", "t"), (1, "c", "t"), (2, "d", "t"), (2, "c", "u"), (9, "c", "t")]:
        simple("assert_locked", "o", st("l"), u8(kind), st(cookie), st(tag))
        simple("set_cookie", "o", st("l"), u8(kind), st(cookie), st(tag), st("n"))
    simple("assert_locked", "o", st(""), u8(2), st("c"), st("t"))
    simple("assert_locked", "o", st("m"), u8(2), st("c"), st("t"))
    simple("set_cookie", "o", st("l"), u8(2), st("n"), st("t"), st("n"))
    simple("set_cookie", "gone", st("l"), u8(2), st("n"), st("t"), st("m"))
    r.end()

    r.sequence("ephemeral lock takes the object along")
    lock("o", "l", 3, "c", "t")
    simple("unlock", "o", st("l"), st("c"))
    r.write("p", b"data")
    lock("p", "l", 3, "c", "t")
    simple("break_lock", "p", st("l"), me, st("c"))
    lock("q", "l", 3, "c", "t")
    lock("q", "l", 3, "d", "t")
    r.end()

    r.sequence("what is stored is no lock")
    r.set_xattr("o", "lock.l", b"\x01\x01")
    simple("get_info", "o", st("l"))
    lock("o", "l", 1, "c")
    r.end()


def image_theme(r):
    r.sequence("create and read back")
    r.rbd(H, "get_size", u64(NOSNAP))
    make_image(r)
    make_image(r)
    for m in ["get_object_prefix", "get_data_pool", "get_create_timestamp", "get_access_timestamp",
              "get_modify_timestamp", "op_features_get", "get_all_features", "get_snapcontext",
              "get_stripe_unit_count", "parent_get", "image_group_get", "snapshot_get_limit"]:
        r.rbd(H, m)
        r.rbd("none", m)
    for arg in [u64(NOSNAP), u64(NOSNAP) + u8(1), u64(3), b""]:
        for m in ["get_size", "get_features", "get_flags", "parent_overlap_get", "get_parent",
                  "snapshot_get", "get_snapshot_name", "get_snapshot_timestamp", "get_protection_status"]:
            r.rbd(H, m, arg)
    r.rbd(H, "set_access_timestamp")
    r.rbd(H, "set_modify_timestamp")
    r.rbd("none", "set_modify_timestamp")
    r.end()

    r.sequence("create refused")
    make_image(r, features=1 << 40)
    make_image(r, features=256)
    make_image(r, features=128)
    make_image(r, features=1, pool=3)
    r.rbd(H, "create", u64(1) + u8(22) + u64(1) + st(""))
    r.rbd(H, "create", u64(1) + u8(22))
    make_image(r, features=129, pool=3)
    r.rbd(H, "get_data_pool")
    r.end()

    r.sequence("size and features")
    make_image(r)
    r.rbd(H, "set_size", u64(5 << 20))
    r.rbd("none", "set_size", u64(5))
    r.rbd(H, "get_size", u64(NOSNAP))
    for value, mask in [(64, 64), (0, 64), (0, 32), (32, 32), (1, 1), (0, 1), (256, 256), (0, 512),
                        (1 << 50, 1 << 50), (0, 24), (8, 24)]:
        r.rbd(H, "set_features", u64(value) + u64(mask))
    r.rbd(H, "set_features", u64(0))
    r.rbd("other", "set_features", u64(4) + u64(4))
    r.rbd(H, "set_flags", u64(3) + u64(1))
    r.rbd(H, "set_flags", u64(3) + u64(2) + u64(NOSNAP))
    r.rbd(H, "set_flags", u64(3) + u64(2) + u64(77))
    r.rbd(H, "get_flags", u64(NOSNAP))
    for value, mask in [(4, 4), (2, 2), (0, 4), (0, 2), (0, 2), (16, 16)]:
        r.rbd(H, "op_features_set", u64(value) + u64(mask))
        r.rbd(H, "op_features_get")
    r.rbd("none", "op_features_set", u64(1) + u64(1))
    r.end()

    r.sequence("striping")
    make_image(r, features=3)
    r.rbd(H, "get_stripe_unit_count")
    for unit, count in [(65536, 4), (0, 4), (65536, 0), (3000, 2), (1 << 23, 2)]:
        r.rbd(H, "set_stripe_unit_count", u64(unit) + u64(count))
    r.rbd(H, "get_stripe_unit_count")
    r.rbd("none", "set_stripe_unit_count", u64(65536) + u64(1))
    make_image(r, oid="plain", features=1)
    r.rbd("plain", "set_stripe_unit_count", u64(65536) + u64(1))
    r.end()

    r.sequence("image id")
    r.rbd("rbd_id.a", "get_id")
    r.rbd("rbd_id.a", "set_id", st("abc123"))
    r.write("rbd_id.a", b"")
    r.rbd("rbd_id.a", "get_id")
    r.rbd("rbd_id.a", "set_id", st("not an id"))
    r.rbd("rbd_id.a", "set_id", st(""))
    r.rbd("rbd_id.a", "set_id", b"\1")
    r.rbd("rbd_id.a", "set_id", st("abc123"))
    r.rbd("rbd_id.a", "set_id", st("abc124"))
    r.rbd("rbd_id.a", "get_id")
    r.write("rbd_id.b", b"\xff\xff")
    r.rbd("rbd_id.b", "get_id")
    r.end()

    r.sequence("stored values that do not decode")
    r.set_omap(H, {"order": b"\x16", "size": b"\1\2", "features": b"\1", "op_features": b"",
                   "snapshot_0000000000000001": b"\x08\x08\xff\xff\xff\xff"})
    for m in ["get_size", "get_features", "get_flags"]:
        r.rbd(H, m, u64(NOSNAP))
    r.rbd(H, "get_size", u64(1))
    r.rbd(H, "get_snapcontext")
    r.rbd(H, "op_features_get")
    r.rbd(H, "set_size", u64(1))
    r.end()


def snapshot_theme(r):
    r.sequence("snapshots come and go")
    snap_add(r, 1, "early")
    make_image(r)
    r.rbd(H, "set_flags", u64(1) + u64(1))
    snap_add(r, 4, "a")
    snap_add(r, 3, "too old")
    snap_add(r, 4, "same id")
    snap_add(r, 5, "a")
    snap_add(r, 5, "a", group_ns("g", "s1"))
    snap_add(r, 6, "a", group_ns("g", "s2"))
    snap_add(r, 0x2b, "a", group_ns("g", "s2"))
    snap_add(r, 0x2b, "t1", TRASH)
    snap_add(r, 0x2c, "t1", TRASH)
    snap_add(r, 0x2c, "m", mirror_ns(0, {"p2", "p1"}))
    snap_add(r, 0x2d, "u", u32(9))
    snap_add(r, NOSNAP, "high", USER)
    r.rbd(H, "snapshot_add", st("x"))
    r.rbd(H, "get_snapcontext")
    for s in [4, 5, 6, 0x2b, 0x2c, 99]:
        for m in ["snapshot_get", "get_snapshot_name", "get_snapshot_timestamp", "get_size", "get_flags",
                  "get_protection_status", "parent_overlap_get", "get_parent"]:
            r.rbd(H, m, u64(s))
    r.rbd(H, "snapshot_rename", u64(4) + st("b"))
    r.rbd(H, "snapshot_rename", u64(4) + st("b"))
    r.rbd(H, "snapshot_rename", u64(5) + st("c"))
    r.rbd(H, "snapshot_rename", u64(99) + st("c"))
    r.rbd(H, "set_flags", u64(2) + u64(2) + u64(4))
    r.rbd(H, "snapshot_remove", u64(99))
    r.rbd(H, "snapshot_remove", u64(5))
    r.rbd(H, "snapshot_remove", u64(0x2b))
    r.rbd(H, "op_features_get")
    r.rbd(H, "get_snapcontext")
    r.end()

    r.sequence("protection and trash")
    make_image(r)
    snap_add(r, 1, "a")
    for s, status in [(1, 2), (1, 3), (NOSNAP, 2), (9, 2)]:
        r.rbd(H, "set_protection_status", u64(s) + u8(status))
    r.rbd(H, "get_protection_status", u64(1))
    r.rbd(H, "snapshot_remove", u64(1))
    r.rbd(H, "snapshot_trash_add", u64(1))
    r.rbd(H, "set_protection_status", u64(1) + u8(0))
    r.rbd(H, "snapshot_trash_add", u64(1))
    r.rbd(H, "snapshot_trash_add", u64(1))
    r.rbd(H, "snapshot_trash_add", u64(9))
    r.rbd(H, "snapshot_rename", u64(1) + st("n"))
    r.rbd(H, "snapshot_get", u64(1))
    r.rbd("none", "set_protection_status", u64(1) + u8(0))
    make_image(r, oid="flat", features=4)
    r.rbd("flat", "set_protection_status", u64(1) + u8(0))
    r.end()

    r.sequence("limits")
    make_image(r)
    r.rbd(H, "snapshot_set_limit", u64(2))
    r.rbd(H, "snapshot_get_limit")
    for i in range(1, 5):
        snap_add(r, i, f"s{i}")
    r.rbd(H, "snapshot_set_limit", u64(1))
    r.rbd(H, "snapshot_set_limit", u64(2**64 - 1))
    r.rbd(H, "snapshot_set_limit", b"")
    r.rbd(H, "snapshot_get_limit")
    r.rbd("none", "snapshot_set_limit", u64(2**64 - 1))
    snap_add(r, 4, "s4")
    r.end()

    r.sequence("more snapshots than one page")
    make_image(r)
    for i in range(1, 71):
        snap_add(r, i, f"s{i}")
    r.rbd(H, "get_snapcontext")
    snap_add(r, 71, "s69")
    r.rbd(H, "snapshot_rename", u64(70) + st("s68"))
    r.end()


def spec(pool, image, snap, ns=""):
    return hdr(1, 1, s64(pool) + st(ns) + st(image) + u64(snap))


def child(pool, image, ns=""):
    return hdr(2, 1, s64(pool) + st(image) + st(ns))


def parent_theme(r):
    r.sequence("clone, snapshots of the clone, flatten with deep flatten")
    make_image(r)
    r.rbd(H, "parent_detach")
    r.rbd(H, "parent_attach", spec(2, "par", 5, "ns") + u64(1 << 40))
    r.rbd(H, "parent_attach", spec(2, "par", 5, "ns") + u64(1 << 20))
    r.rbd(H, "parent_attach", spec(2, "par", 6, "ns") + u64(1 << 20) + u8(1))
    r.rbd(H, "parent_attach", spec(-1, "par", 6, "ns") + u64(1 << 20) + u8(1))
    r.rbd(H, "parent_attach", spec(2, "", 6, "ns") + u64(1 << 20) + u8(1))
    r.rbd(H, "parent_attach", spec(2, "par", 6, "ns") + u64(0) + u8(1))
    r.rbd(H, "parent_attach", spec(2, "par", 6, "ns"))
    r.rbd("none", "parent_attach", spec(2, "par", 6, "ns") + u64(1))
    r.rbd(H, "parent_get")
    r.rbd(H, "parent_overlap_get", u64(NOSNAP))
    r.rbd(H, "get_parent", u64(NOSNAP))
    r.rbd(H, "op_features_set", u64(2) + u64(2))
    snap_add(r, 7, "x")
    r.rbd(H, "parent_overlap_get", u64(7))
    r.rbd(H, "parent_overlap_get", u64(8))
    r.rbd(H, "set_size", u64(1 << 19))
    r.rbd(H, "parent_overlap_get", u64(NOSNAP))
    r.rbd(H, "parent_overlap_get", u64(7))
    r.rbd(H, "remove_parent")
    r.rbd(H, "parent_detach")
    r.rbd(H, "parent_get")
    r.rbd(H, "parent_overlap_get", u64(7))
    r.rbd(H, "parent_detach")
    r.rbd("none", "parent_detach")
    r.end()

    r.sequence("clone without deep flatten keeps its parent for snapshots")
    make_image(r, features=1)
    r.rbd(H, "set_parent", s64(2) + st("par") + u64(5) + u64(1 << 20))
    r.rbd(H, "set_parent", s64(2) + st("par") + u64(5) + u64(1 << 20))
    r.rbd(H, "get_parent", u64(NOSNAP))
    r.rbd(H, "op_features_set", u64(2) + u64(2))
    snap_add(r, 7, "x")
    snap_add(r, 8, "y")
    r.rbd(H, "get_parent", u64(7))
    r.rbd(H, "get_parent", u64(9))
    r.rbd(H, "remove_parent")
    r.rbd(H, "remove_parent")
    r.rbd(H, "parent_get")
    r.rbd(H, "parent_overlap_get", u64(NOSNAP))
    r.rbd(H, "get_parent", u64(7))
    r.rbd(H, "parent_attach", spec(2, "other", 5) + u64(1 << 20))
    r.rbd(H, "parent_attach", spec(2, "par", 5) + u64(1 << 20))
    r.rbd(H, "parent_detach")
    r.rbd(H, "snapshot_remove", u64(7))
    r.rbd(H, "op_features_get")
    r.rbd(H, "snapshot_remove", u64(8))
    r.rbd(H, "parent_get")
    r.rbd(H, "op_features_get")
    r.end()

    r.sequence("no layering, no parent")
    make_image(r, features=4)
    r.rbd(H, "parent_attach", spec(2, "par", 5) + u64(1 << 20))
    r.rbd(H, "parent_detach")
    r.rbd(H, "parent_get")
    r.rbd(H, "parent_overlap_get", u64(3))
    r.rbd(H, "get_parent", u64(NOSNAP))
    r.rbd("none", "get_parent", u64(NOSNAP))
    r.rbd("none", "remove_parent")
    r.end()

    r.sequence("records of before Nautilus are split when rewritten")
    make_image(r)
    old_parent = hdr(1, 1, s64(2) + st("par") + u64(5) + u64(4096))
    old_snap = hdr(4, 1, u64(3) + st("old") + u64(8192) + u64(1) + old_parent + u8(0) + u64(0))
    r.set_omap(H, {"snapshot_0000000000000003": old_snap})
    r.rbd(H, "parent_get")
    r.rbd(H, "get_parent", u64(3))
    r.rbd(H, "parent_overlap_get", u64(3))
    r.rbd(H, "snapshot_get", u64(3))
    r.rbd(H, "snapshot_rename", u64(3) + st("renamed"))
    r.rbd(H, "parent_get")
    r.rbd(H, "parent_overlap_get", u64(3))
    r.set_omap(H, {"parent": old_parent})
    r.rbd(H, "parent_overlap_get", u64(NOSNAP))
    r.rbd(H, "set_size", u64(512))
    r.end()

    r.sequence("clone v2 children")
    make_image(r)
    snap_add(r, 1, "a")
    snap_add(r, 2, "b")
    r.rbd(H, "children_list", u64(1))
    for c in [child(3, "zz"), child(3, "aa"), child(3, "aa"), child(2, "zz", "ns"), child(3, "aa", "ns")]:
        r.rbd(H, "child_attach", u64(1) + c)
    r.rbd(H, "child_attach", u64(2) + hdr(1, 1, s64(4) + st("v1")))
    r.rbd(H, "child_attach", u64(9) + child(3, "aa"))
    r.rbd(H, "children_list", u64(1))
    r.rbd(H, "children_list", u64(9))
    r.rbd(H, "snapshot_remove", u64(1))
    r.rbd(H, "op_features_get")
    r.rbd(H, "child_detach", u64(1) + child(9, "aa"))
    r.rbd(H, "child_detach", u64(9) + child(9, "aa"))
    for c in [child(3, "zz"), child(3, "aa"), child(2, "zz", "ns"), child(3, "aa", "ns")]:
        r.rbd(H, "child_detach", u64(1) + c)
    r.rbd(H, "op_features_get")
    r.rbd(H, "child_detach", u64(2) + child(4, "v1"))
    r.rbd(H, "child_detach", u64(2) + child(4, "v1"))
    r.rbd(H, "op_features_get")
    r.rbd(H, "snapshot_trash_add", u64(1))
    r.rbd(H, "child_attach", u64(1) + child(3, "aa"))
    r.end()

    r.sequence("clone v1 children")
    def key(pool, image, snap): return u64(pool) + st(image) + u64(snap)
    o = "rbd_children"
    r.binary.add(o)
    r.rbd(o, "get_children", key(2, "par", 5))
    r.rbd(o, "remove_child", key(2, "par", 5) + st("c1"))
    r.rbd(o, "add_child", key(2, "par", 5) + st("c2"))
    r.rbd(o, "add_child", key(2, "par", 5) + st("c1"))
    r.rbd(o, "add_child", key(2, "par", 5) + st("c1"))
    r.rbd(o, "add_child", key(2, "par", 6) + st("c1"))
    r.rbd(o, "get_children", key(2, "par", 5))
    r.rbd(o, "get_children", key(3, "par", 5))
    r.rbd(o, "remove_child", key(2, "par", 5) + st("c3"))
    r.rbd(o, "remove_child", key(2, "par", 6) + st("c1"))
    r.rbd(o, "get_children", key(2, "par", 6))
    r.rbd(o, "remove_child", key(2, "par", 5) + st("c2"))
    r.rbd(o, "get_children", u64(1))
    r.end()


def page(after, count): return st(after) + u64(count)


def directory_theme(r):
    d = "rbd_directory"
    r.sequence("images by name and id")
    r.rbd(d, "dir_list", page("", 10))
    for title, ident in [("b", "id1"), ("a", "id2"), ("b", "id3"), ("c", "id1"), ("", "id4"), ("e", "")]:
        r.rbd(d, "dir_add_image", st(title) + st(ident))
    r.rbd(d, "dir_add_image", st("f") + st("bad.id"))
    for i in range(70):
        r.rbd(d, "dir_add_image", st(f"n{i:03}") + st(f"x{i}"))
    for after, count in [("", 1000), ("", 3), ("", 0), ("b", 100), ("n066", 2), ("zz", 10)]:
        r.rbd(d, "dir_list", page(after, count))
    r.rbd(d, "dir_list", st(""))
    for x in ["a", "zz"]:
        r.rbd(d, "dir_get_id", st(x))
    for x in ["id2", "zz"]:
        r.rbd(d, "dir_get_name", st(x))
    for a, b, c in [("a", "aa", "id2"), ("a", "bb", "id2"), ("aa", "b", "id2"), ("aa", "q", "id1"), ("b", "", "id1")]:
        r.rbd(d, "dir_rename_image", st(a) + st(b) + st(c))
    for a, b in [("aa", "id1"), ("zz", "id1"), ("aa", "zz"), ("aa", "id2")]:
        r.rbd(d, "dir_remove_image", st(a) + st(b))
    r.end()

    r.sequence("state of the directory")
    r.rbd(d, "dir_state_assert", u8(0))
    r.rbd(d, "dir_state_set", u8(1))
    r.rbd(d, "dir_state_set", u8(0))
    r.rbd(d, "dir_state_assert", u8(0))
    r.rbd(d, "dir_state_assert", u8(1))
    r.rbd(d, "dir_add_image", st("a") + st("id1"))
    r.rbd(d, "dir_state_set", u8(1))
    r.rbd(d, "dir_remove_image", st("a") + st("id1"))
    r.rbd(d, "dir_state_set", u8(1))
    r.rbd(d, "dir_state_set", u8(2))
    r.rbd(d, "dir_state_assert", u8(1))
    r.end()

    r.sequence("metadata")
    def entries(**kv): return lst([st(k) + st(v) for k, v in sorted(kv.items())])
    r.rbd(H, "metadata_list", page("", 0))
    r.rbd(H, "metadata_get", st("a"))
    r.rbd(H, "metadata_remove", st("a"))
    r.rbd(H, "metadata_set", entries(a="1", b="", conf_rbd_cache="false"))
    r.rbd(H, "metadata_set", entries(a="2"))
    r.rbd(H, "metadata_set", entries(**{f"k{i:03}": str(i) for i in range(80)}))
    for after, count in [("", 0), ("", 100), ("", 65), ("b", 2), ("zz", 1)]:
        r.rbd(H, "metadata_list", page(after, count))
    r.rbd(H, "metadata_get", st("a"))
    r.rbd(H, "metadata_get", st("zz"))
    r.rbd(H, "metadata_remove", st("a"))
    r.rbd(H, "metadata_remove", st("a"))
    r.rbd(H, "metadata_set", b"\1")
    r.end()

    t = "rbd_trash"
    def trash(source, title, state=None):
        body = u8(source) + st(title) + utime(1000, 5) + utime(2000, 6)
        return hdr(1, 1, body) if state is None else hdr(2, 1, body + u8(state))
    r.sequence("trash")
    r.rbd(t, "trash_list", page("", 10))
    r.rbd(t, "trash_get", st("i1"))
    r.rbd(t, "trash_remove", st("i1"))
    r.rbd(t, "trash_add", st("i1") + trash(0, "one", 0))
    r.rbd(t, "trash_add", st("i1") + trash(0, "one", 0))
    r.rbd(t, "trash_add", st("i2") + trash(3, "two"))
    r.rbd(t, "trash_add", st("bad id") + trash(3, "two"))
    r.rbd(t, "trash_add", st("i3"))
    for i in range(66):
        r.rbd(t, "trash_add", st(f"m{i:02}") + trash(1, f"m{i}", 1))
    for after, count in [("", 1000), ("", 1), ("i1", 1), ("m60", 3), ("", 0), ("", 2**64 - 1)]:
        r.rbd(t, "trash_list", page(after, count))
    r.rbd(t, "trash_get", st("i1"))
    r.rbd(t, "trash_get", st("i2"))
    for ident, to, expect in [("i1", 2, 0), ("i1", 2, 0), ("i1", 3, 1), ("zz", 1, 0)]:
        r.rbd(t, "trash_state_set", st(ident) + u8(to) + u8(expect))
    r.rbd(t, "trash_remove", st("i1"))
    r.rbd(t, "trash_remove", st("i1"))
    r.end()

    n = "rbd_namespace"
    r.sequence("namespaces")
    r.rbd(n, "namespace_list", page("", 10))
    r.rbd(n, "namespace_remove", st("a"))
    for x in ["b", "a", "a", "c"]:
        r.rbd(n, "namespace_add", st(x))
    for after, count in [("", 10), ("", 2), ("a", 1), ("c", 1), ("", 0)]:
        r.rbd(n, "namespace_list", page(after, count))
    r.rbd(n, "namespace_remove", st("a"))
    r.rbd(n, "namespace_remove", st("a"))
    r.rbd(n, "namespace_add", b"")
    r.end()


CRC_TABLE = []
for n in range(256):
    c = n
    for _ in range(8):
        c = (c >> 1) ^ 0x82f63b78 if c & 1 else c >> 1
    CRC_TABLE.append(c)


def crc(data):
    c = 0
    for b in data:
        c = CRC_TABLE[(c ^ b) & 255] ^ (c >> 8)
    return c


def bit_vector(states, with_crc=True):
    data = bytearray((len(states) + 3) // 4)
    for i, s in enumerate(states):
        data[i // 4] |= s << (6 - 2 * (i % 4))
    head = hdr(1, 1, u64(len(states)))
    footer = b""
    if with_crc:
        blocks = [data[i:i + 4096] for i in range(0, len(data), 4096)]
        footer = u32(crc(head)) + lst([u32(crc(b)) for b in blocks])
    return st(head) + bytes(data) + st(footer)


def object_map_theme(r):
    o = "rbd_object_map.1"
    def update(start, end, new, current=None):
        return r.rbd(o, "object_map_update", u64(start) + u64(end) + u8(new) + opt(None if current is None else u8(current)))
    def resize(count, state=0): return r.rbd(o, "object_map_resize", u64(count) + u8(state))
    r.sequence("small map")
    r.rbd(o, "object_map_load")
    update(0, 1, 1)
    r.rbd(o, "object_map_snap_add")
    resize(256000001)
    resize(11)
    r.rbd(o, "object_map_load")
    update(0, 1, 1)
    update(2, 7, 1)
    update(2, 7, 1)
    update(3, 4, 2)
    update(0, 11, 3, 1)
    update(0, 11, 1, 2)
    update(5, 6, 1, 3)
    update(0, 2, 2, 1)
    update(6, 7, 0, 0)
    for a, b in [(3, 3), (4, 3), (10, 12), (11, 12), (0, 2**63)]:
        update(a, b, 1)
    r.rbd(o, "object_map_update", u64(0) + u64(1) + u8(1))
    r.rbd(o, "object_map_load")
    resize(13, 2)
    resize(6)
    resize(12, 2)
    resize(11, 1)
    resize(7, 0)
    r.rbd(o, "object_map_load")
    r.end()

    r.sequence("snapshots of the map")
    states = [1, 3, 0, 2, 1, 1, 3, 3, 3, 0, 1]
    r.rbd(o, "object_map_save", bit_vector(states, with_crc=False))
    r.rbd(o, "object_map_snap_add")
    r.rbd(o, "object_map_snap_add")
    r.rbd(o, "object_map_load")
    update(0, 3, 1)
    r.rbd(o, "object_map_snap_remove", bit_vector([1, 1, 0, 0, 1, 3, 2]))
    r.rbd(o, "object_map_load")
    r.rbd(o, "object_map_snap_remove", bit_vector([0] * 20, with_crc=False))
    r.rbd(o, "object_map_snap_remove", b"\1")
    r.rbd("none", "object_map_snap_remove", bit_vector([1]))
    r.end()

    r.sequence("map of several blocks")
    resize(40000, 1)
    update(16383, 16385, 2)
    update(0, 16384, 3, 1)
    update(39999, 40000, 0)
    update(32768, 40000, 2, 1)
    r.rbd(o, "object_map_snap_add")
    resize(16384, 2)
    resize(50000, 3)
    r.rbd(o, "object_map_snap_remove", bit_vector([1, 0] * 20001))
    update(16384, 16385, 1)
    r.end()

    r.sequence("damaged maps")
    good = bit_vector([1] * 9)
    for i in [0, 5, 10, 18, 21, 25, 30, len(good) - 1]:
        bad = bytearray(good)
        bad[i] ^= 0x40
        r.write(o, bytes(bad))
        r.rbd(o, "object_map_load")
        update(0, 1, 2)
        r.rbd(o, "object_map_snap_add")
        r.rbd(o, "object_map_save", bytes(bad))
    for n in [0, 3, 17, 18, 20, 21, len(good) - 1]:
        r.write(o, good[:n])
        r.rbd(o, "object_map_load")
        r.rbd(o, "object_map_save", good[:n])
    r.write(o, bit_vector([1, 1, 0], with_crc=False))
    r.rbd(o, "object_map_load")
    r.rbd(o, "object_map_snap_add")
    r.write(o, bit_vector([]))
    r.rbd(o, "object_map_load")
    update(0, 1, 1)
    r.end()


def data_theme(r):
    r.sequence("copyup")
    r.rbd("d1", "copyup", b"parent data")
    r.rbd("d1", "copyup", b"late")
    r.rbd("d2", "copyup", b"")
    def extents(*pairs): return lst([u64(a) + u64(b) for a, b in pairs])
    r.rbd("d3", "sparse_copyup", extents((0, 3), (8192, 4)) + st("abcdefg"))
    r.rbd("d3", "sparse_copyup", extents((0, 3)) + st("xyz"))
    r.rbd("d4", "sparse_copyup", extents() + st(""))
    r.rbd("d5", "sparse_copyup", extents((0, 9)) + st("short"))
    r.rbd("d6", "sparse_copyup", extents((0, 1), (5, 2)) + st("ab"))
    r.rbd("d7", "sparse_copyup", b"\1")
    r.end()

    r.sequence("sparsify")
    def sparsify(oid, size, remove): return r.rbd(oid, "sparsify", u64(size) + u8(remove))
    sparsify("none", 4096, 1)
    r.write("z", b"\0" * 20000)
    sparsify("z", 4096, 0)
    sparsify("z", 4096, 0)
    sparsify("z", 4096, 1)
    r.write("f", b"x" * 9000)
    sparsify("f", 4096, 0)
    r.write("m", b"\0" * 4096 + b"a" * 100 + b"\0" * 8092 + b"b" * 8192 + b"\0" * 5000)
    sparsify("m", 4096, 0)
    r.write("n", b"a" * 4096 + b"\0" * 4096 + b"b")
    sparsify("n", 4096, 1)
    r.write("p", b"\0" * 10 + b"a" + b"\0" * 4084 + b"\0\0c")
    sparsify("p", 4096, 1)
    sparsify("p", 16, 1)
    r.end()

    r.sequence("assert_snapc_seq")
    def check(oid, seq, state): return r.rbd(oid, "assert_snapc_seq", u64(seq) + u8(state))
    check("none", 1, 0)
    check("none", 1, 1)
    check("none", 1, 2)
    seq = r.write_with_snap("s", b"x")
    for d in [-1, 0, 1]:
        for state in [0, 1, 2]:
            check("s", seq + d, state)
    r.end()


def migration_spec(kind, source="", state=1, compat=1):
    body = (u8(kind) + s64(2) + st("ns") + st("name") + st("id") + lst([u64(1) + u64(2)]) + u64(4096)
            + u8(1) + u8(0) + u8(state) + st("why"))
    if compat == 0:
        return hdr(1, 1, body)
    return hdr(3, 3 if source else 1, body + u8(1) + st(source))


PLAIN = b"<<< Rados Block Device Image >>>\n"
MIGRATING = b"<<< Migrating RBD Image      >>>\n"


def migration_theme(r):
    r.sequence("format 2 source")
    make_image(r)
    r.rbd(H, "migration_get")
    r.rbd(H, "migration_set_state", u8(2) + st("x"))
    r.rbd(H, "migration_set", migration_spec(1))
    r.rbd(H, "migration_set", migration_spec(1))
    r.rbd(H, "migration_get")
    r.rbd(H, "migration_set_state", u8(3) + st("running"))
    r.rbd(H, "migration_get")
    r.rbd(H, "get_features", u64(NOSNAP))
    r.rbd(H, "migration_remove")
    r.rbd(H, "migration_remove")
    r.rbd(H, "migration_get")
    r.end()

    r.sequence("format 2 destination")
    make_image(r, features=61 | 512)
    r.rbd(H, "migration_get")
    r.rbd(H, "migration_set", migration_spec(1))
    r.rbd(H, "migration_set", migration_spec(2, source="{}"))
    r.rbd(H, "migration_get")
    r.rbd(H, "migration_set", b"\1")
    r.end()

    r.sequence("an old spec is completed")
    make_image(r)
    r.rbd(H, "migration_set", migration_spec(1, compat=0))
    r.rbd(H, "migration_get")
    r.end()

    r.sequence("no header, and a format 1 header")
    r.rbd("none", "migration_set", migration_spec(1))
    r.rbd("none", "migration_get")
    r.rbd("none", "migration_remove")
    r.write("a.rbd", PLAIN + b"\0" * 79)
    r.rbd("a.rbd", "migration_get")
    r.rbd("a.rbd", "migration_remove")
    r.rbd("a.rbd", "migration_set", migration_spec(2))
    r.rbd("a.rbd", "migration_set", migration_spec(1))
    r.rbd("a.rbd", "migration_get")
    r.write("b.rbd", MIGRATING + b"\0" * 79)
    r.rbd("b.rbd", "migration_set", migration_spec(1))
    r.rbd("b.rbd", "migration_get")
    r.rbd("a.rbd", "migration_remove")
    r.write("c.rbd", b"something else that is long enough to be a header")
    r.rbd("c.rbd", "migration_set", migration_spec(1))
    r.rbd("c.rbd", "migration_get")
    r.end()


def format1_header(snaps, seq=5, size=1 << 30):
    names = b"".join(n.encode() + b"\0" for _, _, n in snaps)
    return (PLAIN.ljust(40, b"\0") + b"rb.0.1.abc".ljust(24, b"\0") + b"RBD\0" + b"001.005\0"
            + bytes([22, 0, 0, 0]) + u64(size) + u64(seq) + u32(len(snaps)) + u32(0) + u64(len(names))
            + b"".join(u64(i) + u64(s) for i, s, _ in snaps) + names)


def format1_theme(r):
    o = "a.rbd"
    r.sequence("format 1 snapshots")
    r.rbd(o, "snap_list")
    r.rbd(o, "snap_add", st("a") + u64(1))
    r.write(o, format1_header([]))
    r.rbd(o, "snap_list")
    r.rbd(o, "snap_remove", st("a"))
    r.rbd(o, "snap_add", st("first") + u64(6))
    r.rbd(o, "snap_add", st("old") + u64(5))
    r.rbd(o, "snap_add", st("second") + u64(7))
    r.rbd(o, "snap_add", st("first") + u64(8))
    r.rbd(o, "snap_add", st("third") + u64(9))
    r.rbd(o, "snap_list")
    r.rbd(o, "snap_rename", u64(7) + st("the second"))
    r.rbd(o, "snap_rename", u64(7) + st("third"))
    r.rbd(o, "snap_rename", u64(70) + st("x"))
    r.rbd(o, "snap_list")
    r.rbd(o, "snapshot_set_limit", u64(2))
    r.rbd(o, "snapshot_set_limit", u64(3))
    r.rbd(o, "snap_add", st("fourth") + u64(10))
    r.rbd(o, "snap_remove", st("the second"))
    r.rbd(o, "snap_list")
    r.rbd(o, "snap_remove", st("first"))
    r.rbd(o, "snap_remove", st("third"))
    r.write("short", b"x" * 50)
    r.rbd("short", "snap_list")
    r.rbd("short", "snapshot_set_limit", u64(4))
    r.end()


def group_theme(r):
    d = "rbd_group_directory"
    r.sequence("group directory")
    r.rbd(d, "group_dir_list", page("", 10))
    for a, b in [("g1", "id1"), ("g2", "id2"), ("g1", "id3"), ("g3", "id1"), ("", "x"), ("g4", "b d")]:
        r.rbd(d, "group_dir_add", st(a) + st(b))
    r.rbd(d, "group_dir_rename", st("g1") + st("g9") + st("id1"))
    r.rbd(d, "group_dir_rename", st("g1") + st("g8") + st("id1"))
    r.rbd(d, "group_dir_rename", st("g9") + st("g2") + st("id1"))
    r.rbd(d, "group_dir_list", page("", 10))
    r.rbd(d, "group_dir_list", page("g2", 1))
    r.rbd(d, "group_dir_remove", st("g2") + st("id1"))
    r.rbd(d, "group_dir_remove", st("g2") + st("id2"))
    r.rbd(d, "group_dir_remove", st("g2") + st("id2"))
    r.end()

    g = "rbd_group_header.1"
    def image(ident, pool): return hdr(1, 1, st(ident) + s64(pool))
    def status(ident, pool, state): return hdr(1, 1, image(ident, pool) + u8(state))
    r.sequence("members")
    r.rbd(g, "group_image_list", image("", -1) + u64(10))
    r.rbd(g, "group_image_remove", image("i1", 2))
    r.rbd(g, "group_image_set", status("i1", 2, 1))
    r.rbd(g, "group_image_set", status("i1", 2, 0))
    r.rbd(g, "group_image_set", status("i_2", 255, 0))
    for i in range(70):
        r.rbd(g, "group_image_set", status(f"m{i:02}", 3, 0))
    for a, p, n in [("", -1, 1000), ("", -1, 2), ("i1", 2, 2), ("", -1, 0), ("zz", 9999, 5)]:
        r.rbd(g, "group_image_list", image(a, p) + u64(n))
    r.rbd(g, "group_image_remove", image("i1", 2))
    r.rbd(g, "group_image_remove", image("i1", 2))
    r.end()

    def group(pool, ident): return hdr(1, 1, s64(pool) + st(ident))
    r.sequence("an image's group")
    r.rbd(H, "image_group_add", group(2, "g1"))
    make_image(r)
    r.rbd(H, "image_group_get")
    r.rbd(H, "image_group_remove", group(2, "g1"))
    r.rbd(H, "image_group_add", group(2, "g1"))
    r.rbd(H, "image_group_add", group(2, "g1"))
    r.rbd(H, "image_group_add", group(2, "g2"))
    r.rbd(H, "image_group_get")
    r.rbd(H, "op_features_get")
    r.rbd(H, "image_group_remove", group(3, "g1"))
    r.rbd(H, "image_group_remove", group(2, "g1"))
    r.rbd(H, "image_group_get")
    r.rbd(H, "op_features_get")
    r.set_omap("bad", {"rbd_group_ref": b"\1"})
    r.rbd("bad", "image_group_get")
    r.rbd("bad", "image_group_add", group(2, "g1"))
    r.end()

    def gsnap(ident, title, state, *snaps):
        return hdr(1, 1, st(ident) + st(title) + u8(state)
                   + lst([hdr(1, 1, s64(p) + st(i) + u64(s)) for p, i, s in snaps]))
    r.sequence("group snapshots")
    r.rbd(g, "group_snap_get_by_id", st("s1"))
    r.rbd(g, "group_snap_remove", st("s1"))
    r.rbd(g, "group_snap_set", gsnap("s1", "one", 0))
    r.rbd(g, "group_snap_set", gsnap("s1", "one", 0))
    r.rbd(g, "group_snap_set", gsnap("s1", "one", 1, (2, "i1", 5), (3, "i2", NOSNAP)))
    r.rbd(g, "group_snap_set", gsnap("s2", "one", 0))
    r.rbd(g, "group_snap_set", gsnap("", "two", 0))
    r.rbd(g, "group_snap_set", gsnap("s2", "", 0))
    r.rbd(g, "group_snap_set", gsnap("s2", "two", 0))
    r.rbd(g, "group_snap_get_by_id", st("s1"))
    r.rbd(g, "group_snap_list", gsnap("", "", 0) + u64(10))
    r.rbd(g, "group_snap_list", gsnap("s1", "", 0) + u64(10))
    r.rbd(g, "group_snap_list", gsnap("", "", 0) + u64(1))
    r.rbd(g, "group_snap_remove", st("s1"))
    r.rbd(g, "group_snap_remove", st("s1"))
    r.end()


def peer(uuid, site, client, direction=None, mirror_uuid=""):
    body = st(uuid) + st(site) + st(client) + s64(-1)
    if direction is None:
        return hdr(1, 1, body)
    return hdr(2, 1, body + u8(direction) + st(mirror_uuid) + utime(0))


def mirror_theme(r):
    m = "rbd_mirroring"
    r.sequence("mode, uuid, peers")
    for method in ["mirror_uuid_get", "mirror_mode_get", "mirror_peer_list"]:
        r.rbd(m, method)
    r.rbd(m, "mirror_mode_set", u32(0))
    r.rbd(m, "mirror_mode_set", u32(1))
    r.rbd(m, "mirror_mode_set", u32(3))
    r.rbd(m, "mirror_uuid_set", st(""))
    r.rbd(m, "mirror_uuid_set", st("our-uuid"))
    r.rbd(m, "mirror_peer_add", peer("p1", "s1", "client.a", 2))
    r.rbd(m, "mirror_peer_ping", st("s1") + st("m1") + u8(1))
    r.rbd(m, "mirror_mode_set", u32(2))
    r.rbd(m, "mirror_mode_set", u32(1))
    r.rbd(m, "mirror_uuid_set", st("other"))
    r.rbd(m, "mirror_uuid_get")
    r.rbd(m, "mirror_mode_get")
    for p in [peer("p1", "s1", "client.a"), peer("p1", "s9", "client.a", 0), peer("p2", "s1", "client.a", 0),
              peer("p2", "s2", "", 0), peer("our-uuid", "s2", "client.b", 0), peer("p2", "s2", "", 1),
              peer("p2", "", "c", 0), peer("p2", "s2", "c", 7), peer("p2", "s2", "client.b", 0, "m2"),
              peer("p3", "s3", "client.b", 2, "m2"), peer("p3", "s3", "client.b", 2, "m3")]:
        r.rbd(m, "mirror_peer_add", p)
    r.rbd(m, "mirror_peer_list")
    r.rbd(m, "mirror_mode_set", u32(0))
    r.rbd(m, "mirror_peer_set_client", st("p1") + st("client.z"))
    r.rbd(m, "mirror_peer_set_client", st("zz") + st("client.z"))
    r.rbd(m, "mirror_peer_set_cluster", st("p1") + st("s1b"))
    r.rbd(m, "mirror_peer_set_cluster", st("p1") + st("s2"))
    r.rbd(m, "mirror_peer_set_cluster", st("zz") + st("s0"))
    r.rbd(m, "mirror_peer_set_direction", st("p1") + u8(0))
    r.rbd(m, "mirror_peer_set_direction", st("zz") + u8(0))
    for site, uuid, direction in [("s1b", "m1", 1), ("s1b", "m1", 0), ("", "m1", 1), ("s1b", "", 1),
                                  ("new", "m2", 1), ("s3", "m2", 1), ("s3", "m9", 1), ("s4", "m4", 1)]:
        r.rbd(m, "mirror_peer_ping", st(site) + st(uuid) + u8(direction))
    r.rbd(m, "mirror_peer_list")
    for p in ["p1", "p2", "p3", "p3"]:
        r.rbd(m, "mirror_peer_remove", st(p))
    r.rbd(m, "mirror_mode_set", u32(0))
    r.rbd("none", "mirror_peer_remove", st("x"))
    r.end()

    r.sequence("turning off forgets")
    r.rbd(m, "mirror_uuid_set", st("u"))
    r.rbd(m, "mirror_mode_set", u32(2))
    r.rbd(m, "mirror_mode_set", u32(0))
    r.rbd(m, "mirror_uuid_get")
    r.end()

    def image(gid, state, mode=None):
        body = st(gid) + u8(state)
        return hdr(1, 1, body) if mode is None else hdr(2, 1, body + u8(mode))
    def status(state, text, uuid=None):
        tail = u8(state) + st(text) + utime(0) + u8(1)
        return hdr(1, 1, tail) if uuid is None else hdr(2, 2, st(uuid) + tail)
    r.sequence("images")
    r.rbd(m, "mirror_image_get", st("i1"))
    r.rbd(m, "mirror_image_remove", st("i1"))
    r.rbd(m, "mirror_image_set", st("i1") + image("g1", 0, 0))
    r.rbd(m, "mirror_image_set", st("i1") + image("g1", 1))
    r.rbd(m, "mirror_image_set", st("i2") + image("g1", 1, 1))
    r.rbd(m, "mirror_image_set", st("i1") + image("g2", 1, 1))
    r.rbd(m, "mirror_image_set", st("i2") + image("g2", 1, 1))
    r.rbd(m, "mirror_image_set", st("i3") + image("g3", 3, 1))
    r.rbd(m, "mirror_image_get", st("i2"))
    r.rbd(m, "mirror_image_get_image_id", st("g2"))
    r.rbd(m, "mirror_image_get_image_id", st("zz"))
    for after, count in [("", 10), ("", 2), ("i1", 1), ("i3", 1), ("", 0)]:
        r.rbd(m, "mirror_image_list", page(after, count))
    r.rbd(m, "mirror_image_status_set", st("g1") + status(6, "done"))
    r.rbd(m, "mirror_image_status_set", st("g1") + status(1, "bad", "site-a"))
    r.rbd(m, "mirror_image_status_set", st("g1") + status(4, "good", "site-b"))
    r.rbd(m, "mirror_image_status_get", st("g1"))
    r.rbd(m, "mirror_image_remove", st("i1"))
    r.rbd(m, "mirror_image_set", st("i1") + image("g1", 0, 0))
    r.rbd(m, "mirror_image_remove", st("i1"))
    r.end()

    r.sequence("statuses")
    for i, g in [("i1", "g1"), ("i2", "g2"), ("i3", "g3"), ("i4", "g4")]:
        r.rbd(m, "mirror_image_set", st(i) + image(g, 1, 0))
    r.rbd(m, "mirror_image_status_get", st("g1"))
    r.rbd(m, "mirror_image_instance_get", st("g1"))
    r.rbd(m, "mirror_image_status_set", st("g1") + status(6, "local"))
    r.rbd(m, "mirror_image_status_set", st("g2") + status(4, "local 2"))
    r.rbd(m, "mirror_image_status_set", st("g2") + status(3, "remote", "site-a"))
    r.rbd(m, "mirror_image_status_set", st("g3") + status(1, "remote error", "site-a"))
    r.rbd(m, "mirror_image_status_set", st("g3") + status(5, "remote b", "site-b"))
    peers = {
        "none": b"", "empty": lst([]), "rx": lst([peer("a", "s", "c", 0, "site-a")]),
        "tx": lst([peer("a", "s", "c", 1, "site-a")]), "both": lst([peer("a", "s", "c", 2, "site-a")]),
        "mixed": lst([peer("a", "s", "c", 0, "site-b"), peer("b", "s", "c", 1, "site-a")]),
        "two": lst([peer("a", "s", "c", 1, "site-b"), peer("b", "s", "c", 1, "site-a")]),
    }
    def look():
        for g in ["g1", "g2", "g3", "g4"]:
            r.rbd(m, "mirror_image_status_get", st(g))
            r.rbd(m, "mirror_image_instance_get", st(g))
        for after, count in [("", 10), ("", 2), ("i1", 2), ("", 0)]:
            r.rbd(m, "mirror_image_status_list", page(after, count))
            r.rbd(m, "mirror_image_instance_list", page(after, count))
        for p in peers.values():
            r.rbd(m, "mirror_image_status_get_summary", p)
    look()
    r.watch(m)
    look()
    r.rbd(m, "mirror_image_status_remove_down")
    r.unwatch(m)
    r.rbd(m, "mirror_image_status_remove", st("g2"))
    r.rbd(m, "mirror_image_status_remove", st("g2"))
    r.rbd(m, "mirror_image_status_remove_down")
    r.rbd(m, "mirror_image_status_get_summary", b"\1")
    r.rbd("none", "mirror_image_status_remove_down")
    r.end()

    l = "rbd_mirror_leader"
    r.sequence("instances and image map")
    r.rbd(l, "mirror_instances_list")
    r.rbd(l, "mirror_instances_remove", st("4100"))
    r.rbd(l, "mirror_instances_add", st("4200"))
    r.rbd(l, "mirror_instances_add", st("4100"))
    r.rbd(l, "mirror_instances_list")
    r.rbd(l, "mirror_instances_remove", st("4100"))
    def mapping(instance, data): return hdr(1, 1, st(instance) + utime(5, 6) + st(data))
    r.rbd("map", "mirror_image_map_list", page("", 10))
    r.rbd("map", "mirror_image_map_remove", st("g1"))
    r.rbd("map", "mirror_image_map_update", st("g2") + mapping("4200", "d"))
    r.rbd("map", "mirror_image_map_update", st("g1") + mapping("4100", ""))
    for after, count in [("", 10), ("", 1), ("g1", 1), ("g2", 1), ("", 0)]:
        r.rbd("map", "mirror_image_map_list", page(after, count))
    r.rbd("map", "mirror_image_map_remove", st("g1"))
    r.set_omap("map", {"image_map_g3": b"\1"})
    r.rbd("map", "mirror_image_map_list", page("", 10))
    r.end()

    r.sequence("mirror snapshots")
    make_image(r)
    snap_add(r, 1, "user")
    snap_add(r, 2, "m2", mirror_ns(2, {"p1", "p2"}, "remote", 9, 0, [(1, 4)]))
    snap_add(r, 3, "m3", mirror_ns(0, {"p1"}))
    snap_add(r, 4, "m3", mirror_ns(0, {"p1"}))
    snap_add(r, 5, "m3", mirror_ns(0, {"p2"}))
    r.rbd(H, "mirror_image_snapshot_set_copy_progress", u64(2) + u8(1) + u64(77))
    r.rbd(H, "mirror_image_snapshot_set_copy_progress", u64(3) + u8(1) + u64(77))
    r.rbd(H, "mirror_image_snapshot_set_copy_progress", u64(1) + u8(1) + u64(77))
    r.rbd(H, "mirror_image_snapshot_set_copy_progress", u64(9) + u8(1) + u64(77))
    for s, p in [(1, "p1"), (9, "p1"), (2, "zz"), (2, "p1"), (2, "p2"), (5, "p2")]:
        r.rbd(H, "mirror_image_snapshot_unlink_peer", u64(s) + st(p))
    r.rbd(H, "snapshot_get", u64(2))
    r.end()


def journal_theme(r):
    J, NEW = "journal.1", 2**64 - 1
    def jr(method, data=b"", oid=J): return r.call(oid, "journal", method, data)
    def create(oid=J, order=24, splay=4, pool=-1): return jr("create", u8(order) + u8(splay) + s64(pool), oid)
    def pos(o, t, e): return hdr(1, 1, u64(o) + u64(t) + u64(e))
    def positions(*items): return hdr(1, 1, lst([pos(*x) for x in items]))
    def register(who, data="", oid=J): return jr("client_register", st(who) + st(data), oid)
    def commit(who, *items): return jr("client_commit", st(who) + positions(*items))
    def tag(tid, cls, data=""): return jr("tag_create", u64(tid) + u64(cls) + st(data))
    def tags(after, count, who, cls=None): return jr("tag_list", u64(after) + u64(count) + st(who) + opt(cls and u64(cls - 1)))
    def clients(after, count): return jr("client_list", st(after) + u64(count))
    getters = ["get_order", "get_splay_width", "get_pool_id", "get_minimum_set", "get_active_set", "get_next_tag_tid"]

    r.sequence("a journal from nothing, and its sets")
    for g in getters:
        jr(g)
    jr("set_active_set", u64(1))
    jr("set_minimum_set", u64(1))
    jr("create", u8(1))
    create()
    create(splay=2)
    for g in getters:
        jr(g)
    for method, n in [("set_active_set", 5), ("set_active_set", 5), ("set_active_set", 4), ("set_minimum_set", 6),
                      ("set_minimum_set", 3), ("set_minimum_set", 3), ("set_minimum_set", 2), ("set_active_set", 2),
                      ("set_minimum_set", 5), ("set_active_set", 2**64 - 1)]:
        jr(method, u64(n))
    jr("get_minimum_set")
    jr("get_active_set")
    jr("set_active_set", b"\1")
    create("journal.2", 12, 1, 7)
    jr("get_pool_id", oid="journal.2")
    r.write("plain", b"")
    for g in getters:
        jr(g, oid="plain")
    jr("client_list", st("") + u64(9), oid="plain")
    jr("tag_list", u64(0) + u64(9) + st("") + u8(0), oid="plain")
    register("c", oid="plain")
    create("plain")
    r.set_omap("bad", {"order": b"", "minimum_set": b"\1", "active_set": b"\1"})
    for g in getters:
        jr(g, oid="bad")
    jr("set_active_set", u64(1), oid="bad")
    create("bad")
    r.end()

    r.sequence("clients")
    register("a")
    create()
    register("")
    register("")
    jr("client_unregister", st(""))
    register("b", "data of b")
    register("a")
    register("b")
    for after, count in [("", 10), ("", 1), ("a", 10), ("b", 10), ("", 0)]:
        clients(after, count)
    jr("get_client", st("a"))
    jr("get_client", st("zz"))
    commit("a", (0, 1, 2), (1, 1, 1))
    commit("a", (0, 1, 2), (1, 1, 1))
    commit("zz", (0, 1, 2))
    commit("a", (4, 1, 2), (1, 1, 1), (2, 1, 1), (3, 1, 1), (5, 1, 1))
    register("c", "begins anew while b has committed nothing")
    jr("client_unregister", st("c"))
    commit("b", (2, 1, 3))
    register("c", "begins where a is")
    jr("client_unregister", st("c"))
    commit("b", (2, 0, 3))
    register("c", "begins where b is")
    jr("client_update_data", st("a") + st("new data"))
    jr("client_update_data", st("zz") + st("new data"))
    jr("client_update_state", st("a") + u8(1))
    jr("client_update_state", st("b") + u8(7))
    jr("client_update_state", st("zz") + u8(1))
    jr("client_update_state", st("a"))
    clients("", 10)
    jr("client_unregister", st("zz"))
    jr("client_unregister", st("a"))
    r.set_omap(J, {"client_bad": b"\1"})
    jr("get_client", st("bad"))
    clients("", 10)
    clients("bad", 10)
    register("d")
    commit("bad", (1, 1, 1))
    jr("client_unregister", st("b"))
    jr("client_unregister", st("bad"))
    clients("", 10)
    r.end()

    r.sequence("the client whose name is empty")
    create()
    register("")
    tag(0, NEW)
    tag(1, 0)
    tag(2, 0)
    commit("", (0, 2, 1))
    register("b")
    jr("get_client", st("b"))
    tags(0, 10, "")
    for after, count in [("", 10), ("", 1), ("b", 1)]:
        clients(after, count)
    tag(3, 0)
    jr("client_unregister", st(""))
    r.end()

    r.sequence("tags are numbered, in classes")
    tag(0, NEW)
    create()
    tag(1, NEW)
    tag(0, 0)
    tag(0, NEW, "first")
    tag(0, NEW)
    tag(1, 0, "of the same class")
    tag(2, NEW)
    tag(3, 2)
    tag(3, 1)
    tag(4, 0)
    jr("tag_create", u64(5))
    jr("get_next_tag_tid")
    jr("get_tag", u64(1))
    jr("get_tag", u64(9))
    tags(0, 10, "none")
    register("c")
    for after, count, cls in [(0, 10, None), (0, 2, None), (0, 0, None), (2, 10, None), (0, 10, 1), (0, 10, 2),
                              (0, 1, 2), (0, 10, 9), (9, 10, None), (1, 0, None)]:
        tags(after, count, "c", cls)
    commit("c", (0, 3, 0), (1, 2, 0))
    for after, count, cls in [(0, 10, None), (0, 1, None), (0, 10, 1), (3, 10, None), (0, 0, None)]:
        tags(after, count, "c", cls)
    r.set_omap(J, {"tag_0000000000000003": b"\1"})
    jr("get_tag", u64(3))
    tags(0, 10, "c")
    tag(5, 0)
    r.end()

    r.sequence("tags that no client needs go")
    create()
    register("a")
    register("b")
    for n, cls in enumerate([NEW, 0, NEW, 0, 1, 0, 1, 0]):
        tag(n, cls)
    commit("a", (0, 5, 9), (1, 4, 9))
    tag(8, 0, "b has committed nothing")
    commit("b", (0, 3, 9))
    tag(9, 0)
    jr("client_update_state", st("b") + u8(1))
    tag(10, 1, "b no longer counts")
    tags(0, 20, "a")
    tags(0, 20, "b")
    commit("a", (0, 8, 1))
    jr("client_update_state", st("b") + u8(0))
    jr("client_unregister", st("b"))
    tags(0, 20, "a")
    jr("client_unregister", st("a"))
    r.end()

    r.sequence("seventy tags and clients of several pages")
    create()
    tag(0, NEW)
    for n in range(1, 70):
        tag(n, NEW if n == 30 else n // 40)
    for n in range(70):
        register(f"c{n:02}")
    clients("", 100)
    clients("c03", 66)
    tags(0, 100, "c00")
    for n in range(70):
        commit(f"c{n:02}", (0, 66 if n == 69 else 68, n))
    register("late")
    tags(0, 100, "late")
    tag(70, 0)
    r.end()

    r.sequence("a tag under another one's key")
    create()
    register("a")
    tag(0, NEW)
    commit("a", (0, 3, 0))
    r.set_omap(J, {"tag_0000000000000001": hdr(1, 1, u64(2) + u64(0) + st(""))})
    jr("get_tag", u64(1))
    tags(0, 9, "a")
    jr("client_unregister", st("a"))
    r.end()

    r.sequence("entries")
    d = "journal_data.1.0"
    for size in [0, 8]:
        jr("guard_append", u64(size), oid=d)
    jr("append", u64(0) + st("x"), oid=d)
    jr("append", u64(8) + st(""), oid=d)
    jr("append", u64(8) + st("12345"), oid=d)
    jr("guard_append", u64(8), oid=d)
    jr("guard_append", u64(5), oid=d)
    jr("append", u64(8) + st("6789012345"), oid=d)
    jr("append", u64(8) + st("x"), oid=d)
    jr("append", u64(15) + st("x"), oid=d)
    jr("append", u64(16) + st("x" * 5000), oid=d)
    jr("append", u64(16) + u32(9) + b"short", oid=d)
    jr("guard_append", b"\1", oid=d)
    r.end()


def gateway_theme(r):
    def entry(ts, text, name="n", id=""): return hdr(2, 1, st("section") + st(name) + utime(*ts) + st(text) + st(id))
    def add(*entries, monotonic=1): return r.call("l", "log", "add", hdr(2, 1, lst(entries) + u8(monotonic)))
    def s32(x): return struct.pack("<i", x)
    def log_list(start=(0, 0), marker="", end=(0, 0), count=0, oid="l"):
        return r.call(oid, "log", "list", hdr(1, 1, utime(*start) + st(marker) + utime(*end) + s32(count)))
    def log_trim(start=(0, 0), end=(0, 0), frm="", to="", oid="l"):
        return r.call(oid, "log", "trim", hdr(2, 1, utime(*start) + utime(*end) + st(frm) + st(to)))
    def info(oid="l"): return r.call(oid, "log", "info", hdr(1, 1, b""))
    def last_key(oid="l"): return max(r.omap(oid))

    r.sequence("log")
    info()
    log_list()
    log_trim()
    add(entry((100, 5000), "first"))
    info()
    add(entry((200, 0), "a"), entry((300, 999), "b"))
    add(entry((250, 0), "late, keyed as the newest"))
    add(entry((250, 0), "late, by its own time"), monotonic=0)
    add(entry((400, 0), "with an id", id="own"), entry((50, 0), "with an id", id="1_own"))
    add()
    r.call("l", "log", "add", hdr(1, 1, lst([hdr(1, 1, st("s") + st("n") + utime(500) + st("old form"))])))
    info()
    marker = sorted(r.omap("l"))[2]
    for args in [dict(), dict(count=2), dict(count=-1), dict(start=(200, 0)), dict(start=(200, 1000)),
                 dict(marker=marker), dict(marker=marker, count=1), dict(start=(150, 0), end=(300, 0)),
                 dict(end=(300, 0)), dict(start=(300, 0), end=(200, 0)), dict(start=(100, 0), end=(100, 5000)),
                 dict(start=(1, 0), end=(900, 0), count=3)]:
        log_list(**args)
    log_trim(start=(120, 0), end=(200, 0))
    log_trim(start=(120, 0), end=(200, 0))
    log_list()
    log_trim(frm=marker, to=marker)
    log_trim(to=marker)
    log_list()
    log_trim(end=(5000, 999_999_999))
    log_list()
    log_trim(end=(5000, 0))
    r.set_omap("l", {"1_0": b"\1"})
    log_list()
    r.call("l", "log", "add", b"\1")
    r.end()

    def item(ts, ext, value): return hdr(1, 1, utime(*ts) + st(ext) + st(value))
    def index_list(start=(0, 0), marker="", end=(0, 0), count=100, oid="t"):
        return r.call(oid, "timeindex", "list", hdr(1, 1, utime(*start) + st(marker) + utime(*end) + s32(count)))
    def index_trim(start=(0, 0), end=(0, 0), frm="", to="", oid="t"):
        return r.call(oid, "timeindex", "trim", hdr(1, 1, utime(*start) + utime(*end) + st(frm) + st(to)))
    r.sequence("timeindex")
    index_list()
    index_trim()
    r.call("t", "timeindex", "add", hdr(1, 1, lst([])))
    r.call("t", "timeindex", "add", hdr(1, 1, lst([item((100, 5000), "x", "1"), item((200, 7_000_999), "y z", "2"),
                                                   item((200, 7_000_999), "w", "3"), item((300, 0), "v", "")])))
    r.call("t", "timeindex", "add", hdr(1, 1, lst([item((100, 5999), "x", "again")])))
    marker = sorted(r.omap("t"))[1]
    for args in [dict(), dict(end=(1000, 0)), dict(end=(1000, 0), count=2), dict(end=(1000, 0), count=0),
                 dict(end=(1000, 0), count=-1), dict(start=(200, 0), end=(300, 0)), dict(start=(200, 0), end=(100, 0)),
                 dict(marker=marker, end=(1000, 0)), dict(start=(200, 7_000_000), end=(200, 7_000_000))]:
        index_list(**args)
    index_trim(start=(150, 0), end=(200, 7_000_000))
    index_trim(start=(150, 0), end=(200, 7_000_000))
    index_list(end=(1000, 0))
    index_trim(frm="1_0", to="1_0000000100")
    index_list(end=(1000, 0))
    index_trim(end=(1000, 0))
    index_trim(end=(1000, 0))
    r.call("t", "timeindex", "list", b"\1")
    r.end()

    def bucket(n, id="id", placement="", v=None):
        if v == 8: return hdr(8, 8, st(n) + st("m") + st(id) + st("") + st("data") + st("index") + st("extra"))
        if v == 3: return hdr(3, 3, st(n) + st("data") + st("m") + u64(77))
        if placement: return hdr(9, 8, st(n) + st("m") + st(id) + st(placement))
        return hdr(7, 3, st(n) + st("data") + st("m") + st(id) + st("index") + st("extra"))
    def ent(b, size, count, created=(7, 8), synced=0, v=9):
        tail = {9: utime(*created), 8: utime(*created) + st("rule"), 7: utime(*created), 6: b""}[v]
        return hdr(v, 5, st("") + u64(size) + u32(created[0]) + u64(count) + b + u64(size + 1) + u8(synced) + tail)
    def put(entries, add, at=(9, 1)): return r.call("u", "user", "set_buckets_info", hdr(1, 1, lst(entries) + u8(add) + utime(*at)))
    def remove(b): return r.call("u", "user", "remove_bucket", hdr(1, 1, b))
    def buckets(marker="", count=100, end="", oid="u"):
        return r.call(oid, "user", "list_buckets", hdr(2, 1, st(marker) + s32(count) + st(end)))
    def header(oid="u"): return r.call(oid, "user", "get_header", hdr(1, 1, b""))
    r.sequence("user")
    header()
    buckets()
    r.call("u", "user", "complete_stats_sync", hdr(1, 1, utime(5, 5)))
    header()
    put([ent(bucket("none"), 10, 1)], 0)
    put([ent(bucket("b"), 10, 1), ent(bucket("a", placement="default"), 20, 2, v=8), ent(bucket("c", v=8), 5, 1, v=6),
         ent(bucket("d", v=3), 5, 1, v=7)], 1)
    header()
    buckets()
    put([ent(bucket("b"), 100, 7)], 0, (3, 0))
    header()
    put([ent(bucket("b", "new id"), 1, 1, (99, 9))], 1, (10, 0))
    put([ent(bucket("e"), 1000, 9, synced=1)], 1, (11, 0))
    header()
    for args in [dict(), dict(count=2), dict(count=0), dict(count=-1), dict(marker="b"), dict(end="c"), dict(end="zz"),
                 dict(marker="a", count=1, end="c")]:
        buckets(**args)
    r.call("u", "user", "list_buckets", hdr(1, 1, st("") + s32(10)))
    put([ent(bucket(""), 1, 1)], 1)
    remove(bucket("b"))
    remove(bucket("b"))
    remove(bucket(""))
    header()
    r.call("u", "user", "complete_stats_sync", hdr(1, 1, utime(4, 5)))
    header()
    r.call("u", "user", "reset_user_stats", hdr(1, 1, utime(20, 0)))
    header()
    r.call("u", "user", "reset_user_stats2", hdr(1, 1, utime(21, 0) + st("a") + hdr(1, 1, u64(5) + u64(6) + u64(7))))
    header()
    r.set_omap("u", {"bad": b"\1"})
    buckets()
    remove(bucket("bad"))
    put([ent(bucket("bad"), 1, 1)], 1)
    r.call("u", "user", "reset_user_stats", hdr(1, 1, utime(20, 0)))
    r.call("u", "user", "reset_user_stats2", hdr(1, 1, utime(20, 0) + st("") + hdr(1, 1, u64(5) + u64(6) + u64(7))))
    r.call("u", "user", "get_header", b"")
    r.end()


def other_theme(r):
    def version(ver, tag): return hdr(1, 1, u64(ver) + st(tag))
    def conds(*items): return lst([hdr(1, 1, version(v, t) + u32(c)) for v, t, c in items])
    r.sequence("version")
    r.call("v", "version", "read")
    r.call("v", "version", "check_conds", hdr(1, 1, version(0, "") + conds()))
    r.call("v", "version", "set", hdr(1, 1, version(5, "tag")))
    r.call("v", "version", "read")
    for v, t, c in [(5, "tag", 0), (5, "tag", 1), (5, "x", 1), (4, "", 2), (5, "", 2), (5, "", 3), (6, "", 3),
                    (6, "", 4), (5, "", 4), (5, "", 5), (4, "", 5), (0, "tag", 6), (0, "x", 6),
                    (0, "tag", 7), (0, "x", 7), (0, "", 99)]:
        r.call("v", "version", "check_conds", hdr(1, 1, version(0, "") + conds((v, t, c))))
    r.call("v", "version", "inc", hdr(1, 1, version(0, "") + conds()))
    r.call("v", "version", "inc_conds", hdr(1, 1, version(0, "") + conds((6, "tag", 1))))
    r.call("v", "version", "inc_conds", hdr(1, 1, version(0, "") + conds((6, "tag", 1))))
    r.call("v", "version", "set", b"\1")
    r.write("w", b"")
    r.call("w", "version", "read")
    r.set_xattr("bad", "ceph.objclass.version", b"\1")
    r.call("bad", "version", "read")
    r.end()

    def ref(tag, implicit): return hdr(1, 1, st(tag) + u8(implicit))
    r.sequence("refcount")
    r.call("r", "refcount", "read", hdr(1, 1, u8(0)))
    r.call("r", "refcount", "get", ref("a", 0))
    r.write("r", b"data")
    r.call("r", "refcount", "read", hdr(1, 1, u8(0)))
    r.call("r", "refcount", "read", hdr(1, 1, u8(1)))
    r.call("r", "refcount", "put", ref("a", 0))
    r.call("r", "refcount", "get", ref("a", 1))
    r.call("r", "refcount", "get", ref("b", 1))
    r.call("r", "refcount", "read", hdr(1, 1, u8(0)))
    r.call("r", "refcount", "put", ref("zz", 0))
    r.call("r", "refcount", "put", ref("a", 0))
    r.call("r", "refcount", "put", ref("a", 1))
    r.call("r", "refcount", "put", ref("c", 1))
    r.call("r", "refcount", "put", ref("b", 0))
    r.write("s", b"data")
    r.call("s", "refcount", "set", hdr(1, 1, lst([st("y"), st("x")])))
    r.call("s", "refcount", "read", hdr(1, 1, u8(0)))
    r.call("s", "refcount", "set", hdr(1, 1, lst([])))
    r.end()

    r.sequence("numops")
    for method, key, value in [("add", "k", "2.5"), ("add", "k", "-1"), ("mul", "k", "3"), ("mul", "new", "3"),
                               ("add", "k", "x"), ("add", "k", "1e30"), ("add", "q", "0.1"), ("mul", "q", "1e-7"),
                               ("add", "q", ""), ("add", "h", "0x10"), ("mul", "h", "123456789"),
                               ("add", "i", " 7"), ("add", "i", "7 ")]:
        r.call("n", "numops", method, st(key) + st(value))
    r.set_omap("n", {"word": b"word"})
    r.set_omap("n", {"empty": b""})
    r.call("n", "numops", "add", st("word") + st("1"))
    r.call("n", "numops", "add", st("empty") + st("1"))
    r.call("n", "numops", "mul", st("empty") + st("1"))
    r.call("n", "numops", "add", st("k"))
    r.end()

    r.sequence("hello")
    r.write("h", b"some text")
    r.call("h", "hello", "say_hello")
    r.call("h", "hello", "say_hello", b"you")
    r.call("h", "hello", "say_hello", b"y" * 101)
    r.call("none", "hello", "say_hello")
    r.call("h", "hello", "record_hello", b"me")
    r.call("new", "hello", "record_hello", b"me")
    r.call("new", "hello", "replay")
    r.call("new", "hello", "turn_it_to_11")
    r.call("new", "hello", "turn_it_to_11", b"x")
    r.end()


THEMES = {
    "lock": lock_theme, "image": image_theme, "snapshot": snapshot_theme, "parent-child": parent_theme,
    "directory": directory_theme, "object-map": object_map_theme, "data-path": data_theme,
    "migration": migration_theme, "format1": format1_theme, "group": group_theme, "mirror": mirror_theme,
    "journal": journal_theme, "gateway": gateway_theme, "other": other_theme,
}


def main():
    cluster = rados.Rados(conffile=os.environ["CEPH_CONF"])
    cluster.connect()
    if POOL not in cluster.list_pools():
        cluster.create_pool(POOL)
        cluster.open_ioctx(POOL).application_enable("rbd")
    io = cluster.open_ioctx(POOL)
    for theme in sys.argv[1:] or THEMES:
        r = Recorder(cluster, io)
        THEMES[theme](r)
        with open(os.path.join(OUT, f"{theme}.json"), "w") as f:
            head = json.dumps({"ceph": "16.2", "origin": r.origin})[:-1]
            f.write(f'{head}, "sequences": [\n')
            f.write(",\n".join(json.dumps(s) for s in r.sequences))
            f.write("\n]}\n")
        calls = sum(s["do"] == "call" for q in r.sequences for s in q["steps"])
        print(theme, len(r.sequences), "sequences,", calls, "calls")
    r.clear()
    cluster.shutdown()


main()
