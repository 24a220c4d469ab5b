/**
 * The client library against a cluster to which something happens while verified writes are on their way:
 * `npm run test:client` has all of it on a real cluster of three OSDs, the interop tier a shorter one.
 *
 * Each phase writes, has its event happen in the middle of that, and then looks at every object: no record
 * lost, none twice, none out of order. A watch has to outlive all of it, and hear every notification once.
 */
import { CephError, must } from "../../src/base/index.ts";
import { OSD_FLAG, opAppend, opStat, opWriteFull } from "../../src/messages/index.ts";
import type { IoCtx, Rados, Watch } from "../../src/rados/index.ts";
import { Dice } from "../harness/dice.ts";
import { type ClusterAccess, connect } from "./connect.ts";
import { CutTransport } from "./cut-transport.ts";
import type { RealDaemons } from "./real-daemons.ts";
import { Writer } from "./writer.ts";

export interface ClientTestOptions {
  readonly access: ClusterAccess;
  readonly seed: number;
  /** Verified writes of the phase in which the network is cut. @default 10000 */
  readonly cutWrites?: number;
  /** Verified writes, at the least, of each other phase. @default 1000 */
  readonly writes?: number;
  readonly phases: readonly PhaseName[];
  /** The cluster's daemons; undefined: phases that need them cannot be had. */
  readonly daemons?: RealDaemons;
  /** Kills all of the server and starts it again. */
  readonly restart?: () => Promise<void>;
  readonly print: (line: string) => void;
}

export interface ClientTestResult {
  readonly writes: number;
  readonly reads: number;
  readonly cuts: number;
  readonly phases: number;
}

interface Stage {
  readonly options: ClientTestOptions;
  readonly dice: Dice;
  readonly admin: Rados;
  /** The client under test, its pool's name and its transport. */
  readonly rados: Rados;
  readonly io: IoCtx;
  readonly pool: string;
  readonly transport: CutTransport;
  readonly writer: Writer;
}

const bytes = (text: string) => Buffer.from(text);
const sleep = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

async function until(what: string, limitMs: number, done: () => boolean | Promise<boolean>) {
  for (const end = performance.now() + limitMs; performance.now() < end; await sleep(100)) {
    if (await done()) return;
  }
  throw new Error(`not within ${limitMs / 1000} s: ${what}`);
}

async function command(rados: Rados, args: { prefix: string; [word: string]: unknown }) {
  const { result, status, data } = await rados.command(args, { timeoutMs: 60_000 });
  if (result < 0) throw new Error(`${JSON.stringify(args)}: ${result} ${status}`);
  return Buffer.from(data).toString();
}

const isUp = (rados: Rados, osd: number) => ((rados.map.osdState[osd] ?? 0) & 2) !== 0;
const daemonsOf = ({ options }: Stage) => must(options.daemons, "daemons of a real cluster");
const osdOf = ({ dice, admin }: Stage) => dice.below(admin.map.maxOsd);

