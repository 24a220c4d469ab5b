/**
 * The command's offline tools on the directory of a real server: what they print, with which exit code, and
 * that they leave every file as it was.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientEnv, must, type RunResult, run, sh } from "../harness/run.ts";
import { requireBuild, SPIRULA, type SpirulaServer, startSpirula } from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let data: string;
let server: SpirulaServer;
let whileRunning: RunResult[];

function spirula(...args: string[]): Promise<RunResult> {
  return run(process.execPath, [SPIRULA, ...args]);
}

/** Names, sizes and contents of a store's files, but for the block file, which is large and sparse. */
async function fingerprint(store: string): Promise<string[]> {
  const lines: string[] = [];
  // The lock of a server that is gone goes too.
  const names = (await readdir(join(data, store))).filter((name) => name !== "lock");
  for (const name of names.sort()) {
    const hash = createHash("sha256");
    const end = name === "block" ? (8 << 20) - 1 : undefined;
    const stream = createReadStream(join(data, store, name), end === undefined ? {} : { end });
    for await (const chunk of stream) hash.update(chunk as Buffer);
    lines.push(`${name} ${hash.digest("hex")}`);
  }
  return lines;
}

beforeAll(async () => {
  requireBuild();
  work = await tempDir("tools");
  data = join(work.path, "data");
  server = await startSpirula({ dir: data });
  const client = (command: string) =>
    must(command, { env: clientEnv(server.confPath), cwd: work.path });
  await writeFile(join(work.path, "file"), Buffer.alloc(100_000, "data "));
  await client("rados -p rbd put big file");
  await client("rbd create --size 8M img && rbd snap create img@s && rbd snap ls img");
  await client("rados -p rbd setomapval index key value && rados -p rbd setxattr big colour red");
  await client("printf x | rados -p rbd put $'two\\nlines' -");
  whileRunning = [await spirula("fsck", data), await spirula("store", "dump", join(data, "osd.0"))];
  // Not closed: what recovery would find is what both must show.
  await server.kill();
});

afterAll(async () => {
  await server?.kill();
  await work?.remove();
});

test("a directory in use is refused in one line that says what to do", () => {
  for (const result of whileRunning) {
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^spirula: \S+ is in use by process \d+; stop it first\n$/);
  }
});

test("fsck proves a store that was killed, a line each, and changes nothing", async () => {
  const before = [await fingerprint("mon"), await fingerprint("osd.0")];
  for (const args of [
    ["fsck", data],
    ["fsck", "--deep", data],
  ]) {
    const result = await spirula(...args);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const sound = (name: string) =>
      `${name}: sound; \\d+ collections?, \\d+ objects, \\d+ bytes of data( \\(not read\\))?, not closed cleanly, \\d+\\.\\d\\d s\n`;
    expect(result.stdout).toMatch(new RegExp(`^${sound("mon")}${sound("osd\\.0")}$`));
  }
  expect([await fingerprint("mon"), await fingerprint("osd.0")]).toEqual(before);
  expect(await readdir(data)).toContain("spirula.json");
});

