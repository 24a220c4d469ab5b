import { expect, test } from "vitest";
import { MemoryDisk } from "../disk/memory.ts";
import { BLOCK_SIZE } from "./allocator.ts";
import { PendingBlocks } from "./pending-blocks.ts";

test("the memory of a long recovery is given back, that of blocks not yet home is not", async () => {
  const file = new MemoryDisk(1).open("block", "create");
  const pending = new PendingBlocks(file);
  for (let block = 0; block < 40; block++) pending.stage(block).fill(block);
  expect(pending.keptBytes).toBeGreaterThanOrEqual(40 * BLOCK_SIZE);
  pending.trim();
  expect(pending.get(39)?.[0]).toBe(39);
  pending.freeze();
  await pending.applyFrozen();
  pending.trim();
  expect(pending.get(39)?.[0]).toBe(39);
  pending.dropFrozen();
  pending.trim();
  expect(pending.keptBytes).toBe(0);
  pending.stage(7).fill(1);
  expect(pending.get(7)?.[0]).toBe(1);
  const home = Buffer.alloc(BLOCK_SIZE);
  file.readSync(home, 39 * BLOCK_SIZE);
  expect(home[0]).toBe(39);
});
