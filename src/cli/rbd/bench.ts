/** Reading and writing as fast as it goes. ceph: src/tools/rbd/action/Bench.cc */

import { ERRNO, formatBytes, randomU32, systemClock, systemRandom } from "../../base/index.ts";
import type { Image } from "../../librbd/index.ts";
import { CommandFailure, interruptible } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail } from "./failure.ts";
import {
  bytesOption,
  choiceOption,
  imageOptions,
  numberOption,
  type RbdOption,
} from "./options.ts";
import { invalid } from "./spec.ts";
import { imageSpec, type Verb } from "./verb.ts";

const benchOptions: readonly RbdOption[] = [
  ...imageOptions(),
  bytesOption("io-size", "bytes of a request, B/K/M/G/T [default: 4K]"),
  numberOption("io-threads", "requests in flight [default: 16]"),
  bytesOption("io-total", "bytes in all, B/K/M/G/T [default: 1G]"),
  choiceOption("io-pattern", "rand, seq or full-seq [default: seq]", "rand", "seq", "full-seq"),
  numberOption("rw-mix-read", "percent of reads, where it does both [default: 50]"),
];

export const benchVerbs: readonly Verb[] = [
  {
    name: "bench",
    summary: "Measure how fast an image is.",
    positional: [imageSpec()],
    options: [
      ...benchOptions,
      choiceOption("io-type", "read, write or readwrite", "read", "write", "readwrite", "rw"),
    ],
    run: async (call) => {
      const type = call.text("io-type");
      if (type === "") throw invalid("--io-type must be specified.");
      await bench(call, type === "rw" ? "readwrite" : type);
    },
  },
  {
    name: "bench-write",
    summary: "What bench --io-type write does, as it was called once.",
    positional: [imageSpec()],
    options: benchOptions,
    run: async (call) => {
      call.warn("rbd: bench-write is deprecated, use rbd bench --io-type write ...");
      await bench(call, "write");
    },
  },
];

interface Plan {
  readonly type: string;
  readonly size: number;
  readonly threads: number;
  readonly total: number;
  readonly pattern: string;
  /** Percent. */
  readonly reads: number;
}

const PATTERN_NAMES: Readonly<Record<string, string>> = {
  rand: "random",
  seq: "sequential",
  "full-seq": "full sequential",
};
/** Seconds that a line's rates look back on. */
const WINDOW = 5;

async function bench(call: Call, type: string): Promise<void> {
  const spec = call.spec({ snapshot: type === "read" ? "permitted" : "none" });
  const size = call.number("io-size") ?? 4096;
  const threads = call.number("io-threads") ?? 16;
  const mixed = type === "readwrite" ? (call.number("rw-mix-read") ?? 50) : 0;
  const reads = type === "read" ? 100 : mixed;
  if (size === 0) throw invalid("--io-size should be greater than zero.");
  if (threads === 0) throw invalid("--io-threads should be greater than zero.");
  if (reads > 100) throw invalid("--rw-mix-read should not be larger than 100.");
  const total = call.number("io-total") ?? 2 ** 30;
  const pattern = call.text("io-pattern") || "seq";
  await call.withImage(spec, "cachedData", async (image) => {
    // Whoever flushes may be given an answer before the data is written.
    await orFail(image.flush(), "rbd: failed to flush");
    await run(call, image, { type, size, threads, total, pattern, reads });
  });
}

async function run(call: Call, image: Image, plan: Plan): Promise<void> {
  const { type, size, threads, total, pattern, reads } = plan;
  const tooLarge = (why: string) =>
    new CommandFailure(`rbd: ${why}\nbench failed: (22) Invalid argument`, ERRNO.EINVAL);
  if (size > image.size) {
    const [io, whole] = [formatBytes(size), formatBytes(image.size)];
    throw tooLarge(`io-size ${io} larger than image size ${whole}`);
  }
  if (size >= 2 ** 32) throw tooLarge("io-size should be less than 4G");
  const mix = type === "readwrite" ? ` read:write=${reads}:${100 - reads}` : "";
  await call.out.say(
    `bench  type ${type}${mix} io_size ${size} io_threads ${threads} bytes ${total} pattern ${PATTERN_NAMES[pattern]}\n` +
      "  SEC       OPS   OPS/SEC   BYTES/SEC",
  );
  const stop = interruptible();
  const meter = new Meter(call, plan);
  try {
    await drive(image, plan, meter, stop.signal);
    if (type !== "read") await orFail(image.flush(), "rbd: failed to flush at the end");
    await meter.finish();
  } finally {
    stop.release();
  }
}

