"""Clones and copies of an image under test: the half of Subject that leaves one image for another."""
import librbd
from librbd import (
    DEEP_FLATTEN,
    OPTION_CLONE_FORMAT,
    OPTION_FEATURES,
    OPTION_FLATTEN,
    OPTION_ORDER,
    Image,
)
from model import Model
from plan import describe

CHAIN_MAX = 3


class Descent:
    """Works on the fields of Subject, which inherits from it."""

    def clone(self):
        """Goes on with a clone of a snapshot, or has a look at it and drops it."""
        name = self.pick_snap()
        if self.plan.encryption is not None or name is None:
            return self.snapshot()
        options = self.plan.options(clone=True)
        child = self.image_name()
        self.log("clone %s of %s, %s" % (child, name, describe(options)))
        snap = self.model.snaps[name]
        if options[OPTION_CLONE_FORMAT] == 1 and not snap.protected:
            self.image.call("snap_protect", name.encode())
            snap.protected = True
        self.slow(lambda: librbd.clone(self.io, self.name, name, child, options))
        if len(self.ancestors) >= CHAIN_MAX or self.dice.random() < 0.3:
            with Image(self.io, child) as image:
                self.check_whole(image, snap.data, "the clone: ")
            return self.slow(lambda: librbd.remove(self.io, child))
        self.image.close()
        self.ancestors.append((self.name, list(self.model.snaps)))
        self.name, self.options, self.features = child, options, options[OPTION_FEATURES]
        self.is_shrunk_copy, self.is_resized_copy = False, False
        self.model = Model(len(snap.data), snap.data)
        self.open()
        self.check_features()

    def flatten(self):
        if self.model.head.parent is None:
            return self.clone()
        self.log("flatten")
        self.slow(lambda: self.image.call("flatten"))
        self.model.flatten(self.features & DEEP_FLATTEN)
        self.drop_ancestors()

    def drop_ancestors(self):
        if self.model.has_parent():
            return
        while self.ancestors:
            name, snaps = self.ancestors.pop()
            self.remove_image(name, snaps)

    def remove_image(self, name, snaps):
        with Image(self.io, name) as image:
            for snap in snaps:
                if image.is_protected(snap):
                    image.call("snap_unprotect", snap.encode())
                image.remove_snap(snap)
        self.slow(lambda: librbd.remove(self.io, name))

    def deep_copy(self):
        """All snapshots, too. Goes on with the copy or drops it."""
        if self.plan.encryption is not None:
            return self.verify()
        options = self.plan.options()
        # With a parent librbd cannot always do it: "failed to attach parent", EINVAL, on a real cluster as well.
        flat = self.model.has_parent()
        if flat:
            options[OPTION_FLATTEN] = 1
        copy = self.image_name()
        self.log("deep copy %s, %s%s" % (copy, describe(options), ", flat" if flat else ""))
        self.slow(lambda: self.image.deep_copy(self.io, copy, options))
        with Image(self.io, copy) as image:
            self.check_whole(image, self.model.head.data, "the copy: ")
        for name, snap in self.model.snaps.items():
            with Image(self.io, copy, name, read_only=True) as image:
                self.check_whole(image, snap.data, "snapshot %s of the copy: " % name)
        if self.dice.random() < 0.5:
            return self.remove_image(copy, list(self.model.snaps))
        self.image.close()
        self.remove_image(self.name, list(self.model.snaps))
        self.is_shrunk_copy |= any(len(s.data) > self.model.size for s in self.model.snaps.values())
        self.is_resized_copy |= options[OPTION_ORDER] != self.options[OPTION_ORDER]
        self.name, self.options = copy, options
        self.open()
        self.features = options[OPTION_FEATURES]
        self.check_features()
        for name, snap in self.model.snaps.items():
            snap.left = True
            snap.unmapped = False
            snap.protected = self.image.is_protected(name)
        if flat:
            self.model.flatten(True)
            self.drop_ancestors()
