"""What an image must hold: the bytes of its head and of every snapshot, and what lies under them.

A layer is a state of an image: its bytes as they read, and the parent's bytes under the first `overlap` of
them, of which librbd need not hold a copy of its own. Shrinking lessens the overlap for good.
"""


class Wrong(Exception):
    """The image is not what the model says."""


class Layer:
    def __init__(self, data, parent=None, overlap=0):
        self.data = data
        self.parent = parent
        self.overlap = overlap

    def below(self, length):
        """What would read if the image had nothing of its own."""
        if self.parent is None:
            return bytes(length)
        base = bytes(self.parent[: min(self.overlap, length)])
        return base + bytes(length - len(base))

    def freeze(self):
        return Snapshot(bytes(self.data), self.parent, self.overlap)


class Snapshot(Layer):
    protected = False
    """Whether the head has been touched since."""
    left = False
    """Whether it is from before the image had an object map."""
    unmapped = False


class Model:
    def __init__(self, size, parent=None):
        if parent is None:
            self.head = Layer(bytearray(size))
        else:
            self.head = Layer(bytearray(parent), parent, len(parent))
        self.snaps = {}

    @property
    def size(self):
        return len(self.head.data)

    def touch(self):
        for snap in self.snaps.values():
            snap.left = True

    def write(self, offset, data):
        self.touch()
        self.head.data[offset : offset + len(data)] = data

    def zero(self, offset, length):
        self.write(offset, bytes(length))

    def resize(self, size):
        self.touch()
        data = self.head.data
        if size < len(data):
            del data[size:]
            self.head.overlap = min(self.head.overlap, size)
        else:
            data.extend(bytes(size - len(data)))

    def snapshot(self, name):
        self.snaps[name] = self.head.freeze()

    def rollback(self, name):
        self.touch()
        snap = self.snaps[name]
        self.resize(len(snap.data))
        self.head.data[:] = snap.data

    def flatten(self, deep):
        self.touch()
        for layer in [self.head] + (list(self.snaps.values()) if deep else []):
            layer.parent, layer.overlap = None, 0

    def layer(self, snap):
        return self.head if snap is None else self.snaps[snap]

    def has_parent(self):
        return any(layer.parent is not None for layer in [self.head, *self.snaps.values()])


def compare(got, data, offset):
    """`got` was read at `offset`. Raises Wrong with the place of the first other byte."""
    wanted = bytes(data[offset : offset + len(got)])
    if got == wanted:
        return
    if len(wanted) != len(got):
        raise Wrong("%d bytes read at %d of %d" % (len(got), offset, len(data)))
    at = first_difference(got, wanted)
    count = sum(a != b for a, b in zip(got[at : at + 65536], wanted[at : at + 65536]))
    shown = (offset + at, offset, len(got), got[at : at + 16].hex(), wanted[at : at + 16].hex(), count)
    raise Wrong(
        "byte %d (read at %d~%d): %s is read, %s belongs there; %d bytes differ in the next 64 KiB"
        % shown
    )


def first_difference(a, b):
    """The first place where two unequal strings of bytes of one length differ."""
    low, high = 0, len(a)
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def padded(data, start, stop):
    """[start, stop) of bytes that end in zeros for ever."""
    part = bytes(data[start:stop])
    return part + bytes(stop - start - len(part))


def check_diff(extents, before, after, offset, length, what, holes=True):
    """
    A diff of [offset, offset + length) may tell too much, never too little: outside the extents nothing has
    changed between `before` and `after` (the shorter one ends in zeros), and what does not exist reads as zeros.
    Without `holes` it need not tell of what has become zeros.
    """
    end = min(offset + length, len(after))

    def unchanged(start, stop):
        was, is_now = padded(before, start, stop), padded(after, start, stop)
        if was != is_now and not holes:
            is_now = bytes(new if new != 0 else old for old, new in zip(was, is_now))
        if was != is_now:
            at = start + first_difference(was, is_now)
            raise Wrong("%s does not tell of the change at %d" % (what, at))

    at = offset
    for start, size, exists in sorted(extents):
        if start < offset or start + size > end:
            raise Wrong("%s of %d~%d tells of %d~%d" % (what, offset, end - offset, start, size))
        unchanged(at, max(at, start))
        if not exists and padded(after, start, start + size) != bytes(size):
            raise Wrong("%s tells that %d~%d is a hole; it is not" % (what, start, size))
        at = max(at, start + size)
    unchanged(at, max(at, end))
