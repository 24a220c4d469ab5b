/**
 * A disk that is full: writes wait and are not lost, reads and removals go on, the space comes back, and
 * nobody has to do anything for writes to go on then. The server lives through all of it, and starts on it.
 *
 * What a real one-OSD cluster (16.2.15, BlueStore on a file of 1 GiB) did, filled at 8 MB/s: nearfull at
 * 85 %, backfillfull at 90 %, full at 95 %, in osd dump, in the pools' flags and in health, in the words below;
 * its OSD looks at its space once a second or so. A `rados put` and a `rados rm` then waited, `rados
 * --force-full rm` worked at once, `rbd ls`, `rbd info`, `rados get` too; `rbd create`, `rbd snap create`,
 * `rbd resize` waited, and a reader of an image at its end, to note the time. Restarted, it was full again. After an `rbd rm` of 300 MiB it was HEALTH_OK within
 * 6 s, and what had waited went on. Two things we do not do as it did: filled at 85 MB/s, its OSD died at
 * the last byte ("ENOSPC from bluestore, misconfigured cluster"); and the first `rbd rm` of a pool's life
 * failed with ENOSPC, because it has to make the object `rbd_trash`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { flatten } from "../../src/encoding/index.ts";
import { createStore, fsck, NoSpaceError, openStore } from "../../src/store/index.ts";
import { bytes, named, PG, same, submit } from "../compliance/object-store/fixtures.ts";
import { clientEnv, killGroup, must, ownGroup, sh, sleep, until } from "../harness/run.ts";
import { type SmallDisk, smallDisk } from "../harness/small-disk.ts";
import { monPort, requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const DISK_MIB = 700;
const MIB = 2 ** 20;
const FULL = [
  "HEALTH_ERR 1 full osd(s); 1 pool(s) full",
  "[ERR] OSD_FULL: 1 full osd(s)",
  "    osd.0 is full",
  "[WRN] POOL_FULL: 1 pool(s) full",
  "    pool 'rbd' is full (no space)",
  "",
].join("\n");
const NEARFULL = [
  "HEALTH_WARN 1 nearfull osd(s); 1 pool(s) nearfull",
  "[WRN] OSD_NEARFULL: 1 nearfull osd(s)",
  "    osd.0 is near full",
  "[WRN] POOL_NEARFULL: 1 pool(s) nearfull",
  "    pool 'rbd' is nearfull",
  "",
].join("\n");

let work: TempDir;
let disk: SmallDisk;
let server: SpirulaServer;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("full");
  disk = await smallDisk(work.path, DISK_MIB);
  server = await startSpirula({ dir: join(disk.path, "data") });
  // What the monitor says of its own files, on the same disk, depends on how near the end that happens to be.
  await client("ceph config set mon mon_data_avail_crit -1");
});

afterEach(async () => {
  await server?.kill();
  await disk?.remove();
  await work?.remove();
});

function client(command: string): Promise<string> {
  return must(command, { env: clientEnv(server.confPath), cwd: work.path });
}

interface Waiting {
  /** Its exit code, once it is over. */
  result: Promise<number>;
  isOver: () => boolean;
  kill: () => void;
}

/** A client that may have to wait. */
function begin(command: string): Waiting {
  const child = spawn("bash", ["-c", command], {
    env: clientEnv(server.confPath),
    cwd: work.path,
    detached: true,
    stdio: "ignore",
  });
  ownGroup(child);
  return {
    result: once(child, "close").then(([code]) => code as number),
    isOver: () => child.exitCode !== null,
    kill: () => killGroup(child.pid, "SIGKILL"),
  };
}

/** Reads a whole image without leaving a trace: a reader's note of the time would have to wait. */
function read(image: string): string {
  return `rbd export --rbd-atime-update-interval 0 --no-progress ${image} -`;
}

const health = () => client("ceph health detail");

async function healthIs(wanted: string): Promise<void> {
  await until(wanted, 60_000, async () => ((await health()) === wanted ? true : undefined));
}

