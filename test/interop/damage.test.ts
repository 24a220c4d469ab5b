/**
 * A bit of the data changes on the disk, under a stopped server and under a running one: clients get EIO and
 * never wrong bytes, the operator is told which object it is, and an object that is written anew is well.
 *
 * A real cluster with one copy of each object does not answer such a read at all until the operator gives
 * the object up (`mark_unfound_lost`); ours answers EIO, as a disk would. The words of its health checks are
 * those of a real cluster whose deep scrub has met a read error.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientEnv, must, type RunResult, run, sh, until } from "../harness/run.ts";
import {
  monPort,
  requireBuild,
  SPIRULA,
  type SpirulaServer,
  startSpirula,
} from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

/** Where data lies in a store that has little of it. */
const SEARCH_BYTES = 32 << 20;

let work: TempDir;
let server: SpirulaServer;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("damage");
  server = await startSpirula({ dir: join(work.path, "data") });
});

afterEach(async () => {
  await server?.kill();
  await work?.remove();
});

function client(command: string): Promise<string> {
  return must(command, { env: clientEnv(server.confPath), cwd: work.path });
}

function tryClient(command: string): Promise<RunResult> {
  return sh(command, { env: clientEnv(server.confPath), cwd: work.path, timeoutMs: 30_000 });
}

async function restart(change: () => void = () => {}): Promise<void> {
  const port = await monPort(server.dir);
  await server.stop();
  change();
  server = await startSpirula({ dir: server.dir, port });
}

/** A file of `length` bytes that say which they are. */
async function makeFile(name: string, length: number): Promise<void> {
  const line = (i: number) => `${name} ${String(i).padStart(8, "0")}\n`;
  const size = line(0).length;
  const text = Array.from({ length: Math.ceil(length / size) }, (_, i) => line(i)).join("");
  await writeFile(join(work.path, name), text.slice(0, length));
}

/** Flips one bit of the data, at the one place where `pattern` lies in the block file. */
function flip(pattern: string): void {
  const fd = openSync(join(server.dir, "osd.0", "block"), "r+");
  try {
    const bytes = Buffer.alloc(SEARCH_BYTES);
    readSync(fd, bytes, 0, bytes.length, 0);
    const at = bytes.indexOf(pattern);
    expect(at, pattern).toBeGreaterThanOrEqual(0);
    expect(bytes.indexOf(pattern, at + 1), "in one place only").toBe(-1);
    bytes[at]! ^= 4;
    writeSync(fd, bytes, at, 1, at);
  } finally {
    closeSync(fd);
  }
}

/** Health says exactly that this object is damaged. */
async function expectDamage(object: string): Promise<void> {
  const detail = await until("health", 20_000, async () => {
    const text = await client("ceph health detail");
    return text.includes(object) ? text : undefined;
  });
  const lines = new RegExp(
    [
      "^HEALTH_ERR 1 scrub errors; Possible data damage: 1 pg inconsistent",
      "\\[ERR\\] OSD_SCRUB_ERRORS: 1 scrub errors",
      `    osd\\.0 pg (1\\.[0-9a-f]+): object ${object.replaceAll(".", "\\.")} is damaged`,
      "\\[ERR\\] PG_DAMAGED: Possible data damage: 1 pg inconsistent",
      "    pg \\1 is active\\+clean\\+inconsistent, acting \\[0\\]\n$",
    ].join("\n"),
  );
  expect(detail).toMatch(lines);
}

async function expectHealthy(): Promise<void> {
  await until("HEALTH_OK", 20_000, async () =>
    (await client("ceph health")) === "HEALTH_OK\n" ? true : undefined,
  );
}

test("a bit flipped while the server was down: EIO, a named object, and well again when rewritten", async () => {
  await makeFile("file", 256 << 10);
  await makeFile("other", 256 << 10);
  await client("rados -p rbd put o1 file");
  await client("rados -p rbd put o2 other");
  await restart(() => flip("file 00010000"));
  // Nobody has read it yet, so nobody knows.
  expect(await client("ceph health")).toBe("HEALTH_OK\n");
  const got = await tryClient("rados -p rbd get o1 -");
  expect(got).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "error getting rbd/o1: (5) Input/output error\n",
  });
  await expectDamage("1://o1:head");
  expect(server.output()).toMatch(
    /error osd\.0: an object does not read as .*object=1:\/\/o1:head/,
  );
  expect(await client("ceph -s")).toMatch(/health: HEALTH_ERR\n +1 scrub errors\n +Possible data/);
  expect(await client("rados list-inconsistent-pg rbd")).toMatch(/^\["1\.[0-9a-f]+"\]\n$/);
  expect(await client("ceph log last 5")).toContain(
    "cluster [ERR] object 1://o1:head does not read as it was written",
  );
  // Others, and other parts of it, are as well as before.
  await client("rados -p rbd get o2 - | cmp - other");
  await client("rados -p rbd stat o1");
  // A write that would have to keep a part of what cannot be read is refused.
  await writeFile(join(work.path, "x"), "x");
  const inside = 10_000 * "file 00000000\n".length + 100;
  const part = await tryClient(`rados -p rbd put o1 x --offset ${inside}`);
  expect(part).toMatchObject({ code: 1, stderr: expect.stringContaining("(5) Input/output") });

  // A restart forgets nothing, and a check of the stopped store names the same.
  const port = await monPort(server.dir);
  await server.stop();
  const check = await run(process.execPath, [SPIRULA, "fsck", "--deep", server.dir]);
  expect(check.code).toBe(1);
  expect(check.stdout).toMatch(
    /^osd\.0: 1\.[0-9a-f]+ 1:\/\/o1:head at \d+: block \d+ does not match/m,
  );
  server = await startSpirula({ dir: server.dir, port });
  await expectDamage("1://o1:head");

  await client("rados -p rbd put o1 other");
  await expectHealthy();
  await client("rados -p rbd get o1 - | cmp - other");
  await restart();
  expect(await client("ceph health")).toBe("HEALTH_OK\n");
  await server.stop();
  expect((await run(process.execPath, [SPIRULA, "fsck", "--deep", server.dir])).code).toBe(0);
});

test("a bit flipped under a running server: an image's reader gets EIO, removing the image ends it", async () => {
  await makeFile("disk", 8 << 20);
  await client("rbd import disk img");
  await client("rbd export img - | cmp - disk");
  flip("disk 00300000");
  const got = await tryClient("rbd export img out");
  expect(got.code).toBe(5);
  expect(got.stderr).toContain("(5) Input/output error");
  const { block_name_prefix: prefix } = JSON.parse(await client("rbd info img --format json")) as {
    block_name_prefix: string;
  };
  await expectDamage(`1://${prefix}.0000000000000001:head`);
  // The rest of the image is there, byte for byte.
  const half = "qemu-img dd -f raw -O raw bs=4M count=1 if=rbd:rbd/img of=half";
  await client(`${half} && cmp -n 4194304 half disk`);
  await client("rbd rm img");
  await expectHealthy();
});