/** What happens, by name. Resolves when it is over. */
const EVENTS = {
  "osd killed": async (stage: Stage) => {
    const osd = osdOf(stage);
    const daemons = daemonsOf(stage);
    await daemons.kill(`osd.${osd}`);
    await until(`osd.${osd} down`, 90_000, () => !isUp(stage.admin, osd));
    await sleep(1000);
    await daemons.start(`osd.${osd}`);
    await until(`osd.${osd} up`, 90_000, () => isUp(stage.admin, osd));
  },
  "osd stopped in its tracks": async (stage: Stage) => {
    const osd = osdOf(stage);
    const daemons = daemonsOf(stage);
    await daemons.signal(`osd.${osd}`, "SIGSTOP");
    try {
      await until(`osd.${osd} down`, 120_000, () => !isUp(stage.admin, osd));
      await sleep(1000);
    } finally {
      await daemons.signal(`osd.${osd}`, "SIGCONT");
    }
    await until(`osd.${osd} up`, 90_000, () => isUp(stage.admin, osd));
  },
  "osd out and in": async (stage: Stage) => {
    const ids = [String(osdOf(stage))];
    await command(stage.admin, { prefix: "osd out", ids });
    await sleep(4000);
    await command(stage.admin, { prefix: "osd in", ids });
    await sleep(2000);
  },
  "monitor restarted": async (stage: Stage) => {
    const daemons = daemonsOf(stage);
    await daemons.kill("mon.a");
    await sleep(stage.dice.between(500, 3000));
    await daemons.start("mon.a");
    await command(stage.admin, { prefix: "osd stat" });
  },
  "placement groups split": async (stage: Stage) => {
    const { admin, io, pool } = stage;
    const before = must(admin.map.pools.get(io.pool), "the pool").pgNum;
    // A listing is walked all the while.
    const expected = await listed(io);
    const walks: Promise<void>[] = [];
    for (const val of [before * 2, before * 3]) {
      await command(admin, { prefix: "osd pool set", pool, var: "pg_num", val: String(val) });
      walks.push(compareListing(io, expected));
      await until(`${val} groups`, 120_000, () => admin.map.pools.get(io.pool)?.pgNum === val);
      walks.push(compareListing(io, expected));
    }
    await Promise.all(walks);
  },
  "paused and unpaused": async ({ admin, writer, rados }: Stage) => {
    for (let round = 0; round < 2; round++) {
      await command(admin, { prefix: "osd set", key: "pause" });
      const { epoch } = await admin.latestMap();
      await until("the pause", 30_000, () => rados.map.epoch >= epoch);
      await sleep(500);
      const before = writer.writes;
      await sleep(1500);
      if (writer.writes !== before)
        throw new Error("writes were done while the cluster was paused");
      await command(admin, { prefix: "osd unset", key: "pause" });
      await sleep(1000);
    }
  },
  "pool full and not": async ({ admin, io, rados, pool, writer }: Stage) => {
    const quota = (val: string) =>
      command(admin, { prefix: "osd pool set-quota", pool, field: "max_objects", val });
    const isFull = () => ((rados.map.pools.get(io.pool)?.flags ?? 0) & 2) !== 0;
    await quota("1");
    await until("the pool is full", 120_000, isFull);
    await sleep(500);
    const before = writer.writes;
    const tried = await io
      .write("full-try", [opAppend(Buffer.from("x"))], { flags: OSD_FLAG.FULL_TRY })
      .then(
        () => "done",
        (error: CephError) => error.code,
      );
    if (tried !== "EDQUOT") throw new Error(`a write with FULL_TRY got ${tried}, not EDQUOT`);
    await sleep(1000);
    if (writer.writes !== before) throw new Error("writes were done though the pool was full");
    await quota("0");
    await until("the pool has space", 120_000, () => !isFull());
  },
  "network cut": async (stage: Stage) => {
    const { transport, dice, writer } = stage;
    while (!writer.hasEnough) {
      await sleep(dice.between(50, 400));
      await transport.cut(dice, 300);
      writer.throwIfFailed();
    }
  },
  "server killed": async ({ options }: Stage) => {
    await must(options.restart, "a server that can be restarted")();
  },
  "another client blocklisted": async (stage: Stage) => {
    const { admin, options, pool } = stage;
    const victim = await connect(options.access);
    const io = await victim.openPool(pool);
    const writer = new Writer({
      io,
      dice: stage.dice.fork(),
      name: "shut-out",
      objects: 8,
      depth: 8,
    });
    await io.write("shut-out.watched", [opWriteFull(Buffer.from("x"))]);
    const told: string[] = [];
    const handler = {
      onNotify: () => new Uint8Array(0),
      onError: (error: CephError) => told.push(error.code),
    };
    await io.watch("shut-out.watched", handler);
    writer.start(1e9);
    await sleep(1000);
    const address = must(victim.addrs[0], "the client's address");
    const { result, status } = await admin.blocklist(address, 3600);
    if (result !== 0) throw new Error(`blocklist: ${result} ${status}`);
    await until("the writes end", 30_000, () => writer.hasFailed);
    const ended = await writer.stop().then(
      () => "nothing",
      (error: CephError) => error.code,
    );
    if (ended !== "ESHUTDOWN")
      throw new Error(`the blocklisted client's writes ended with ${ended}`);
    await until("the client's map", 30_000, () => victim.isBlocklisted);
    // By its own map, or by the OSD, which ends the watches of who is locked out, and may be first.
    // ceph: PrimaryLogPG::check_blocklisted_obc_watchers, Objecter::handle_watch_notify
    if (!["ESHUTDOWN", "ENOTCONN"].includes(told.join()))
      throw new Error(`the blocklisted watch was told: ${told.join()}`);
    if (victim.pending !== 0) throw new Error(`${victim.pending} requests are pending`);
    await writer.verifyPrefix(stage.io);
    await victim.close();
  },
} satisfies Record<string, (stage: Stage) => Promise<void>>;

