#!/usr/bin/python3
"""Records what a cluster lets each kind of client do: CEPH_CONF=… scripts/record-permissions.py OUT.json

One client for each capability text tries a fixed list of requests; what is noted of each is its errno alone. The
cluster is client.admin's to play with: pools, users and keys are made, changed and removed; it should have one OSD,
let pools be deleted and have the stock lists of object classes. Needs python3-rados. The same program makes the recording of a real
cluster (test/vectors/permissions) and asks ours in the test (test/interop/permissions.test.ts).

A row has one letter for each request: see LETTERS. Requests that a cluster leaves without an answer are few and
given PATIENCE_S; all clients wait for theirs at the same time.
"""
import concurrent.futures
import errno
import json
import os
import sys
import time

import rados

CONF = os.environ["CEPH_CONF"]
PATIENCE_S = 3
LETTERS = {
    0: ".", errno.EPERM: "P", errno.ENOENT: "N", errno.EIO: "O", errno.EACCES: "A", errno.EBUSY: "B",
    errno.EEXIST: "E", errno.EINVAL: "I", errno.ENOSYS: "Y", errno.ENODATA: "D", errno.ETIMEDOUT: "T",
    errno.EOPNOTSUPP: "S", errno.ERANGE: "R", errno.ENOTTY: "y", errno.ECANCELED: "C", errno.EBADMSG: "M",
}


def connect(name="client.admin", **conf):
    # A request that a cluster never answers fails the recording, unless the caller is prepared for it.
    conf = {"rados_osd_op_timeout": "30", "client_mount_timeout": "20", **conf}
    cluster = rados.Rados(conffile=CONF, name=name, conf=conf)
    cluster.connect()
    return cluster


def letter(code):
    return LETTERS[abs(code)]


def errno_of(run):
    """What a call of the library comes to."""
    try:
        run()
    except rados.Error as error:
        return error.errno
    return 0


admin = connect()


def must(prefix, data=b"", **args):
    code, out, status = admin.mon_command(json.dumps({"prefix": prefix, **args}), data)
    if code != 0:
        sys.exit(f"{prefix} {args}: {code} {status}")
    return out


def try_admin(prefix, data=b"", **args):
    return admin.mon_command(json.dumps({"prefix": prefix, **args}), data)[0]


# ---- The monitor's commands ---------------------------------------------------------------------

KEYRING = b"[client.perm-import]\n\tkey = AQBSdFhnAAAAABAAZ3ZXc2FtcGxla2V5MTIzNA==\n\tcaps mon = \"allow r\"\n"


def call(prefix, undo=(), inbuf=b"", **args):
    """A command; `undo`: what the administrator does after it went well, so that the next one finds the same."""
    return (prefix, args, inbuf, undo)


def remove_user(name):
    return (("auth rm", {"entity": name}),)


