"""librbd and librados as the machine has them, by ctypes: what the test needs of them and no more.

The C interface, not python3-rbd: that lacks compare_and_write, writesame and asynchronous forms of most.
Facts: ceph: src/include/rbd/librbd.h, src/include/rados/librados.h. Every call that fails raises Failed.
"""
import ctypes
import errno
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ssize_t, c_uint8, c_uint64, c_void_p

LAYERING, STRIPING, EXCLUSIVE, OBJECT_MAP, FAST_DIFF, DEEP_FLATTEN, JOURNALING, DATA_POOL = (
    1 << bit for bit in range(8)
)
OPTION_FEATURES, OPTION_ORDER, OPTION_STRIPE_UNIT, OPTION_STRIPE_COUNT = 1, 2, 3, 4
OPTION_JOURNAL_ORDER, OPTION_DATA_POOL, OPTION_FLATTEN, OPTION_CLONE_FORMAT = 5, 10, 11, 12
LUKS1, LUKS2 = 0, 1
SNAP_REMOVE_UNPROTECT = 1
THICK = 1
"""Whether this client writes journals and encrypts, and whether it has librbd's faults, which the test leaves out."""
JOURNALS = ENCRYPTS = FAULTS = True

rados = ctypes.CDLL("librados.so.2")
rbd = ctypes.CDLL("librbd.so.1")

DIFF_CALLBACK = ctypes.CFUNCTYPE(c_int, c_uint64, c_size_t, c_int, c_void_p)
"""librbd calls it without asking whether there is one."""
PROGRESS = ctypes.CFUNCTYPE(c_int, c_uint64, c_uint64, c_void_p)(lambda *_: 0)


class LuksOptions(ctypes.Structure):
    _fields_ = [("alg", c_int), ("passphrase", c_char_p), ("passphrase_size", c_size_t)]


def _declare():
    ll, u64, vp, cp = c_ssize_t, c_uint64, c_void_p, c_char_p
    for name, *args in (
        ("rbd_read2", vp, u64, c_size_t, vp, c_int),
        ("rbd_compare_and_write", vp, u64, c_size_t, cp, cp, POINTER(c_uint64), c_int),
        ("rbd_aio_get_return_value", vp),
    ):
        getattr(rbd, name).restype = ll
        getattr(rbd, name).argtypes = args
    for name, *args in (
        ("rbd_aio_create_completion", vp, vp, POINTER(c_void_p)),
        ("rbd_aio_wait_for_complete", vp),
        ("rbd_aio_release", vp),
        ("rbd_aio_read2", vp, u64, c_size_t, vp, vp, c_int),
        ("rbd_aio_write2", vp, u64, c_size_t, cp, vp, c_int),
        ("rbd_aio_discard", vp, u64, u64, vp),
        ("rbd_aio_writesame", vp, u64, c_size_t, cp, c_size_t, vp, c_int),
        ("rbd_aio_write_zeroes", vp, u64, c_size_t, vp, c_int, c_int),
        ("rbd_aio_flush", vp, vp),
        ("rbd_image_options_create", POINTER(c_void_p)),
        ("rbd_image_options_set_uint64", vp, c_int, u64),
        ("rbd_image_options_set_string", vp, c_int, cp),
        ("rbd_image_options_destroy", vp),
        ("rbd_create4", vp, cp, u64, vp),
        ("rbd_clone3", vp, cp, cp, vp, cp, vp),
        ("rbd_deep_copy", vp, vp, cp, vp),
        ("rbd_remove", vp, cp),
        ("rbd_pool_init", vp, ctypes.c_bool),
        ("rbd_open", vp, cp, POINTER(c_void_p), cp),
        ("rbd_open_read_only", vp, cp, POINTER(c_void_p), cp),
        ("rbd_close", vp),
        ("rbd_resize2", vp, u64, ctypes.c_bool, vp, vp),
        ("rbd_get_size", vp, POINTER(c_uint64)),
        ("rbd_get_features", vp, POINTER(c_uint64)),
        ("rbd_get_id", vp, cp, c_size_t),
        ("rbd_get_flags", vp, POINTER(c_uint64)),
        ("rbd_get_overlap", vp, POINTER(c_uint64)),
        ("rbd_update_features", vp, u64, c_uint8),
        ("rbd_rebuild_object_map", vp, vp, vp),
        ("rbd_flatten", vp),
        ("rbd_sparsify", vp, c_size_t),
        ("rbd_flush", vp),
        ("rbd_invalidate_cache", vp),
        ("rbd_snap_create", vp, cp),
        ("rbd_snap_remove2", vp, cp, ctypes.c_uint32, vp, vp),
        ("rbd_snap_rollback", vp, cp),
        ("rbd_snap_protect", vp, cp),
        ("rbd_snap_unprotect", vp, cp),
        ("rbd_snap_set", vp, cp),
        ("rbd_snap_is_protected", vp, cp, POINTER(c_int)),
        ("rbd_diff_iterate2", vp, cp, u64, u64, c_uint8, c_uint8, DIFF_CALLBACK, vp),
        ("rbd_encryption_format", vp, c_int, vp, c_size_t),
        ("rbd_encryption_load", vp, c_int, vp, c_size_t),
    ):
        getattr(rbd, name).argtypes = args
    for name, *args in (
        ("rados_create", POINTER(c_void_p), cp),
        ("rados_conf_read_file", vp, cp),
        ("rados_conf_set", vp, cp, cp),
        ("rados_connect", vp),
        ("rados_shutdown", vp),
        ("rados_pool_create", vp, cp),
        ("rados_ioctx_create", vp, cp, POINTER(c_void_p)),
        ("rados_ioctx_destroy", vp),
        ("rados_nobjects_list_open", vp, POINTER(c_void_p)),
        ("rados_nobjects_list_next", vp, POINTER(c_char_p), POINTER(c_char_p), POINTER(c_char_p)),
        ("rados_nobjects_list_close", vp),
        ("rados_ioctx_pool_stat", vp, POINTER(c_uint64)),
        ("rados_stat", vp, cp, POINTER(c_uint64), POINTER(ctypes.c_long)),
    ):
        getattr(rados, name).argtypes = args
    rados.rados_pool_lookup.argtypes = [vp, cp]
    rados.rados_pool_lookup.restype = ctypes.c_int64


