/** Sub-operations of compound reads and writes, as operations.py takes them: a word, arguments, flags. */
import type { Dice } from "../harness/dice.ts";

export type SubOp = unknown[];

/** Flags of a sub-operation. ceph: src/include/rados/librados.h LIBRADOS_OP_FLAG_* */
const FLAG = { FAILOK: 2, RANDOM: 4, WILLNEED: 0x10, DONTNEED: 0x20, NOCACHE: 0x40 };
/** Past the largest object a cluster allows (osd_max_object_size, 128 MiB). */
const TOO_FAR = 1 << 28;
const XATTRS = ["x1", "x2", "x3", "n", "long".repeat(20)];
const OMAP_KEYS = ["k0", "k1", "k2", "k3", "k4", "a", "b\u0000c", "z", "\u00ff", ""];
const NUMBERS = [
  "0",
  "7",
  "12",
  "007",
  "-1",
  "x",
  "18446744073709551615",
  "99999999999999999999999",
];

class SubOps {
  readonly dice: Dice;
  constructor(dice: Dice) {
    this.dice = dice;
  }

  offset(): number {
    const { dice } = this;
    const kind = dice.weighted({ start: 3, small: 6, block: 4, odd: 4, far: 1, tooFar: 0.2 * 5 });
    if (kind === "start") return 0;
    if (kind === "small") return dice.below(64);
    if (kind === "block") return dice.below(8) * 4096;
    if (kind === "odd") return dice.below(30_000);
    if (kind === "far") return dice.below(600_000);
    return dice.chance(0.2) ? TOO_FAR : dice.below(100);
  }

  length(): number {
    const { dice } = this;
    const kind = dice.weighted({ none: 1, small: 8, block: 3, odd: 4, large: 1 });
    if (kind === "none") return 0;
    if (kind === "small") return 1 + dice.below(40);
    if (kind === "block") return (1 + dice.below(4)) * 4096;
    if (kind === "odd") return dice.below(12_000);
    return dice.below(100_000);
  }

  /** Bytes: as a seed and a length, or, if they are few, as they are. */
  data(length = this.length()): string | [number, number] {
    if (length <= 24) return Buffer.from(this.dice.bytes(length)).toString("hex");
    return [this.dice.below(1000), length];
  }

  /** Few values, so that comparisons are equal now and then; some are numbers. */
  value(): string {
    const { dice } = this;
    if (dice.chance(0.4)) return hex(dice.pick(NUMBERS));
    if (dice.chance(0.1)) return Buffer.from(dice.bytes(8)).toString("hex");
    return hex(dice.pick(["", "a", "b", "ab", "\u00ff"]));
  }

  omapKeys(): string[] {
    return Array.from({ length: this.dice.below(5) }, () => this.omapKey());
  }

  omapKey(): string {
    return this.dice.chance(0.9) ? this.dice.pick(OMAP_KEYS) : `k${this.dice.below(40)}`;
  }

  operator(): number {
    return this.dice.chance(0.97) ? 1 + this.dice.below(6) : this.dice.below(10);
  }

  guard(): SubOp {
    const { dice } = this;
    switch (dice.weighted({ exists: 2, version: 2, xattr: 3, number: 3, omap: 3, extent: 3 })) {
      case "exists":
        return ["assert_exists"];
      case "version":
        return ["assert_version", dice.chance(0.1) ? 0 : { last: 1 - dice.below(4) }];
      case "xattr":
        return ["cmpxattr", dice.pick(XATTRS), this.operator(), this.value()];
      case "number":
        return [
          "cmpxattr_u64",
          dice.pick(XATTRS),
          this.operator(),
          dice.pick(["0", "7", "12", "18446744073709551615"]),
        ];
      case "omap":
        return ["omap_cmp", this.omapKey(), this.operator(), this.value()];
      default:
        return ["cmpext", this.offset(), this.data(dice.below(2) * dice.below(40))];
    }
  }

  /** Puts the flags after a sub-operation. */
  flagged(op: SubOp, failOk: number): SubOp {
    let flags = 0;
    if (this.dice.chance(failOk)) flags |= FLAG.FAILOK;
    if (this.dice.chance(0.05)) {
      flags |= this.dice.pick([FLAG.RANDOM, FLAG.WILLNEED, FLAG.DONTNEED, FLAG.NOCACHE]);
    }
    return [...op, flags];
  }
}

