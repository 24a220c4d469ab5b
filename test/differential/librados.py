"""librados.so.2 through ctypes: the C interface, and what only the C++ interface has.

A C operation handle is the library's own ObjectOperation, and a C++ operation is a pointer to one behind
a virtual table pointer, so that both interfaces can add to one compound operation.
(ceph: src/librados/librados_c.cc rados_create_read_op, src/librados/librados_cxx.cc ObjectOperationImpl)
"""
import ctypes as C

LIB = C.CDLL("librados.so.2")
COMMON = C.CDLL("/usr/lib/%s/ceph/libceph-common.so.2" % __import__("sysconfig").get_config_var("MULTIARCH"))

U64, SIZE, P, STR, INT = C.c_uint64, C.c_size_t, C.c_void_p, C.c_char_p, C.c_int
NOSNAP = 2**64 - 2
UNSET = -9999
"""What a result holds that the library has not filled in."""

WATCH_CALLBACK = C.CFUNCTYPE(None, P, U64, U64, U64, P, SIZE)
WATCH_ERROR = C.CFUNCTYPE(None, P, U64, INT)

_SIGNATURES = {
    "rados_create2": [C.POINTER(P), STR, STR, U64],
    "rados_conf_read_file": [P, STR],
    "rados_conf_set": [P, STR, STR],
    "rados_connect": [P],
    "rados_shutdown": [P],
    "rados_getaddrs": [P, C.POINTER(P)],
    "rados_wait_for_latest_osdmap": [P],
    "rados_mon_command": [P, C.POINTER(STR), SIZE, STR, SIZE, P, P, P, P],
    "rados_ioctx_create": [P, STR, C.POINTER(P)],
    "rados_ioctx_destroy": [P],
    "rados_ioctx_set_namespace": [P, STR],
    "rados_ioctx_locator_set_key": [P, STR],
    "rados_ioctx_snap_set_read": [P, U64],
    "rados_ioctx_selfmanaged_snap_set_write_ctx": [P, U64, P, INT],
    "rados_ioctx_selfmanaged_snap_create": [P, C.POINTER(U64)],
    "rados_ioctx_selfmanaged_snap_remove": [P, U64],
    "rados_ioctx_selfmanaged_snap_rollback": [P, STR, U64],
    "rados_ioctx_snap_create": [P, STR],
    "rados_ioctx_snap_remove": [P, STR],
    "rados_ioctx_snap_rollback": [P, STR, STR],
    "rados_ioctx_snap_lookup": [P, STR, C.POINTER(U64)],
    "rados_ioctx_snap_list": [P, C.POINTER(U64), INT],
    "rados_ioctx_snap_get_name": [P, U64, P, INT],
    "rados_write_op_set_flags": [P, INT],
    "rados_write_op_assert_exists": [P],
    "rados_write_op_assert_version": [P, U64],
    "rados_write_op_cmpext": [P, STR, SIZE, U64, P],
    "rados_write_op_cmpxattr": [P, STR, C.c_uint8, STR, SIZE],
    "rados_write_op_omap_cmp2": [P, STR, C.c_uint8, STR, SIZE, SIZE, P],
    "rados_write_op_setxattr": [P, STR, STR, SIZE],
    "rados_write_op_rmxattr": [P, STR],
    "rados_write_op_create": [P, INT, STR],
    "rados_write_op_write": [P, STR, SIZE, U64],
    "rados_write_op_write_full": [P, STR, SIZE],
    "rados_write_op_writesame": [P, STR, SIZE, SIZE, U64],
    "rados_write_op_append": [P, STR, SIZE],
    "rados_write_op_remove": [P],
    "rados_write_op_truncate": [P, U64],
    "rados_write_op_zero": [P, U64, U64],
    "rados_write_op_omap_set2": [P, P, P, P, P, SIZE],
    "rados_write_op_omap_rm_keys2": [P, P, P, SIZE],
    "rados_write_op_omap_rm_range2": [P, STR, SIZE, STR, SIZE],
    "rados_write_op_omap_clear": [P],
    "rados_write_op_set_alloc_hint2": [P, U64, U64, C.c_uint32],
    "rados_write_op_operate2": [P, P, STR, P, INT],
    "rados_release_write_op": [P],
    "rados_read_op_set_flags": [P, INT],
    "rados_read_op_assert_exists": [P],
    "rados_read_op_assert_version": [P, U64],
    "rados_read_op_cmpext": [P, STR, SIZE, U64, P],
    "rados_read_op_cmpxattr": [P, STR, C.c_uint8, STR, SIZE],
    "rados_read_op_omap_cmp2": [P, STR, C.c_uint8, STR, SIZE, SIZE, P],
    "rados_read_op_getxattrs": [P, C.POINTER(P), P],
    "rados_read_op_stat": [P, P, P, P],
    "rados_read_op_omap_get_vals2": [P, STR, STR, U64, C.POINTER(P), P, P],
    "rados_read_op_omap_get_keys2": [P, STR, U64, C.POINTER(P), P, P],
    "rados_read_op_omap_get_vals_by_keys2": [P, P, SIZE, P, C.POINTER(P), P],
    "rados_read_op_operate": [P, P, STR, INT],
    "rados_release_read_op": [P],
    "rados_omap_get_next2": [P, P, P, P, P],
    "rados_omap_get_end": [P],
    "rados_getxattrs_next": [P, P, P, P],
    "rados_getxattrs_end": [P],
    "rados_stat": [P, STR, P, P],
    "rados_remove": [P, STR],
    "rados_exec": [P, STR, STR, STR, STR, SIZE, P, SIZE],
    "rados_lock_exclusive": [P, STR, STR, STR, STR, P, C.c_uint8],
    "rados_lock_shared": [P, STR, STR, STR, STR, STR, P, C.c_uint8],
    "rados_unlock": [P, STR, STR, STR],
    "rados_break_lock": [P, STR, STR, STR, STR],
    "rados_list_lockers": [P, STR, STR, P, P, P, P, P, P, P, P, P],
    "rados_watch3": [P, STR, C.POINTER(U64), WATCH_CALLBACK, WATCH_ERROR, C.c_uint32, P],
    "rados_unwatch2": [P, U64],
    "rados_notify2": [P, STR, STR, INT, U64, C.POINTER(P), C.POINTER(SIZE)],
    "rados_notify_ack": [P, STR, U64, U64, STR, INT],
    "rados_nobjects_list_open": [P, C.POINTER(P)],
    "rados_nobjects_list_next2": [P, P, P, P, P, P, P],
    "rados_nobjects_list_close": [P],
    "rados_object_list": [P, P, P, SIZE, STR, SIZE, P, C.POINTER(P)],
    "rados_object_list_free": [SIZE, P],
    "rados_object_list_cursor_free": [P, P],
    "rados_object_list_is_end": [P, P],
    "rados_object_list_slice": [P, P, P, SIZE, SIZE, C.POINTER(P), C.POINTER(P)],
    "rados_buffer_free": [P],
}
for _name, _args in _SIGNATURES.items():
    getattr(LIB, _name).argtypes = _args
