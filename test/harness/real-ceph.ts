/**
 * A real Ceph cluster on loopback, the oracle of the end-to-end tests and the other side of the
 * benchmarks: one monitor, one manager, N OSDs (BlueStore on sparse files), cephx, from Debian's own
 * ceph-mon, ceph-mgr and ceph-osd.
 *
 * What differs from a stock cluster, and why: copies and minimum follow the number of OSDs; placement
 * is by OSD, not host; the PG autoscaler and the device-health pool are off, so that the pools are the
 * ones the commands made; paxos and trimming do not wait, so that commands do not take a second each and
 * deleted snapshots go at once.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { commandIn } from "./debian-root.ts";
import { freePort } from "./free-port.ts";
import { clientEnv, must, run, sleep, until } from "./run.ts";

export interface RealCephOptions {
  dir: string;
  /** Of another release: where its daemons are (./debian-root.ts). @default this machine's own */
  root?: string | undefined;
  /** @default 1 */
  osds?: number;
  /** Virtual size of each OSD's sparse file, in bytes. @default 10 GiB */
  osdBytes?: number;
  /** Also wait until its statistics are in and it calls itself healthy. @default true */
  settled?: boolean;
  /** Every daemon refuses connections that are not encrypted. @default false */
  requireSecure?: boolean;
}

export interface RunningCluster {
  dir: string;
  confPath: string;
  /** Milliseconds from an empty directory until a client was answered. */
  readyMs: number;
  /** Ids of the processes that serve, for measuring memory. */
  pids: () => Promise<number[]>;
  stop: () => Promise<void>;
}

/** Runs a command line of a cluster's own, and returns what it prints. */
type Tools = (command: string) => Promise<string>;

/** For a cluster in `dir` with daemons of `root`, as startRealCeph has them. */
export function clusterTools(dir: string, root?: string): Tools {
  const inside = commandIn(root, dir, dir);
  const options = { env: clientEnv(join(dir, "cluster.conf")), timeoutMs: 120_000 };
  return (command) => must(inside(command), options);
}

/**
 * Makes a new cluster in `dir` (which must be absent or empty) and waits until its OSDs are up. One that does not
 * come up leaves nothing behind.
 */
export async function startRealCeph(options: RealCephOptions): Promise<RunningCluster> {
  const dir = resolve(options.dir);
  if (existsSync(dir) && readdirSync(dir).length > 0) throw new Error(`${dir} is not empty`);
  try {
    return await start(dir, options);
  } catch (error) {
    await dropRealCeph(dir);
    throw error;
  }
}

async function start(dir: string, options: RealCephOptions): Promise<RunningCluster> {
  const osds = options.osds ?? 1;
  const [v2, v1] = [await freePort(), await freePort()];
  await mkdir(join(dir, "run"), { recursive: true });
  const startMs = performance.now();
  const fsid = randomUUID();
  await writeFile(join(dir, "cluster.conf"), clusterConf(dir, fsid, options, v2, v1));
  const tools = clusterTools(dir, options.root);
  await makeKeys(tools, osds);
  await tools(
    `monmaptool --create --fsid ${fsid} --addv a '[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]' monmap`,
  );
  await mkdir(join(dir, "mona"));
  await mkdir(join(dir, "mgr.x"));
  await tools("ceph-mon -i a --mkfs --monmap monmap --keyring keyring && ceph-mon -i a");
  // Before the manager's first breath: it would make the pool within its first second.
  await tools("ceph config set mgr mgr/devicehealth/enable_monitoring false --force");
  await tools("ceph-mgr -i x");
  for (let id = 0; id < osds; id++) await startOsd(dir, id, tools);
  await until("OSDs up", 60_000, async () =>
    (await tools("ceph osd stat")).includes(`${osds} up`) ? true : undefined,
  );
  await tools("ceph osd pool create rbd && rbd pool init rbd");
  // Debian 13's manager loads none of its modules (PyO3 and subinterpreters).
  if (options.root !== undefined) await tools("ceph health mute MGR_MODULE_DEPENDENCY --sticky");
  if (options.settled ?? true) await settle(tools);
  await writeClientFiles(dir, v2, v1);
  return {
    dir,
    confPath: join(dir, "ceph.conf"),
    readyMs: performance.now() - startMs,
    pids: () => readPids(dir),
    stop: () => stopRealCeph(dir),
  };
}

/** Starts the daemons of a stopped cluster again and waits until every PG serves. */
export async function resumeRealCeph(dir: string, root?: string): Promise<void> {
  const tools = clusterTools(dir, root);
  const ids = readdirSync(dir).flatMap((name) => /^osd(\d+)$/.exec(name)?.[1] ?? []);
  // The map still has the OSDs up as they were: only a later boot tells that they are back.
  const bootEpochs = async (): Promise<number[]> => {
    const dump = JSON.parse(await tools("ceph osd dump --format json")) as {
      osds: { up: number; up_from: number }[];
    };
    return dump.osds.map((osd) => (osd.up === 1 ? osd.up_from : 0));
  };
  await tools("ceph-mon -i a && ceph-mgr -i x");
  const before = await bootEpochs();
  for (const id of ids) await tools(`ceph-osd -i ${id}`);
  await until("OSDs up again", 120_000, async () => {
    const now = await bootEpochs();
    return now.every((epoch, i) => epoch > (before[i] ?? 0)) ? true : undefined;
  });
  // Asks every PG, and waits for those that are not active yet.
  await tools("rados -p rbd ls | tail -n 1");
}

