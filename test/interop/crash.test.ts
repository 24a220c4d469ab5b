/**
 * `kill -9` in the middle of a client's work: the server comes back on the same directory and port, the
 * client carries on by itself, and everything that was acknowledged is there.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientEnv, must, sh, sleep, until } from "../harness/run.ts";
import { makeSampleDisk } from "../harness/sample-disk.ts";
import {
  monPort,
  requireBuild,
  SPIRULA,
  type SpirulaServer,
  startSpirula,
} from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let server: SpirulaServer;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("crash");
  server = await startSpirula({ dir: join(work.path, "data") });
});

afterEach(async () => {
  await server?.kill();
  await work?.remove();
});

function client(command: string, timeoutMs = 120_000): Promise<string> {
  return must(command, { env: clientEnv(server.confPath), cwd: work.path, timeoutMs });
}

async function crashAndRestart(downMs = 0): Promise<void> {
  const port = await monPort(server.dir);
  await server.kill();
  await sleep(downMs);
  server = await startSpirula({ dir: server.dir, port });
}

/** Objects in the pool: how far a running client has come. */
async function objectCount(): Promise<number> {
  const names = await client("rados -p rbd ls");
  return names.split("\n").filter((name) => name.startsWith("rbd_data.")).length;
}

test("qemu-img convert carries on across two crashes and the image is identical", async () => {
  const disk = await makeSampleDisk(work.path);
  // A slow target keeps the convert running for long enough to be hit twice.
  const convert = sh(`qemu-img convert -r 4M -f qcow2 -O raw ${disk} rbd:rbd/fedora`, {
    env: clientEnv(server.confPath),
    cwd: work.path,
    timeoutMs: 240_000,
  });
  for (const wanted of [6, 20]) {
    await until("progress", 60_000, async () =>
      (await objectCount()) >= wanted ? true : undefined,
    );
    await crashAndRestart(500);
  }
  const result = await convert;
  expect(result.stderr).toBe("");
  expect(result.code).toBe(0);
  expect(await client(`qemu-img compare ${disk} rbd:rbd/fedora`)).toBe("Images are identical.\n");
  // Once more from the disk alone, with nothing in memory.
  await crashAndRestart();
  expect(await client(`qemu-img compare ${disk} rbd:rbd/fedora`)).toBe("Images are identical.\n");
  expect(await client("rbd ls")).toBe("fedora\n");
});

test("an fio verify run carries on across a crash and finds every block it wrote", async () => {
  await client("rbd create --size 128M fiotest");
  const job =
    "fio --name=v --ioengine=rbd --clientname=admin --pool=rbd --rbdname=fiotest --bs=4k --iodepth=16 --size=64M --randseed=7 --verify=crc32c";
  const fio = sh(`${job} --rw=randwrite --rate_iops=1500 --do_verify=1 --output=fio.log`, {
    env: clientEnv(server.confPath),
    cwd: work.path,
    timeoutMs: 240_000,
  });
  await sleep(2500);
  await crashAndRestart(500);
  await sleep(2500);
  await crashAndRestart(500);
  const result = await fio;
  const log = await client("cat fio.log");
  expect(result.code, `${result.stderr}${log}`).toBe(0);
  expect(log).toMatch(/err= 0/);
  await crashAndRestart();
  await client(`${job} --rw=randwrite --verify_only --output=verify.log`);
  expect(await client("cat verify.log")).toMatch(/err= 0/);
});

test("what rados put acknowledged is there after a crash, byte by byte", async () => {
  const writer = spawn(
    "bash",
    [
      "-c",
      "i=0; while :; do head -c 20000 /dev/urandom >o && rados -p rbd put o$i o && cksum <o >ack.$i; i=$((i+1)); done",
    ],
    { env: clientEnv(server.confPath), cwd: work.path, detached: true, stdio: "ignore" },
  );
  try {
    const acked = async (): Promise<number> => Number(await client("ls | grep -c '^ack' || true"));
    await until("acknowledged objects", 60_000, async () =>
      (await acked()) >= 10 ? true : undefined,
    );
    await server.kill();
  } finally {
    if (writer.pid !== undefined) process.kill(-writer.pid, "SIGKILL");
  }
  server = await startSpirula({ dir: server.dir, port: await monPort(server.dir) });
  const check =
    "for a in ack.*; do [ -s $a ] || continue; rados -p rbd get o${a#ack.} - | cksum | cmp - $a || exit 1; done";
  await client(check);
});

test("60,000 objects are found, one by one and in a listing, after a crash and after a stop", async () => {
  // An index of several runs, none of which is short.
  const objects = 60_000;
  const bench = "rados -p rbd bench 600";
  const minutes = 10 * 60_000;
  const expectAll = async () => {
    expect(Number(await client("rados -p rbd ls | grep -c _object", minutes))).toBe(objects);
    // Each of them once, in the order they were made, compared with what was written.
    expect(await client(`${bench} seq -t 64`, minutes)).toMatch(
      new RegExp(`^Total reads made: +${objects}$`, "m"),
    );
  };
  const size = `-b 64 -t 64 --max-objects ${objects}`;
  await client(`${bench} write ${size} --no-cleanup`, minutes);
  await expectAll();
  await crashAndRestart();
  await expectAll();
  const port = await monPort(server.dir);
  expect(await server.stop()).toBe(0);
  expect(await must(`${SPIRULA} fsck ${server.dir}`, {})).toMatch(/^osd\.0: sound; /m);
  server = await startSpirula({ dir: server.dir, port });
  await expectAll();
});