async function drive(image: Image, plan: Plan, meter: Meter, signal: AbortSignal): Promise<void> {
  const { size, threads, total, reads } = plan;
  const data = Buffer.alloc(size, randomU32(systemRandom) & 0xff);
  const places = new Places(plan, image.size);
  let issued = 0;
  const worker = async (thread: number): Promise<void> => {
    const into = reads > 0 ? Buffer.allocUnsafe(size) : data;
    for (let turn = 0; issued < total && !signal.aborted; turn++) {
      issued += size;
      const offset = places.at(thread, turn);
      const isRead = reads === 100 || randomU32(systemRandom) % 100 < reads;
      if (isRead) await image.readInto(offset, into);
      else await image.write(offset, data);
      await meter.count(isRead);
    }
  };
  const workers = Array.from({ length: threads }, (_, thread) => worker(thread));
  await orFail(Promise.all(workers), (error) => failed("bench failed", error));
}

/** Where the requests of each thread go. */
class Places {
  readonly #plan: Plan;
  readonly #imageSize: number;
  /** Bytes of the image that are one thread's. */
  readonly #share: number;

  constructor(plan: Plan, imageSize: number) {
    this.#plan = plan;
    this.#imageSize = imageSize;
    const { size, threads } = plan;
    this.#share = Math.floor(imageSize / size / threads) * size;
  }

  at(thread: number, turn: number): number {
    const { pattern, size, threads } = this.#plan;
    const slots = Math.floor(this.#imageSize / size);
    if (pattern === "rand") return (randomU32(systemRandom) % slots) * size;
    if (pattern === "full-seq") return ((thread + turn * threads) % slots) * size;
    // Each goes through its own share, again and again.
    const own = Math.max(1, this.#share / size);
    return (thread * this.#share + (turn % own) * size) % (slots * size);
  }
}

/** Counts requests, and prints a line each second. */
class Meter {
  readonly #call: Call;
  readonly #plan: Plan;
  readonly #startMs = systemClock.monotonic();
  #ops = 0;
  #reads = 0;
  /** Seconds and requests that had been done then. */
  #marks: { seconds: number; ops: number }[] = [{ seconds: 0, ops: 0 }];

  constructor(call: Call, plan: Plan) {
    this.#call = call;
    this.#plan = plan;
  }

  async count(isRead: boolean): Promise<void> {
    this.#ops++;
    if (isRead) this.#reads++;
    const seconds = this.#seconds();
    const last = this.#marks.at(-1) ?? { seconds: 0, ops: 0 };
    if (Math.floor(seconds) === Math.floor(last.seconds)) return;
    this.#marks = [...this.#marks.slice(-WINDOW), { seconds, ops: this.#ops }];
    const first = this.#marks[0] ?? last;
    const rate = (this.#ops - first.ops) / (seconds - first.seconds);
    const cells = [
      String(Math.floor(seconds)).padStart(5),
      String(this.#ops).padStart(10),
      significant(rate).padStart(10),
      `${formatBytes(rate * this.#plan.size).padStart(10)}/s`,
    ];
    await this.#call.out.say(cells.join(""));
  }

  async finish(): Promise<void> {
    const seconds = this.#seconds();
    const { out } = this.#call;
    const line = (ops: number, prefix: string) => {
      const bytes = formatBytes((ops * this.#plan.size) / seconds);
      const rates = `${prefix}ops/sec: ${significant(ops / seconds)}   ${prefix}bytes/sec: ${bytes}/s`;
      return `${prefix}ops: ${ops}   ${rates}`;
    };
    await out.say(`elapsed: ${Math.floor(seconds)}   ${line(this.#ops, "")}`);
    if (this.#plan.type !== "readwrite") return;
    await out.say(line(this.#reads, "read_"));
    await out.say(line(this.#ops - this.#reads, "write_"));
  }

  #seconds(): number {
    return Math.max(systemClock.monotonic() - this.#startMs, 1) / 1000;
  }
}

/** Six digits that count, as C++ streams have it. */
function significant(x: number): string {
  return String(Number(x.toPrecision(6)));
}
