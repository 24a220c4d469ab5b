/** One of the writers that contend for an image's lock: our client. What it says: contention.ts. */
import { writeSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { CephError } from "../../src/base/index.ts";
import { acquireManually, ImageIo, openImage, releaseManually } from "../../src/rbd/index.ts";
import { Dice } from "../harness/dice.ts";
import { connectRbd } from "../harness/rbd-client.ts";

const BLOCK = 4096;

/** At once, and whole: who is killed the next moment has said it. */
/** Before anything else is done: whoever is killed has said it. The pipe may be full while nobody reads it. */
function say(...words: (string | number)[]): void {
  const line = `${words.join(" ")}\n`;
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function block(slot: number, count: number): Buffer {
  const one = Buffer.alloc(16);
  one.writeBigUInt64LE(BigInt(slot), 0);
  one.writeBigUInt64LE(BigInt(count), 8);
  return Buffer.alloc(BLOCK, one);
}

/** Arguments as contender.py has them. */
export async function contender(args: readonly string[]): Promise<void> {
  const [confPath = "", pool = "", name = "", mode, parity, slots, seed] = args;
  const dice = new Dice(Number(seed));
  const end = new AbortController();
  process.stdin.on("end", () => end.abort());
  process.stdin.resume();
  const client = await connectRbd(confPath);
  const image = await openImage(client.context, await client.pool(pool), { name });
  const io = new ImageIo(image);
  const countOf = async (slot: number) => {
    const data = await io.read(slot * BLOCK, BLOCK);
    const count = Number(data.readBigUInt64LE(8));
    if (data.equals(count > 0 ? block(slot, count) : Buffer.alloc(BLOCK))) return count;
    say("torn", slot);
    throw new Error(`slot ${slot} is torn`);
  };

  const writeOwn = async () => {
    const counts = new Map<number, number>();
    for (let slot = Number(parity); slot < Number(slots); slot += 2) {
      counts.set(slot, await countOf(slot));
      say("found", slot, counts.get(slot) ?? 0);
    }
    say("ready");
    while (!end.signal.aborted) {
      const picked = new Set(
        Array.from({ length: dice.between(1, 4) }, () => dice.pick([...counts.keys()])),
      );
      const work = [...picked].map(async (slot) => {
        const count = (counts.get(slot) ?? 0) + 1;
        counts.set(slot, count);
        say("begun", slot, count);
        await io.write(slot * BLOCK, block(slot, count));
        say("done", slot, count);
      });
      await Promise.all(work);
    }
  };

  const countTogether = async () => {
    say("ready");
    while (!end.signal.aborted) {
      try {
        await acquireManually(image);
      } catch (error) {
        if (!(error instanceof CephError && ["EROFS", "EBUSY"].includes(error.code))) throw error;
        await sleep(10 * dice.fraction()); // somebody keeps it
        continue;
      }
      const count = (await countOf(0)) + 1;
      say("begun", 0, count);
      await sleep(20 * dice.fraction());
      await io.write(0, block(0, count));
      say("done", 0, count);
      await releaseManually(image);
      await sleep(20 * dice.fraction());
    }
  };

  await (mode === "own" ? writeOwn() : countTogether());
  await image.close();
  await client.close();
}