GONE = {"pool": "perm-gone", "pool2": "perm-gone", "yes_i_really_really_mean_it": True}
NEW = {"pool": "perm-new", "pool2": "perm-new", "yes_i_really_really_mean_it": True}
MON_CALLS = [
    *(call(prefix) for prefix in """status|health|fsid|versions|df|features|time-sync-status|node ls|mon dump|mon stat|
      mon getmap|quorum_status|mon metadata|mon feature ls|mgr dump|mgr stat|mgr module ls|mgr services|fs ls|fs dump|
      osd dump|osd stat|osd tree|osd ls|osd getmap|osd getmaxosd|osd crush dump|osd crush rule ls|osd crush class ls|
      osd getcrushmap|osd erasure-code-profile ls|osd pool ls|osd lspools|osd blocklist ls|auth ls|config dump|
      config ls|config generate-minimal-conf|config-key ls|config-key dump|log last|service dump|pg stat|pg dump|osd df|
      rbd task list|get_command_descriptions""".replace("\n", "").replace("      ", "").split("|")),
    call("osd find", id=0), call("osd metadata", id=0), call("osd map", pool="perm-a", object="x"),
    call("pg map", pgid="1.0"), call("osd pool get", pool="perm-a", var="size"), call("osd pool get-quota", pool="perm-a"),
    call("osd pool application get", pool="perm-a"), call("osd pool stats", pool_name="perm-a"),
    call("auth get", entity="client.perm-target"), call("auth get-key", entity="client.perm-target"),
    call("auth print-key", entity="client.perm-target"), call("auth export", entity="client.perm-target"),
    call("config get", who="client.perm", key="rbd_cache"), call("config help", key="rbd_cache"), call("config log"),
    call("config-key get", key="perm/a"), call("config-key exists", key="perm/a"),
    call("config-key get", key="rbd/mirror/site"), call("config-key get", key="rbd/mirror/peer/1"),
    call("config-key get", key="cephfs/mirror/peer/1"),
    call("config-key get", key="daemon-private/ENTITY/k"), call("config-key get", key="daemon-private/osd.9/k"),
    # Writes. Each leaves things as they were.
    call("osd blocklist", blocklistop="add", addr="10.0.0.1:0/77"),
    call("osd blocklist", blocklistop="add", addr="10.0.0.2:0/77", expire=60.0),
    call("osd blocklist", blocklistop="add", addr="10.0.0.3"),
    call("osd blocklist", blocklistop="add", addr="10.0.0.4:0/0"),
    call("osd blocklist", blocklistop="add", range="range", addr="10.0.9.0/24"),
    call("osd blacklist", blacklistop="add", addr="10.0.0.5:0/77"), call("osd blacklist", blacklistop="add", addr="10.0.0.6"),
    call("osd blocklist", (("osd blocklist", {"blocklistop": "add", "addr": "10.9.9.9:0/1"}),), blocklistop="rm", addr="10.9.9.9:0/1"),
    call("osd blocklist clear", (("osd blocklist", {"blocklistop": "add", "addr": "10.9.9.9:0/1"}),)),
    call("osd pool create", (("osd pool rm", NEW),), pool="perm-new", pg_num=1),
    call("osd pool rm", (("osd pool create", {"pool": "perm-gone", "pg_num": 1}),), **GONE),
    call("osd pool rename", (("osd pool rename", {"srcpool": "perm-gone2", "destpool": "perm-gone"}),), srcpool="perm-gone", destpool="perm-gone2"),
    call("osd pool set", pool="perm-a", var="nodeep-scrub", val="false"), call("osd pool set-quota", pool="perm-a", field="max_objects", val="0"),
    call("osd pool mksnap", (("osd pool rmsnap", {"pool": "perm-snap", "snap": "s2"}),), pool="perm-snap", snap="s2"),
    call("osd pool rmsnap", (("osd pool mksnap", {"pool": "perm-snap", "snap": "s1"}),), pool="perm-snap", snap="s1"),
    call("osd pool application enable", pool="perm-a", app="rbd"), call("osd pool application set", pool="perm-b", app="permapp", key="k2", value="v2"),
    call("osd pool application rm", pool="perm-b", app="permapp", key="k2"),
    call("osd set", key="noscrub"), call("osd unset", key="noscrub"), call("osd in", ids=["0"]), call("osd reweight", id=0, weight=1.0),
    call("osd set-nearfull-ratio", ratio=0.85), call("osd require-osd-release", release="pacific"),
    call("osd erasure-code-profile set", name="perm-profile", profile=["k=2", "m=1"]),
    call("osd erasure-code-profile rm", name="perm-none"),
    call("log", logtext=["a", "line"]), call("health mute", code="PERM_NONE"), call("health unmute", code="PERM_NONE"),
    call("auth get-or-create", remove_user("client.perm-made"), entity="client.perm-made", caps=["mon", "allow r"]),
    call("auth get-or-create", entity="client.perm-target"), call("auth get-or-create-key", entity="client.perm-target"),
    call("auth get-or-create", remove_user("client.perm-rbd"), entity="client.perm-rbd", caps=["mon", "profile rbd", "osd", "profile rbd pool=perm-a"]),
    call("auth get-or-create", remove_user("client.perm-rbd"), entity="client.perm-rbd", caps=["mon", "profile rbd", "osd", "allow rwx"]),
    call("auth get-or-create", remove_user("client.perm-rbdm"), entity="client.perm-rbdm", caps=["mon", "profile rbd-mirror", "osd", "profile rbd"]),
    call("auth get-or-create", remove_user("client.rgw.perm"), entity="client.rgw.perm", caps=["mon", "allow rw", "osd", "allow rwx"]),
    call("auth get-or-create", remove_user("mgr.perm"), entity="mgr.perm", caps=["mon", "allow profile mgr"]),
    call("auth get-or-create", remove_user("mgr.perm"), entity="mgr.perm", caps=["mon", "allow profile mgr", "osd", "allow *", "mds", "allow *"]),
    call("auth get-or-create", remove_user("mds.perm"), entity="mds.perm", caps=["mon", "allow profile mds", "osd", "allow rwx", "mds", "allow"]),
    call("auth add", remove_user("client.perm-added"), entity="client.perm-added", caps=["mon", "allow r"]),
    call("auth caps", entity="client.perm-target", caps=["mon", "allow r"]), call("auth rm", entity="client.perm-none"),
    call("auth import", remove_user("client.perm-import"), inbuf=KEYRING),
    call("config set", who="client", name="rbd_cache", value="true"), call("config rm", who="client", name="rbd_cache_size"),
    call("config assimilate-conf", inbuf=b"\n"),
    call("config-key set", key="perm/b", val="v"), call("config-key put", key="perm/b", val="v"),
    call("config-key rm", (("config-key set", {"key": "perm/c", "val": "v"}),), key="perm/c"),
    call("config-key del", (("config-key set", {"key": "perm/c", "val": "v"}),), key="perm/c"),
    call("config-key set", key="rbd/mirror/peer/9", val="v"), call("config-key set", key="rbd/mirror/site", val="v"),
    call("config-key set", key="daemon-private/ENTITY/k", val="v"), call("config-key put", key="daemon-private/ENTITY/k", val="v"),
    call("config-key set", key="daemon-private/osd.9/k", val="v"),
]
MON_CAPS = [
    "allow *", "allow all", "allow r", "allow w", "allow x", "allow rw", "allow rx", "allow wx", "allow rwx",
    "allow service osd r", "allow service osd rw", "allow service osd rwx", "allow service mon r", "allow service mon rw",
    "allow service pg r", "allow service auth r", "allow service auth rx", "allow service auth rwx", "allow service config r",
    "allow service config rw", "allow service config-key r", "allow service config-key rw", "allow service log w",
    "allow service mgr r", "allow service fs r", "allow service mds *", "allow service mon r, allow service osd r, allow service pg r",
    "allow r, allow service config-key r", "allow service osd *",
    'allow command "osd dump"', "allow command status, allow command health", "allow command 'osd pool create'",
    'allow command "osd pool create" with pool=perm-new', 'allow command "osd pool create" with pool=perm-other',
    'allow command "osd pool rm" with pool prefix perm-', 'allow command "osd pool set" with pool=perm-a var=size',
    'allow command "config-key get" with key prefix perm/', 'allow command "config-key get" with key=perm/a',
    'allow command "config-key get" with key regex "perm/."', 'allow command "config-key get" with key regex "perm"',
    'allow command "config-key set" with key prefix perm/ val=v', 'allow command "auth get" with entity="client.perm-target"',
    'allow command "auth get-or-create" with entity prefix client.', 'allow command "auth get-or-create" with caps_mon="allow r"',
    'allow command "osd blocklist" with blocklistop=add addr regex "^[^/]+/[0-9]+$"', 'allow command "osd blocklist"',
    "allow r network 127.0.0.0/8", "allow r network 10.0.0.0/8", "allow * network 10.0.0.0/8, allow r", "allow * network 127.0.0.1/32",
    "profile rbd network 127.0.0.0/8", "allow command 'osd dump' network 10.0.0.0/8, allow service mon r",
    "allow r fsname=a", "allow rw fsname=a", "allow * fsname=a",
    *(f"{allow}profile {name}" for allow, names in (("allow ", "osd mgr mon mds"), ("", """rbd rbd-read-only rbd-mirror
      rbd-mirror-peer simple-rados-client simple-rados-client-with-blocklist crash cephfs-mirror role-definer fs-client
      read-only read-write bootstrap-osd bootstrap-mds bootstrap-mgr bootstrap-rgw bootstrap-rbd bootstrap-rbd-mirror nosuch"""))
      for name in names.split()),
    "allow r, profile rbd", "profile osd, profile crash", "profile rbd; allow command 'osd pool create'",
]

