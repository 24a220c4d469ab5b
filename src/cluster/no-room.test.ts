/** A monitor whose file system has no room left, beside OSDs that have: on disks in memory. */

import { expect, test } from "vitest";
import { type Clock, seededRandom, silentLogger, systemClock } from "../base/index.ts";
import { decodeFromBytes } from "../encoding/index.ts";
import { isUp, OsdMap } from "../maps/index.ts";
import { MemoryNetwork } from "../messenger/index.ts";
import { MemoryDisk } from "../store/index.ts";
import { type OsdEvents, runOsd } from "./osd-runner.ts";
import { startClusterIn } from "./start-cluster.ts";

const HOST = "10.0.0.1";
const MIB = 2 ** 20;

test("an OSD that ends while the monitor has no room to write it down is down once there is some", async () => {
  const disks = new Map<string, MemoryDisk>();
  const events: OsdEvents[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fn) => systemClock.after(Math.min(delayMs, 50), fn),
  };
  let map: OsdMap | undefined;
  const cluster = await startClusterIn(
    { data: "/data", listen: HOST, port: 3300, osds: 2 },
    {
      clock,
      random: seededRandom(1),
      log: silentLogger,
      transport: new MemoryNetwork(systemClock).transport(HOST),
      host: "here",
      machine: {},
      threads: false,
      sizes: {
        mon: { capacityBytes: 64 * MIB, segmentSize: MIB },
        osd: { capacityBytes: 2 ** 28 },
      },
      disk: (path) => {
        const disk = disks.get(path) ?? new MemoryDisk(1);
        disk.limitBytes = path === "/data/mon" ? 128 * MIB : 2 ** 40;
        disks.set(path, disk);
        return disk;
      },
      runOsd: async (config, told, around) => {
        events.push(told);
        const handle = await runOsd(config, told, around);
        return {
          ...handle,
          handleMap: (incremental, full) => {
            map = decodeFromBytes(OsdMap, full);
            handle.handleMap(incremental, full);
          },
        };
      },
      directory: async () => ({
        path: "/data",
        identity: async () => undefined,
        writeIdentity: async () => {},
        clearUnfinished: async () => {},
        replaceFile: async () => {},
        deviceClass: () => "ssd" as const,
      }),
    },
  );
  let failure: Error | undefined;
  void cluster.failed.then((error) => {
    failure = error;
  });
  const disk = disks.get("/data/mon") as MemoryDisk;
  disk.othersBytes += disk.space().available;
  // The store looks at the file system now and then.
  await new Promise((resolve) => systemClock.after(300, () => resolve(undefined)));
  events[1]?.fatal(new Error("its disk is gone"));
  await new Promise((resolve) => systemClock.after(200, () => resolve(undefined)));
  expect(failure).toBe(undefined);
  expect(map && isUp(map, 1)).toBe(true);
  disk.othersBytes = 0;
  await expect.poll(() => map && isUp(map, 1), { timeout: 5000 }).toBe(false);
  expect(failure).toBe(undefined);
  await cluster.close();
});
