/**
 * The requests of one round, from a seed alone: what a side answers never changes what is asked next.
 *
 * A round makes pools of its own, and asks about few objects, names, keys and versions, so that requests meet.
 * What a cluster hands out, requests name by number or by how far it is from the last that was seen (see
 * runner.py).
 */

import { Dice } from "../harness/dice.ts";
import {
  CLASSES,
  damagedCall,
  type RecordedSequence,
  randomCall,
  recordedSequences,
} from "./arguments.ts";
import { ReadOps, type SubOp, WriteOps } from "./sub-ops.ts";

/** One request, as runner.py takes it. */
export type Request = { do: string } & Record<string, unknown>;

/** Pools: `a` has self-managed snapshots, `b` snapshots of the pool. */
export type PoolKey = "a" | "b";

interface Target {
  p: PoolKey;
  ns: string;
  key: string;
  oid: string;
}

const NAMESPACES = ["", "", "", "ns1", "ns2"];
const LOCATORS = ["", "", "", "", "lk"];
const TARGETS = 26;
const SNAPS_MAX = 40;
const CLIENTS = 3;
const LOCK_NAMES = ["l1", "l2", ""];
const COOKIES = ["c1", "c2", ""];
/** Classes whose answers fit in a write's reply (osd_max_write_op_reply_len, 64 bytes). */
const SHORT_ANSWERS = ["numops", "version"];
const OP = { ORDERSNAP: 512, RETURNVEC: 1024, ORDER_READS_WRITES: 4 };

const WEIGHTS = {
  write: 300,
  read: 280,
  stat: 15,
  remove: 20,
  recorded: 25,
  call: 90,
  snapCreate: 8,
  snapRemove: 3,
  rollback: 15,
  poolSnap: 5,
  poolRollback: 8,
  lock: 35,
  watch: 14,
  notify: 12,
  list: 5,
};

export class Generator {
  readonly #dice: Dice;
  readonly #recorded: RecordedSequence[];
  readonly #targets: Target[] = [];
  readonly #writes: WriteOps;
  readonly #reads: ReadOps;
  readonly #removed = new Set<number>();
  readonly #watches: { name: string; target: Target; client: number }[] = [];
  /** Recorded calls that are being replayed. */
  #script: { sequence: RecordedSequence; at: number; p: PoolKey; left: number } | undefined;
  #snaps = 0;
  #poolSnaps: string[] = [];
  #names = 0;

