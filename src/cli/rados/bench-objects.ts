/**
 * The objects that benchmarks leave: how they are called, what a run notes for those that read after it, and
 * how they are removed.
 * ceph: src/common/obj_bencher.cc
 */

import { hostname } from "node:os";
import process from "node:process";
import { CephError, ERRNO } from "../../base/index.ts";
import { decodeFromBytes, encodeToBytes, record, s32, u64n } from "../../encoding/index.ts";
import { type IoCtx, type ListedObject, read } from "../../librados/index.ts";
import { CommandFailure, formatLocalTime } from "../client/index.ts";
import { clockTime, type RadosContext } from "./context.ts";
import { wantsEveryNamespace } from "./namespaces.ts";

/** Where a run notes what it wrote, unless it has a name of its own. */
const LAST_RUN = "benchmark_last_metadata";
const PREFIX = "benchmark_data";
/** gethostname() into 30 bytes. */
const HOST = hostname().slice(0, 29);

/** What a run's objects begin with: of this host, or of one process on it. */
export function objectPrefix(pid?: number): string {
  return pid === undefined ? `${PREFIX}_${HOST}` : `${PREFIX}_${HOST}_${pid}`;
}

export function objectName(pid: number, index: number): string {
  return `${objectPrefix(pid)}_object${index}`;
}

/** What a run notes. Sizes are bytes. */
const RunNote = record("bench metadata", { objectSize: u64n, ops: s32, pid: s32, opSize: u64n });
const NOTE_BYTES = 24;

export interface BenchRun {
  readonly objectSize: number;
  readonly opSize: number;
  /** Writes it made, several in one object where the object is larger. */
  readonly ops: number;
  readonly pid: number;
}

export function opsPerObject({ objectSize, opSize }: Pick<BenchRun, "objectSize" | "opSize">) {
  return opSize > 0 ? Math.max(1, Math.floor(objectSize / opSize)) : 1;
}

export function noteName({ options }: RadosContext): string {
  return options.get("runName") || LAST_RUN;
}

export async function writeNote(io: IoCtx, name: string, run: BenchRun): Promise<void> {
  await io.writeObject(name, encodeToBytes(RunNote, run));
}

/** @throws CephError ENOENT if there is none */
export async function readNote(io: IoCtx, name: string): Promise<BenchRun> {
  const [bytes] = await io.read(name, [read(0, NOTE_BYTES)]);
  if (bytes.length === 0) throw new CephError(-ERRNO.ENOENT, { op: "read", target: name });
  // Of old, the size of a write was the object's.
  const full = bytes.length < NOTE_BYTES ? Buffer.concat([bytes, bytes.subarray(0, 8)]) : bytes;
  return decodeFromBytes(RunNote, full);
}

/** A line of a benchmark, with the time before it where that is wanted. */
export function stamped({ options }: RadosContext, line: string): string {
  return options.has("showTime") ? `${formatLocalTime(clockTime())} ${line}` : line;
}

/** @throws CommandFailure for a number of requests at a time that is none */
export function concurrency(context: RadosContext): number {
  const count = context.number("concurrentIos", 16);
  if (count > 0) return count;
  throw new CephError(-ERRNO.EINVAL, { op: "bench with", target: `${count} requests` });
}

/** Runs a task for each item, so many at a time. The first failure ends it. */
export async function eachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  count: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const item of items) {
    const run = task(item).finally(() => running.delete(run));
    // Its failure is found by the race, or by the last wait.
    run.catch(() => undefined);
    running.add(run);
    if (running.size >= count) await Promise.race(running);
  }
  await Promise.all(running);
}

async function removeOne(io: IoCtx, oid: string): Promise<void> {
  try {
    await io.removeObject(oid);
  } catch (error) {
    if (!(error instanceof CephError) || error.errno !== -ERRNO.ENOENT) throw error;
  }
}

async function sayRemoved(context: RadosContext, count: number): Promise<void> {
  await context.out.say(stamped(context, `Removed ${count} object${count === 1 ? "" : "s"}`));
}

/** Removes whatever begins with a prefix, found by listing. */
export async function removeObjects(
  context: RadosContext,
  io: IoCtx,
  { prefix, everyNamespace }: { readonly prefix: string; readonly everyNamespace: boolean },
): Promise<void> {
  await context.out.say(stamped(context, "Warning: using slow linear search"));
  let removed = 0;
  await eachOf(io.objects({ everyNamespace }), concurrency(context), async (object) => {
    const { oid, namespace, locator }: ListedObject = object;
    if (!oid.startsWith(prefix)) return;
    await removeOne(io.inNamespace(namespace).withLocator(locator), oid);
    removed++;
  });
  await sayRemoved(context, removed);
}

/** Removes the objects of a run, by its note. */
export async function removeRun(context: RadosContext, io: IoCtx, run: BenchRun): Promise<void> {
  const objects = Math.ceil(run.ops / opsPerObject(run));
  if (objects === 0) return;
  const names = Array.from({ length: objects }, (_, i) => objectName(run.pid, i));
  await eachOf(names, concurrency(context), (oid) => removeOne(io, oid));
  await sayRemoved(context, objects);
}

/** The verb `cleanup`: in each namespace the run with its note, or without one all that begins so. */
export async function cleanUp(context: RadosContext): Promise<void> {
  const { io, options } = context;
  const note = noteName(context);
  const prefix = options.get("prefix") || objectPrefix();
  if (!prefix.startsWith(PREFIX)) {
    process.stderr.write(`Specified --prefix invalid, it must begin with "${PREFIX}"\n`);
    const why = "(22) Invalid argument";
    throw new CommandFailure(`error during cleanup: ${why}\nerror 22: ${why}`);
  }
  const withNote = new Set<string>();
  const withData = new Set<string>();
  const everyNamespace = wantsEveryNamespace(context);
  for await (const { oid, namespace } of io.objects({ everyNamespace })) {
    if (oid === note) withNote.add(namespace);
    if (oid.startsWith(prefix)) withData.add(namespace);
  }
  for (const namespace of [...withData].toSorted()) {
    const there = io.inNamespace(namespace);
    if (!withNote.has(namespace)) {
      await removeObjects(context, there, { prefix, everyNamespace: false });
      continue;
    }
    await removeRun(context, there, await readNote(there, note));
    await there.removeObject(note);
  }
}
