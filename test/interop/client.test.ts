/**
 * A short round of `npm run test:client` on our own server, and, where Debian's daemons are installed, on a
 * real cluster: nothing written by the client library is lost, doubled or out of order.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientTest } from "../client/client-test.ts";
import { readAccess } from "../client/connect.ts";
import { realClusterTest } from "../client/real-cluster.ts";
import { monPort, requireBuild, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const SEED = 1;
const print = (line: string) => console.log(line);

let work: TempDir;
let server: SpirulaServer | undefined;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("client");
});

afterEach(async () => {
  await server?.kill();
  server = undefined;
  await work.remove();
});

test("our own server is killed, cut off, paused, full, and locks another client out", async () => {
  const dir = join(work.path, "data");
  server = await startSpirula({ dir, osds: 2 });
  const restart = async () => {
    const port = await monPort(dir);
    await server?.kill();
    server = await startSpirula({ dir, osds: 2, port });
  };
  const access = await readAccess(server.confPath);
  const { writes, cuts } = await clientTest("rbd", {
    access,
    restart,
    seed: SEED,
    cutWrites: 2000,
    writes: 500,
    phases: [
      "server killed",
      "network cut",
      "paused and unpaused",
      "pool full and not",
      "another client blocklisted",
    ],
    print,
  });
  expect(writes).toBeGreaterThan(4000);
  expect(cuts).toBeGreaterThan(0);
});

test.skipIf(!existsSync("/usr/bin/ceph-osd"))(
  "a real cluster's OSD is killed, its groups split, and the network is cut",
  async () => {
    const writes = await realClusterTest({
      seed: SEED,
      cutWrites: 1000,
      writes: 300,
      pools: ["replicated"],
      phases: ["osd killed", "placement groups split", "network cut"],
      print,
    });
    expect(writes).toBeGreaterThan(1500);
  },
);