  constructor(seed: number, vectors: string) {
    this.#dice = new Dice(seed);
    this.#recorded = recordedSequences(vectors);
    for (let i = 0; i < TARGETS; i++) {
      this.#targets.push({
        p: this.#dice.chance(0.7) ? "a" : "b",
        ns: this.#dice.pick(NAMESPACES),
        key: this.#dice.pick(LOCATORS),
        oid: `o${this.#dice.below(14)}`,
      });
    }
    const snaps = { count: () => this.#snaps };
    this.#writes = new WriteOps(this.#dice, snaps);
    this.#reads = new ReadOps(this.#dice);
  }

  /** @param name makes the pools' names unique on their cluster */
  static pools(name: string): Request {
    return { do: "pools", pools: { a: `${name}-a`, b: `${name}-b` } };
  }

  next(): Request {
    if (this.#script !== undefined && this.#dice.chance(0.8)) return this.#replay();
    const kind = this.#dice.weighted(WEIGHTS);
    return this[`_${kind}`]();
  }

  #target(p?: PoolKey): Target & { c?: number } {
    const of = p === undefined ? this.#targets : this.#targets.filter((t) => t.p === p);
    const target =
      of.length === 0 ? { ...this.#dice.pick(this.#targets), p: p ?? "a" } : this.#dice.pick(of);
    return this.#dice.chance(0.8) ? target : { ...target, c: this.#dice.below(CLIENTS) };
  }

  /** The snapshot context of a write; now and then an old one, or none. */
  #context(target: Target): { snapc?: number[] } {
    if (target.p === "b" || this.#snaps === 0) return {};
    const all = Array.from({ length: this.#snaps }, (_, i) => i);
    const live = all.filter((i) => !this.#removed.has(i)).toReversed();
    if (this.#dice.chance(0.1)) return {};
    if (this.#dice.chance(0.1)) return { snapc: live.slice(this.#dice.below(live.length + 1)) };
    return { snapc: live };
  }

  /** The snapshot to read at: mostly none. */
  #readAt(target: Target): { snap?: number } {
    if (this.#dice.chance(0.75)) return {};
    if (this.#dice.chance(0.1)) return { snap: -1 };
    const count = target.p === "a" ? this.#snaps : this.#poolSnaps.length;
    return { snap: this.#dice.below(count + 1) };
  }

  _write(): Request {
    const target = this.#target();
    let flags = 0;
    if (this.#dice.chance(0.3)) flags |= OP.RETURNVEC;
    if (this.#dice.chance(0.1)) flags |= OP.ORDERSNAP;
    const mtime = [1_000_000_000 + this.#dice.below(1000), this.#dice.below(1_000_000_000)];
    return {
      do: "write",
      ...target,
      ...this.#context(target),
      flags,
      mtime,
      ops: this.#writes.some(),
    };
  }

  _read(): Request {
    const target = this.#target();
    const at = this.#readAt(target);
    const flags = this.#dice.chance(0.1) ? OP.ORDER_READS_WRITES : 0;
    return { do: "read", ...target, ...at, flags, ops: this.#reads.some(at.snap === -1) };
  }

  _stat(): Request {
    const target = this.#target();
    return { do: "stat", ...target, ...this.#readAt(target) };
  }

  _remove(): Request {
    const target = this.#target();
    return { do: "remove", ...target, ...this.#context(target) };
  }

  // --- object classes
  _recorded(): Request {
    const sequence = this.#dice.pick(this.#recorded);
    const at = this.#dice.chance(0.5) ? 0 : this.#dice.below(sequence.length);
    const p = this.#dice.chance(0.8) ? "a" : "b";
    this.#script = { sequence, at, p, left: 2 + this.#dice.below(30) };
    return this.#replay();
  }

  #replay(): Request {
    const script = this.#script;
    const step = script?.sequence[script.at];
    if (script === undefined || step === undefined || script.left === 0) {
      this.#script = undefined;
      return this._call();
    }
    script.at += this.#dice.chance(0.9) ? 1 : 2;
    script.left--;
    const { oid, cls, method, input } = damagedCall(step, this.#dice);
    return this.#asCall({ p: script.p, ns: "cls", key: "", oid }, cls, method, input);
  }

  _call(): Request {
    const cls = this.#dice.chance(0.4) ? "rbd" : this.#dice.pick(CLASSES);
    const { method, input } = randomCall(this.#dice, cls);
    const own = { p: this.#dice.pick(["a", "a", "b"] as const), ns: "cls", key: "" };
    const oid = `${cls}.${this.#dice.below(2)}`;
    // Bytes of clients in place of a header of format 1 make the rbd class read past them: a real OSD dies of it.
    // Of another class's header the log class takes what it gets before it fails.
    const isForeign = cls !== "rbd" && cls !== "log" && this.#dice.chance(0.2);
    const target = isForeign ? this.#target() : { ...own, oid };
    return this.#asCall(target, cls, method, input);
  }

  /** By itself, or in a compound operation of either kind. */
  #asCall(target: Target, cls: string, method: string, input: string): Request {
    const ops: SubOp[] = [["exec", cls, method, input, this.#dice.chance(0.1) ? 2 : 0]];
    // Nothing beside a sparsify: a real OSD ends at it.
    if (method !== "sparsify" && this.#dice.chance(0.3)) {
      // A real OSD that refuses an output as too long for a write has changed the object in memory, but not
      // on disk: what it answers from then on is nobody's promise.
      const flags = SHORT_ANSWERS.includes(cls) && this.#dice.chance(0.5) ? OP.RETURNVEC : 0;
      if (this.#dice.chance(0.3)) ops.push(this.#writes.beside());
      if (this.#dice.chance(0.2)) ops.unshift(this.#writes.beside());
      return {
        do: "write",
        ...target,
        ...this.#context(target),
        flags,
        mtime: [1_000_000_000, 0],
        ops,
      };
    }
    if (this.#dice.chance(0.3)) {
      const at = this.#readAt(target);
      if (this.#dice.chance(0.3)) ops.push(this.#reads.after());
      return { do: "read", ...target, ...at, ops };
    }
    return { do: "exec", ...target, cls, method, in: input };
  }

  // --- snapshots
  _snapCreate(): Request {
    if (this.#snaps >= SNAPS_MAX) return this._rollback();
    this.#snaps++;
    return { do: "snap_create", p: "a" };
  }

  _snapRemove(): Request {
    const which = this.#dice.below(this.#snaps + 1);
    if (which < this.#snaps) this.#removed.add(which);
    return { do: "snap_remove", p: "a", which };
  }

  _rollback(): Request {
    // Not to one that never was, see WriteOps.
    if (this.#snaps === 0) return this._snapRemove();
    const target = this.#target("a");
    const which = this.#dice.below(this.#snaps);
    return { do: "snap_rollback", ...target, ...this.#context(target), which };
  }

  _poolSnap(): Request {
    const action = this.#dice.below(4);
    if (action === 0) return { do: "pool_snap_list", p: "b" };
    // Some that are there already, or not at all.
    if (action === 1) {
      const name = this.#poolSnaps[this.#dice.below(this.#poolSnaps.length + 1)] ?? "absent";
      return { do: "pool_snap_remove", p: "b", name };
    }
    const name = this.#dice.chance(0.9) ? `s${this.#poolSnaps.length}` : "s0";
    if (!this.#poolSnaps.includes(name)) this.#poolSnaps.push(name);
    return { do: "pool_snap_create", p: "b", name };
  }

  _poolRollback(): Request {
    const name = this.#poolSnaps[this.#dice.below(this.#poolSnaps.length + 1)] ?? "absent";
    return { do: "pool_snap_rollback", ...this.#target("b"), name };
  }

  // --- locks
  _lock(): Request {
    const target = { ...this.#target(), c: this.#dice.below(CLIENTS) };
    const name = this.#dice.pick(LOCK_NAMES);
    const cookie = this.#dice.pick(COOKIES);
    const where = { ...target, ...this.#context(target), name, cookie };
    switch (this.#dice.weighted({ lock: 5, unlock: 2, break: 2, list: 3 })) {
      case "lock":
        return {
          do: "lock",
          ...where,
          shared: this.#dice.chance(0.5),
          tag: this.#dice.pick(["", "t"]),
          description: this.#dice.pick(["", "why"]),
          seconds: this.#dice.pick([0, 0, 3600]),
          flags: this.#dice.pick([0, 0, 0, 1, 2]),
        };
      case "unlock":
        return { do: "unlock", ...where };
      case "break":
        return { do: "break_lock", ...where, whose: this.#dice.below(CLIENTS) };
      default:
        return { do: "list_lockers", ...target, ...this.#readAt(target), name };
    }
  }

  // --- watches
  _watch(): Request {
    if (this.#watches.length > 0 && this.#dice.chance(0.45)) {
      const which = this.#dice.below(this.#watches.length);
      const [watch] = this.#watches.splice(which, 1);
      return { do: "unwatch", p: watch?.target.p, name: watch?.name };
    }
    const target = this.#target();
    const client = this.#dice.below(CLIENTS);
    const name = `w${this.#names++}`;
    this.#watches.push({ name, target, client });
    const answer = this.#dice.pick([null, "", "616e73776572"]);
    const seconds = this.#dice.pick([0, 20, 60]);
    return { do: "watch", ...target, c: client, name, answer, seconds };
  }

  _notify(): Request {
    const watched = this.#watches.map(({ target }) => target);
    const target =
      watched.length > 0 && this.#dice.chance(0.8) ? this.#dice.pick(watched) : this.#target();
    const payload = Buffer.from(this.#dice.bytes(this.#dice.below(20))).toString("hex");
    return { do: "notify", ...target, c: this.#dice.below(CLIENTS), payload };
  }

  // --- listings
  _list(): Request {
    const ns = this.#dice.pick(["", "ns1", "cls", "\u0001", "none"]);
    const where = { p: this.#dice.pick(["a", "b"]), ns };
    if (this.#dice.chance(0.6)) return { do: "list", ...where };
    const pieces = 1 + this.#dice.below(5);
    const slice = [this.#dice.below(pieces), pieces];
    return { do: "list_slice", ...where, slice, page: 1 + this.#dice.below(20) };
  }
}
