/**
 * What the clients do: random requests on a few objects, several at once, every answer checked.
 *
 * Two kinds of object. Shared ones take requests of every client and know no snapshots. Owned ones are
 * written by one client, with snapshots, many requests on the way at once; all read them, at snapshots
 * too. Besides, keys are put into the monitor and asked for, snapshot ids taken and given back.
 */
import { sleep } from "../../src/base/index.ts";
import type { Dice } from "../harness/dice.ts";
import { Call, ConsistencyError, ObjectChecker } from "./checker.ts";
import type { SimClient } from "./client.ts";
import { outcomeOfReply, type Request, type SubOp, wireOps } from "./model.ts";
import type { World } from "./world.ts";

/** Offsets and sizes stay below; objects grow by appends a little further. */
const OBJECT_BYTES = 160 * 1024;
const LIVE_SNAPS_MAX = 4;
const XATTRS = ["a", "b"];
const OMAP_KEYS = ["k1", "k2", "k3", "k4"];

export interface WorkloadOptions {
  readonly sharedObjects: number;
  /** Of each client. */
  readonly ownedObjects: number;
  /** Loops of each client, each with one request on the way. */
  readonly workers: number;
  /** Mean pause of a loop between two requests, milliseconds. */
  readonly thinkMs: number;
  /** How often what is done, by weight. */
  readonly mix: Readonly<Record<Kind, number>>;
}

export type Kind =
  | "read"
  | "write"
  | "append"
  | "reshape"
  | "attributes"
  | "compound"
  | "exclusive"
  | "delete"
  | "snapshot"
  | "monitor";

export const KINDS: readonly Kind[] = [
  "read",
  "write",
  "append",
  "reshape",
  "attributes",
  "compound",
  "exclusive",
  "delete",
  "snapshot",
  "monitor",
];

export class Workload {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #options: WorkloadOptions;
  readonly #checkers = new Map<string, ObjectChecker>();
  /** By client name. */
  readonly #calls = new Map<string, Set<Call>>();
  readonly #snaps = new SnapBook();
  /** Keys that the monitor has taken. */
  readonly #monKeys: string[] = [];
  #token = 0;
  #isStopping = false;
  /** Requests answered. */
  answers = 0;

  constructor(world: World, dice: Dice, options: WorkloadOptions) {
    this.#world = world;
    this.#dice = dice;
    this.#options = options;
  }