# ---- The manager's commands ---------------------------------------------------------------------

MGR_CALLS = [
    *(call(prefix) for prefix in """pg stat|pg dump|pg ls|osd df|osd perf|osd blocked-by|progress|device ls|balancer status|
      crash ls|crash stat|orch status|telemetry status|rbd task list|rbd perf image stats|rbd trash purge schedule list|
      rbd trash purge schedule status|rbd mirror snapshot schedule list|service status""".replace("\n", "").replace("      ", "").split("|")),
    call("osd pool stats", pool_name="perm-a"), call("pg ls-by-pool", poolstr="perm-a"), call("osd ok-to-stop", ids=["0"]),
    call("config show", who="osd.0"), call("balancer mode", mode="upmap"), call("balancer off"), call("progress clear"),
    call("crash archive-all"), call("crash info", id="none"),
    *(call(f"rbd task add {what}", **{key: f"{spec}/none"}) for spec in ("perm-a", "perm-a/ns1", "perm-b")
      for what, key in (("flatten", "image_spec"), ("remove", "image_spec"), ("trash remove", "image_id_spec"))),
    call("rbd task cancel", task_id="none"), call("rbd perf image stats", pool_spec="perm-a"), call("rbd perf image counters", pool_spec="perm-b"),
    *(call(f"rbd trash purge schedule {verb}", level_spec=spec, **args) for spec in ("", "perm-a/", "perm-a/ns1/", "perm-b/")
      for verb, args in (("list", {}), ("add", {"interval": "1h"}), ("remove", {"interval": "1h"}))),
    *(call("rbd mirror snapshot schedule list", level_spec=spec) for spec in ("perm-a/", "perm-a/ns1/", "perm-b/")),
]
MGR_CAPS = [
    None, "allow *", "allow r", "allow w", "allow x", "allow rw", "allow rwx", "allow service pg r", "allow service osd r", "allow service mgr r",
    "allow service mgr rw", "allow module rbd_support r", "allow module rbd_support rw", "allow module balancer r", "allow module crash rw",
    "allow module rbd_support with pool=perm-a rw", "allow command 'pg dump'", 'allow command "rbd task list"', 'allow command "rbd task add flatten"',
    'allow command "rbd task add flatten" with image_spec prefix perm-a', 'allow command "osd pool stats" with pool_name=perm-a',
    'allow command "osd pool stats" with pool_name=perm-b', "profile rbd", "profile rbd pool=perm-a", "profile rbd pool=perm-a namespace=ns1",
    "profile rbd pool=perm-b", "profile rbd-read-only", "profile rbd-read-only pool=perm-a", "profile crash", "profile osd", "profile mds",
    "profile read-only", "profile read-write", "profile nosuch", "allow r network 127.0.0.0/8", "allow r network 10.0.0.0/8",
    "allow * network 10.0.0.0/8, allow service pg r", "allow profile osd", "allow r, profile rbd pool=perm-a",
]