export type PhaseName = keyof typeof EVENTS;
export const PHASES = Object.keys(EVENTS) as PhaseName[];

async function listed(io: IoCtx): Promise<string> {
  const names: string[] = [];
  for await (const name of io.listObjects()) names.push(name);
  return names.sort().join("\n");
}

async function compareListing(io: IoCtx, expected: string): Promise<void> {
  const found = await listed(io);
  if (found !== expected) throw new Error(`listed:\n${found}\nnot:\n${expected}`);
}

/** A watch, and notifications that it has to hear. */
class Ears {
  readonly #heard: string[] = [];
  #said = 0;
  #watch: Watch | undefined;

  static async open(io: IoCtx): Promise<Ears> {
    const ears = new Ears();
    await io.write("watched", [opWriteFull(Buffer.from("x"))]);
    ears.#watch = await io.watch("watched", {
      onNotify: ({ payload }) => {
        ears.#heard.push(Buffer.from(payload).toString());
        return Buffer.from("heard");
      },
      onError: (error) => ears.#heard.push(error.code),
    });
    return ears;
  }

  /** A notification by another client is heard and answered; what came before it has been, too. */
  async test(notifier: IoCtx): Promise<void> {
    const word = `word ${++this.#said}`;
    let last = "";
    const isHeard = async () => {
      const { replies, missed, timedOut } = await notifier.notify("watched", bytes(word), 5000);
      last = `${replies.length} answers, ${missed.length} missed, timed out ${timedOut}`;
      return replies.some(([, answer]) => Buffer.from(answer).toString() === "heard");
    };
    await until("the notification is heard", 60_000, isHeard).catch((error: unknown) => {
      const alive = this.#watch?.isAlive === true ? "alive" : "dead";
      const state = `the watch is ${alive}, heard: ${this.#heard.join()}; ${last}`;
      throw new Error(`${(error as Error).message}; ${state}`);
    });
    const others = this.#heard.filter((each) => each !== word);
    if (others.length > 0) throw new Error(`the watch heard ${others.join(", ")}`);
    this.#heard.length = 0;
  }
}

async function phase(name: PhaseName, stage: Stage, ears: Ears, watcherIo: IoCtx): Promise<void> {
  const { writer, options, dice, transport } = stage;
  const { cutWrites = 10_000, writes = 1000, print } = options;
  const [startMs, before, cuts] = [performance.now(), writer.writes, transport.cuts];
  writer.start(name === "network cut" ? cutWrites : writes);
  await sleep(dice.between(100, 500));
  await EVENTS[name](stage);
  await until("enough writes", 300_000, () => {
    writer.throwIfFailed();
    return writer.hasEnough;
  });
  await writer.stop();
  const { records } = await writer.verify();
  await ears.test(watcherIo);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const slowest = (writer.slowestMs / 1000).toFixed(1);
  const links = transport.cuts > cuts ? `, ${transport.cuts - cuts} links cut` : "";
  print(
    `${name}: ${writer.writes - before} writes${links}, ${records} records as they should be; ` +
      `slowest request ${slowest} s (${seconds} s)`,
  );
}

/** Runs the phases, one after the other, on one pool. @throws Error at the first thing that is wrong */
export async function clientTest(
  pool: string,
  options: ClientTestOptions,
): Promise<ClientTestResult> {
  const { access, seed, print } = options;
  const dice = new Dice(seed);
  const transport = new CutTransport();
  const admin = await connect(access);
  const rados = await connect(access, { transport });
  try {
    const io = await rados.openPool(pool);
    const writer = new Writer({ io, dice: dice.fork(), name: "w", objects: 48, depth: 32 });
    await writer.prepare();
    const stage = { options, dice, admin, rados, io, pool, transport, writer };
    const ears = await Ears.open(io);
    const watcherIo = await admin.openPool(pool);
    for (const name of options.phases) {
      try {
        await phase(name, stage, ears, watcherIo);
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message} (seed ${seed})`, { cause: error });
      }
    }
    await io.read("watched", [opStat()]);
    const { writes, reads } = writer;
    print(`${pool}: ${writes} writes and ${reads} reads verified`);
    return { writes, reads, cuts: transport.cuts, phases: options.phases.length };
  } finally {
    await rados.close();
    await admin.close();
  }
}