function hex(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

const FAILOK = 0.12;

export class WriteOps extends SubOps {
  readonly #snaps: { count(): number };

  constructor(dice: Dice, snaps: { count(): number }) {
    super(dice);
    this.#snaps = snaps;
  }

  /** One to five. */
  some(): SubOp[] {
    const count = this.dice.chance(0.45) ? 1 : 1 + this.dice.below(5);
    const ops = Array.from({ length: count }, () => this.one());
    const at = (words: readonly unknown[]) => ops.findIndex(([word]) => words.includes(word));
    // BlueStore leaves keys that the same request has set, or brought back, before it removes a range, or all, of them.
    const firstSet = at(["omap_set", "rollback"]);
    // A real OSD forgets the first removal over the second: what was there before the request is there again after it.
    const firstRemoval = at(["remove", "rollback"]);
    const isLeft = (word: unknown, i: number) =>
      (firstSet >= 0 && i > firstSet && (word === "omap_rm_range" || word === "omap_clear")) ||
      (firstRemoval >= 0 && i > firstRemoval && (word === "remove" || word === "rollback"));
    return ops.filter(([word], i) => !isLeft(word, i));
  }

  one(): SubOp {
    return this.flagged(this.dice.chance(0.12) ? this.guard() : this.#change(), FAILOK);
  }

  /**
   * One for beside a class call. No omap: a real OSD stops if a class lists the omap of an object that an omap
   * sub-operation of the same request has made. No data: see Generator._call.
   */
  beside(): SubOp {
    return this.flagged(this.dice.chance(0.4) ? this.guard() : this.#attributes(), FAILOK);
  }

  #change(): SubOp {
    const kind = this.dice.weighted({ data: 12, attributes: 5, omap: 6, life: 3 });
    if (kind === "data") return this.#data();
    if (kind === "attributes") return this.#attributes();
    if (kind === "omap") return this.#omap();
    return this.#life();
  }

  #data(): SubOp {
    const { dice } = this;
    switch (
      dice.weighted({ write: 6, full: 3, append: 3, truncate: 3, zero: 3, same: 2, hint: 1 })
    ) {
      case "write":
        return ["write", this.offset(), this.data()];
      case "full":
        return ["write_full", this.data()];
      case "append":
        return ["append", this.data()];
      case "truncate":
        return ["truncate", this.offset()];
      case "zero":
        // A real OSD stops at a length of 0.
        return ["zero", this.offset(), 1 + this.length()];
      case "same": {
        const length = 1 + dice.below(20);
        const whole = dice.chance(0.9) ? length * (1 + dice.below(30)) : dice.below(100);
        return ["writesame", this.offset(), whole, this.data(length)];
      }
      default:
        return ["alloc_hint", dice.below(5) * 65_536, dice.below(5) * 4096, dice.below(4)];
    }
  }

  #attributes(): SubOp {
    const name = this.dice.pick(XATTRS);
    return this.dice.chance(0.7) ? ["setxattr", name, this.value()] : ["rmxattr", name];
  }

  #omap(): SubOp {
    const { dice } = this;
    switch (dice.weighted({ set: 6, header: 2, keys: 3, range: 2, clear: 1 })) {
      case "set": {
        const keys = [...new Set(this.omapKeys())];
        return ["omap_set", keys.map((key) => [key, this.value()])];
      }
      case "header":
        return ["omap_set_header", this.value()];
      case "keys":
        return ["omap_rm_keys", this.omapKeys()];
      case "range":
        return ["omap_rm_range", this.omapKey(), this.omapKey()];
      default:
        return ["omap_clear"];
    }
  }

  #life(): SubOp {
    const { dice } = this;
    const kind = dice.weighted({ create: 3, remove: 3, rollback: 1 });
    if (kind === "create") return ["create", dice.below(2)];
    if (kind === "remove") return ["remove"];
    // Not to one that never was: where trimming has removed the object, a real OSD answers as its cache has it.
    const count = this.#snaps.count();
    return count === 0 ? ["remove"] : ["rollback", dice.below(count)];
  }
}

export class ReadOps extends SubOps {
  /** One to four. */
  some(ofSnapDir = false): SubOp[] {
    if (ofSnapDir) return [["list_snaps", 0]];
    const count = this.dice.chance(0.5) ? 1 : 1 + this.dice.below(4);
    return Array.from({ length: count }, () => this.one());
  }

  one(): SubOp {
    return this.flagged(this.dice.chance(0.2) ? this.guard() : this.#look(), FAILOK);
  }

  /** One for after a class call. No listing of the omap: a real OSD stops at one of an object that the call has made. */
  after(): SubOp {
    const op = this.one();
    return op[0] === "omap_keys" || op[0] === "omap_vals" ? ["omap_header", 0] : op;
  }

  #look(): SubOp {
    const { dice } = this;
    switch (dice.weighted({ data: 10, stat: 3, attributes: 4, omap: 6, other: 2 })) {
      case "data":
        return this.#data();
      case "stat":
        return ["stat"];
      case "attributes":
        return dice.chance(0.6) ? ["getxattrs"] : ["getxattr", dice.pick(XATTRS)];
      case "omap":
        return this.#omap();
      default:
        return dice.chance(0.5) ? ["list_watchers"] : ["list_snaps"];
    }
  }

  #data(): SubOp {
    const { dice } = this;
    const length = dice.chance(0.3) ? 0 : this.length();
    switch (dice.weighted({ read: 5, sparse: 3, checksum: 2 })) {
      case "read":
        return ["read", this.offset(), length];
      case "sparse":
        return ["sparse_read", this.offset(), length];
      default: {
        const kind = dice.below(3);
        const start = dice.chance(0.9) ? this.data(kind === 1 ? 8 : 4) : this.data(dice.below(9));
        const chunk = dice.pick([0, 0, 1, 16, 4096]);
        const checked =
          chunk === 1 ? dice.below(40) : dice.below(4) * Math.max(chunk, 16) + dice.below(2);
        return ["checksum", kind, start, this.offset(), checked, chunk];
      }
    }
  }

  #omap(): SubOp {
    const { dice } = this;
    const most = dice.pick([0, 1, 2, 3, 1000, 1_000_000]);
    const after = dice.chance(0.6) ? "" : this.omapKey();
    switch (dice.weighted({ vals: 4, keys: 3, byKeys: 3, header: 2 })) {
      case "vals":
        return ["omap_vals", after, dice.chance(0.7) ? "" : dice.pick(["k", "k1", "b"]), most];
      case "keys":
        return ["omap_keys", after, most];
      case "byKeys":
        return ["omap_vals_by_keys", this.omapKeys()];
      default:
        return ["omap_header"];
    }
  }
}
