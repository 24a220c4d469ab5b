/**
 * The verbs `bench` and `cleanup`: objects written for a while, and read back in order or by chance.
 *
 * A run notes what it wrote, so that a read finds it and knows what must be in it: each piece begins with its
 * number.
 * ceph: src/common/obj_bencher.cc
 */

import process from "node:process";
import { CephError, ERRNO, randomU32, systemClock, systemRandom } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import {
  ALLOC_HINT,
  type IoCtx,
  type Operation,
  omapSet,
  setAllocHint,
  setXattr,
  write,
} from "../../librados/index.ts";
import {
  attempt,
  CommandFailure,
  formatLocalTime,
  openSink,
  renderFormat,
} from "../client/index.ts";
import {
  type BenchRun,
  cleanUp,
  concurrency,
  noteName,
  objectName,
  objectPrefix,
  opsPerObject,
  readNote,
  removeRun,
  stamped,
  writeNote,
} from "./bench-objects.ts";
import {
  type BenchEnd,
  type BenchKind,
  BenchMeter,
  endJson,
  endLines,
  HEAD_LINE,
  latencyLine,
  secondJson,
  secondLine,
} from "./bench-report.ts";
import { clockTime, failedTwice, type RadosContext } from "./context.ts";
import type { Verbs } from "./verb.ts";

/** Bytes of one request, unless -b says otherwise. */
const OP_BYTES = 4 * 1024 * 1024;
/** Between two times that the heads of the columns are said. */
const HEAD_SECONDS = 20;

export const BENCH_VERBS: Verbs = {
  bench: {
    summary: "how fast objects are written and read",
    arguments: "SECONDS (write | seq | rand)",
    run: bench,
  },
  cleanup: {
    summary: "remove what bench write --no-cleanup left",
    arguments: "[--run-name NAME] [--prefix PREFIX]",
    run: async (context) => {
      await cleanUp(context).catch((error: unknown) => {
        if (error instanceof CommandFailure) throw error;
        throw failedTwice("error during cleanup", error);
      });
    },
  },
};

type Mode = "write" | "seq" | "rand";

const isMode = (word: string): word is Mode => ["write", "seq", "rand"].includes(word);

async function bench(context: RadosContext): Promise<void> {
  const { options, out, format } = context;
  const word = context.take();
  const mode = context.take();
  if (!/^\s*[+-]?\d*$/.test(word)) {
    throw new CommandFailure(`Invalid value for seconds: '${word}'`);
  }
  if (!isMode(mode)) throw context.usage();
  if (mode !== "write" && (options.has("blockSize") || options.has("objectSize"))) {
    throw new CommandFailure("-b|--block_size option can be used only with 'write' bench test");
  }
  const writes = ["writeObject", "writeOmap", "writeXattr"] as const;
  if (mode !== "write" && writes.some((option) => options.has(option))) {
    throw new CommandFailure(
      "--write-object, --write-omap and --write-xattr options can only be used with the 'write' bench test",
    );
  }
  if (options.has("output") && format === undefined) {
    throw new CommandFailure("-o|--output option can only be used with '--format' option");
  }
  await out.say(`hints = ${options.has("noHints") ? 0 : 1}`);
  try {
    await runBench(context, mode, Number(word));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw failedTwice("error during benchmark", error);
  }
}

async function runBench(context: RadosContext, mode: Mode, seconds: number): Promise<void> {
  const { io, options } = context;
  const slots = concurrency(context);
  const isWrite = mode === "write";
  const note = noteName(context);
  const before = isWrite && !options.has("reuseBench") ? undefined : await findRun(context, note);
  const sizes = before ?? chosenSizes(context);
  const pid = before?.pid ?? process.pid;
  const report = new Report(context, isWrite ? "write" : "read", sizes);
  if (isWrite) await report.beginWrite({ slots, seconds, prefix: objectPrefix(pid) });
  const job = { io, report, slots, seconds };
  if (isWrite) await writeObjects(context, job, { ...sizes, pid });
  else if (before !== undefined) await readObjects(context, job, before, mode);
  await report.end();
  if (!isWrite) return;
  const run = { ...sizes, pid, ops: report.meter.finished };
  await writeNote(io, note, run);
  if (!options.has("noCleanup")) await removeAfter(context, run, note);
}

