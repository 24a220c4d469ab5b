/**
 * The package as a library: `startCluster` from what `npm run build` made, by the name that the package
 * exports. Clusters live side by side in one process, stop with `await using`, and carry several OSDs in
 * threads that real clients read and write through.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type * as spirula from "../../src/cluster/index.ts";
import { loadPackage } from "../harness/package.ts";
import { clientEnv, must, type RunOptions, sh } from "../harness/run.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let startCluster: typeof spirula.startCluster;

beforeEach(async () => {
  ({ startCluster } = await loadPackage<typeof spirula>(""));
  work = await tempDir("embed");
});
afterEach(() => work.remove());

function clientOf(cluster: spirula.Cluster): RunOptions {
  return { env: clientEnv(cluster.confPath), cwd: work.path, timeoutMs: 30_000 };
}

/** Does anything listen there? */
async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ECONNREFUSED");
    return false;
  } finally {
    socket.destroy();
  }
}

/** Every port the cluster tells its clients of: monitor, manager, OSDs. */
async function portsOf(cluster: spirula.Cluster): Promise<number[]> {
  const client = clientOf(cluster);
  const said = await must("ceph mon dump; ceph osd dump; ceph mgr dump", client);
  const ports = [...said.matchAll(/127\.0\.0\.1:(\d+)\//g)].map((match) => Number(match[1]));
  return [...new Set(ports)].filter((port) => port !== 0);
}

function seeded(name: string, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) {
    parts.push(createHash("sha256").update(`${name}/${i}`).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

test("two clusters in one process serve real clients and know nothing of each other", async () => {
  const ports: number[] = [];
  const directories = ["one", "two"].map((name) => join(work.path, name));
  {
    await using one = await startCluster({ data: directories[0]! });
    await using two = await startCluster({ data: directories[1]!, auth: "none" });
    expect(one.fsid).not.toBe(two.fsid);
    expect(one.monAddress).not.toBe(two.monAddress);
    await Promise.all([
      must("rbd create --size 8M first", clientOf(one)),
      must("rbd create --size 8M second", clientOf(two)),
    ]);
    expect(await must("rbd ls", clientOf(one))).toBe("first\n");
    expect(await must("rbd ls", clientOf(two))).toBe("second\n");
    expect(await must("ceph fsid", clientOf(two))).toBe(`${two.fsid}\n`);
    ports.push(...(await portsOf(one)), ...(await portsOf(two)));
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports.length).toBeGreaterThanOrEqual(6);
    for (const port of ports) expect(await isOpen(port), `port ${port}`).toBe(true);
    for (const directory of directories) expect(existsSync(join(directory, "lock"))).toBe(true);
    await expect(startCluster({ data: directories[0]! })).rejects.toThrow(/in use|already/);
  }
  for (const port of ports) expect(await isOpen(port), `port ${port}`).toBe(false);
  for (const directory of directories) expect(existsSync(join(directory, "lock"))).toBe(false);
});

test("closing twice is closing once, and the directory is free at once", async () => {
  const data = join(work.path, "data");
  const cluster = await startCluster({ data });
  await Promise.all([cluster.close(), cluster.close()]);
  await cluster.close();
  await using again = await startCluster({ data });
  expect(again.fsid).toBe(cluster.fsid);
});

test("a start that can not be leaves the process and the directory as they were", async () => {
  const data = join(work.path, "data");
  await using holder = await startCluster({ data: join(work.path, "holder") });
  const port = Number(holder.monAddress.split(":")[1]);
  await expect(startCluster({ data, port })).rejects.toThrow(`${port}`);
  expect(await readdir(data)).toEqual([]);
  await expect(startCluster({ data, listen: "localhost" })).rejects.toThrow(/IP address/);
  await expect(startCluster({ data: holder.dataDir, osds: 2 })).rejects.toThrow();
  expect(await must("ceph health", clientOf(holder))).toMatch(/^HEALTH_OK/);
});

const OBJECTS = Array.from({ length: 20 }, (_, i) => ({
  name: `object-${i}`,
  // From nothing over odd ends to more than one 4 MiB.
  bytes: seeded(`object-${i}`, i === 0 ? 0 : i * 7919 + (i === 19 ? 5 << 20 : 0)),
}));

async function putAll(client: RunOptions): Promise<void> {
  const from = join(work.path, "in");
  await mkdir(from);
  for (const { name, bytes } of OBJECTS) await writeFile(join(from, name), bytes);
  await must(`cd ${from} && for o in *; do rados -p rbd put $o $o || exit 1; done`, client);
}

async function expectAll(client: RunOptions, where: string): Promise<void> {
  const into = join(work.path, where);
  await mkdir(into);
  await must(
    `cd ${into} && for o in $(ls ../in); do rados -p rbd get $o $o || exit 1; done`,
    client,
  );
  for (const { name, bytes } of OBJECTS) {
    expect((await readFile(join(into, name))).equals(bytes), name).toBe(true);
  }
}

/** The OSDs that hold one of the objects at least. */
async function osdsWithObjects(client: RunOptions): Promise<number[]> {
  const maps = await must(
    `for o in $(ls in); do ceph osd map rbd $o -f json; done | grep -o '"acting_primary":[0-9]*' | sort -u`,
    client,
  );
  return [...maps.matchAll(/:(\d+)/g)].map((match) => Number(match[1]));
}

test("three OSDs in threads: all up, all used, and everything is there after a restart", async () => {
  const data = join(work.path, "data");
  let port = 0;
  {
    await using cluster = await startCluster({ data, osds: 3 });
    const client = clientOf(cluster);
    port = Number(cluster.monAddress.split(":")[1]);
    expect((await must("ceph osd tree", client)).match(/osd\.\d+ +up /g)).toHaveLength(3);
    await putAll(client);
    expect(await osdsWithObjects(client)).toEqual([0, 1, 2]);
    await must("rbd create --size 64M disk", client);
    await must("rbd bench --io-type write --io-total 16M --io-size 64K disk", client);
    await must("qemu-io -f raw -c 'write -P 0x5a 3M 9M' rbd:rbd/disk", client);
    const bench = await must("rados -p rbd bench 2 write", client);
    expect(Number(/Total writes made: +(\d+)/.exec(bench)?.[1])).toBeGreaterThan(0);
    await expectAll(client, "before");
    expect(await must("ceph health", client)).toMatch(/^HEALTH_OK/);
  }
  expect(await isOpen(port)).toBe(false);
  await using again = await startCluster({ data, port });
  const client = clientOf(again);
  expect(again.osds).toBe(3);
  expect((await must("ceph osd tree", client)).match(/osd\.\d+ +up /g)).toHaveLength(3);
  await expectAll(client, "after");
  await must("qemu-io -f raw -c 'read -P 0x5a 3M 9M' rbd:rbd/disk", client);
  const wrong = await sh("qemu-io -f raw -c 'read -P 0x5b 3M 1M' rbd:rbd/disk", client);
  expect(`${wrong.stdout}${wrong.stderr}`).toMatch(/Pattern verification failed/);
});