# ---- Objects ------------------------------------------------------------------------------------


def write_op(io, oid, *steps):
    with rados.WriteOpCtx() as op:
        for name, *args in steps:
            getattr(op, name)(*args)
        io.operate_write_op(op, oid)


def omap_write(io, oid, name, *args):
    with rados.WriteOpCtx() as op:
        getattr(io, name)(op, *args)
        io.operate_write_op(op, oid)


def omap_read(io, oid, name, *args):
    with rados.ReadOpCtx() as op:
        # The library writes the answer into it.
        answer, _ = getattr(io, name)(op, *args)
        io.operate_read_op(op, oid)
        list(answer)


def watch(io, oid):
    io.watch(oid, lambda *_: None).close()


def method(cls, name, data=b""):
    return (f"{cls}.{name}", lambda io, oid: io.execute(oid, cls, name, data))


def method_write(cls, name, data=b""):
    """The same as a write."""
    return (f"{cls}.{name} in a write", lambda io, oid: write_op(io, oid, ("execute", cls, name, data)))


# For each the object it is done to: base is there, gone too (and may be removed), new is not.
OBJECT_CALLS = [
    ("read", "base", lambda io, oid: io.read(oid)),
    ("stat", "base", lambda io, oid: io.stat(oid)),
    ("read what is not there", "none", lambda io, oid: io.read(oid)),
    ("getxattr", "base", lambda io, oid: io.get_xattr(oid, "x")),
    ("getxattrs", "base", lambda io, oid: list(io.get_xattrs(oid))),
    ("omap get vals", "base", lambda io, oid: omap_read(io, oid, "get_omap_vals", "", "", 10)),
    ("omap get keys", "base", lambda io, oid: omap_read(io, oid, "get_omap_keys", "", 10)),
    ("list objects", "base", lambda io, oid: list(io.list_objects())),
    ("notify", "base", lambda io, oid: io.notify(oid, "", 1000)),
    ("watch", "base", watch),
    ("write", "base", lambda io, oid: io.write(oid, b"data")),
    ("write full", "base", lambda io, oid: io.write_full(oid, b"data")),
    ("append", "gone", lambda io, oid: io.append(oid, b"data")),
    ("truncate", "gone", lambda io, oid: io.trunc(oid, 2)),
    ("zero", "gone", lambda io, oid: write_op(io, oid, ("zero", 2, 2))),
    ("write same", "gone", lambda io, oid: write_op(io, oid, ("writesame", b"ab", 4, 0))),
    ("set xattr", "base", lambda io, oid: io.set_xattr(oid, "x", b"1")),
    ("rm xattr", "gone", lambda io, oid: io.rm_xattr(oid, "y")),
    ("omap set", "base", lambda io, oid: omap_write(io, oid, "set_omap", ("k",), (b"v",))),
    ("omap rm", "gone", lambda io, oid: omap_write(io, oid, "remove_omap_keys", ("z",))),
    ("omap clear", "gone", lambda io, oid: omap_write(io, oid, "clear_omap")),
    ("create", "new", lambda io, oid: write_op(io, oid, ("new", rados.LIBRADOS_CREATE_EXCLUSIVE))),
    ("create what is there", "base", lambda io, oid: write_op(io, oid, ("new", rados.LIBRADOS_CREATE_EXCLUSIVE))),
    ("remove", "gone", lambda io, oid: io.remove_object(oid)),
    ("remove what is not there", "none", lambda io, oid: io.remove_object(oid)),
    *((name, "base", run) for name, run in (
        method("hello", "say_hello"), method("hello", "replay"), method("hello", "turn_it_to_11"), method_write("hello", "record_hello"),
        method("lock", "list_locks"), method("lock", "get_info"), method("lock", "lock"),
        method("version", "read"), method("refcount", "read"), method_write("refcount", "get"), method("numops", "add"),
        method("user", "list_buckets"), method("log", "list"), method("timeindex", "list"), method("journal", "get_order"),
        method("rbd", "dir_list"), method("rbd", "get_features"), method("rbd", "metadata_list"), method("rbd", "set_size"),
        method("rbd", "nosuch"), method("nosuch", "nosuch"))),
    ("write and hello.record_hello", "gone", lambda io, oid: write_op(io, oid, ("write_full", b"d"), ("execute", "hello", "record_hello", b""))),
]
PLACES = [
    ("perm-a", "", "in"), ("perm-a", "", "out"), ("perm-a", "ns1", "in"), ("perm-a", "ns22", "in"), ("perm-b", "", "in"), ("perm-b", "ns1", "out"),
]
# What librbd's profiles make exceptions for, by name.
IMAGE_OBJECTS = ["rbd_info", "rbd_children", "rbd_mirroring", "rbd_header.1", "rbd_directory", "rbd_data.1.0"]
IMAGE_CALLS = [
    ("read", lambda io, oid: io.read(oid)), ("write", lambda io, oid: io.write(oid, b"data")),
    method("rbd", "dir_list"), method("rbd", "metadata_list"), method("rbd", "get_children"), method("rbd", "mirror_mode_get"),
    method("rbd", "child_attach"), method("rbd", "child_detach"), method("rbd", "set_size"), method("lock", "get_info"), method("lock", "lock"),
]
IMAGE_PLACES = [("perm-a", ""), ("perm-a", "ns1"), ("perm-b", "")]
OSD_CAPS = [
    None, "allow *", "allow all", "allow r", "allow w", "allow x", "allow rw", "allow rx", "allow wx", "allow rwx", "allow class-read", "allow class-write",
    "allow class-read class-write", "allow r class-read", "allow r class-write", "allow w class-write", "allow rw class-read class-write",
    "allow rwx pool=perm-a", "allow pool perm-a rwx", "allow r pool=perm-a, allow rw pool=perm-b", "allow * pool=perm-a", "allow * namespace=ns1",
    "allow rw pool=perm-a namespace=ns1", "allow rw pool=perm-a namespace=ns*", "allow rw namespace=ns1", 'allow rw pool=perm-a namespace=""',
    "allow rwx namespace=ns2*", "allow rwx object_prefix in", "allow r, allow w object_prefix in", "allow rw pool=perm-a object_prefix out",
    "allow rwx pool=perm-a namespace=ns1 object_prefix in", "allow r object_prefix nosuch", "allow rw tag permapp key1=val1", "allow rw tag permapp *=*",
    "allow rwx tag permapp key1=*", "allow rw tag permapp key1=other", "allow rw tag permapp *=val1", "allow r tag rbd *=*", "allow rw tag nosuch *=*",
    "allow rwx namespace=ns1 tag permapp key1=val1", "allow class hello", "allow class hello say_hello", "allow class hello record_hello",
    "allow r, allow class lock", "allow w, allow class hello", "allow class rbd", "allow class rbd dir_list pool=perm-a", "allow class nosuch",
    "allow class-read object_prefix rbd_children, allow rwx pool=perm-a", "profile rbd", "profile rbd pool=perm-a", "profile rbd pool=perm-a namespace=ns1",
    "profile rbd-read-only", "profile rbd-read-only pool=perm-a", "profile rbd-read-only pool=perm-a namespace=ns1", "profile read-only",
    "profile read-write", "profile read-only pool=perm-a", "profile read-write pool=perm-a namespace=ns1", "profile crash", "profile osd", "profile nosuch",
    "profile rbd pool=perm-a, profile rbd-read-only pool=perm-b", "allow rw network 127.0.0.0/8", "allow rw network 10.0.0.0/8",
    "allow r, allow rw network 10.0.0.0/8", "allow * network 10.0.0.0/8", "profile rbd network 127.0.0.1/32", "allow rwx network ::1/128",
]