function chosenSizes(context: RadosContext): Pick<BenchRun, "opSize" | "objectSize"> {
  const opSize = context.number("blockSize", OP_BYTES);
  const objectSize = context.number("objectSize", 0) || opSize;
  return { opSize: Math.min(opSize, objectSize), objectSize };
}

async function findRun(context: RadosContext, note: string): Promise<BenchRun> {
  try {
    return await readNote(context.io, note);
  } catch (error) {
    if (error instanceof CephError && error.errno === -ERRNO.ENOENT) {
      const before = context.options.has("reuseBench")
        ? "using reuse_bench for a write benchmark"
        : "running a read benchmark";
      process.stderr.write(`Must write data before ${before}!\n`);
    }
    throw error;
  }
}

async function removeAfter(context: RadosContext, run: BenchRun, note: string): Promise<void> {
  const start = systemClock.monotonic();
  await context.out.say(stamped(context, "Cleaning up (deleting benchmark objects)"));
  await removeRun(context, context.io, run);
  const took = ((systemClock.monotonic() - start) / 1000).toPrecision(6);
  await context.out.say(
    stamped(context, `Clean up completed and total clean up time :${Number(took)}`),
  );
  await context.io.removeObject(note);
}

/** What a piece holds: its number, then filling. ceph: "I'm the %16dth op!" and its zero */
class Piece {
  readonly bytes: Buffer;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size, "z");
  }

  number(index: number): void {
    const text = `I'm the ${String(index).padStart(16)}th op!`;
    const { length } = this.bytes;
    if (length === 0) return;
    const written = this.bytes.write(text, 0, length - 1, "latin1");
    this.bytes[written] = 0;
  }
}

interface Job {
  readonly io: IoCtx;
  readonly report: Report;
  readonly slots: number;
  readonly seconds: number;
}

/**
 * Has requests on their way, so many at a time, each numbered, until the time is over.
 * @param limit no more than so many in all
 * @param request does the nth, in a slot of its own
 */
async function keepBusy(
  { report, slots, seconds }: Job,
  limit: number,
  request: (index: number, slot: number) => Promise<void>,
): Promise<void> {
  const { meter } = report;
  const start = systemClock.monotonic();
  const end = start + seconds * 1000;
  const timer = systemClock.every(1000, () => report.tick());
  report.start(start);
  const work = async (slot: number): Promise<void> => {
    do {
      const began = systemClock.monotonic();
      await request(meter.started++, slot);
      meter.end((systemClock.monotonic() - began) / 1000);
    } while (systemClock.monotonic() < end && meter.started < limit);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(slots, limit) }, (_, slot) => work(slot)));
  } finally {
    timer.cancel();
  }
}

async function writeObjects(
  context: RadosContext,
  job: Job,
  run: Omit<BenchRun, "ops">,
): Promise<void> {
  const { options } = context;
  const { opSize, objectSize, pid } = run;
  const maxObjects = context.number("maxObjects", 0);
  const limit =
    maxObjects > 0 && opSize > 0
      ? Math.max(job.slots, Math.ceil((objectSize * maxObjects) / opSize))
      : Number.POSITIVE_INFINITY;
  const perObject = opsPerObject(run);
  const pieces = Array.from({ length: job.slots }, () => new Piece(opSize));
  const hasOthers = options.has("writeOmap") || options.has("writeXattr");
  const hasData = options.has("writeObject") || !hasOthers;
  const { SEQUENTIAL_WRITE, SEQUENTIAL_READ, APPEND_ONLY, IMMUTABLE } = ALLOC_HINT;
  const flags = SEQUENTIAL_WRITE | SEQUENTIAL_READ | APPEND_ONLY | IMMUTABLE;
  const hint = setAllocHint(objectSize, opSize, flags);
  await keepBusy(job, limit, async (index, slot) => {
    const piece = pieces[slot]!;
    piece.number(index);
    const offset = (index % perObject) * opSize;
    const ops: Operation[] = [];
    if (hasData && !options.has("noHints")) ops.push(hint);
    if (hasData) ops.push(write(offset, piece.bytes));
    if (options.has("writeOmap")) {
      ops.push(omapSet([[`bench-omap-key-${offset}`, piece.bytes]]));
    }
    if (options.has("writeXattr")) ops.push(setXattr(`bench-xattr-key-${offset}`, piece.bytes));
    await job.io.write(objectName(pid, Math.floor(index / perObject)), ops);
  });
}