for _name, _args, _result in [
    ("rados_create_write_op", [], P),
    ("rados_create_read_op", [], P),
    ("rados_get_last_version", [P], U64),
    ("rados_get_instance_id", [P], U64),
    ("rados_list_lockers", _SIGNATURES["rados_list_lockers"], C.c_ssize_t),
    ("rados_object_list_begin", [P], P),
    ("rados_object_list_end", [P], P),
]:
    getattr(LIB, _name).argtypes = _args
    getattr(LIB, _name).restype = _result


def result():
    return C.c_int(UNSET)


# --- the C++ half ---------------------------------------------------------------------------------
_LIST = "N4ceph6buffer7v15_2_04listE"
_RADOS = "_ZN8librados7v14_2_0"


def _cxx(library, symbol, args, restype=None):
    function = library[symbol]
    function.argtypes = args
    function.restype = restype
    return function


_list_append = _cxx(COMMON, "_ZN4ceph6buffer7v15_2_04list6appendEPKcj", [P, STR, C.c_uint])
_list_c_str = _cxx(COMMON, "_ZN4ceph6buffer7v15_2_04list5c_strEv", [P], P)
_empty_ptr = C.addressof(C.c_char.in_dll(COMMON, "_ZN4ceph6buffer7v15_2_04list17always_empty_bptrE"))
_READ = _RADOS + "19ObjectReadOperation"
_WRITE = _RADOS + "20ObjectWriteOperation"
_EITHER = _RADOS + "15ObjectOperation"
read_getxattr = _cxx(LIB, _READ + "8getxattrEPKcPN4ceph6buffer7v15_2_04listEPi", [P, STR, P, P])
read_read = _cxx(LIB, _READ + "4readEmmPN4ceph6buffer7v15_2_04listEPi", [P, U64, U64, P, P])
read_checksum = _cxx(
    LIB,
    _READ + "8checksumE21rados_checksum_type_tRKN4ceph6buffer7v15_2_04listEmmmPS6_Pi",
    [P, INT, P, U64, U64, U64, P, P],
)
read_omap_header = _cxx(LIB, _READ + "15omap_get_headerEPN4ceph6buffer7v15_2_04listEPi", [P, P, P])
read_sparse = _cxx(
    LIB,
    _READ + "11sparse_readEmmPSt3mapImmSt4lessImESaISt4pairIKmmEEEPN4ceph6buffer7v15_2_04listEPi",
    [P, U64, U64, P, P, P],
)
read_list_snaps = _cxx(LIB, _READ + "10list_snapsEPNS_10snap_set_tEPi", [P, P, P])
read_list_watchers = _cxx(
    LIB, _READ + "13list_watchersEPNSt7__cxx114listI11obj_watch_tSaIS4_EEEPi", [P, P, P]
)
exec_op = _cxx(LIB, _EITHER + "4execEPKcS3_RN4ceph6buffer7v15_2_04listEPS7_Pi", [P, STR, STR, P, P, P])
cmpxattr_u64 = _cxx(LIB, _EITHER + "8cmpxattrEPKchm", [P, STR, C.c_uint8, U64])
write_rollback = _cxx(LIB, _WRITE + "25selfmanaged_snap_rollbackEm", [P, U64])
write_omap_header = _cxx(LIB, _WRITE + "15omap_set_headerERKN4ceph6buffer7v15_2_04listE", [P, P])