async function usage(): Promise<{ used: number; total: number }> {
  const { nodes } = JSON.parse(await client("ceph osd df -f json")) as {
    nodes: { kb: number; kb_used: number }[];
  };
  return { used: nodes[0]!.kb_used * 1024, total: nodes[0]!.kb * 1024 };
}

/** Imports an image of random bytes, kept in a file of its name, with which so much of the disk is used. */
async function fillTo(ratio: number, image: string): Promise<void> {
  const { used, total } = await usage();
  const size = Math.ceil(ratio * total - used);
  await client(`head -c ${size} /dev/urandom >${image}`);
  await client(`rbd import --no-progress ${image} ${image}`);
  // The OSD tells of its space every so often: what is asked next counts this image.
  await until("the usage", 20_000, async () =>
    (await usage()).used >= used + size ? true : undefined,
  );
}

async function restart(how: "kill" | "stop"): Promise<void> {
  const port = await monPort(server.dir);
  if (how === "kill") await server.kill();
  else expect(await server.stop()).toBe(0);
  server = await startSpirula({ dir: server.dir, port });
}

async function mapShows(state: string, flags: string): Promise<void> {
  const dump = JSON.parse(await client("ceph osd dump -f json")) as {
    osds: { state: string[] }[];
    pools: { flags_names: string }[];
  };
  expect(dump.osds[0]?.state.join()).toBe(state);
  expect(dump.pools[0]?.flags_names).toBe(flags);
}

test("filled to the brim: writes wait, reads and removals do not, and all goes on when there is room", async () => {
  await fillTo(0.35, "victim");
  await client("head -c 4M /dev/urandom >blob");
  // So little that it is full without it, too.
  await client(
    "head -c 16K blob >little; for name in old old2; do rados -p rbd put $name little; done",
  );
  await fillTo(0.87, "kept");
  await healthIs(NEARFULL);
  await mapShows("exists,nearfull,up", "hashpspool,nearfull,selfmanaged_snaps");

  // As fast as it goes, so that the OSD has to stop what the monitor does not stop in time. More than there is
  // room for now, less than there will be.
  const bench = begin(
    "rados -p rbd bench 600 write -b 4M -t 16 --max-objects 36 --run-name fill --no-cleanup",
  );
  await healthIs(FULL);
  await mapShows("exists,full,up", "hashpspool,full,selfmanaged_snaps");
  const put = begin("rados -p rbd put new blob");
  const remove = begin("rados -p rbd rm old2");
  const create = begin("rbd create --size 10M later");
  expect(await client("rbd ls")).toBe("kept\nvictim\n");
  expect(await client("rbd info victim")).toContain("rbd image 'victim'");
  await client(`${read("victim")} | cmp - victim`);
  await client("rados -p rbd get old - | cmp - little");
  await client("rados -p rbd --force-full rm old");
  expect((await sh("rados -p rbd stat old", { env: clientEnv(server.confPath) })).code).not.toBe(0);

  // Nothing of this needs room: it starts on a full disk, after a crash and after an orderly stop.
  for (const how of ["kill", "stop"] as const) {
    await restart(how);
    await healthIs(FULL);
    await client(`${read("kept")} | cmp - kept`);
  }
  await sleep(2000);
  const over = Object.entries({ bench, put, remove, create }).filter(([, { isOver }]) => isOver());
  expect(over.map(([name]) => name)).toEqual([]);

  const before = await disk.free();
  await client("rbd rm --no-progress victim");
  await healthIs("HEALTH_OK\n");
  for (const { result } of [put, remove, create, bench]) expect(await result).toBe(0);
  await client("rados -p rbd get new - | cmp - blob");
  expect(await client("rbd ls")).toBe("kept\nlater\n");
  // What was acknowledged before, while and after it was full. The bench compares what it reads.
  await client(`${read("kept")} | cmp - kept`);
  const read1 = await client("rados -p rbd bench 120 seq -t 4 --run-name fill");
  expect(read1).toMatch(/Total reads made:\s+[1-9]/);
  await client("rados -p rbd cleanup --run-name fill");
  await until("the space", 60_000, async () =>
    (await disk.free()) > before + 150 * MIB ? true : undefined,
  );
  expect(await server.stop()).toBe(0);
});

