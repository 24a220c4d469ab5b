"""One image under test and what may be done to it; each operation checks itself against the model."""
import errno
import threading

import librbd
from descent import Descent
from librbd import (
    DEEP_FLATTEN,
    EXCLUSIVE,
    FAST_DIFF,
    FAULTS,
    JOURNALING,
    JOURNALS,
    OBJECT_MAP,
    OPTION_DATA_POOL,
    OPTION_FEATURES,
    OPTION_ORDER,
    OPTION_STRIPE_COUNT,
    OPTION_STRIPE_UNIT,
    Failed,
    Image,
    Pending,
)
from model import Model, Wrong, check_diff, compare
from plan import CHAINED, CHOSEN, POOL, choose_settings, describe, describe_settings, feature_names

SNAPS_MAX = 5
BURST_MAX = 24
PASSPHRASE = b"fsx"
"""librados.h: LIBRADOS_OP_FLAG_FADVISE_*."""
ADVICE = [0, 0, 0, 0x4, 0x8, 0x10, 0x20, 0x40]
SECTOR = 512
"""What a discard that may skip takes or leaves is a multiple of this, or an end of it."""
GRANULE_MIN = 4096


class Subject(Descent):
    def __init__(self, session, letter):
        self.session = session
        self.dice = session.dice
        self.plan = session.plan
        self.letter = letter
        """A client of its own: a change of its settings reaches open images, too, at their next refresh."""
        self.settings = {**session.plan.settings, **choose_settings(self.dice)}
        self.connect()
        self.serial = 0
        """Names of the images below, oldest first, with the snapshots that each still has."""
        self.ancestors = []
        self.create()

    def connect(self):
        self.cluster = librbd.Cluster(self.session.conf, self.settings)
        self.io = self.cluster.pool(POOL)

    # --- what is there

    def log(self, text):
        self.session.begin(self.letter, text)

    def note(self, offset, length):
        self.session.note(self.letter, offset, length)

    def fresh_name(self, prefix=""):
        self.serial += 1
        return "%s%s%d" % (prefix, self.letter, self.serial)

    def image_name(self):
        return "%s.%s" % (self.session.prefix, self.fresh_name())

    def create(self):
        self.options = self.plan.options()
        """Was made by a deep copy of what had a larger snapshot; into objects of another size."""
        self.is_shrunk_copy, self.is_resized_copy = False, False
        self.features = self.options[OPTION_FEATURES]
        self.name = self.image_name()
        self.model = Model(self.plan.size())
        self.log("settings %s" % describe_settings(self.settings))
        self.log("create %s, %d bytes, %s" % (self.name, self.model.size, describe(self.options)))
        size = self.plan.room + self.model.size
        librbd.create(self.io, self.name, size, self.options)
        if self.plan.encryption is not None:
            with Image(self.io, self.name) as image:
                image.encryption("format", self.plan.encryption, PASSPHRASE)
                # What has been formatted is loaded, too.
                self.model = Model(image.number("get_size"))
        """Bytes of the image before its data."""
        self.header = size - self.model.size
        self.open()
        self.fill(0)

    def open(self):
        self.image = Image(self.io, self.name)
        self.load(self.image)
        # Of deep copies of what had been shrunk librbd leaves objects behind, on a real cluster as well (seeds 5026
        # and 5060).
        if not (FAULTS and self.is_shrunk_copy):
            self.session.ids.add(self.image.id())
        self.skips = self.settings["rbd_skip_partial_discard"] == "true"
        self.granularity = self.settings["rbd_discard_granularity_bytes"]
        self.check_size()

    def fill(self, offset):
        """What has never been written of an encrypted image is nothing in particular: zeros from `offset` on."""
        if self.plan.encryption is not None and offset < self.model.size:
            data = bytes(self.model.size - offset)
            Pending(self.image, "write2", offset, len(data), data, flags=(0,), data=data).wait()

    def load(self, image):
        if self.plan.encryption is not None:
            image.encryption("load", self.plan.encryption, PASSPHRASE)

    def check_size(self):
        size = self.image.number("get_size")
        if size != self.model.size:
            raise Wrong("size %d; %d is right" % (size, self.model.size))

    def check_features(self):
        features = self.image.number("get_features")
        if (features ^ self.features) & CHOSEN:
            raise Wrong("features %s; %s are right" % (feature_names(features), feature_names(self.features)))

    # --- ranges and data

    def range(self, longest=256 * 1024):
        """An offset and a length, with a liking for odd ones and for the borders of objects."""
        dice, size = self.dice, self.model.size
        length = min(size, int(2 ** dice.uniform(0, longest.bit_length() - 1)))
        offset = dice.randint(0, size - length)
        kind = dice.random()
        if kind < 0.3:
            unit = self.options[OPTION_STRIPE_UNIT]
            border = dice.randint(0, size // unit) * unit
            offset = border - dice.choice([0, length, dice.randint(0, length), dice.randint(0, 4096)])
        elif kind < 0.5:
            offset, length = offset & -4096, max(4096, length & -4096)
        elif kind < 0.6:
            offset, length = offset & -512, max(512, length & -512)
        elif kind < 0.65:
            offset = size - length
        offset = max(0, min(offset, size - 1))
        return offset, max(1, min(length, size - offset))

    def ranges(self, count):
        """At most `count` that do not touch one another."""
        chosen = []
        for _ in range(count):
            offset, length = self.range()
            if all(offset + length <= o or o + n <= offset for o, n in chosen):
                chosen.append((offset, length))
        return chosen

    # --- reading and writing

    def burst(self):
        """Several at once, of ranges that do not touch; sometimes the server dies under them."""
        pending, after = [], []
        count = self.dice.choice([1, 4, 12, BURST_MAX])
        for offset, length in self.ranges(1 if self.loses_writes() else count):
            self.submit(offset, length, pending, after)
        self.session.maybe_kill(1 / 800)
        results = [(call, call.wait()) for call in pending]
        for call, result in results:
            if call.function == "read2":
                self.check_read(call, result)
        for check in after:
            check()

    def loses_writes(self):
        """
        Beside a discard, or zeros by way of one, librbd's write-back cache loses writes of other ranges, on a real
        cluster as well (seed 5056): so there each goes alone, with nothing before it that is not written back.
        """
        if not FAULTS:
            return False
        return self.settings["rbd_cache"] == "true" and self.settings["rbd_cache_policy"] == "writeback"

    def write_back(self):
        """What is to come would not go well with what the cache has yet to write."""
        if self.loses_writes():
            self.image.call("flush")

    def prepare_write(self):
        """
        Of an encrypted image what begins or ends within a sector is read first, so that a later write of the same bytes,
        of whole sectors, gets ahead of one that the cache writes back, on a real cluster as well (seed 71056).
        """
        if self.plan.encryption is not None:
            self.write_back()

    def submit(self, offset, length, pending, after):
        dice, model, image = self.dice, self.model, self.image
        kind, advice = dice.random(), dice.choice(ADVICE)

        def call(function, *args, **more):
            pending.append(Pending(image, function, offset, length, *args, **more))

        if kind < 0.35:
            self.log("read %d~%d" % (offset, length))
            buffer = librbd.ctypes.create_string_buffer(length)
            call("read2", buffer, flags=(advice,), data=(offset, buffer))
            return
        if kind < 0.75:
            data = self.session.bytes(length)
            self.log("write %d~%d" % (offset, length))
            self.prepare_write()
            call("write2", data, flags=(advice,), data=data)
            model.write(offset, data)
        elif kind < 0.87:
            if self.plan.encryption is not None:
                return self.zeroes(offset, length, call)
            self.discard(offset, length, call, after)
        elif kind < 0.95:
            self.zeroes(offset, length, call)
        else:
            pattern = self.session.bytes(dice.choice([1, 2, 16, 512, 4096]))[:length]
            length -= length % len(pattern)
            self.log("write_same %d~%d of %d" % (offset, length, len(pattern)))
            args = (pattern, len(pattern))
            self.prepare_write()
            pending.append(
                Pending(image, "writesame", offset, length, *args, flags=(advice,), data=pattern)
            )
            model.write(offset, pattern * (length // len(pattern)))
        self.note(offset, length)

    def zeroes(self, offset, length, call):
        thick = self.dice.choice([0, librbd.THICK])
        self.log("write_zeroes %d~%d%s" % (offset, length, " thick" if thick else ""))
        self.write_back()
        call("write_zeroes", flags=(thick, 0))
        self.model.zero(offset, length)

    def discard(self, offset, length, call, after):
        self.log("discard %d~%d" % (offset, length))
        self.write_back()
        call("discard")
        if not self.skips:
            return self.model.zero(offset, length)
        self.model.touch()
        after.append(lambda: self.adopt(offset, length))

    def adopt(self, offset, length):
        """
        A discard that may skip what is no full granule leaves there either zeros or what was; which, is the
        client's choice. From now on it must stay so.
        """
        got = self.image.read(offset, length)
        was = self.model.head.data
        if self.granularity <= 1 << self.options[OPTION_ORDER]:
            first = -(-offset // self.granularity) * self.granularity
            last = (offset + length) // self.granularity * self.granularity
            plain = self.options[OPTION_STRIPE_COUNT] == 1
            if plain and last > first and any(got[first - offset : last - offset]):
                raise Wrong("a discard of %d~%d left data in full granules" % (offset, length))
        for start in range(offset & -GRANULE_MIN, offset + length, GRANULE_MIN):
            first, last = max(start, offset), min(start + GRANULE_MIN, offset + length)
            part = got[first - offset : last - offset]
            if part != was[first:last] and any(part):
                raise Wrong("a discard of %d~%d left other data at %d" % (offset, length, first))
        was[offset : offset + length] = got

    def check_read(self, call, result):
        offset, buffer = call.data
        if result != len(buffer):
            raise Wrong("%d bytes of %d are read at %d" % (result, len(buffer), offset))
        compare(buffer.raw, self.model.head.data, offset)

    def read(self):
        offset, length = self.range(2 << 20)
        self.log("read %d~%d, by itself" % (offset, length))
        got = self.image.read(offset, length, self.dice.choice(ADVICE))
        compare(got, self.model.head.data, offset)

    def compare_and_write(self):
        offset, _ = self.range()
        length = min(self.model.size - offset, SECTOR - offset % SECTOR)
        length = self.dice.randint(1, length)
        expected = bytearray(self.model.head.data[offset : offset + length])
        data = self.session.bytes(length)
        wrong = self.dice.randrange(length) if self.dice.random() < 0.4 else None
        self.log("compare_and_write %d~%d, other at %s" % (offset, length, wrong))
        if wrong is not None:
            expected[wrong] ^= 1 + self.dice.randrange(255)
        mismatch = self.image.compare_and_write(offset, bytes(expected), data)
        start = self.object_start(offset) if FAULTS else offset
        place = None if wrong is None else start + wrong
        if mismatch != place and (self.plan.encryption is None or mismatch is None):
            raise Wrong("compare_and_write found another byte at %s, not at %s" % (mismatch, place))
        if wrong is None:
            self.model.write(offset, data)
            self.note(offset, length)
            # librbd's cache, where it has read these bytes before, goes on with what it read, on a real
            # cluster as well (ceph: src/librbd/cache/ObjectCacherObjectDispatch.cc).
            self.image.call("invalidate_cache")
        else:
            self.model.touch()

    def object_start(self, offset):
        """
        Where in the image the object begins that holds `offset`. librbd tells of a mismatch as if what was
        compared began there (ceph: src/librbd/io/ObjectRequest.cc).
        """
        size = 1 << self.options[OPTION_ORDER]
        unit = self.options[OPTION_STRIPE_UNIT]
        count = self.options[OPTION_STRIPE_COUNT]
        stripe, position = divmod(offset // unit, count)
        rows = size // unit
        return (stripe // rows * rows * count + position) * unit

    def flush(self):
        self.log("flush")
        self.image.call("flush")

    def invalidate(self):
        self.log("invalidate_cache")
        self.image.call("invalidate_cache")

    def verify(self):
        """All of the head and of every snapshot."""
        self.log("verify")
        self.check_size()
        self.check_whole(self.image, self.model.head.data)
        if self.plan.encryption is None:
            for name, snap in self.model.snaps.items():
                with Image(self.io, self.name, name, read_only=True) as image:
                    self.check_whole(image, snap.data, "snapshot %s: " % name)

    def check_whole(self, image, data, where=""):
        step = 4 << 20
        try:
            for offset in range(0, len(data), step):
                compare(image.read(offset, min(step, len(data) - offset)), data, offset)
        except Wrong as wrong:
            raise Wrong(where + str(wrong)) from None

    # --- the image as a whole

    def slow(self, work):
        """An operation of many requests: sometimes the server dies in the middle of them."""
        if not self.session.draws_kill(1 / 50):
            return work()
        failure = []

        def run():
            try:
                work()
            except Exception as error:
                failure.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        self.session.kill(0.05)
        thread.join()
        if failure:
            raise failure[0]

    def resize(self):
        size = self.plan.size()
        allow = self.dice.random() < 0.8
        self.log("resize %d to %d%s" % (self.model.size, size, "" if allow else ", no shrinking"))
        if size < self.model.size and not allow:
            try:
                self.image.resize(self.header + size, False)
            except Failed as failed:
                if failed.errno == errno.EINVAL:
                    return
                raise
            raise Wrong("shrunk without leave")
        self.slow(lambda: self.image.resize(self.header + size, allow))
        self.note(min(size, self.model.size), abs(size - self.model.size))
        end = self.model.size
        self.model.resize(size)
        self.check_size()
        self.fill(end)

    def reopen(self):
        """Most of the time by a fresh client with other settings."""
        chosen = choose_settings(self.dice) if self.dice.random() < 0.7 else None
        self.log("reopen%s" % (", " + describe_settings(chosen) if chosen else ""))
        self.image.close()
        if chosen is not None:
            self.cluster.close()
            self.settings.update(chosen)
            self.connect()
        self.open()
        self.check_features()
        overlap = self.image.number("get_overlap")
        if overlap != self.model.head.overlap:
            raise Wrong("an overlap of %d; %d is right" % (overlap, self.model.head.overlap))

    def sparsify(self):
        size = self.dice.choice([4096, 65536])
        if size > 1 << self.options[OPTION_ORDER]:
            return
        self.log("sparsify %d" % size)
        self.model.touch()
        self.slow(lambda: self.image.call("sparsify", size))

    def toggle(self):
        """Features on and off; those that need others only where these are."""
        has, dice = self.features, self.dice
        options = [DEEP_FLATTEN] if has & DEEP_FLATTEN and dice.random() < 0.1 else []
        if not has & CHAINED:
            options.append(EXCLUSIVE)
        if has & EXCLUSIVE:
            # librbd has the two go together (ceph: src/librbd/operation/EnableFeaturesRequest.cc).
            options += [OBJECT_MAP | FAST_DIFF, FAST_DIFF]
            options += [JOURNALING] if self.plan.encryption is None and JOURNALS else []
        choice = dice.choice(options)
        enable = has & choice == 0
        self.log("%s %s" % ("enable" if enable else "disable", feature_names(choice)))
        self.slow(lambda: self.image.call("update_features", choice, enable))
        choice |= OBJECT_MAP if choice & FAST_DIFF else 0
        self.features = has | choice if enable else has & ~choice
        for snap in self.model.snaps.values():
            snap.left = True
            snap.unmapped = snap.unmapped or (enable and choice & OBJECT_MAP != 0)
        self.check_features()
        self.diff()

    def rebuild(self):
        if not self.features & OBJECT_MAP:
            return self.toggle()
        self.log("rebuild_object_map")
        self.settle_copies()
        self.model.touch()
        self.slow(lambda: self.image.call("rebuild_object_map", librbd.PROGRESS, None))
        if self.image.number("get_flags") != 0:
            raise Wrong("flags %x after a rebuild" % self.image.number("get_flags"))
        self.diff()

    def settle_copies(self):
        """
        What librbd copies on a read, while it rebuilds the map, the map does not have afterwards: on a real 16.2.15 in
        each of 25 tries. They are at their end once the image is closed.
        """
        if FAULTS and self.settings["rbd_clone_copy_on_read"] == "true":
            self.image.close()
            self.open()

    def diff(self):
        """From nothing or from a snapshot to a later one or to the head, of all or of a part."""
        if self.plan.encryption is not None:
            return self.flush()
        dice, names = self.dice, list(self.model.snaps)
        since = dice.choice([None, *names])
        later = names if since is None else names[names.index(since) + 1 :]
        until = dice.choice([None, None, *later])
        # Of a deep copy into objects of another size the object maps do not tell all, on a real cluster as well
        # (seed 5009).
        lacks = FAULTS and self.is_resized_copy and self.features & FAST_DIFF
        whole = dice.random() < 0.5 and not lacks
        include_parent = not whole and dice.random() < 0.5
        end = self.model.layer(until)
        offset, length = (0, len(end.data)) if dice.random() < 0.7 else self.range(4 << 20)
        what = "diff from %s to %s%s%s" % (
            since,
            until,
            ", whole objects" if whole else "",
            ", with the parent's" if include_parent else "",
        )
        self.log("%s of %d~%d" % (what, offset, length))
        if offset >= len(end.data):
            return
        if until is None:
            extents = self.image.diff(since, offset, length, include_parent, whole)
        else:
            with Image(self.io, self.name, until, read_only=True) as image:
                extents = image.diff(since, offset, length, include_parent, whole)
        if since is not None:
            before = self.model.snaps[since].data
        else:
            before = b"" if include_parent else end.below(len(end.data))
        # From nothing on, librbd tells of no holes (ceph: src/librbd/api/DiffIterate.cc), not even of one over
        # the parent's data.
        check_diff(extents, before, end.data, offset, length, what, holes=since is not None)
        untouched = since is not None and until is None and not self.model.snaps[since].left
        if untouched and end.parent is None and extents:
            raise Wrong("%s tells of %d extents; nothing has been touched" % (what, len(extents)))

    def second(self):
        """
        By another client that opens the image, too: the lock comes over for writing, and goes back; or who has
        the lock is asked to do it, by a notification.
        """
        if not self.features & EXCLUSIVE or self.plan.encryption is not None:
            return self.read()
        kind = self.dice.choice(["write", "write", "snapshot", "resize"])
        if kind == "snapshot" and len(self.model.snaps) >= SNAPS_MAX:
            kind = "write"
        with Image(self.session.cluster.pool(POOL), self.name) as other:
            if kind == "snapshot":
                name = self.fresh_name("s")
                self.log("snapshot %s by another client" % name)
                self.slow(lambda: other.call("snap_create", name.encode()))
                return self.model.snapshot(name)
            if kind == "resize":
                size = self.plan.size()
                self.log("resize %d to %d by another client" % (self.model.size, size))
                self.slow(lambda: other.resize(size, True))
                return self.model.resize(size)
            for offset, length in self.ranges(4):
                data = self.session.bytes(length)
                self.log("write %d~%d by another client" % (offset, length))
                Pending(other, "write2", offset, length, data, flags=(0,), data=data).wait()
                self.model.write(offset, data)
                self.note(offset, length)
            offset, length = self.range()
            self.log("read %d~%d by another client" % (offset, length))
            compare(other.read(offset, length), self.model.head.data, offset)
        # The first may have cached bytes without the lock; that librbd drops those is not asked for here.
        self.image.call("invalidate_cache")

    # --- snapshots

    def snapshot(self):
        if len(self.model.snaps) >= SNAPS_MAX:
            return self.remove_snap()
        name = self.fresh_name("s")
        self.log("snapshot %s" % name)
        self.slow(lambda: self.image.call("snap_create", name.encode()))
        self.model.snapshot(name)

    def pick_snap(self):
        return self.dice.choice(list(self.model.snaps)) if self.model.snaps else None

    def remove_snap(self):
        name = self.pick_snap()
        if name is None:
            return self.snapshot()
        protected = self.model.snaps[name].protected
        self.log("remove snapshot %s%s" % (name, ", protected" if protected else ""))
        if protected:
            try:
                self.image.remove_snap(name)
            except Failed as failed:
                if failed.errno == errno.EBUSY:
                    return self.unprotect(name)
                raise
            raise Wrong("removed a protected snapshot")
        self.slow(lambda: self.image.remove_snap(name))
        del self.model.snaps[name]

    def protect(self):
        name = self.pick_snap()
        if name is None:
            return self.snapshot()
        if self.model.snaps[name].protected:
            self.log("unprotect %s" % name)
            return self.unprotect(name)
        self.log("protect %s" % name)
        self.image.call("snap_protect", name.encode())
        self.model.snaps[name].protected = True

    def unprotect(self, name):
        self.image.call("snap_unprotect", name.encode())
        self.model.snaps[name].protected = False
        if self.image.is_protected(name):
            raise Wrong("%s is protected still" % name)

    def rollback(self):
        name = self.pick_snap()
        if name is None:
            return self.snapshot()
        self.log("roll back to %s" % name)
        self.slow(lambda: self.image.call("snap_rollback", name.encode()))
        self.model.rollback(name)
        self.note(0, self.model.size)
        if FAULTS and self.features & OBJECT_MAP and self.model.snaps[name].unmapped:
            # librbd takes the map that the snapshot has, though that is empty and marked so, for the head's and then
            # finds no objects, on a real cluster as well (seed 42030).
            self.image.call("rebuild_object_map", librbd.PROGRESS, None)
        if FAULTS and self.settings["rbd_cache"] == "true" and self.options[OPTION_STRIPE_COUNT] > 1:
            # What librbd 16 reads then may be zeros, with an emptied cache, too, and on a real cluster as well
            # (seed 5000); whoever opens the image reads it right.
            self.image.close()
            self.open()
        self.check_size()

    def read_snap(self):
        name = self.pick_snap()
        if name is None:
            return self.read()
        data = self.model.snaps[name].data
        length = min(len(data), int(2 ** self.dice.uniform(0, 20)))
        offset = self.dice.randint(0, len(data) - length)
        here = self.plan.encryption is not None or self.dice.random() < 0.5
        self.log("read %s at %d~%d%s" % (name, offset, length, "" if here else ", opened for it"))
        if not here:
            with Image(self.io, self.name, name, read_only=True) as image:
                return compare(image.read(offset, length), data, offset)
        self.image.call("snap_set", name.encode())
        try:
            compare(self.image.read(offset, length), data, offset)
        finally:
            self.image.call("snap_set", None)

    def end(self):
        """Removes all that there is."""
        self.log("remove all")
        self.verify()
        self.image.close()
        self.remove_image(self.name, list(self.model.snaps))
        while self.ancestors:
            name, snaps = self.ancestors.pop()
            self.remove_image(name, snaps)
        self.cluster.close()


STEPS = {
    Subject.burst: 200,
    Subject.read: 20,
    Subject.compare_and_write: 20,
    Subject.flush: 6,
    Subject.invalidate: 4,
    Subject.verify: 3,
    Subject.resize: 6,
    Subject.reopen: 4,
    Subject.sparsify: 1,
    Subject.toggle: 3,
    Subject.rebuild: 2,
    Subject.diff: 10,
    Subject.second: 3,
    Subject.snapshot: 8,
    Subject.remove_snap: 4,
    Subject.protect: 2,
    Subject.rollback: 4,
    Subject.read_snap: 8,
    Subject.clone: 3,
    Subject.flatten: 2,
    Subject.deep_copy: 1,
}