class Operation(C.Structure):
    """A C operation handle as the C++ interface takes it."""

    _fields_ = [("vtable", P), ("implementation", P)]


class BufferList(C.Structure):
    """ceph: src/include/buffer.h buffer::list"""

    _fields_ = [("root", P), ("tail", P), ("carriage", P), ("length", C.c_uint), ("count", C.c_uint)]

    def __init__(self, data=b""):
        super().__init__()
        self.root = self.tail = C.addressof(self)
        self.carriage = _empty_ptr
        if data:
            _list_append(C.addressof(self), data, len(data))

    @property
    def at(self):
        return C.addressof(self)

    def bytes(self):
        return C.string_at(_list_c_str(self.at), self.length) if self.length else b""


class ExtentMap(C.Structure):
    """std::map<uint64_t, uint64_t>"""

    _fields_ = [("compare", U64), ("color", U64), ("parent", P), ("left", P), ("right", P), ("count", SIZE)]

    def __init__(self):
        super().__init__()
        self.left = self.right = C.addressof(self) + 8

    def items(self):
        out = []

        def walk(node):
            if not node:
                return
            _, _, left, right, key, value = (U64 * 6).from_address(node)
            walk(left)
            out.append([key, value])
            walk(right)

        walk(self.parent)
        return out


class Vector(C.Structure):
    _fields_ = [("begin", P), ("end", P), ("room", P)]

    def words(self):
        count = ((self.end or 0) - (self.begin or 0)) // 8
        return list((U64 * count).from_address(self.begin)) if count else []


class CloneInfo(C.Structure):
    """ceph: src/include/rados/librados.hpp clone_info_t"""

    _fields_ = [("id", U64), ("snaps", Vector), ("overlap", Vector), ("size", U64)]


class SnapSet(C.Structure):
    """ceph: src/include/rados/librados.hpp snap_set_t"""

    _fields_ = [("clones", Vector), ("seq", U64)]

    def dump(self, name=lambda snap: snap):
        begin, end = self.clones.begin or 0, self.clones.end or 0
        clones = []
        for at in range(begin, end, C.sizeof(CloneInfo)):
            clone = CloneInfo.from_address(at)
            clones.append(
                {
                    "id": name(clone.id),
                    "snaps": [name(snap) for snap in clone.snaps.words()],
                    "overlap": clone.overlap.words(),
                    "size": clone.size,
                }
            )
        return {"seq": name(self.seq), "clones": clones}


class Watcher(C.Structure):
    """ceph: src/include/rados/rados_types.h obj_watch_t"""

    _fields_ = [("addr", C.c_char * 256), ("id", C.c_int64), ("cookie", U64), ("timeout", C.c_uint32)]


class WatcherList(C.Structure):
    """std::list<obj_watch_t>"""

    _fields_ = [("next", P), ("previous", P), ("count", SIZE)]

    def __init__(self):
        super().__init__()
        self.next = self.previous = C.addressof(self)

    def items(self):
        out, node = [], self.next
        while node != C.addressof(self):
            out.append(Watcher.from_address(node + 16))
            node = P.from_address(node).value
        return out


class ListItem(C.Structure):
    """ceph: src/include/rados/librados.h rados_object_list_item"""

    _fields_ = [
        ("oid_length", SIZE),
        ("oid", P),
        ("nspace_length", SIZE),
        ("nspace", P),
        ("locator_length", SIZE),
        ("locator", P),
    ]


def c_strings(values):
    """An array of pointers to the bytes, and an array of their lengths."""
    pointers = (STR * max(len(values), 1))(*values)
    lengths = (SIZE * max(len(values), 1))(*[len(v) for v in values])
    return pointers, lengths