_declare()


class Failed(Exception):
    """A call's negative return value, as a positive errno."""

    def __init__(self, what, code):
        super().__init__("%s: %s" % (what, errno.errorcode.get(code, os.strerror(code))))
        self.errno = code


def must(what, result):
    if result < 0:
        raise Failed(what, -result)
    return result


class Options:
    """rbd_image_options_t; values are numbers or strings, by option."""

    def __init__(self, values):
        self.handle = c_void_p()
        rbd.rbd_image_options_create(byref(self.handle))
        for option, value in values.items():
            if isinstance(value, str):
                must("option", rbd.rbd_image_options_set_string(self.handle, option, value.encode()))
            else:
                must("option", rbd.rbd_image_options_set_uint64(self.handle, option, value))

    def __enter__(self):
        return self.handle

    def __exit__(self, *_):
        rbd.rbd_image_options_destroy(self.handle)


class Cluster:
    """A client of its own: `settings` are its configuration, on top of the conf file's."""

    def __init__(self, conf, settings):
        self.handle = c_void_p()
        must("rados_create", rados.rados_create(byref(self.handle), b"admin"))
        must(conf, rados.rados_conf_read_file(self.handle, conf.encode()))
        for name, value in settings.items():
            must(name, rados.rados_conf_set(self.handle, name.encode(), str(value).encode()))
        must("connect", rados.rados_connect(self.handle))
        self.pools = {}

    def pool(self, name):
        """The pool's context; the pool is made if there is none."""
        if name not in self.pools:
            fresh = rados.rados_pool_lookup(self.handle, name.encode()) < 0
            if fresh:
                must("pool_create", rados.rados_pool_create(self.handle, name.encode()))
            io = c_void_p()
            must("ioctx", rados.rados_ioctx_create(self.handle, name.encode(), byref(io)))
            if fresh:
                must("pool_init", rbd.rbd_pool_init(io, False))
            self.pools[name] = io
        return self.pools[name]

    def objects(self, pool):
        listing, entry = c_void_p(), c_char_p()
        must("list", rados.rados_nobjects_list_open(self.pool(pool), byref(listing)))
        try:
            names = []
            while True:
                result = rados.rados_nobjects_list_next(listing, byref(entry), None, None)
                if result == -errno.ENOENT:
                    return names
                must("list", result)
                names.append(entry.value.decode())
        finally:
            rados.rados_nobjects_list_close(listing)

    def exists(self, pool, name):
        size, modified = c_uint64(), ctypes.c_long()
        stat = rados.rados_stat(self.pool(pool), name.encode(), byref(size), byref(modified))
        return stat != -errno.ENOENT

    def clones(self, pool):
        """How many clones of objects there are: the fourth of the 64-bit numbers of rados_pool_stat_t."""
        stat = (c_uint64 * 16)()
        must("pool_stat", rados.rados_ioctx_pool_stat(self.pool(pool), stat))
        return stat[3]

    def close(self):
        for io in self.pools.values():
            rados.rados_ioctx_destroy(io)
        rados.rados_shutdown(self.handle)


