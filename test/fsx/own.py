"""librbd.py's names for the client of this package: each client is a process (own.mjs).

What has no client of its own with settings, the session, keeps the unmodified librbd: it looks at what objects there
are, and is the second client of an image.
"""
import base64
import ctypes
import json
import os
import shutil
import subprocess
import threading

import librbd as native
from librbd import *  # noqa: F403 what is not defined below
from librbd import Failed

JOURNALS = ENCRYPTS = FAULTS = False
GRANULARITY = 65536
"""What a discard may leave is not to be set by options here, nor are these known."""
FIXED = {"rbd_skip_partial_discard": "true", "rbd_discard_granularity_bytes": GRANULARITY}
NODE = os.environ.get("FSX_NODE") or shutil.which("node")
SCRIPT = os.path.join(os.path.dirname(__file__), "own.mjs")


def text(data):
    return base64.b64encode(bytes(data)).decode()


def layout(options):
    """librbd's numbers of options by name."""
    names = {
        native.OPTION_FEATURES: "features",
        native.OPTION_ORDER: "order",
        native.OPTION_STRIPE_UNIT: "stripeUnit",
        native.OPTION_STRIPE_COUNT: "stripeCount",
        native.OPTION_DATA_POOL: "dataPool",
        native.OPTION_FLATTEN: "flatten",
        native.OPTION_CLONE_FORMAT: "format",
    }
    return {names[option]: value for option, value in options.items()}


class Request:
    def __init__(self):
        self.done = threading.Event()
        self.reply = None

    def wait(self, what):
        self.done.wait()
        if self.reply is None:
            raise RuntimeError("%s: the client has ended" % what)
        if "errno" in self.reply:
            if self.reply["errno"] <= 0 or "Error: " not in self.reply["text"]:
                raise RuntimeError(self.reply["text"])
            raise Failed(what, self.reply["errno"])
        return self.reply.get("value")


class Pool:
    def __init__(self, client, name):
        self.client, self.name = client, name

    def ask(self, op, **args):
        return self.client.send(pool=self.name, op=op, **args).wait(op)


class OwnCluster:
    def __init__(self, conf, settings):
        settings.update(FIXED)
        args = [NODE, SCRIPT, conf, json.dumps(settings)]
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()
        self.requests, self.last = {}, 0
        threading.Thread(target=self.listen, daemon=True).start()

    def send(self, **request):
        waiting = Request()
        with self.lock:
            self.last += 1
            self.requests[self.last] = waiting
            given = {key: value for key, value in request.items() if value is not None}
            line = json.dumps({"id": self.last, **given})
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        return waiting

    def listen(self):
        for line in self.process.stdout:
            reply = json.loads(line)
            waiting = self.requests.pop(reply["id"])
            waiting.reply = reply
            waiting.done.set()
        for waiting in list(self.requests.values()):
            waiting.done.set()

    def pool(self, name):
        return Pool(self, name)

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError("the client has ended with %d" % self.process.returncode)


def Cluster(conf, settings):
    return OwnCluster(conf, settings) if settings else native.Cluster(conf, settings)


def create(io, name, size, options):
    io.ask("create", name=name, size=size, options=layout(options))


def clone(io, parent, snap, name, options):
    io.ask("clone", parent=parent, snapshot=snap, name=name, options=layout(options))


def remove(io, name):
    io.ask("remove", name=name)


class OwnImage:
    """Of what librbd.Image does that which the test asks for."""

    def __init__(self, io, name, snap=None, read_only=False):
        self.name, self.client = name, io.client
        self.handle = io.ask("open", name=name, snapshot=snap, readOnly=read_only)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, op, **args):
        return self.client.send(image=self.handle, op=op, **args)

    def ask(self, op, **args):
        return self.send(op, **args).wait(op)

    def close(self):
        self.ask("close")

    def call(self, function, *args):
        if function == "invalidate_cache":
            # There is no such call: what others write is seen without.
            return
        if function.startswith("snap_"):
            (name,) = args
            return self.ask(function, name=None if name is None else name.decode())
        if function == "sparsify":
            return self.ask(function, size=args[0])
        if function == "update_features":
            return self.ask(function, features=args[0], enable=args[1])
        return self.ask(function)

    def number(self, function):
        return self.ask("facts")[function.partition("_")[2]]

    def id(self):
        return self.ask("id")

    def resize(self, size, allow_shrink):
        self.ask("resize", size=size, allowShrink=allow_shrink)

    def remove_snap(self, snap):
        self.ask("snap_remove", name=snap)

    def is_protected(self, snap):
        return self.ask("snap_is_protected", name=snap)

    def read(self, offset, length, _=0):
        return base64.b64decode(self.ask("read", offset=offset, length=length))

    def compare_and_write(self, offset, expected, data):
        args = {"offset": offset, "expected": text(expected), "data": text(data)}
        return self.ask("compare_and_write", **args)

    def diff(self, since, offset, length, include_parent, whole_object):
        flags = {"includeParent": include_parent, "wholeObject": whole_object}
        extents = self.ask("diff", offset=offset, length=length, **{"from": since}, **flags)
        return [tuple(extent) for extent in extents]

    def deep_copy(self, io, name, options):
        self.ask("deep_copy", to=io.name, name=name, options=layout(options))


def Image(io, *args, **more):
    return (OwnImage if isinstance(io, Pool) else native.Image)(io, *args, **more)


class OwnPending:
    def __init__(self, image, function, offset, length, *args, flags=(), data=None):
        self.function, self.data = function, data
        self.length = length
        at = {"offset": offset, "length": length}
        if function == "read2":
            self.request = image.send("read", **at)
        elif function == "write2":
            self.request = image.send("write", offset=offset, data=text(args[0][:length]))
        elif function == "writesame":
            self.request = image.send("write_same", data=text(args[0]), **at)
        elif function == "write_zeroes":
            self.request = image.send(function, keepSpace=flags[0] == native.THICK, **at)
        else:
            self.request = image.send(function, **at)

    def wait(self):
        value = self.request.wait(self.function)
        if self.function != "read2":
            return 0
        got = base64.b64decode(value)
        _, buffer = self.data
        ctypes.memmove(buffer, got, len(got))
        return len(got)


def Pending(image, *args, **more):
    return (OwnPending if isinstance(image, OwnImage) else native.Pending)(image, *args, **more)
