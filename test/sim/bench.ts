/**
 * The simulated server with clients of the library beside it, for tests that say themselves what happens
 * and when.
 */
import { CephxClient, formatKey, parseKeyring } from "../../src/auth/index.ts";
import { must, silentLogger } from "../../src/base/index.ts";
import { NameIdArgs } from "../../src/cls/rbd/ops/directory.ts";
import { CreateArgs, MaskedArgs } from "../../src/cls/rbd/ops/image.ts";
import { ObjectMapResizeArgs } from "../../src/cls/rbd/ops/object-map.ts";
import { ChildArgs, ParentAttachArgs } from "../../src/cls/rbd/ops/parent-child.ts";
import { SnapshotAddArgs } from "../../src/cls/rbd/ops/snapshot.ts";
import { RBD_FEATURES_DEFAULT, RBD_OPERATION_FEATURE } from "../../src/cls/rbd/types/features.ts";
import { USER_NAMESPACE } from "../../src/cls/rbd/types.ts";
import { str } from "../../src/encoding/index.ts";
import { type Cluster, connect } from "../../src/librados/index.ts";
import { opCreate, opWrite } from "../../src/messages/index.ts";
import { callOp, classCalls, type IoCtx, Rados, type RadosOptions } from "../../src/rados/index.ts";
import type { RbdContext } from "../../src/rbd/index.ts";
import { ADDR_TYPE, ENTITY_TYPE } from "../../src/types/index.ts";
import { Dice } from "../harness/dice.ts";
import { type Death, SimProcess } from "./machine.ts";
import { SimNetwork } from "./network.ts";
import { MON_PORT, SERVER_HOST, SimServer } from "./server.ts";
import { World } from "./world.ts";

const ENTITY = { type: ENTITY_TYPE.CLIENT, id: "admin" };
const MONITORS = [[{ type: ADDR_TYPE.MSGR2, nonce: 0, ip: SERVER_HOST, port: MON_PORT }]];
const LIMIT_MS = 300_000;

/** A client in a process of its own. */
export interface BenchClient {
  readonly rados: Rados;
  readonly io: IoCtx;
  readonly context: RbdContext;
  die(death: Death): void;
}

export class Bench {
  readonly world = new World();
  readonly network: SimNetwork;
  readonly server: SimServer;
  readonly #dice: Dice;
  #clients = 0;

  private constructor(seed: number, osds: number) {
    this.#dice = new Dice(seed);
    this.network = new SimNetwork(this.world, this.#dice.fork());
    const size = { capacityBytes: 2 ** 30, segmentSize: 256 * 1024, segments: 2 };
    this.server = new SimServer(this.world, this.network, this.#dice.fork(), {
      osds,
      memory: 64 * 2 ** 20,
      sizes: { mon: size, osd: size },
      diskMs: 0.1,
    });
  }

  static async start(options: { seed?: number; osds?: number } = {}): Promise<Bench> {
    const bench = new Bench(options.seed ?? 1, options.osds ?? 1);
    await bench.startServer();
    return bench;
  }

  async startServer(): Promise<void> {
    this.server.start();
    await this.until(() => this.server.state === "up", "the server's start");
  }

  /** Lets the world run until the work is done. */
  run<T>(work: Promise<T>, what = "work"): Promise<T> {
    return this.world.finish(work, LIMIT_MS, what);
  }

  async until(done: () => boolean, what: string): Promise<void> {
    if (await this.world.run(this.world.monotonic() + LIMIT_MS, done)) return;
    throw new Error(`not within ${LIMIT_MS / 1000} virtual seconds: ${what}`);
  }

  async pass(ms: number): Promise<void> {
    await this.world.run(this.world.monotonic() + ms);
  }

  /** Stops the server and looks at its stores. */
  async close(): Promise<void> {
    await this.server.shutDown();
    const faults = this.server.fsck();
    if (faults.length > 0) throw new Error(faults.join("; "));
  }

  async client(): Promise<BenchClient> {
    const { process, options, name } = this.clientOptions();
    const { clock, random, log } = options;
    const rados = await this.run(Rados.connect(options), `${name} connects`);
    const io = await this.run(rados.openPool("rbd"), "open the pool");
    const context = { rados, clock, random, log };
    return { rados, io, context, die: (death) => process.die(death) };
  }