def create(io, name, size, options):
    with Options(options) as handle:
        must("create", rbd.rbd_create4(io, name.encode(), size, handle))


def clone(io, parent, snap, name, options):
    with Options(options) as handle:
        must("clone", rbd.rbd_clone3(io, parent.encode(), snap.encode(), io, name.encode(), handle))


def remove(io, name):
    must("remove", rbd.rbd_remove(io, name.encode()))


class Image:
    def __init__(self, io, name, snap=None, read_only=False):
        self.name = name
        self.handle = c_void_p()
        opened = rbd.rbd_open_read_only if read_only else rbd.rbd_open
        must("open", opened(io, name.encode(), byref(self.handle), snap and snap.encode()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        handle, self.handle = self.handle, None
        must("close", rbd.rbd_close(handle))

    def call(self, function, *args):
        """rbd_<function>(image, …) for those without an answer but the return value."""
        return must(function, getattr(rbd, "rbd_" + function)(self.handle, *args))

    def number(self, function, kind=c_uint64):
        value = kind()
        self.call(function, byref(value))
        return value.value

    def id(self):
        buffer = ctypes.create_string_buffer(64)
        self.call("get_id", buffer, len(buffer))
        return buffer.value.decode()

    def resize(self, size, allow_shrink):
        self.call("resize2", size, allow_shrink, PROGRESS, None)

    def remove_snap(self, snap, flags=0):
        self.call("snap_remove2", snap.encode(), flags, PROGRESS, None)

    def is_protected(self, snap):
        value = c_int()
        self.call("snap_is_protected", snap.encode(), byref(value))
        return value.value != 0

    def read(self, offset, length, flags=0):
        buffer = ctypes.create_string_buffer(length)
        got = must("read", rbd.rbd_read2(self.handle, offset, length, buffer, flags))
        assert got <= length, (got, length)
        return ctypes.string_at(buffer, got)

    def compare_and_write(self, offset, expected, data):
        """None if it was written, or how far into the range the first other byte was found."""
        mismatch = c_uint64(0)
        args = (self.handle, offset, len(data), expected, data, byref(mismatch), 0)
        result = rbd.rbd_compare_and_write(*args)
        if result == -errno.EILSEQ:
            return mismatch.value
        must("compare_and_write", result)
        return None

    def diff(self, since, offset, length, include_parent, whole_object):
        """[(offset, length, exists)] in the order in which they came."""
        extents = []

        def collect(start, size, exists, _):
            extents.append((start, size, bool(exists)))
            return 0

        callback = DIFF_CALLBACK(collect)
        since = since and since.encode()
        args = (since, offset, length, include_parent, whole_object, callback, None)
        self.call("diff_iterate2", *args)
        return extents

    def deep_copy(self, io, name, options):
        with Options(options) as handle:
            self.call("deep_copy", io, name.encode(), handle)

    def encryption(self, action, kind, passphrase):
        """`action` is format or load. Both derive a key, which takes a while."""
        options = LuksOptions(1, passphrase, len(passphrase))
        self.call("encryption_" + action, kind, byref(options), ctypes.sizeof(options))


class Pending:
    """One asynchronous call and what it needs to stay in memory."""

    def __init__(self, image, function, *args, flags=(), data=None):
        self.function = function
        self.data = data
        self.completion = c_void_p()
        must("completion", rbd.rbd_aio_create_completion(None, None, byref(self.completion)))
        call = getattr(rbd, "rbd_aio_" + function)
        must(function, call(image.handle, *args, self.completion, *flags))

    def wait(self):
        rbd.rbd_aio_wait_for_complete(self.completion)
        result = rbd.rbd_aio_get_return_value(self.completion)
        rbd.rbd_aio_release(self.completion)
        return must(self.function, result)
