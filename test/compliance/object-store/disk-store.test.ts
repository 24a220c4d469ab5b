/** The durable store keeps the object store's contract, on real files and on the simulated disk. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createStore, MemoryDisk, openStore } from "../../../src/store/index.ts";
import { objectStoreSuite } from "./suite.ts";

const CAPACITY = 64 << 20;
const directories: string[] = [];

for (const commit of ["sync", "async", "auto"] as const) {
  objectStoreSuite(`DiskStore on files, ${commit} commit`, {
    make: async ({ capacityBytes = CAPACITY }) => {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), "store-"));
      directories.push(directory);
      createStore(directory, { capacityBytes, segmentSize: 4 << 20, segments: 2 });
      return await openStore(directory, { commit });
    },
    cleanUp: async () => {
      for (const directory of directories.splice(0)) {
        await fs.promises.rm(directory, { recursive: true });
      }
    },
  });
}

objectStoreSuite("DiskStore on the simulated disk, hardly any memory", {
  make: async ({ capacityBytes = CAPACITY }) => {
    const disk = new MemoryDisk(1);
    createStore("", { disk, capacityBytes, segmentSize: 1 << 20, segments: 2 });
    return await openStore("", { disk, memoryBytes: 256 << 10 });
  },
  cleanUp: () => Promise.resolve(),
});
