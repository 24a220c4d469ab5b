"""What one seed chooses for itself: shape and features of its images, the client's settings, encryption."""
from librbd import (
    DEEP_FLATTEN,
    ENCRYPTS,
    EXCLUSIVE,
    FAST_DIFF,
    JOURNALING,
    JOURNALS,
    LAYERING,
    LUKS1,
    LUKS2,
    OBJECT_MAP,
    OPTION_CLONE_FORMAT,
    OPTION_DATA_POOL,
    OPTION_FEATURES,
    OPTION_JOURNAL_ORDER,
    OPTION_ORDER,
    OPTION_STRIPE_COUNT,
    OPTION_STRIPE_UNIT,
)

POOLS = POOL, DATA = "fsx", "fsx-data"
KIB, MIB = 1 << 10, 1 << 20
SIZE_MIN = 8 * KIB
"""Room for what encryption puts before the data: more than it takes, which depends on the object size."""
LUKS_ROOM = {LUKS1: 8 * MIB, LUKS2: 24 * MIB}
"""Features that need exclusive-lock, and all those that an image has if it is asked for, and never else."""
CHAINED = OBJECT_MAP | FAST_DIFF | JOURNALING
CHOSEN = CHAINED | EXCLUSIVE | DEEP_FLATTEN


def feature_names(features):
    names = "layering striping exclusive object-map fast-diff deep-flatten journaling data-pool"
    return "+".join(name for bit, name in enumerate(names.split()) if features >> bit & 1)


def choose_settings(dice):
    """Settings of librbd that hold from the next open on."""
    cache = dice.choice(["off", "writearound", "writethrough", "writeback", "writeback"])
    return {
        "rbd_cache": "false" if cache == "off" else "true",
        "rbd_cache_policy": "writeback" if cache == "off" else cache,
        "rbd_cache_writethrough_until_flush": dice.choice(["true", "false", "false"]),
        "rbd_cache_size": dice.choice([512 * KIB, 2 * MIB, 32 * MIB]),
        "rbd_cache_max_dirty": 256 * KIB,
        "rbd_cache_target_dirty": 128 * KIB,
        "rbd_readahead_disable_after_bytes": dice.choice([0, 50 * MIB]),
        "rbd_clone_copy_on_read": dice.choice(["true", "false", "false"]),
        "rbd_skip_partial_discard": dice.choice(["true", "false", "false"]),
        "rbd_discard_granularity_bytes": dice.choice([4 * KIB, 64 * KIB]),
        "rbd_discard_on_zeroed_write_same": dice.choice(["true", "false"]),
        "rbd_sparse_read_threshold_bytes": dice.choice([1, 4 * KIB, 64 * KIB, 32 * MIB]),
    }


def describe_settings(settings):
    return ", ".join("%s %s" % item for item in settings.items())


class Plan:
    def __init__(self, dice, encrypted):
        self.dice = dice
        self.encryption = dice.choice([LUKS1, LUKS2]) if encrypted and ENCRYPTS else None
        self.room = 0 if self.encryption is None else LUKS_ROOM[self.encryption]
        self.settings = {
            "ms_client_mode": dice.choice(["crc secure", "crc secure", "secure"]),
            "rbd_concurrent_management_ops": dice.choice([1, 10, 10]),
            "rbd_io_scheduler": dice.choice(["none", "simple"]),
            "rbd_default_clone_format": dice.choice([1, 2]),
        }
        self.size_max = dice.choice([256 * KIB, 1 * MIB, 4 * MIB, 4 * MIB, 12 * MIB])

    def options(self, clone=False):
        """Options of an image to create or to clone, as librbd's numbers; and what is to know of them."""
        dice = self.dice
        lowest = 18 if self.room > 0 else 12 if self.size_max <= MIB else 16
        order = dice.choice([o for o in (12, 13, 14, 16, 16, 17, 18, 19, 20, 22, 22, 25) if o >= lowest])
        features = dice.choice([0, LAYERING]) if not clone else LAYERING
        features |= dice.choice([0, DEEP_FLATTEN])
        if dice.random() < 0.75:
            features |= EXCLUSIVE
            features |= dice.choice([0, OBJECT_MAP | FAST_DIFF, OBJECT_MAP | FAST_DIFF])
            if dice.random() < 0.25 and self.encryption is None and JOURNALS:
                features |= JOURNALING
        unit, count = 1 << order, 1
        if dice.random() < 0.3 and self.encryption is None:
            unit = 1 << dice.randrange(max(12, order - 4), order + 1)
            count = dice.choice([1, 2, 3, 5])
        # Without these a clone or a copy has its origin's.
        options = {OPTION_ORDER: order, OPTION_STRIPE_UNIT: unit, OPTION_STRIPE_COUNT: count}
        options[OPTION_FEATURES] = features | LAYERING
        if dice.random() < 0.25:
            options[OPTION_DATA_POOL] = DATA
        if features & JOURNALING:
            options[OPTION_JOURNAL_ORDER] = dice.choice([16, 20, 24])
        if clone:
            options[OPTION_CLONE_FORMAT] = dice.choice([1, 2])
        return options

    def size(self):
        """A size in bytes; sometimes no multiple of anything."""
        dice = self.dice
        size = dice.randint(SIZE_MIN, self.size_max)
        return size if dice.random() < 0.5 else max(SIZE_MIN, size & -4096)


def describe(options):
    features = feature_names(options[OPTION_FEATURES])
    stripes = "stripes of %d x %d" % (options[OPTION_STRIPE_UNIT], options[OPTION_STRIPE_COUNT])
    words = ["order %d" % options[OPTION_ORDER], stripes, features]
    if OPTION_DATA_POOL in options:
        words.append("data pool")
    if OPTION_CLONE_FORMAT in options:
        words.append("clone format %d" % options[OPTION_CLONE_FORMAT])
    return ", ".join(words)
