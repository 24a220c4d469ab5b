"""Compound operations: each word of a request adds one sub-operation and leaves how to read its result.

A sub-operation is a list: its word, its arguments, and last the flags of the sub-operation.
"""
import ctypes as C
import random

from librados import (
    LIB,
    BufferList,
    ExtentMap,
    Operation,
    P,
    SnapSet,
    WatcherList,
    c_strings,
    cmpxattr_u64,
    exec_op,
    read_checksum,
    read_getxattr,
    read_list_snaps,
    read_list_watchers,
    read_omap_header,
    read_read,
    read_sparse,
    result,
    write_omap_header,
    write_rollback,
)

NOTHING = lambda: None
"""The outcome of a sub-operation that has none of its own."""


def data_of(value):
    """Bytes of a request: hexadecimal, or [seed, length]."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    seed, length = value
    return random.Random(seed).randbytes(length)


def shown(data):
    return data.hex()


def text(value):
    return value.encode("latin1")


class Compound:
    """One request while it is put together."""

    def __init__(self, kind, who):
        self.kind = kind
        self.who = who
        self.op = getattr(LIB, "rados_create_%s_op" % kind)()
        self.cxx = Operation(0, self.op)
        self.this = C.addressof(self.cxx)
        self.kept = []
        self.outcomes = []

    def keep(self, value):
        """Holds memory that the library may look at until the request is over."""
        self.kept.append(value)
        return value

    def call(self, name, *args):
        getattr(LIB, "rados_%s_op_%s" % (self.kind, name))(self.op, *args)

    def rval(self):
        cell = self.keep(result())
        return cell, C.addressof(cell)

    def add(self, word, *rest):
        *args, flags = rest
        self.outcomes.append(getattr(self, "op_" + word)(*args))
        if flags:
            self.call("set_flags", flags)

    def read_out(self):
        return [outcome() for outcome in self.outcomes]

    def release(self):
        getattr(LIB, "rados_release_%s_op" % self.kind)(self.op)

    # --- guards, in both kinds
    def op_assert_exists(self):
        self.call("assert_exists")
        return NOTHING

    def op_assert_version(self, version):
        self.call("assert_version", self.who.version(version))
        return NOTHING

    def op_cmpext(self, offset, data):
        data = self.keep(data_of(data))
        cell, at = self.rval()
        self.call("cmpext", data, len(data), offset, at)
        return lambda: cell.value

    def op_cmpxattr(self, name, operator, data):
        data = data_of(data)
        self.call("cmpxattr", text(name), operator, data, len(data))
        return NOTHING

    def op_cmpxattr_u64(self, name, operator, number):
        cmpxattr_u64(self.this, text(name), operator, int(number))
        return NOTHING

    def op_omap_cmp(self, key, operator, data):
        key, data = text(key), data_of(data)
        cell, at = self.rval()
        self.call("omap_cmp2", key, operator, data, len(key), len(data), at)
        return lambda: cell.value

    def op_exec(self, cls, method, data):
        inbound = self.keep(BufferList(data_of(data)))
        out = self.keep(BufferList())
        cell, at = self.rval()
        exec_op(self.this, text(cls), text(method), inbound.at, out.at, at)
        return lambda: [cell.value, shown(out.bytes())]

    # --- writes
    def op_create(self, exclusive):
        self.call("create", exclusive, None)
        return NOTHING

    def op_write(self, offset, data):
        data = data_of(data)
        self.call("write", data, len(data), offset)
        return NOTHING

    def op_write_full(self, data):
        data = data_of(data)
        self.call("write_full", data, len(data))
        return NOTHING

    def op_append(self, data):
        data = data_of(data)
        self.call("append", data, len(data))
        return NOTHING

    def op_writesame(self, offset, length, data):
        data = data_of(data)
        self.call("writesame", data, len(data), length, offset)
        return NOTHING

    def op_truncate(self, size):
        self.call("truncate", size)
        return NOTHING

    def op_zero(self, offset, length):
        self.call("zero", offset, length)
        return NOTHING

    def op_remove(self):
        self.call("remove")
        return NOTHING

    def op_alloc_hint(self, object_size, write_size, hint):
        self.call("set_alloc_hint2", object_size, write_size, hint)
        return NOTHING

    def op_rollback(self, snap):
        write_rollback(self.this, self.who.snap(snap))
        return NOTHING

    def op_setxattr(self, name, data):
        data = data_of(data)
        self.call("setxattr", text(name), data, len(data))
        return NOTHING

    def op_rmxattr(self, name):
        self.call("rmxattr", text(name))
        return NOTHING

    def op_omap_set(self, entries):
        keys, key_lengths = c_strings([text(key) for key, _ in entries])
        values, value_lengths = c_strings([data_of(value) for _, value in entries])
        self.call("omap_set2", keys, values, key_lengths, value_lengths, len(entries))
        return NOTHING

    def op_omap_set_header(self, data):
        write_omap_header(self.this, self.keep(BufferList(data_of(data))).at)
        return NOTHING

    def op_omap_rm_keys(self, keys):
        names, lengths = c_strings([text(key) for key in keys])
        self.call("omap_rm_keys2", names, lengths, len(keys))
        return NOTHING

    def op_omap_rm_range(self, begin, end):
        begin, end = text(begin), text(end)
        self.call("omap_rm_range2", begin, len(begin), end, len(end))
        return NOTHING

    def op_omap_clear(self):
        self.call("omap_clear")
        return NOTHING

    # --- reads
    def op_read(self, offset, length):
        out = self.keep(BufferList())
        cell, at = self.rval()
        read_read(self.this, offset, length, out.at, at)
        return lambda: [cell.value, shown(out.bytes())]

    def op_sparse_read(self, offset, length):
        extents, out = self.keep(ExtentMap()), self.keep(BufferList())
        cell, at = self.rval()
        read_sparse(self.this, offset, length, C.addressof(extents), out.at, at)
        return lambda: {
            "sparse": [offset, length],
            "rval": cell.value,
            "extents": extents.items(),
            "data": shown(out.bytes()),
        }

    def op_checksum(self, kind, start, offset, length, chunk):
        inbound = self.keep(BufferList(data_of(start)))
        out = self.keep(BufferList())
        cell, at = self.rval()
        read_checksum(self.this, kind, inbound.at, offset, length, chunk, out.at, at)
        return lambda: [cell.value, shown(out.bytes())]

    def op_stat(self):
        size, mtime = self.keep(C.c_uint64()), self.keep(C.c_int64())
        cell, at = self.rval()
        self.call("stat", C.addressof(size), C.addressof(mtime), at)
        return lambda: {"rval": cell.value, "size": size.value, "mtime": mtime.value}

    def op_getxattr(self, name):
        out = self.keep(BufferList())
        cell, at = self.rval()
        read_getxattr(self.this, text(name), out.at, at)
        return lambda: [cell.value, shown(out.bytes())]

    def op_getxattrs(self):
        iterator = self.keep(P())
        cell, at = self.rval()
        self.call("getxattrs", C.byref(iterator), at)
        return lambda: [cell.value, xattrs_of(iterator)]

    def op_omap_header(self):
        out = self.keep(BufferList())
        cell, at = self.rval()
        read_omap_header(self.this, out.at, at)
        return lambda: [cell.value, shown(out.bytes())]

    def op_omap_vals(self, after, prefix, most):
        iterator, more = self.keep(P()), self.keep(C.c_ubyte())
        cell, at = self.rval()
        self.call(
            "omap_get_vals2",
            text(after),
            text(prefix),
            most,
            C.byref(iterator),
            C.addressof(more),
            at,
        )
        return lambda: [cell.value, more.value, omap_of(iterator)]

    def op_omap_keys(self, after, most):
        iterator, more = self.keep(P()), self.keep(C.c_ubyte())
        cell, at = self.rval()
        self.call("omap_get_keys2", text(after), most, C.byref(iterator), C.addressof(more), at)
        return lambda: [cell.value, more.value, omap_of(iterator)]

    def op_omap_vals_by_keys(self, keys):
        names, lengths = c_strings([text(key) for key in keys])
        iterator = self.keep(P())
        cell, at = self.rval()
        self.call("omap_get_vals_by_keys2", names, len(keys), lengths, C.byref(iterator), at)
        return lambda: [cell.value, omap_of(iterator)]

    def op_list_snaps(self):
        snaps = self.keep(SnapSet())
        cell, at = self.rval()
        read_list_snaps(self.this, C.addressof(snaps), at)
        return lambda: {"rval": cell.value, **snaps.dump(self.who.snap_name)}

    def op_list_watchers(self):
        watchers = self.keep(WatcherList())
        cell, at = self.rval()
        read_list_watchers(self.this, C.addressof(watchers), at)
        return lambda: [
            cell.value,
            sorted(self.who.watcher(w.id, w.cookie) + [w.timeout] for w in watchers.items()),
        ]


def xattrs_of(iterator):
    """Names and values, in order; the iterator is used up."""
    out = []
    name, value, length = C.c_char_p(), P(), C.c_size_t()
    while True:
        refs = [C.addressof(x) for x in (name, value, length)]
        if LIB.rados_getxattrs_next(iterator, *refs) != 0 or not name.value:
            break
        out.append([name.value.decode("latin1"), shown(C.string_at(value, length.value))])
    LIB.rados_getxattrs_end(iterator)
    return out


def omap_of(iterator):
    """Keys and values, in order; the iterator is used up."""
    out = []
    key, value, key_length, length = P(), P(), C.c_size_t(), C.c_size_t()
    while True:
        refs = [C.addressof(x) for x in (key, value, key_length, length)]
        if LIB.rados_omap_get_next2(iterator, *refs) != 0 or not key.value:
            break
        held = C.string_at(value, length.value) if length.value else b""
        out.append([C.string_at(key, key_length.value).decode("latin1"), shown(held)])
    LIB.rados_omap_get_end(iterator)
    return out


def operate(kind, io, oid, who, request):
    """Runs a compound operation. Returns (result, outcomes of its sub-operations)."""
    compound = Compound(kind, who)
    try:
        for sub in request["ops"]:
            compound.add(*sub)
        if kind == "read":
            code = LIB.rados_read_op_operate(compound.op, io, oid, request.get("flags", 0))
        else:
            mtime = (C.c_int64 * 2)(*request["mtime"])
            code = LIB.rados_write_op_operate2(compound.op, io, oid, mtime, request.get("flags", 0))
        return code, compound.read_out()
    finally:
        compound.release()


