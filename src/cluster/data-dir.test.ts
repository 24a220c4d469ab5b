import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../base/index.ts";
import {
  clearUnfinished,
  DATA_VERSION,
  directoryDisk,
  openDirectory,
  prepareDirectory,
  readIdentity,
  replaceFile,
  writeIdentity,
} from "./data-dir.ts";

const IDENTITY = { version: DATA_VERSION, fsid: "7ba0952d-b8c4-486e-bc3a-e30f6d024c1b", osds: 2 };
let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "spirula-dir-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

async function names(directory = work): Promise<string[]> {
  return (await readdir(directory)).sort((a, b) => a.localeCompare(b));
}

describe("identity", () => {
  test("comes back as it was written, and is plain JSON for people", async () => {
    await writeIdentity(work, IDENTITY);
    expect(await readIdentity(work)).toEqual(IDENTITY);
    expect(JSON.parse(await readFile(join(work, "spirula.json"), "utf8"))).toEqual(IDENTITY);
    expect(await names()).toEqual(["spirula.json"]);
  });

  test("of an empty directory is none", async () => {
    expect(await readIdentity(work)).toBeUndefined();
  });

  test("of an unfinished first start is none, whatever that start had made", async () => {
    await mkdir(join(work, "mon"));
    await mkdir(join(work, "osd.0"));
    await mkdir(join(work, "osd.12"));
    for (const file of ["lock", "lock.17.4711", "lock.stale.17", "spirula.json.new"]) {
      await writeFile(join(work, file), "");
    }
    expect(await readIdentity(work)).toBeUndefined();
  });

  test.each(["ceph.conf", "ceph.client.admin.keyring", "ceph.client.admin.keyring.new"])(
    "of a cluster that has lost it is not that of an unfinished first start: %s is written later",
    async (file) => {
      await mkdir(join(work, "mon"));
      await mkdir(join(work, "osd.0"));
      await writeFile(join(work, file), "");
      const why = `${work}: has a cluster's stores and ${file}, but no spirula.json; restore it`;
      await expect(readIdentity(work)).rejects.toThrow(new ConfigError(why));
    },
  );

  test.each(["thesis.txt", "osd.x", "osd", "monitor", ".git"])(
    "a directory with %s in it and no cluster is refused and named",
    async (file) => {
      await writeFile(join(work, file), "precious");
      const why = `${work}: holds ${file} and no cluster; give an empty directory with --data`;
      await expect(readIdentity(work)).rejects.toThrow(new ConfigError(why));
    },
  );

  test("a layout newer than ours is refused; an older one is not", async () => {
    await writeIdentity(work, { ...IDENTITY, version: DATA_VERSION + 1 });
    await expect(readIdentity(work)).rejects.toThrow(/made by a newer spirula.*upgrade$/);
    await writeIdentity(work, { ...IDENTITY, version: 0 });
    expect((await readIdentity(work))?.version).toBe(0);
  });

  test.each([
    ["", /damaged/],
    ["{", /damaged/],
    ["null", /no version/],
    ["[]", /no version/],
    ["{}", /no version/],
    ['{"version":"1"}', /no version/],
    [`{"version":${DATA_VERSION}}`, /incomplete/],
    [`{"version":${DATA_VERSION},"fsid":"x","osds":"2"}`, /incomplete/],
  ])("a damaged file (%s) is never taken for a first start", async (text, why) => {
    await writeFile(join(work, "spirula.json"), text);
    await expect(readIdentity(work)).rejects.toThrow(ConfigError);
    await expect(readIdentity(work)).rejects.toThrow(why);
  });
});

test("clearing an unfinished start takes the stores and nothing else", async () => {
  await mkdir(join(work, "mon", "deep"), { recursive: true });
  await mkdir(join(work, "osd.0"));
  await writeFile(join(work, "osd.0", "data"), "x");
  await writeFile(join(work, "lock"), "1");
  await writeFile(join(work, "ceph.conf"), "x");
  await clearUnfinished(work);
  expect(await names()).toEqual(["ceph.conf", "lock"]);
});

describe("preparing the directory", () => {
  test("makes it, parents too, and leaves no trace of the attempt to write", async () => {
    const path = join(work, "a", "b");
    expect(await prepareDirectory(path)).toBe(path);
    expect(await names(path)).toEqual([]);
  });

  test("is fine with a probe that a killed start left behind", async () => {
    await writeFile(join(work, ".writable"), "");
    expect(await prepareDirectory(work)).toBe(work);
    expect(await names()).toEqual([]);
  });

  test("refuses a file in its place, or on the way to it", async () => {
    const file = join(work, "file");
    await writeFile(file, "precious");
    await expect(prepareDirectory(file)).rejects.toThrow(
      new ConfigError(`${file}: a file is in the way; give another directory with --data`),
    );
    await expect(prepareDirectory(join(file, "data"))).rejects.toThrow(/a file is in the way/);
    expect(await readFile(file, "utf8")).toBe("precious");
  });
});

test("a disk's directory is made for nobody else to read", async () => {
  const path = join(work, "osd.0");
  directoryDisk(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test.each([
  ["mon", 0o755, "700"],
  ["mon", 0o701, "700"],
  ["ceph.client.admin.keyring", 0o644, "600"],
])("%s with mode %o is refused: everybody could read keys", async (name, mode, wanted) => {
  const path = join(work, name);
  if (name === "mon") await mkdir(path);
  else await writeFile(path, "[client.admin]");
  await chmod(path, mode);
  const now = mode.toString(8).padStart(4, "0");
  await expect(openDirectory(work)).rejects.toThrow(
    `${path}: has the cluster's keys, and everybody may read it (mode ${now}); run chmod ${wanted} ${path}`,
  );
  // A group is the owner's own affair.
  await chmod(path, 0o750);
  expect((await openDirectory(work)).path).toBe(work);
});

test("a file is replaced whole, with the mode asked for", async () => {
  const path = join(work, "file");
  await writeFile(path, "old, and longer than the new one", { mode: 0o644 });
  await replaceFile(path, "new", 0o600);
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await names()).toEqual(["file"]);
});
