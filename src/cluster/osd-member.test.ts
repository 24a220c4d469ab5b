/** OSDs and the stores in their directories, in memory. */

import { expect, test } from "vitest";
import { ConfigError, seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { MemoryNetwork } from "../messenger/index.ts";
import { MemoryDisk } from "../store/index.ts";
import type { Identity } from "./data-dir.ts";
import { startClusterIn } from "./start-cluster.ts";

const HOST = "10.0.0.1";
const PATHS = ["/data/osd.0", "/data/osd.1"] as const;

test("two OSDs whose disks are mounted in each other's place do not start", async () => {
  const disks = new Map<string, MemoryDisk>();
  let identity: Identity | undefined;
  const start = () =>
    startClusterIn(
      { data: "/data", listen: HOST, port: 3300, ...(identity === undefined ? { osds: 2 } : {}) },
      {
        clock: systemClock,
        random: seededRandom(1),
        log: silentLogger,
        transport: new MemoryNetwork(systemClock).transport(HOST),
        host: "here",
        machine: {},
        threads: false,
        sizes: { mon: { capacityBytes: 2 ** 28 }, osd: { capacityBytes: 2 ** 28 } },
        disk: (path) => {
          const disk = disks.get(path) ?? new MemoryDisk(1);
          disks.set(path, disk);
          return disk;
        },
        directory: async () => ({
          path: "/data",
          identity: async () => identity,
          writeIdentity: async (written) => {
            identity = written;
          },
          clearUnfinished: async () => {},
          replaceFile: async () => {},
          deviceClass: () => "ssd" as const,
        }),
      },
    );
  const swap = () => {
    const [first, second] = PATHS.map((path) => disks.get(path) as MemoryDisk);
    disks.set(PATHS[0], second as MemoryDisk).set(PATHS[1], first as MemoryDisk);
  };
  for (let run = 0; run < 2; run++) await (await start()).close();
  swap();
  await expect(start()).rejects.toThrow(
    new ConfigError("osd.0: in its directory is the store of osd.1; put each where it belongs"),
  );
  swap();
  await (await start()).close();
});
