/** All of the client test on a real cluster of three OSDs, on a replicated pool and an erasure-coded one. */
import type { Rados } from "../../src/rados/index.ts";
import { dropRealCeph, startRealCeph } from "../harness/real-ceph.ts";
import { tempDir } from "../harness/temp.ts";
import { type ClientTestOptions, clientTest, PHASES, type PhaseName } from "./client-test.ts";
import { connect, readAccess } from "./connect.ts";
import { RealDaemons } from "./real-daemons.ts";

export interface RealClusterOptions
  extends Pick<ClientTestOptions, "seed" | "cutWrites" | "writes" | "print"> {
  /** @default all */
  readonly phases?: readonly PhaseName[];
  /** @default replicated and erasure-coded */
  readonly pools?: readonly PoolName[];
  /** Of another release: where its daemons are. @default this machine's own */
  readonly root?: string | undefined;
}

export type PoolName = "replicated" | "erasure-coded";

/** What makes each pool, as monitor commands. */
const POOLS: Readonly<Record<PoolName, readonly { prefix: string; [word: string]: unknown }[]>> = {
  replicated: [{ prefix: "osd pool create", pool: "replicated", pg_num: 16 }],
  "erasure-coded": [
    {
      prefix: "osd erasure-code-profile set",
      name: "two-and-one",
      profile: ["plugin=jerasure", "k=2", "m=1", "crush-failure-domain=osd"],
    },
    {
      prefix: "osd pool create",
      pool: "erasure-coded",
      pg_num: 16,
      pool_type: "erasure",
      erasure_code_profile: "two-and-one",
    },
    // Without it appends have to be whole stripes.
    { prefix: "osd pool set", pool: "erasure-coded", var: "allow_ec_overwrites", val: "true" },
    { prefix: "osd pool set", pool: "erasure-coded", var: "min_size", val: "2" },
  ],
};

/** An OSD that is silent is down soon, and two of one host are enough to say so. */
const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ["osd_heartbeat_grace", "8"],
  ["osd_heartbeat_interval", "2"],
  ["mon_osd_min_down_reporters", "1"],
  ["mon_osd_reporter_subtree_level", "osd"],
];

async function command(admin: Rados, args: { prefix: string; [word: string]: unknown }) {
  const { result, status } = await admin.command(args);
  if (result < 0) throw new Error(`${args.prefix}: ${result} ${status}`);
}

/** @returns verified writes */
export async function realClusterTest(options: RealClusterOptions): Promise<number> {
  const { phases = PHASES, pools = Object.keys(POOLS) as PoolName[], print, root } = options;
  const work = await tempDir("client");
  try {
    const cluster = await startRealCeph({
      dir: work.path,
      root,
      osds: 3,
      osdBytes: 4 * 2 ** 30,
      settled: false,
    });
    const access = await readAccess(cluster.confPath);
    const daemons = new RealDaemons(work.path, root);
    const admin = await connect(access);
    for (const [name, value] of SETTINGS) {
      await command(admin, { prefix: "config set", who: "global", name, value });
    }
    for (const pool of pools) for (const args of POOLS[pool]) await command(admin, args);
    await admin.close();
    let writes = 0;
    for (const pool of pools) {
      print(`-- ${pool}`);
      const chosen = phases.filter((name) => name !== "server killed");
      writes += (await clientTest(pool, { ...options, access, daemons, phases: chosen })).writes;
    }
    return writes;
  } finally {
    await dropRealCeph(work.path);
    await work.remove();
  }
}
