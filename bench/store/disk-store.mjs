#!/usr/bin/env node
// The durable store on a real directory against what the disk itself gives in the same directory.
//
// Writes: 4 KiB at random, durable one by one, 1 and 32 in flight, against fio (sync engine, O_DIRECT, O_DSYNC) on a
// raw file: one thread, 32 threads, and one thread with 128 KiB, which is what a group of 32 could be written as.
// 4 MiB writes against the same. Reads: what is warm in the page cache, against pread of a raw file as warm.
// Every case is run --rounds times in turn with its limit; the medians count.
import { closeSync, openSync, readSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "../../scripts/load-ts.mjs";
import { markdown, median, percentile } from "../stats.mjs";

const OBJECT_BYTES = 4 * 2 ** 20;
const OBJECTS = 64;
const DATA_BYTES = OBJECTS * OBJECT_BYTES;
const SMALL = 4096;
const COLLECTION = "2.0";

const { values } = parseArgs({
  options: {
    dir: { type: "string", default: tmpdir() },
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
  },
});
const { must } = await loadTs("test/harness/run.ts");
const { alignedBuffer, createStore, dataObject, openStore } = await loadTs("bench/store/parts.ts");
const runMs = Number(values.seconds) * 1000;

const base = await mkdtemp(join(values.dir, "spirula-bench-store-"));
const raw = join(base, "raw");
try {
  await main();
} finally {
  await rm(base, { recursive: true, force: true });
}

async function main() {
  // Written in full and then overwritten: no new extents, which would cost journal commits of the file system.
  await rawFio(`--name=fill --rw=write --bs=4M --size=${DATA_BYTES}`);
  createStore(join(base, "store"));
  const opened = await openStore(join(base, "store"));
  const durable = watchDurable(opened);
  await fill(opened, durable);
  const cases = [
    [
      "write 4 KiB, 1 in flight",
      () => writes(opened, durable, SMALL, 1),
      () => rawWrites(SMALL, 1),
    ],
    [
      "write 4 KiB, 32 in flight",
      () => writes(opened, durable, SMALL, 32),
      () => rawWrites(SMALL, 32),
    ],
    ["the same, against groups of 32", undefined, () => rawWrites(32 * SMALL, 1, 32)],
    [
      "write 4 MiB, 4 in flight",
      () => writes(opened, durable, OBJECT_BYTES, 4),
      () => rawWrites(OBJECT_BYTES, 4),
    ],
    ["read 4 KiB at random, warm", () => reads(opened, SMALL), () => rawReads(SMALL)],
    [
      "read 4 MiB in sequence, warm",
      () => reads(opened, OBJECT_BYTES),
      () => rawReads(OBJECT_BYTES),
    ],
  ];
  const rows = [];
  let before;
  for (const [title, ours, limit] of cases) {
    const seen = ours === undefined ? before : [];
    const limits = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      if (ours !== undefined) seen.push(await ours());
      limits.push(await limit());
    }
    before = seen;
    rows.push(tableRow(title, seen, limits));
  }
  await opened.close();
  const heads = ["", "store, a second", "CPU each", "p99", "disk, a second", "share of the disk's"];
  console.log(`\n${markdown(heads, rows)}`);
}

function tableRow(title, seen, limits) {
  const rate = median(seen.map((run) => run.perSecond));
  const limit = median(limits);
  return [
    title,
    Math.round(rate).toLocaleString("en"),
    `${median(seen.map((run) => run.cpuUs)).toFixed(1)} µs`,
    `${median(seen.map((run) => run.p99Ms)).toFixed(3)} ms`,
    Math.round(limit).toLocaleString("en"),
    `${((rate / limit) * 100).toFixed(0)} %`,
  ];
}

/** Calls back whoever waits for a transaction, as an OSD does. */
function watchDurable(store) {
  const waiting = [];
  store.onDurable = (seq) => {
    while (waiting.length > 0 && waiting[0].seq <= seq) waiting.shift().done();
  };
  store.onFatal = (error) => {
    throw error;
  };
  return (seq) => new Promise((done) => void waiting.push({ seq, done }));
}

async function fill(store, durable) {
  store.submit({
    collection: COLLECTION,
    ops: [{ op: "create-collection", collection: COLLECTION }],
  });
  const data = filled(OBJECT_BYTES);
  for (let i = 0; i < OBJECTS; i++) await durable(store.submit(writeOf(i, 0, data)));
}

function filled(bytes) {
  const data = alignedBuffer(bytes);
  for (let i = 0; i < bytes; i += 8) data.writeDoubleLE(Math.random(), i);
  return data;
}

function writeOf(object, offset, data) {
  const op = { op: "write", object: dataObject(object), offset, data: [data] };
  return { collection: COLLECTION, ops: [op] };
}

function randomPlace(bytes) {
  const object = Math.floor(Math.random() * OBJECTS);
  return [object, Math.floor(Math.random() * (OBJECT_BYTES / bytes)) * bytes];
}

/** Durable writes, `depth` in flight all the time. */
async function writes(store, durable, bytes, depth) {
  const data = filled(bytes);
  return timed(depth, async () => {
    const [object, offset] = randomPlace(bytes);
    await durable(store.submit(writeOf(object, offset, data)));
  });
}

/** One read after the other; those of whole objects in sequence. */
async function reads(store, bytes) {
  let next = 0;
  return timed(1, async () => {
    const [object, offset] = bytes === OBJECT_BYTES ? [next++ % OBJECTS, 0] : randomPlace(bytes);
    const got = store.read(COLLECTION, dataObject(object), offset, bytes);
    const list = got instanceof Promise ? await got : got;
    if (list.reduce((sum, chunk) => sum + chunk.length, 0) !== bytes)
      throw new Error("a short read");
  });
}

async function timed(depth, once) {
  const times = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const one = async () => {
    while (performance.now() - start < runMs) {
      const from = performance.now();
      await once();
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: depth }, one));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: times.length / seconds,
    cpuUs: (user + system) / times.length,
    p99Ms: percentile(times, 0.99),
  };
}

/** Durable writes of the raw file by fio, a second; each counts as `worth`. */
async function rawWrites(bytes, threads, worth = 1) {
  const jobs = `--numjobs=${threads} --thread --group_reporting --overwrite=1 --size=${DATA_BYTES}`;
  const time = `--time_based --runtime=${values.seconds}`;
  const json = await rawFio(
    `--name=write --rw=randwrite --bs=${bytes} --sync=dsync ${jobs} ${time}`,
  );
  return json.jobs[0].write.iops * worth;
}

async function rawFio(args) {
  const engine = `--ioengine=sync --direct=1 --filename=${raw} --allow_file_create=1`;
  const text = await must(`fio ${engine} --output-format=json ${args}`);
  return JSON.parse(text.slice(text.indexOf("{")));
}

/** Reads of the raw file by pread, after one pass that warms it. */
function rawReads(bytes) {
  const fd = openSync(raw, "r");
  try {
    const into = Buffer.alloc(OBJECT_BYTES);
    for (let at = 0; at < DATA_BYTES; at += OBJECT_BYTES) readSync(fd, into, 0, OBJECT_BYTES, at);
    let count = 0;
    const start = performance.now();
    for (; performance.now() - start < runMs; count++) {
      const sequential = (count % OBJECTS) * OBJECT_BYTES;
      const [object, offset] = randomPlace(bytes);
      const at = bytes === OBJECT_BYTES ? sequential : object * OBJECT_BYTES + offset;
      readSync(fd, into, 0, bytes, at);
    }
    return count / ((performance.now() - start) / 1000);
  } finally {
    closeSync(fd);
  }
}