# ---- Messages about pools -----------------------------------------------------------------------

POOL_CALLS = [
    ("create pool", lambda c: c.create_pool("perm-new"), lambda: must("osd pool rm", **NEW)),
    ("delete pool", lambda c: c.delete_pool("perm-gone"), lambda: must("osd pool create", pool="perm-gone", pg_num=1)),
    ("create snap", lambda c: c.open_ioctx("perm-snap").create_snap("s2"), lambda: must("osd pool rmsnap", pool="perm-snap", snap="s2")),
    ("remove snap", lambda c: c.open_ioctx("perm-snap").remove_snap("s1"), lambda: must("osd pool mksnap", pool="perm-snap", snap="s1")),
    *((f"self-managed snap in {pool}", lambda c, pool=pool: self_managed(c, pool), None) for pool in ("perm-a", "perm-b", "perm-snap")),
]
# A cluster does not answer who may not ask.
WAITS = [
    ("statfs", lambda c: c.get_cluster_stats()), ("pool stats", lambda c: c.open_ioctx("perm-a").get_stats()),
]
POOL_CAPS = [
    {"mon": "allow r"}, {"mon": "allow rw"}, {"mon": "allow rwx"}, {"mon": "allow *"}, {"mon": "allow r", "osd": "allow r"},
    {"mon": "allow r", "osd": "allow rw"}, {"mon": "allow r", "osd": "allow rw pool=perm-a"}, {"mon": "allow r", "osd": "allow rw pool=perm-a namespace=ns1"},
    {"mon": "allow r", "osd": "allow rw tag permapp *=*"}, {"mon": "allow r", "osd": "allow rw object_prefix in"}, {"mon": "allow r", "osd": "profile rbd pool=perm-a"},
    {"mon": "allow r", "osd": "profile rbd-read-only"}, {"mon": "allow r", "osd": "allow class-write"}, {"mon": "profile rbd"},
    {"mon": "profile rbd", "osd": "profile rbd pool=perm-a"}, {"mon": "profile rbd", "osd": "profile rbd-read-only pool=perm-a"}, {"mon": "profile rbd", "osd": "profile rbd pool=perm-a namespace=ns1"},
    {"mon": "profile rbd-mirror", "osd": "profile rbd"}, {"mon": "profile simple-rados-client"}, {"mon": "profile simple-rados-client", "osd": "allow *"},
    {"mon": "allow profile osd"}, {"mon": "allow profile mgr"}, {"mon": "allow service mon r, allow service osd r"}, {"mon": "allow service mon r, allow service osd rw"},
    {"mon": "allow r, allow command 'osd pool op unmanaged-snap'"}, {"mon": "allow r, allow command 'osd pool op unmanaged-snap' with poolname=perm-a"},
]


