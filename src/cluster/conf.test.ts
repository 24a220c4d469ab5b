import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../base/index.ts";
import { formatConf, installConf, writeClientFiles } from "./conf.ts";
import { openDirectory } from "./data-dir.ts";

const FSID = "7ba0952d-b8c4-486e-bc3a-e30f6d024c1b";
const KEYRING = "[client.admin]\n\tkey = secret==\n";
let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "spirula-conf-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

const FACTS = { fsid: FSID, monHost: "v2:127.0.0.1:3300", auth: "cephx" as const };

function facts(directory = work) {
  return { ...FACTS, directory };
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

test("a directory with a sign in its name that begins a comment elsewhere is whole", () => {
  const text = formatConf(facts("/srv/disk#2"));
  expect(text).toContain("keyring = /srv/disk\\#2/$cluster.$name.keyring\n");
  expect(text).toContain("admin socket = /srv/disk\\#2/run/$name.asok\n");
});

test("ceph.conf names cluster, monitor, authentication and where keyrings lie", () => {
  expect(
    formatConf(facts("/var/lib/spirula")),
  ).toBe(`# For Ceph clients. Written by 'spirula start' at every start.
[global]
fsid = ${FSID}
mon host = [v2:127.0.0.1:3300]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx

[mon]
admin socket = /var/lib/spirula/run/$name.asok

[mgr]
admin socket = /var/lib/spirula/run/$name.asok

[osd]
admin socket = /var/lib/spirula/run/$name.asok

[client]
keyring = /var/lib/spirula/$cluster.$name.keyring
`);
  expect(formatConf({ ...facts(), auth: "none" })).toMatch(
    /cluster required = none\nauth service required = none\nauth client required = none/,
  );
});

test("the clients' files are written over, the keyring for its owner only", async () => {
  const directory = await openDirectory(work);
  await writeFile(join(work, "ceph.conf"), "old");
  await writeFile(join(work, "ceph.client.admin.keyring"), "old", { mode: 0o644 });
  // A cut-off start may have left its half-written file.
  await writeFile(join(work, "ceph.client.admin.keyring.new"), "half", { mode: 0o644 });
  const path = await writeClientFiles(directory, FACTS, KEYRING);
  expect(path).toBe(join(work, "ceph.conf"));
  expect(await readFile(path, "utf8")).toBe(formatConf(facts()));
  expect(await readFile(join(work, "ceph.client.admin.keyring"), "utf8")).toBe(KEYRING);
  expect(await modeOf(join(work, "ceph.client.admin.keyring"))).toBe(0o600);
  expect(await modeOf(path)).toBe(0o644);
  expect((await readdir(work)).sort((a, b) => a.localeCompare(b))).toEqual([
    "ceph.client.admin.keyring",
    "ceph.conf",
  ]);
});

describe("installing under /etc/ceph", () => {
  let etc: string;
  let cluster: { dataDir: string };

  beforeEach(async () => {
    etc = join(work, "etc", "ceph");
    cluster = { dataDir: join(work, "data") };
    await mkdir(cluster.dataDir);
    await writeClientFiles(await openDirectory(cluster.dataDir), FACTS, KEYRING);
  });

  test("makes the directory and both files, the keyring 0600", async () => {
    const lines = await installConf(cluster, etc);
    expect(lines).toEqual([
      `wrote ${join(etc, "ceph.conf")}`,
      `wrote ${join(etc, "ceph.client.admin.keyring")}`,
    ]);
    expect(await readFile(join(etc, "ceph.conf"), "utf8")).toContain(FSID);
    expect(await readFile(join(etc, "ceph.client.admin.keyring"), "utf8")).toBe(KEYRING);
    expect(await modeOf(join(etc, "ceph.client.admin.keyring"))).toBe(0o600);
  });

  test("leaves alone what stands, and says so", async () => {
    await mkdir(etc, { recursive: true });
    await writeFile(join(etc, "ceph.conf"), "theirs");
    expect(await installConf(cluster, etc)).toEqual([
      `${join(etc, "ceph.conf")} stands already: left alone`,
      `wrote ${join(etc, "ceph.client.admin.keyring")}`,
    ]);
    expect(await readFile(join(etc, "ceph.conf"), "utf8")).toBe("theirs");
  });

  test("twice changes nothing the second time", async () => {
    await installConf(cluster, etc);
    const lines = await installConf(cluster, etc);
    expect(lines.every((line) => line.endsWith("left alone"))).toBe(true);
  });

  test("where it can not be: one line that names the place and the way out", async () => {
    await writeFile(join(work, "etc"), "a file");
    await expect(installConf(cluster, etc)).rejects.toThrow(ConfigError);
    await expect(installConf(cluster, etc)).rejects.toThrow(/ENOTDIR.*run without --install-conf$/);
  });
});