async function readObjects(
  context: RadosContext,
  job: Job,
  run: BenchRun,
  mode: Mode,
): Promise<void> {
  const { opSize, pid, ops } = run;
  const perObject = opsPerObject(run);
  const isVerified = !context.options.has("noVerify");
  const expected = new Piece(opSize);
  const memory = Array.from({ length: job.slots }, () => Buffer.alloc(opSize));
  let faults = 0;
  const limit = mode === "seq" ? ops : ops > 0 ? Number.POSITIVE_INFINITY : 0;
  await keepBusy(job, limit, async (nth, slot) => {
    const bytes = memory[slot]!;
    // The first go in order, whatever the mode, as the original's do.
    const isByChance = mode === "rand" && nth >= job.slots;
    const index = isByChance ? randomU32(systemRandom) % ops : nth % ops;
    const oid = objectName(pid, Math.floor(index / perObject));
    const length = await job.io.readInto(oid, (index % perObject) * opSize, bytes);
    if (!isVerified) return;
    expected.number(index);
    if (length === opSize && bytes.equals(expected.bytes)) return;
    process.stderr.write(`${oid} is not correct!\n`);
    faults++;
  });
  if (faults > 0) throw new CephError(-ERRNO.EIO, { op: "verify", target: `${faults} reads` });
}

/** Says how it goes: line by line, or all at the end if a format was asked for. */
class Report {
  readonly meter: BenchMeter;
  readonly #context: RadosContext;
  readonly #kind: BenchKind;
  readonly #sizes: Pick<BenchRun, "opSize" | "objectSize">;
  readonly #seconds: Json[] = [];
  #head: Record<string, Json> = {};
  #startMs = 0;

  constructor(
    context: RadosContext,
    kind: BenchKind,
    sizes: Pick<BenchRun, "opSize" | "objectSize">,
  ) {
    this.#context = context;
    this.#kind = kind;
    this.#sizes = sizes;
    this.meter = new BenchMeter(sizes.opSize);
  }

  async beginWrite(about: {
    readonly slots: number;
    readonly seconds: number;
    readonly prefix: string;
  }): Promise<void> {
    const { slots, seconds, prefix } = about;
    const { opSize, objectSize } = this.#sizes;
    const maxObjects = this.#context.number("maxObjects", 0);
    this.#head = {
      concurrent_ios: String(slots),
      object_size: String(objectSize),
      op_size: String(opSize),
      seconds_to_run: String(seconds),
      max_objects: String(maxObjects),
      object_prefix: prefix,
    };
    if (this.#context.format !== undefined) return;
    await this.#say(
      `Maintaining ${slots} concurrent writes of ${opSize} bytes to objects of size ${objectSize} for up to ${seconds} seconds or ${maxObjects} objects`,
    );
    await this.#say(`Object prefix: ${prefix}`);
  }

  start(nowMs: number): void {
    this.#startMs = nowMs;
    this.tick();
  }

  tick(): void {
    const { out, format } = this.#context;
    const second = this.meter.tick((systemClock.monotonic() - this.#startMs) / 1000);
    if (format !== undefined) {
      this.#seconds.push(secondJson(second));
      return;
    }
    if (second.sec % HEAD_SECONDS === 0) {
      if (second.sec > 0) out.put(`${formatLocalTime(clockTime())} ${latencyLine(this.meter)}\n`);
      out.put(`${stamped(this.#context, HEAD_LINE)}\n`);
    }
    out.put(`${stamped(this.#context, secondLine(second))}\n`);
    // Nobody waits for it: what follows is written behind it.
    void out.flush();
  }

  async end(): Promise<void> {
    const { format, options, out } = this.#context;
    const elapsed = (systemClock.monotonic() - this.#startMs) / 1000;
    const end: BenchEnd = { kind: this.#kind, meter: this.meter, sizes: this.#sizes, elapsed };
    if (format === undefined) {
      out.put(stamped(this.#context, endLines(end)));
      await out.flush();
      return;
    }
    const result = { ...this.#head, datas: this.#seconds, ...endJson(end) };
    const text = renderFormat(result, format, { root: "bench", items: { datas: "data" } });
    const path = options.get("output");
    if (path === undefined) {
      await out.say(text);
      return;
    }
    const sink = await attempt(`failed to open file ${path}`, () => openSink(path, 0o666));
    await sink.write(Buffer.from(`${text}\n`));
    await sink.close();
  }

  async #say(line: string): Promise<void> {
    await this.#context.out.say(stamped(this.#context, line));
  }
}