def self_managed(cluster, pool):
    io = cluster.open_ioctx(pool)
    io.remove_self_managed_snap(io.create_self_managed_snap())


# ---- The recording ------------------------------------------------------------------------------

made = 0
begun = time.monotonic()


def user(caps, conf=None):
    """A client with these caps. @returns it, or what became of it"""
    global made
    made += 1
    name = f"client.perm{made}"
    words = [word for service, text in caps.items() if text is not None for word in (service, text)]
    code, key, _ = admin.mon_command(json.dumps({"prefix": "auth get-or-create-key", "entity": name, "caps": words}), b"")
    if code != 0:
        return name, None, f"refused: {errno.errorcode[-code]}"
    try:
        return name, connect(name, key=key.decode().strip(), **(conf or {})), None
    except rados.Error as error:
        return name, None, f"no session: {errno.errorcode[error.errno]}"


def command_row(cluster, name, calls, to_mgr):
    row = ""
    send = cluster.mgr_command if to_mgr else cluster.mon_command
    for prefix, args, inbuf, undo in calls:
        text = json.dumps({"prefix": prefix, **args}).replace("ENTITY", name)
        code = send(text, inbuf)[0]
        row += letter(code)
        if code == 0:
            for other, values in undo:
                must(other, **values)
    return row