test("small writes fill it, too, and the server's own files still find room", async () => {
  await client("rbd create --size 1G image");
  const bench = begin(
    "rbd bench --io-type write --io-size 16K --io-threads 64 --io-total 1G image",
  );
  try {
    await healthIs(FULL);
    await restart("kill");
    await healthIs(FULL);
    // An orderly stop writes home whatever is in the journal; the client finds the server again.
    await restart("stop");
    expect(await disk.free()).toBeGreaterThan(8 * MIB);
    expect(bench.isOver()).toBe(false);
  } finally {
    bench.kill();
  }
  await client("ceph osd pool delete rbd rbd --yes-i-really-really-mean-it");
  await healthIs("HEALTH_OK\n");
  expect(await server.stop()).toBe(0);
});

test("others fill the disk: the cluster is full, lives, and is well again when they are gone", async () => {
  await client("head -c 4M /dev/urandom >blob && rados -p rbd put old blob");
  await fillTo(0.3, "kept");
  await disk.takeAllBut(20 * MIB);
  await healthIs(FULL);
  const put = begin("rados -p rbd put new blob");
  await client(`${read("kept")} | cmp - kept`);
  await client("rados -p rbd --force-full rm old");
  await restart("kill");
  await healthIs(FULL);
  expect(put.isOver()).toBe(false);
  await disk.giveBack();
  await healthIs("HEALTH_OK\n");
  expect(await put.result).toBe(0);
  await client("rados -p rbd get new - | cmp - blob");
  expect(await server.stop()).toBe(0);
});

test("others take the very last byte: the store waits, and goes on with everything once there is room", async () => {
  const directory = join(disk.path, "store");
  createStore(directory, { segmentSize: 1 << 20, segments: 2 });
  const store = await openStore(directory, { memoryBytes: 8 * MIB });
  const failures: Error[] = [];
  store.onFatal = (error) => failures.push(error);
  let told = 0;
  store.onDurable = (seq) => {
    told = seq;
  };
  submit(store, { op: "create-collection", collection: PG });
  const written: { seq: number; size: number }[] = [];
  const write = (size: number) => {
    const data = [bytes(size, written.length)];
    const object = named(`o${written.length}`);
    const seq = submit(store, { op: "write", object, offset: 0, data });
    written.push({ seq, size });
  };
  for (let i = 0; i < 400; i++) {
    write(20_000 * (1 + (i % 5)));
    if (i % 7 === 0) await store.flush();
  }
  await store.checkpoint();
  // Small enough that they stay in memory for now, and go home into holes.
  for (let i = 0; i < 64; i++) write(4096);
  await store.flush();
  await disk.takeAllBut(0);
  let isDone = false;
  const waiting = store.checkpoint().then(() => {
    isDone = true;
  });
  await sleep(3000);
  expect(isDone).toBe(false);
  expect(() => submit(store, { op: "touch", object: named("x") })).toThrow(NoSpaceError);
  await disk.giveBack();
  await waiting;
  write(4096);
  await store.flush();
  // It is closed without a checkpoint, for which the next opening has room.
  await disk.takeAllBut(0);
  await store.close();
  await disk.giveBack();
  expect(failures).toEqual([]);
  const again = await openStore(directory);
  expect(again.lastSubmitted).toBeGreaterThanOrEqual(told);
  for (const [i, { seq, size }] of written.entries()) {
    if (seq > told) break;
    same(flatten(await again.read(PG, named(`o${i}`), 0, size)), bytes(size, i), `o${i}`);
  }
  await again.close();
  expect(fsck(directory, { deep: true }).faults).toEqual([]);
});
