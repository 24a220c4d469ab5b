/**
 * The disk image that the transcripts convert: `guest.qcow2`, compressed, the same bytes on every
 * machine and in every year, so that what `rbd du`, `rbd diff` and `cksum` say about it can be compared.
 *
 * 256 MiB virtual. Data lies where a guest's would: a boot area, a dense run, scattered small writes,
 * a tail that ends in the last sector. Blocks come from a 32-bit xorshift generator with a fixed seed.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { must } from "./run.ts";

const DISK_BYTES = 256 * 1024 * 1024;
const MIB = 1024 * 1024;
const BLOCK_BYTES = 4096;

/** [offset, length] runs of data, multiples of 4 KiB; everything else reads as zeros. */
function dataRuns(): [number, number][] {
  const runs: [number, number][] = [
    [0, 64 * 1024],
    [MIB, 24 * MIB],
    [64 * MIB + 12288, 9 * MIB],
    [DISK_BYTES - 1.5 * MIB, 1.5 * MIB],
  ];
  for (let i = 0; i < 64; i++) runs.push([(96 + 2 * i) * MIB + i * BLOCK_BYTES, BLOCK_BYTES]);
  return runs;
}

/** Makes `guest.qcow2` in `dir` and returns its path. */
export async function makeSampleDisk(dir: string): Promise<string> {
  const raw = join(dir, "guest.raw");
  const target = join(dir, "guest.qcow2");
  const file = await open(raw, "w");
  try {
    await file.truncate(DISK_BYTES);
    let seed = 0x2545f491;
    for (const [offset, length] of dataRuns()) {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at < length; at += 4) {
        // Every other block repeats one word, so that compression has something to do.
        if (at % (2 * BLOCK_BYTES) < BLOCK_BYTES || at % BLOCK_BYTES === 0) seed = xorshift(seed);
        bytes.writeUInt32LE(seed, at);
      }
      await file.write(bytes, 0, length, offset);
    }
  } finally {
    await file.close();
  }
  await must(`qemu-img convert -c -f raw -O qcow2 ${raw} ${target} && rm ${raw}`);
  return target;
}

function xorshift(seed: number): number {
  let x = seed;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
}