describe("store dump", () => {
  const dump = async (...args: string[]): Promise<string> => {
    const result = await spirula("store", "dump", ...args);
    expect(result, result.stderr).toMatchObject({ code: 0, stderr: "" });
    return result.stdout;
  };

  test("shows each store's parts", async () => {
    const before = await fingerprint("osd.0");
    const text = await dump(data);
    expect(text).toMatch(/^store {14}mon\nsuperblock\n {2}version {10}\d\n {2}uuid/);
    expect(text).toMatch(/\nstore {14}osd\.0\nsuperblock\n/);
    expect(text).toMatch(/\n {2}segment \d+ +\d+ batches, transactions \d+ to \d+, \d+ bytes\n/);
    expect(text).toMatch(/\nstate {14}transaction \d+, \d+ objects, \d+ bytes of data\n/);
    expect(text).toMatch(/\n {2}1\.[0-9a-f]+ +id \d+, \d+ objects, \d+ bytes\n/);
    expect(await fingerprint("osd.0")).toEqual(before);
  });

  test("tells scripts the same in JSON", async () => {
    const stores = JSON.parse(await dump(data, "--format", "json")) as Record<string, unknown>[];
    expect(stores.map((s) => s["store"])).toEqual(["mon", "osd.0"]);
    expect(stores[1]).toMatchObject({
      superblock: { block_size: 4096, segment_size: 8 << 20 },
      manifest: { generation: expect.any(Number) as number },
      journal: { segments: [{ batches: expect.any(Number) as number }] },
      runs: expect.any(Array) as unknown[],
      state: { objects: expect.any(Number) as number },
    });
  });

  test("lists a collection's objects, names and all, each on a line", async () => {
    const all = JSON.parse(await dump(join(data, "osd.0"), "--format", "json")) as {
      state: { collections: { name: string; objects: number }[] };
    }[];
    const lines: string[] = [];
    for (const { name, objects } of all[0]!.state.collections) {
      const listed = (await dump(data, "--collection", name)).trimEnd().split("\n");
      expect(listed).toHaveLength(objects);
      lines.push(...listed);
      const json = await dump(data, "--collection", name, "--format", "json");
      expect(JSON.parse(json)).toHaveLength(objects);
    }
    expect(lines.filter((line) => line.includes("two%0alines"))).toEqual([
      expect.stringMatching(/^osd\.0 1\.[0-9a-f]+ 1:\/\/two%0alines:head: size 1, 4096 bytes$/),
    ]);
  });

  test("shows an object by its own name or the one that lists show", async () => {
    const text = await dump(data, "--object", "big");
    expect(text).toMatch(/^object {13}osd\.0 1\.[0-9a-f]+ 1:\/\/big:head\n/);
    expect(text).toMatch(/\n {2}size {13}100000\n {2}bytes {12}102400\n/);
    expect(text).toMatch(/\n {4}_colour {8}3 bytes 726564\n/);
    expect(text).toMatch(/\n {4}0~102400 {7}blocks \d+~25\n {6}crc32c {7}([0-9a-f]{8} ){7}/);
    for (const name of ["1://two%0alines:head", "two%0alines", "two\nlines"]) {
      expect(await dump(data, "--object", name)).toContain("1://two%0alines:head\n");
    }
    const [index] = JSON.parse(await dump(data, "--object", "index", "--format", "json")) as [
      object,
    ];
    expect(index).toMatchObject({
      object: "1://index:head",
      size: 0,
      omap: [{ key: "key", size: 5 }],
      attributes: [{ name: "_" }, { name: "snapset" }],
    });
  });

  test("ends quietly when its reader has seen enough", async () => {
    const command = `'${process.execPath}' '${SPIRULA}' store dump '${data}' | head -n 1`;
    expect(await sh(command)).toMatchObject({
      code: 0,
      stderr: "",
      stdout: "store              mon\n",
    });
  });

  test("what is not there is said in one line", async () => {
    for (const [args, line] of [
      [["--object", "nope"], /there is no object nope$/],
      [["--collection", "9.9"], /there is no collection 9\.9$/],
      [["--collection", "9.9", "--object", "big"], /there is no object big in a collection 9\.9$/],
    ] as const) {
      const result = await spirula("store", "dump", data, ...args);
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr.trimEnd()).toMatch(line);
    }
  });
});

test("damage is a line and an exit code, never a stack; what is whole is still shown", async () => {
  const slots = (await readdir(join(data, "mon"))).filter((name) => name.startsWith("manifest."));
  for (const slot of slots) {
    const file = join(data, "mon", slot);
    const bytes = await readFile(file);
    bytes[20]! ^= 1;
    await writeFile(file, bytes);
  }
  const check = await spirula("fsck", data);
  expect(check).toMatchObject({ code: 1, stderr: "" });
  expect(check.stdout).toMatch(
    /^mon: manifest: both copies are damaged\nmon: 1 fault; the rest could not be checked; \d+\.\d\d s\nosd\.0: sound; /,
  );
  const shown = await spirula("store", "dump", data);
  expect(shown).toMatchObject({ code: 1, stderr: "" });
  expect(shown.stdout).toContain("manifest           DAMAGED: manifest: both copies are damaged\n");
  expect(shown.stdout).toMatch(/\nstore {14}osd\.0\n[^]*\nstate {14}transaction/);
});