  /** A client with names as text, as programs have it. */
  async cluster(): Promise<Cluster> {
    const { process, name } = this.#clientProcess();
    const { clock, random, transport } = process;
    const options = { mon_host: `${SERVER_HOST}:${MON_PORT}`, key: formatKey(this.#key()) };
    const surroundings = { clock, random, transport };
    const connecting = connect({ conf: false, env: {}, options, surroundings });
    return await this.run(connecting, `${name} connects`);
  }

  #key() {
    const keyring = parseKeyring(this.server.file("ceph.client.admin.keyring"));
    const [entry] = must(Array.isArray(keyring) ? keyring : undefined, "a keyring");
    return must(entry, "the administrator").auth.key;
  }

  #clientProcess(): { process: SimProcess; name: string } {
    const name = `client${++this.#clients}`;
    const host = `10.0.2.${this.#clients}`;
    const process = new SimProcess(this.world, this.network, name, host, this.#dice.random.u32());
    return { process, name };
  }

  /** A process for a client, and what it takes to connect. */
  clientOptions(): { process: SimProcess; options: RadosOptions; name: string } {
    const key = this.#key();
    const { process, name } = this.#clientProcess();
    const { clock, random, transport } = process;
    const auth = new CephxClient({ entity: ENTITY, key, clock, random });
    const log = silentLogger;
    const options = { monitors: MONITORS, auth, transport, clock, random, log };
    return { process, options, name };
  }
}

const rbd = classCalls("rbd");
const CREATE = rbd("create", CreateArgs);
const SET_ID = rbd("set_id", str);
const ADD = rbd("dir_add_image", NameIdArgs);
const RESIZE = rbd("object_map_resize", ObjectMapResizeArgs);
const ADD_SNAPSHOT = rbd("snapshot_add", SnapshotAddArgs);
const ATTACH_PARENT = rbd("parent_attach", ParentAttachArgs);
const ATTACH_CHILD = rbd("child_attach", ChildArgs);
const SET_OP_FEATURES = rbd("op_features_set", MaskedArgs);

/** log2 of the bytes of an object. */
export const ORDER = 16;

/** Makes an image as librbd does, with these objects of so many bytes of one value. */
export async function makeImage(
  io: IoCtx,
  image: {
    name: string;
    id: string;
    objectCount: number;
    objects: ReadonlyMap<number, number>;
    features?: bigint;
  },
): Promise<void> {
  const { name, id, objectCount, objects, features = RBD_FEATURES_DEFAULT } = image;
  await io.write(`rbd_id.${name}`, [opCreate(true), callOp(SET_ID, id)]);
  await io.execute("rbd_directory", ADD, { name, id });
  const objectPrefix = `rbd_data.${id}`;
  const size = objectCount * 2 ** ORDER;
  const header = { size, order: ORDER, features, objectPrefix, dataPoolId: -1 };
  await io.execute(`rbd_header.${id}`, CREATE, header);
  // Every object is said to exist: a map may say so of some that do not.
  const all = { objectCount: BigInt(objectCount), defaultState: objects.size > 0 ? 1 : 0 };
  await io.execute(`rbd_object_map.${id}`, RESIZE, all);
  for (const [objectNo, value] of objects) {
    const oid = `${objectPrefix}.${objectNo.toString(16).padStart(16, "0")}`;
    await io.write(oid, [opWrite(0, Buffer.alloc(2 ** ORDER, value))]);
  }
}

/** Takes a snapshot of it; its id. */
export async function snapshotImage(io: IoCtx, id: string, name: string): Promise<bigint> {
  const snapId = await io.createSnapId();
  const args = { name, snapId, namespace: USER_NAMESPACE };
  await io.execute(`rbd_header.${id}`, ADD_SNAPSHOT, args);
  return snapId;
}

/** Makes a clone, of the new kind, of a snapshot. */
export async function makeClone(
  io: IoCtx,
  clone: { name: string; id: string; parentId: string; snapId: bigint; objectCount: number },
): Promise<void> {
  const { name, id, parentId, snapId, objectCount } = clone;
  await makeImage(io, { name, id, objectCount, objects: new Map() });
  const parent = { poolId: io.pool, poolNamespace: "", imageId: parentId, snapId };
  const overlap = objectCount * 2 ** ORDER;
  await io.execute(`rbd_header.${id}`, ATTACH_PARENT, { parent, overlap, reattach: false });
  const isClone = RBD_OPERATION_FEATURE.CLONE_CHILD;
  await io.execute(`rbd_header.${id}`, SET_OP_FEATURES, { value: isClone, mask: isClone });
  const child = { poolId: io.pool, poolNamespace: "", imageId: id };
  await io.execute(`rbd_header.${parentId}`, ATTACH_CHILD, { snapId, child });
}

export async function objectNames(io: IoCtx): Promise<string[]> {
  const names: string[] = [];
  for await (const name of io.listObjects()) names.push(name);
  return names.sort();
}
