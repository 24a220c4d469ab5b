#!/usr/bin/env node
// npm run bench:growth: what things cost against the number of objects, 10^3 to 10^5 (--million: 10^6).
//
// Each size has a server of its own in a fresh directory. Its objects are those of an image with objects of 4 KiB,
// so that fio's 4 KiB writes and reads at random go to all of them; without an object map, which would be
// updated for each new object. What ought not to grow with the number: rates, memory, opening.
//
//   --sizes A,B    numbers of objects               --side real   the same on a real one-OSD Ceph
//   --runtime S    seconds of each fio run (10)     --dir DIR     where the data lies
//   --memory SIZE  of our server (its default)      --json FILE   every figure
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { markdown } from "../stats.mjs";
import { fio, IMAGE, runTimed } from "./jobs.mjs";
import { residentBytes } from "./processes.mjs";
import {
  clientEnv,
  dropServers,
  must,
  onInterrupt,
  SPIRULA,
  startServer,
  until,
} from "./servers.mjs";

const OBJECT_BYTES = 4096;
const SIZES = [1e3, 1e4, 1e5];
/** Objects that get a clone to be trimmed. */
const CLONES_MAX = 10_000;
const TIMEOUT_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    sizes: { type: "string" },
    million: { type: "boolean", default: false },
    side: { type: "string", default: "ours" },
    runtime: { type: "string", default: "10" },
    memory: { type: "string" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "string" },
  },
});
const sizes = values.sizes?.split(",").map(Number) ?? (values.million ? [...SIZES, 1e6] : SIZES);
const runtime = Number(values.runtime);

/** Title, digits, and the figure in a result. */
const ROWS = [
  ["objects made, a second", 0, (r) => r.made],
  ["random 4k write QD32, IOPS", 0, (r) => r.write.iops],
  ["random 4k write QD32, server CPU µs", 1, (r) => r.write.cpuPer1000 * 1000],
  ["random 4k read QD32, IOPS", 0, (r) => r.read.iops],
  ["random 4k read QD32, server CPU µs", 1, (r) => r.read.cpuPer1000 * 1000],
  ["all objects listed, s", 2, (r) => r.listS],
  ["snapshot made, s", 2, (r) => r.snapCreateS],
  ["overwritten under a snapshot, a second", 0, (r) => r.cloned],
  ["snapshot removed, s", 2, (r) => r.snapRemoveS],
  ["clones trimmed, a second", 0, (r) => r.trimmed],
  ["ready after kill -9, s", 2, (r) => r.afterKillS],
  ["ready after a clean stop, s", 2, (r) => r.afterStopS],
  ["memory when filled, MB", 0, (r) => r.filledBytes / 1e6],
  ["most memory under fio, MB", 0, (r) => Math.max(r.write.peakBytes, r.read.peakBytes) / 1e6],
  ["memory after opening, MB", 0, (r) => r.openedBytes / 1e6],
];

const load = loadavg();
console.log(`load average at the start: ${load.map((each) => each.toFixed(2)).join(" ")}`);
const base = await mkdtemp(join(values.dir, "spirula-growth-"));
const results = [];
onInterrupt(cleanUp);
try {
  for (const objects of sizes) {
    const server = await startServer(values.side, join(base, `${objects}`), {
      memory: values.memory,
    });
    const result = { objects, ...(await measure(server, objects)) };
    console.log(JSON.stringify(result));
    results.push(result);
    await server.drop();
  }
} finally {
  await cleanUp();
}
report();
if (values.json !== undefined) {
  const json = JSON.stringify({ node: process.version, load, options: values, results });
  await writeFile(values.json, `${json}\n`);
}

async function cleanUp() {
  await dropServers();
  await rm(base, { recursive: true, force: true });
}

async function measure(server, objects) {
  const at = { env: clientEnv(server.confPath), timeoutMs: TIMEOUT_MS };
  const size = `--size ${objects * OBJECT_BYTES}B --object-size ${OBJECT_BYTES}B`;
  await must(`rbd create ${IMAGE} ${size} --image-feature layering,exclusive-lock`, at);
  const made = await overwrite(server, objects);
  const filledBytes = residentBytes(await server.pids());
  const random = (rw) => [`--name=${rw}`, `--rw=${rw}`, "--bs=4k", "--iodepth=32"];
  const write = await runTimed(server, random("randwrite"), { runtime, seed: 1 });
  const read = await runTimed(server, random("randread"), { runtime, seed: 2 });
  const listS = await seconds(async () => {
    const listed = Number(await must("rados -p rbd ls | grep -c rbd_data", at));
    if (listed !== objects) throw new Error(`${listed} objects listed of ${objects}`);
  });
  const snapshots = await snapshotCosts(server, objects, at);
  const opened = await openCosts(server, random("randwrite"));
  return { made, filledBytes, write, read, listS, ...snapshots, ...opened };
}

/** Writes the first objects of the image one after the other; objects a second. */
async function overwrite(server, objects) {
  const args = ["--name=fill", "--rw=write", "--bs=4k", "--iodepth=64"];
  const json = await fio(server, [...args, `--size=${objects * OBJECT_BYTES}`], TIMEOUT_MS / 1000);
  return (objects / json.jobs[0].job_runtime) * 1000;
}

async function snapshotCosts(server, objects, at) {
  const clones = Math.min(objects, CLONES_MAX);
  const snapCreateS = await seconds(() => must(`rbd snap create ${IMAGE}@s`, at));
  const cloned = await overwrite(server, clones);
  const snapRemoveS = await seconds(() => must(`rbd snap rm ${IMAGE}@s --no-progress`, at));
  const trimS = await seconds(() =>
    until("snapshot trimmed", TIMEOUT_MS, async () => {
      const dump = JSON.parse(await must("ceph osd dump --format json", at));
      return dump.removed_snaps_queue.length === 0 ? true : undefined;
    }),
  );
  return { snapCreateS, cloned, snapRemoveS, trimmed: clones / trimS };
}

/** The kill finds a journal with what has just been written. */
async function openCosts(server, args) {
  await runTimed(server, args, { runtime: Math.min(runtime, 3), seed: 3 });
  await server.kill();
  const afterKillS = await seconds(() => server.resume());
  const openedBytes = residentBytes(await server.pids());
  await server.stop();
  // Whatever went wrong with so many of them counts, not how fast it did.
  if (server.side === "ours") await must(`${SPIRULA} fsck ${server.dir}`, {});
  const afterStopS = await seconds(() => server.resume());
  return { afterKillS, afterStopS, openedBytes };
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function report() {
  const columns = results.map(({ objects }) => `${objects.toLocaleString("en")} objects`);
  const rows = ROWS.map(([title, digits, of]) => {
    const figures = results.map(of);
    const growth = figures.at(-1) / figures[0];
    return [title, ...figures.map((each) => each.toFixed(digits)), `${growth.toFixed(2)}x`];
  });
  console.log(`\n${markdown([values.side, ...columns, "last to first"], rows)}`);
}