  /** Sets a client to work. */
  employ(client: SimClient): void {
    for (let n = 0; n < this.#options.workers; n++) {
      this.#work(client, this.#dice.fork()).catch((error: unknown) =>
        this.#world.fail(error as Error),
      );
    }
  }

  /** No more requests; those on the way are finished. */
  stop(): void {
    this.#isStopping = true;
  }

  /** A client is dead: what it has on the way may happen, and nobody will hear of it. */
  clientDied(client: SimClient): void {
    for (const call of this.#callsOf(client)) call.isOrphan = true;
  }

  /** The server has no link to a dead client any more: what it had on the way has happened or never will. */
  giveUp(client: SimClient): void {
    const calls = this.#callsOf(client);
    for (const checker of this.#checkers.values()) checker.giveUp(calls);
    calls.clear();
  }

  /** Answers not looked at yet. */
  get unchecked(): number {
    let sum = 0;
    for (const checker of this.#checkers.values()) sum += checker.waiting;
    return sum;
  }

  /** Asks for everything there is. */
  async readAll(client: SimClient): Promise<void> {
    const all: SubOp[] = [{ op: "read", offset: 0, length: 0 }, { op: "stat" }, { op: "omap-get" }];
    const reads: Promise<void>[] = [];
    for (const oid of this.#checkers.keys()) {
      reads.push(this.#perform(client, { oid, ops: all, isWrite: false }));
      for (const name of XATTRS) {
        reads.push(
          this.#perform(client, { oid, ops: [{ op: "get-xattr", name }], isWrite: false }),
        );
      }
      for (const snap of this.#snaps.live) {
        reads.push(this.#perform(client, { oid, ops: all, isWrite: false, snap }));
      }
    }
    await Promise.all(reads);
    for (const key of this.#monKeys) await this.#checkKey(client, key);
  }

  /** Gives back every snapshot. */
  async removeSnaps(client: SimClient): Promise<void> {
    for (const snap of this.#snaps.retireAll()) {
      await client.removeSnap(snap);
      this.#snaps.removed(snap);
    }
  }

  #callsOf(client: SimClient): Set<Call> {
    const { name } = client.process;
    let calls = this.#calls.get(name);
    if (calls === undefined) this.#calls.set(name, (calls = new Set()));
    return calls;
  }

  async #work(client: SimClient, dice: Dice): Promise<void> {
    for (;;) {
      await sleep(client.process.clock, dice.exponential(this.#options.thinkMs));
      if (this.#isStopping) return;
      const kind = dice.weighted(this.#options.mix);
      if (kind === "monitor") await this.#useMonitor(client, dice);
      else if (kind === "snapshot") await this.#changeSnaps(client, dice);
      else await this.#request(client, dice, kind);
    }
  }

  async #perform(client: SimClient, request: Request): Promise<void> {
    const { name } = client.process;
    const { oid, isWrite, snap, snapContext } = request;
    let checker = this.#checkers.get(oid);
    if (checker === undefined) this.#checkers.set(oid, (checker = new ObjectChecker(oid)));
    const { tid, reply } = client.submit({
      oid,
      ops: wireOps(request),
      isWrite,
      ...(snap === undefined ? {} : { snap }),
      ...(snapContext === undefined ? {} : { snapContext }),
    });
    const call = new Call(name, tid, request);
    checker.sent(call);
    this.#callsOf(client).add(call);
    this.#world.trace(`${name} #${tid} ${oid} ${request.ops.map((op) => op.op).join("+")}`);
    const answer = await reply;
    this.#callsOf(client).delete(call);
    const outcome = outcomeOfReply(request, answer);
    this.#world.trace(`${name} #${tid} got ${outcome.slice(0, 80)} @${answer.userVersion}`);
    this.answers++;
    checker.answered(call, { outcome, version: answer.userVersion });
  }

  // --- Requests -------------------------------------------------------------------------------

  async #request(client: SimClient, dice: Dice, kind: Kind): Promise<void> {
    const owned = dice.below(2) === 0 && this.#options.ownedObjects > 0;
    const n = dice.below(owned ? this.#options.ownedObjects : this.#options.sharedObjects);
    if (!owned) {
      return this.#perform(client, { oid: `shared.${n}`, ...this.#ops(dice, kind, undefined) });
    }
    // What others own is only read.
    const others = [client.process.name, ...this.#calls.keys()];
    const owner = dice.chance(0.7) ? client.process.name : dice.pick(others);
    const oid = `${owner}.${n}`;
    const isMine = owner === client.process.name;
    if (kind === "read" || !isMine) {
      const snap = dice.chance(0.5) ? this.#snaps.any(dice) : undefined;
      const ops = this.#ops(dice, "read", undefined);
      if (snap === undefined) return this.#perform(client, { oid, ...ops });
      return this.#snaps.using(snap, () => this.#perform(client, { oid, ...ops, snap }));
    }
    const snap = dice.chance(0.2) ? this.#snaps.any(dice) : undefined;
    const snapContext = this.#snaps.context();
    const request = { oid, ...this.#ops(dice, kind, snap), snapContext };
    if (snap === undefined) return this.#perform(client, request);
    return this.#snaps.using(snap, () => this.#perform(client, request));
  }

  #ops(dice: Dice, kind: Kind, snap: bigint | undefined): { ops: SubOp[]; isWrite: boolean } {
    const write = (...ops: SubOp[]) => ({ ops, isWrite: true });
    switch (kind) {
      case "write":
        return write(this.#write(dice));
      case "append":
        return write({ op: "append", data: this.#data(dice) });
      case "reshape":
        return write(this.#reshape(dice, snap));
      case "attributes":
        return write(this.#attribute(dice));
      case "compound":
        return write(this.#write(dice), this.#attribute(dice), this.#attribute(dice));
      case "exclusive":
        return dice.below(2) === 0
          ? write({ op: "create" }, this.#write(dice))
          : write({ op: "cmpext", offset: 0, data: Buffer.alloc(16) }, this.#write(dice));
      case "delete":
        return write({ op: "delete" });
      default:
        return { ops: [this.#read(dice)], isWrite: false };
    }
  }

  #read(dice: Dice): SubOp {
    switch (dice.below(6)) {
      case 0:
        return { op: "stat" };
      case 1:
        return { op: "get-xattr", name: dice.pick(XATTRS) };
      case 2:
        return { op: "omap-get" };
      case 3:
        return { op: "read", offset: dice.below(OBJECT_BYTES), length: dice.between(1, 20_000) };
      default:
        return { op: "read", offset: 0, length: 0 };
    }
  }

  #write(dice: Dice): SubOp {
    const data = this.#data(dice);
    if (dice.below(4) === 0) return { op: "write-full", data };
    const offset = dice.below(OBJECT_BYTES - data.length);
    const aligned = dice.below(2) === 0 ? offset - (offset % 4096) : offset;
    return { op: "write", offset: dice.below(3) === 0 ? 0 : aligned, data };
  }

  #reshape(dice: Dice, snap: bigint | undefined): SubOp {
    if (snap !== undefined) return { op: "rollback", snap };
    if (dice.below(2) === 0) return { op: "truncate", size: dice.below(OBJECT_BYTES / 2) };
    return { op: "zero", offset: dice.below(OBJECT_BYTES), length: dice.between(1, 30_000) };
  }

  #attribute(dice: Dice): SubOp {
    const value = () => `v${++this.#token}`;
    switch (dice.below(6)) {
      case 0:
        return { op: "set-xattr", name: dice.pick(XATTRS), value: value() };
      case 1:
        return { op: "rm-xattr", name: dice.pick(XATTRS) };
      case 2:
        return { op: "omap-rm", keys: [dice.pick(OMAP_KEYS)] };
      case 3:
        return { op: "omap-clear" };
      default:
        return { op: "omap-set", entries: new Map([[dice.pick(OMAP_KEYS), value()]]) };
    }
  }

  /** Bytes that say whose they are and which: every 16 of them are found nowhere else. */
  #data(dice: Dice): Buffer {
    const size = { tiny: 150, block: 0, odd: 20_000, large: 100_000 };
    const kind = dice.weighted({ tiny: 4, block: 3, odd: 2, large: 1 });
    const length = kind === "block" ? 4096 * dice.between(1, 4) : dice.between(1, size[kind]);
    const token = (++this.#token).toString(36).padStart(7, "0");
    const data = Buffer.alloc(length);
    for (let at = 0; at < length; at += 16) {
      data.write(`${token}:${(at / 16).toString(16).padStart(7, "0")}|`, at, "latin1");
    }
    return data;
  }

  // --- The monitor ----------------------------------------------------------------------------

  async #useMonitor(client: SimClient, dice: Dice): Promise<void> {
    const [known] = this.#monKeys.slice(dice.below(this.#monKeys.length + 1));
    if (known !== undefined) return await this.#checkKey(client, known);
    const key = `key.${++this.#token}`;
    const { r } = await client.command({ prefix: "config-key set", key, val: `of ${key}` });
    if (r !== 0) throw new Error(`config-key set ${key}: ${r}`);
    this.#monKeys.push(key);
  }

  async #checkKey(client: SimClient, key: string): Promise<void> {
    const { r, out } = await client.command({ prefix: "config-key get", key });
    if (r !== 0 || out.trim() !== `of ${key}`) {
      throw new ConsistencyError(`the monitor has lost ${key}: ${r} "${out}"`);
    }
  }

  async #changeSnaps(client: SimClient, dice: Dice): Promise<void> {
    if (this.#snaps.live.length >= LIVE_SNAPS_MAX || dice.below(3) === 0) {
      const snap = this.#snaps.retire(dice);
      if (snap === undefined) return;
      this.#world.trace(`${client.process.name} removes snap ${snap}`);
      await client.removeSnap(snap);
      return this.#snaps.removed(snap);
    }
    const after = this.#snaps.seq;
    const snap = await client.createSnap();
    this.#world.trace(`${client.process.name} has snap ${snap}`);
    if (snap <= after) throw new ConsistencyError(`snapshot id ${snap} after ${after}`);
    this.#snaps.add(snap);
  }
}

/** The snapshots there are, and who is using them: one in use is not removed. */
class SnapBook {
  /** Newest first. */
  live: bigint[] = [];
  /** The highest id so far. */
  seq = 0n;
  /** Taken out, and not known to be gone. */
  readonly #retired = new Set<bigint>();
  readonly #users = new Map<bigint, number>();

  add(snap: bigint): void {
    this.live.push(snap);
    this.live.sort((a, b) => (a < b ? 1 : -1));
    if (snap > this.seq) this.seq = snap;
  }

  context(): { seq: bigint; snaps: bigint[] } {
    return { seq: this.seq, snaps: [...this.live] };
  }

  any(dice: Dice): bigint | undefined {
    return this.live.length === 0 ? undefined : dice.pick(this.live);
  }

  async using(snap: bigint, work: () => Promise<void>): Promise<void> {
    this.#users.set(snap, (this.#users.get(snap) ?? 0) + 1);
    await work();
    this.#users.set(snap, (this.#users.get(snap) ?? 0) - 1);
  }

  /** Takes one out that nobody uses. */
  retire(dice: Dice): bigint | undefined {
    const free = this.live.filter((snap) => (this.#users.get(snap) ?? 0) === 0);
    if (free.length === 0) return undefined;
    const snap = dice.pick(free);
    this.live = this.live.filter((other) => other !== snap);
    this.#retired.add(snap);
    return snap;
  }

  /** The monitor says that it is gone. */
  removed(snap: bigint): void {
    this.#retired.delete(snap);
  }

  /** All that the monitor may still have: clients die while they remove one, too. */
  retireAll(): bigint[] {
    for (const snap of this.live.splice(0)) this.#retired.add(snap);
    return [...this.#retired];
  }
}