def label_of(caps):
    return " ".join(f"{service} '{text}'" for service, text in caps.items() if text is not None)


def recorded(section, all_caps, rows):
    """Rows of each caps text; `rows` makes those of one client."""
    found = {}
    for caps in all_caps:
        label = label_of(caps)
        name, cluster, refusal = user(caps)
        found[label] = [refusal] if cluster is None else rows(cluster, name)
        if cluster is not None:
            cluster.shutdown()
        try_admin("auth rm", entity=name)
        print(f"{time.monotonic() - begun:6.1f} s  {section}: {label}", file=sys.stderr)
    print(f"{section}: {len(found)} clients", file=sys.stderr)
    return found


def prepare_objects(io, prefix):
    for oid in (f"{prefix}.base", f"{prefix}.gone"):
        io.write_full(oid, b"data")
        io.set_xattr(oid, "x", b"1")
        io.set_xattr(oid, "y", b"1")
        omap_write(io, oid, "set_omap", ("k", "z"), (b"v", b"v"))
    errno_of(lambda: io.remove_object(f"{prefix}.new"))


def namespace(cluster, pool, nspace):
    io = cluster.open_ioctx(pool)
    io.set_namespace(nspace)
    return io


def object_rows(cluster, _name):
    rows = []
    for pool, nspace, prefix in PLACES:
        prepare_objects(namespace(admin, pool, nspace), prefix)
        io = namespace(cluster, pool, nspace)
        rows.append("".join(letter(errno_of(lambda: run(io, f"{prefix}.{oid}"))) for _, oid, run in OBJECT_CALLS))
    for pool, nspace in IMAGE_PLACES:
        ours = namespace(admin, pool, nspace)
        for oid in IMAGE_OBJECTS:
            ours.write_full(oid, b"data")
        io = namespace(cluster, pool, nspace)
        rows += ["".join(letter(errno_of(lambda: run(io, oid))) for _, run in IMAGE_CALLS) for oid in IMAGE_OBJECTS]
    return rows


def pool_rows(cluster, _name):
    row = ""
    for _, run, undo in POOL_CALLS:
        code = errno_of(lambda: run(cluster))
        row += letter(code)
        if code == 0 and undo is not None:
            undo()
    return [row]


def patient_rows():
    """What may stay without an answer: asked by all clients at the same time."""
    users = {label_of(caps): user(caps, {"rados_mon_op_timeout": str(PATIENCE_S)}) for caps in [{"mon": text} for text in MON_CAPS] + POOL_CAPS}
    found = {label: [refusal] for label, (_, _, refusal) in users.items() if refusal is not None}
    with concurrent.futures.ThreadPoolExecutor(2 * len(users)) as pool:
        answers = {label: [pool.submit(errno_of, lambda wait=wait, cluster=cluster: wait(cluster)) for _, wait in WAITS]
                   for label, (_, cluster, _) in users.items() if cluster is not None}
    found |= {label: ["".join(letter(answer.result()) for answer in each)] for label, each in answers.items()}
    for name, cluster, _ in users.values():
        if cluster is not None:
            cluster.shutdown()
        try_admin("auth rm", entity=name)
    return {label: found[label] for label in users}


