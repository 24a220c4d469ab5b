/**
 * Changes of pools: made and removed, and their snapshots, both of the pool as a whole and those that clients
 * manage themselves.
 *
 * A change is answered when the monitors have it, and done here when our map has it, too.
 * ceph: src/osdc/Objecter.cc pool_op_submit, handle_pool_op_reply; src/librados/RadosClient.cc pool_create
 */

import { CephError, type Clock, ERRNO } from "../base/index.ts";
import { decodeFromBytes, textOf, u64 } from "../encoding/index.ts";
import { poolByName } from "../maps/index.ts";
import { MPoolOp, MPoolOpReply, POOL_OP } from "../messages/index.ts";
import { utimeToMs } from "../types/index.ts";
import { type CallOptions, type Subject, shared } from "./limits.ts";
import type { MonClient } from "./mon-client.ts";
import { type Objecter, poolGone } from "./objecter.ts";

/** Have the monitors choose.  ceph: src/librados/RadosClient.cc pool_create */
const DEFAULT_RULE = -1;

export interface PoolCreateOptions extends CallOptions {
  /** Id of the CRUSH rule. @default the cluster's (osd_pool_default_crush_rule) */
  readonly crushRule?: number | undefined;
}

/** A snapshot of a whole pool. */
export interface PoolSnap {
  readonly id: bigint;
  /** Byte string. */
  readonly name: string;
  /** When it was taken, milliseconds since 1970. */
  readonly stampMs: number;
}

interface Change {
  readonly op: number;
  readonly pool?: number;
  readonly name?: string;
  readonly snap?: bigint;
  readonly crushRule?: number;
  readonly subject: Subject;
}

export class PoolAdmin {
  readonly #objecter: Objecter;
  readonly #mon: MonClient;
  readonly #clock: Clock;

  constructor(objecter: Objecter, mon: MonClient, clock: Clock) {
    this.#objecter = objecter;
    this.#mon = mon;
    this.#clock = clock;
  }

  /** @returns its id @throws CephError EEXIST if the name is taken */
  async create(name: string, options: PoolCreateOptions): Promise<number> {
    const { crushRule, ...limits } = options;
    const subject = { op: "create", target: `pool ${textOf(name)}` };
    const left = shared(this.#clock, limits);
    const map = await this.#objecter.mapAtLeast(1, left());
    if (poolByName(map, name) !== undefined) throw new CephError(-ERRNO.EEXIST, subject);
    await this.#change(
      { op: POOL_OP.CREATE, name, crushRule: crushRule ?? DEFAULT_RULE, subject },
      left(),
    );
    const id = poolByName(await this.#objecter.mapAtLeast(1, left()), name);
    if (id === undefined) throw poolGone(textOf(name));
    return id;
  }

  /** @throws CephError ENOENT if there is none such; EPERM, EBUSY as the monitors have it */
  async remove(pool: number, limits: CallOptions): Promise<void> {
    // The name has no meaning, but this is what a client sends.
    const subject = { op: "delete", target: `pool ${pool}` };
    await this.#change({ op: POOL_OP.DELETE, pool, name: "delete", subject }, limits);
  }

  /** @throws CephError EEXIST; EINVAL in a pool whose clients manage snapshots */
  async createSnap(pool: number, name: string, limits: CallOptions): Promise<void> {
    const subject = { op: "create snapshot", target: `${textOf(name)} of pool ${pool}` };
    if (this.snapByName(pool, name) !== undefined) throw new CephError(-ERRNO.EEXIST, subject);
    await this.#change({ op: POOL_OP.CREATE_SNAP, pool, name, subject }, limits);
  }

  /** @throws CephError ENOENT if there is none such */
  async removeSnap(pool: number, name: string, limits: CallOptions): Promise<void> {
    const subject = { op: "remove snapshot", target: `${textOf(name)} of pool ${pool}` };
    if (this.snapByName(pool, name) === undefined) throw new CephError(-ERRNO.ENOENT, subject);
    await this.#change({ op: POOL_OP.DELETE_SNAP, pool, name, subject }, limits);
  }

  /** The pool's own snapshots, by id. @throws CephError ENOENT if there is no such pool */
  snaps(pool: number): PoolSnap[] {
    const found = this.#objecter.map?.pools.get(pool);
    if (found === undefined) throw poolGone(pool);
    return [...found.snaps.values()].map(({ snapid, name, stamp }) => {
      return { id: snapid, name, stampMs: utimeToMs(stamp) };
    });
  }

  snapByName(pool: number, name: string): PoolSnap | undefined {
    return this.snaps(pool).find((snap) => snap.name === name);
  }

  /** A new snapshot id of the pool. */
  async createSnapId(pool: number, limits: CallOptions): Promise<bigint> {
    const subject = { op: "create a snapshot id in", target: `pool ${pool}` };
    const change = { op: POOL_OP.CREATE_UNMANAGED_SNAP, pool, subject };
    const { responseData } = await this.#change(change, limits);
    if (responseData === undefined) throw new CephError(-ERRNO.EIO, subject);
    return decodeFromBytes(u64, responseData);
  }

  /** @throws CephError ENOENT if it was not given out */
  async removeSnapId(pool: number, snap: bigint, limits: CallOptions): Promise<void> {
    const subject = { op: "remove a snapshot id of", target: `pool ${pool}` };
    await this.#change({ op: POOL_OP.DELETE_UNMANAGED_SNAP, pool, snap, subject }, limits);
  }

  async #change(change: Change, limits: CallOptions): Promise<MPoolOpReply> {
    const { op, pool = 0, name = "", snap = 0n, crushRule = 0, subject } = change;
    const left = shared(this.#clock, limits);
    const { fsid } = await this.#objecter.mapAtLeast(1, left());
    const fields = { version: 0, fsid, pool, op, snapid: snap, poolName: name };
    const message = await this.#mon.ask((tid) => MPoolOp.encode({ ...fields, crushRule }, tid), {
      ...left(),
      subject,
    });
    const reply = MPoolOpReply.decode(message);
    if (reply.replyCode < 0) throw new CephError(reply.replyCode, subject);
    await this.#objecter.mapAtLeast(reply.epoch, left());
    return reply;
  }
}