/**
 * Stops the daemons of a cluster by their pid files, and waits until they are gone. Files stay.
 * @param first what they are sent before, after 30 s, SIGKILL
 */
export async function stopRealCeph(
  dir: string,
  first: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
  const pids = await readPids(dir);
  for (const pid of pids) signal(pid, first);
  const alive = (): number[] => pids.filter((pid) => signal(pid, 0));
  for (let i = 0; i < 150 && alive().length > 0; i++) await sleep(200);
  for (const pid of alive()) signal(pid, "SIGKILL");
}

/** Stops a cluster and removes its files, which are gigabytes. */
export async function dropRealCeph(dir: string): Promise<void> {
  await stopRealCeph(dir);
  await rm(dir, { recursive: true, force: true });
}

async function makeKeys(tools: Tools, osds: number): Promise<void> {
  const add = (caps: string, first = ""): Promise<string> =>
    tools(`ceph-authtool keyring ${first} --gen-key ${caps}`);
  await add("-n mon. --cap mon 'allow *'", "--create-keyring");
  await add(
    "-n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'",
  );
  await add("-n mgr.x --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *'");
  for (let id = 0; id < osds; id++) {
    await add(
      `-n osd.${id} --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'`,
    );
  }
}

async function startOsd(dir: string, id: number, tools: Tools): Promise<void> {
  await mkdir(join(dir, `osd${id}`));
  const uuid = randomUUID();
  await tools(`ceph osd new ${uuid} ${id} && ceph auth import -i keyring`);
  await tools(`ceph-osd -i ${id} --mkfs --osd-uuid ${uuid} && ceph-osd -i ${id}`);
}

/** PGs created, statistics in: a freshly made cluster shows them seconds late. */
async function settle(tools: Tools): Promise<void> {
  await until("active+clean", 60_000, async () => {
    const text = await tools("ceph -s --format json");
    const status = JSON.parse(text) as {
      health: { status: string };
      pgmap: { num_pgs: number; pgs_by_state: { state_name: string; count: number }[] };
    };
    const clean = status.pgmap.pgs_by_state.find((s) => s.state_name === "active+clean");
    const ok = clean?.count === status.pgmap.num_pgs && status.health.status === "HEALTH_OK";
    return ok ? true : undefined;
  });
}

/** What a user has: where the monitor is, who they are, nothing else. */
async function writeClientFiles(dir: string, v2: number, v1: number): Promise<void> {
  const keyring = join(dir, "ceph.client.admin.keyring");
  await run("ceph-authtool", ["--create-keyring", keyring], { cwd: dir });
  const text = await readFile(join(dir, "keyring"), "utf8");
  const key = /\[client\.admin\]\s*\n\s*key = (\S+)/.exec(text)?.[1];
  if (key === undefined) throw new Error("no admin key in the keyring");
  await writeFile(keyring, `[client.admin]\n\tkey = ${key}\n`);
  await chmod(keyring, 0o600);
  await writeFile(
    join(dir, "ceph.conf"),
    `[global]
mon host = [v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]
[client]
keyring = ${keyring}
`,
  );
}

async function readPids(dir: string): Promise<number[]> {
  const run = join(dir, "run");
  if (!existsSync(run)) return [];
  const files = readdirSync(run).filter((name) => name.endsWith(".pid"));
  const texts = await Promise.all(files.map((name) => readFile(join(run, name), "utf8")));
  return texts.map(Number).filter((pid) => pid > 1);
}

/** Sends a signal; false when there is no such process. Signal 0 only asks. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function classDir(root = ""): string {
  const found = readdirSync(`${root}/usr/lib`)
    .map((name) => join("/usr/lib", name, "rados-classes"))
    .find((path) => existsSync(join(root, path)));
  if (found === undefined) throw new Error("no rados-classes: Debian's ceph-osd is not installed");
  return found;
}

/** As docs/rados/configuration/msgr2.rst has it of a cluster that encrypts everything. */
const SECURE_MODES = ["cluster", "service", "client", "mon cluster", "mon service", "mon client"]
  .map((who) => `ms ${who} mode = secure\n`)
  .join("");

function clusterConf(
  dir: string,
  fsid: string,
  options: RealCephOptions,
  v2: number,
  v1: number,
): string {
  const copies = (options.osds ?? 1) > 1 ? 2 : 1;
  return `[global]
fsid = ${fsid}
mon initial members = a
mon host = v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = ${copies}
osd pool default min size = 1
osd pool default pg num = 32
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class dir = ${classDir(options.root)}
osd class load list = *
osd class default list = *
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
mon data avail warn = 2
mon max pg per osd = 2000
paxos propose interval = 0.1
paxos min wait = 0.01
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${dir}/run
log file = ${dir}/$name.log
pid file = ${dir}/run/$name.pid
osd data = ${dir}/osd$id
mon data = ${dir}/mon$id
mgr data = ${dir}/mgr.$id
keyring = ${dir}/keyring
bluestore block size = ${options.osdBytes ?? 10 * 1024 ** 3}
osd memory target = 1610612736
osd snap trim sleep hdd = 0
osd delete sleep hdd = 0
${options.requireSecure === true ? SECURE_MODES : ""}[mon]
admin socket = ${dir}/run/$name.asok
[osd]
admin socket = ${dir}/run/$name.asok
[mgr]
admin socket = ${dir}/run/$name.asok
[client]
log file =
admin socket =
`;
}
