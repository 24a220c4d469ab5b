/**
 * The verb `load-gen`: reads and writes by chance, at a rate that is asked for.
 * ceph: src/tools/rados/rados.cc LoadGen
 */

import { randomU32, sleep, systemClock, systemRandom } from "../../base/index.ts";
import { formatDouble } from "../../encoding/index.ts";
import { read, write } from "../../librados/index.ts";
import { attempt } from "../client/index.ts";
import { eachOf } from "./bench-objects.ts";
import type { RadosContext } from "./context.ts";
import type { Verbs } from "./verb.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

export const LOAD_VERBS: Verbs = {
  "load-gen": { summary: "reads and writes at a given rate", arguments: "[options]", run: loadGen },
};

interface LoadObject {
  readonly name: string;
  readonly length: number;
}

interface Load {
  readonly objects: number;
  readonly objectBytes: readonly [min: number, max: number];
  readonly opBytes: readonly [min: number, max: number];
  readonly maxOps: number;
  readonly maxBacklog: number;
  readonly bytesPerSecond: number;
  readonly readPercent: number;
  readonly seconds: number;
  readonly align: number;
}

/** 0 is no value for any but the share of reads. */
function loadOf(context: RadosContext): Load {
  const number = (option: Parameters<RadosContext["number"]>[0], unset: number) =>
    context.number(option, 0) || unset;
  return {
    objects: number("numObjects", 200),
    objectBytes: [number("minObjectSize", KIB), number("maxObjectSize", 5 * KIB * MIB)],
    opBytes: [number("minOpLen", KIB), number("maxOpLen", 2 * MIB)],
    maxOps: number("maxOps", 16),
    maxBacklog: number("maxBacklog", 10 * MIB),
    bytesPerSecond: number("targetThroughput", 5 * MIB),
    readPercent: context.number("readPercent", 80),
    seconds: number("runLength", 60),
    align: number("offsetAlign", 1),
  };
}

/** A whole number of the range, its ends included. */
function between(min: number, max: number): number {
  const high = randomU32(systemRandom) * 2 ** 21;
  return min + ((high + (randomU32(systemRandom) >>> 11)) % (max - min + 1));
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function randomName(): string {
  const letters = Array.from({ length: 15 }, () => LETTERS[between(0, LETTERS.length - 1)]);
  return `obj-${letters.join("")}`;
}

async function loadGen(context: RadosContext): Promise<void> {
  const { out, io } = context;
  const load = loadOf(context);
  await out.say(`run length ${context.number("runLength", 0)} seconds`);
  await out.say(`preparing ${load.objects} objects`);
  const objects = Array.from({ length: load.objects }, () => ({
    name: randomName(),
    length: between(...load.objectBytes),
  }));
  const zero = Buffer.alloc(1);
  await attempt("load-gen bootstrap failed", () =>
    eachOf(objects, load.maxOps, async ({ name, length }) => {
      await io.write(name, [write(length - 1, zero)]);
    }),
  );
  await out.say(`load-gen will run ${load.seconds} seconds`);
  await new LoadRun(context, load, objects).run();
  await out.say("cleaning up objects");
  await eachOf(objects, load.maxOps, ({ name }) => io.removeObject(name));
}

class LoadRun {
  readonly #context: RadosContext;
  readonly #load: Load;
  readonly #objects: readonly LoadObject[];
  readonly #pending = new Set<Promise<void>>();
  readonly #startMs = systemClock.monotonic();
  #sent = 0;
  #completed = 0;
  #ops = 0;

  constructor(context: RadosContext, load: Load, objects: readonly LoadObject[]) {
    this.#context = context;
    this.#load = load;
    this.#objects = objects;
  }

  async run(): Promise<void> {
    const { seconds, bytesPerSecond, maxBacklog, maxOps } = this.#load;
    const { out } = this.#context;
    let second = 0;
    for (;;) {
      await Promise.race([sleep(systemClock, 1000), ...this.#pending]);
      const elapsed = this.#elapsed;
      if (elapsed > seconds) break;
      if (elapsed >= second + 1) {
        second = Math.floor(elapsed);
        const backlog = this.#sent - this.#completed;
        await out.say(
          `${String(second).padStart(5)}: throughput=${this.#rate}MB/sec pending data=${backlog}`,
        );
      }
      while (
        this.#sent < bytesPerSecond * elapsed &&
        this.#sent - this.#completed < maxBacklog &&
        this.#pending.size < maxOps
      ) {
        this.#begin();
      }
    }
    await out.say("waiting for all operations to complete");
    await Promise.all(this.#pending);
  }

  get #elapsed(): number {
    return (systemClock.monotonic() - this.#startMs) / 1000;
  }

  get #rate(): string {
    return formatDouble(Math.floor(this.#completed / this.#elapsed) / MIB, 3);
  }

  #begin(): void {
    const op = this.#op();
    this.#sent += op.length;
    const run = op.run().then(async () => {
      this.#completed += op.length;
      await this.#context.out.say(`op ${op.id} completed, throughput=${this.#rate}MB/sec`);
      this.#pending.delete(run);
    });
    this.#pending.add(run);
  }

  #op(): { readonly id: number; readonly length: number; run(): Promise<unknown> } {
    const { opBytes, align, readPercent } = this.#load;
    const { io, out } = this.#context;
    const object = this.#objects[between(0, this.#objects.length - 1)]!;
    const length = Math.min(between(...opBytes), object.length);
    const wanted = Math.min(between(0, object.length), object.length - length);
    const offset = wanted - (wanted % align);
    const isRead = between(1, 100) <= readPercent;
    out.put(`${isRead ? "READ" : "WRITE"} : oid=${object.name} off=${offset} len=${length}\n`);
    const ask = isRead
      ? () => io.read(object.name, [read(offset, length)])
      : () => io.write(object.name, [write(offset, Buffer.alloc(length))]);
    return { id: this.#ops++, length, run: ask };
  }
}