def prepare():
    # What an interrupted recording has left.
    for pool in ("perm-a", "perm-b", "perm-gone", "perm-gone2", "perm-new", "perm-snap"):
        try_admin("osd pool rm", pool=pool, pool2=pool, yes_i_really_really_mean_it=True)
    for name in json.loads(must("auth ls", format="json"))["auth_dump"]:
        if "perm" in name["entity"]:
            must("auth rm", entity=name["entity"])
    for key in json.loads(must("config-key ls", format="json")):
        if key.startswith(("perm/", "daemon-private/client.perm", "daemon-private/osd.9/", "rbd/mirror/", "cephfs/mirror/")):
            must("config-key rm", key=key)
    for pool in ("perm-a", "perm-b", "perm-gone", "perm-snap"):
        must("osd pool create", pool=pool, pg_num=1)
    must("osd pool application enable", pool="perm-a", app="rbd")
    must("osd pool application enable", pool="perm-b", app="permapp")
    must("osd pool application set", pool="perm-b", app="permapp", key="key1", value="val1")
    must("osd pool mksnap", pool="perm-snap", snap="s1")
    must("osd blocklist", blocklistop="add", addr="10.9.9.9:0/1")
    must("auth get-or-create", entity="client.perm-target", caps=["mon", "allow r"])
    # The first reports tell of the new pools.
    while any(try_admin("osd pool get-quota", pool=pool) for pool in ("perm-a", "perm-b", "perm-snap")):
        time.sleep(0.2)
    # A young manager is not ready for these.
    for prefix in ("rbd task list", "rbd perf image stats", "rbd trash purge schedule list", "rbd mirror snapshot schedule list"):
        while admin.mgr_command(json.dumps({"prefix": prefix}), b"")[0] == -errno.EAGAIN:
            time.sleep(0.5)
    # Else it would go on with the pools of an earlier recording.
    admin.wait_for_latest_osdmap()
    for key in ("perm/a", "perm/c", "rbd/mirror/site", "rbd/mirror/peer/1", "cephfs/mirror/peer/1"):
        must("config-key set", key=key, val="v")


def main(out):
    prepare()
    names = lambda calls: [f"{prefix} {json.dumps(args)}" if args else prefix for prefix, args, *_ in calls]
    sections = {
        "mon": {
            "places": [""], "requests": names(MON_CALLS),
            "rows": recorded("mon", [{"mon": text} for text in MON_CAPS], lambda c, name: [command_row(c, name, MON_CALLS, False)]),
        },
        "mgr": {
            "places": [""], "requests": names(MGR_CALLS),
            "rows": recorded("mgr", [{"mon": "allow r", "mgr": text} for text in MGR_CAPS], lambda c, name: [command_row(c, name, MGR_CALLS, True)]),
        },
        "pool": {
            "places": [""], "requests": [name for name, *_ in POOL_CALLS], "rows": recorded("pool", POOL_CAPS, pool_rows),
        },
        "statistics": {"places": [""], "requests": [name for name, _ in WAITS], "rows": patient_rows()},
    }
    objects = recorded("osd", [{"mon": "allow r", "osd": text} for text in OSD_CAPS], object_rows)
    count = len(PLACES)
    sections["object"] = {
        "places": ["/".join(place) for place in PLACES], "requests": [name for name, *_ in OBJECT_CALLS],
        "rows": {label: rows[:count] for label, rows in objects.items()},
    }
    sections["image"] = {
        "places": [f"{pool}/{nspace}/{oid}" for pool, nspace in IMAGE_PLACES for oid in IMAGE_OBJECTS], "requests": [name for name, _ in IMAGE_CALLS],
        "rows": {label: rows[count:] for label, rows in objects.items()},
    }
    with open(out, "w", encoding="utf-8") as file:
        file.write(text_of(sections))


def text_of(sections):
    """JSON with a line for each request, place and client."""
    lines = lambda values: "[\n" + ",\n".join(f"  {json.dumps(value)}" for value in values) + "\n ]"
    table = lambda rows: "{\n" + ",\n".join(f"  {json.dumps(label)}: {json.dumps(row)}" for label, row in rows.items()) + "\n }"
    part = lambda s: f' "requests": {lines(s["requests"])},\n "places": {lines(s["places"])},\n "rows": {table(s["rows"])}'
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {{\n{part(section)}\n}}" for name, section in sections.items()) + "\n}\n"


main(sys.argv[1])
