/**
 * Tens of thousands of objects: an index of several runs, none of which is short. All of them are listed, and read as
 * they were written, before and after a crash.
 */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientEnv, must } from "../harness/run.ts";
import {
  monPort,
  requireBuild,
  SPIRULA,
  type SpirulaServer,
  startSpirula,
} from "../harness/spirula.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const OBJECTS = 60_000;
const BENCH = "rados -p rbd bench 600";

let work: TempDir;
let server: SpirulaServer;

beforeEach(async () => {
  requireBuild();
  work = await tempDir("many");
  server = await startSpirula({ dir: join(work.path, "data") });
});

afterEach(async () => {
  await server?.kill();
  await work?.remove();
});

function client(command: string): Promise<string> {
  return must(command, { env: clientEnv(server.confPath), cwd: work.path, timeoutMs: 600_000 });
}

async function expectAll(): Promise<void> {
  expect(Number(await client("rados -p rbd ls | grep -c _object"))).toBe(OBJECTS);
  // Each of them once, in the order they were made, compared with what was written.
  expect(await client(`${BENCH} seq -t 64`)).toMatch(
    new RegExp(`^Total reads made: +${OBJECTS}$`, "m"),
  );
}

test("60,000 objects are found, one by one and in a listing, after a crash and after a stop", async () => {
  await client(`${BENCH} write -b 64 -t 64 --max-objects ${OBJECTS} --no-cleanup`);
  await expectAll();
  const port = await monPort(server.dir);
  await server.kill();
  server = await startSpirula({ dir: server.dir, port });
  await expectAll();
  expect(await server.stop()).toBe(0);
  expect(await must(`${SPIRULA} fsck ${server.dir}`, {})).toMatch(/^osd\.0: sound; /m);
  server = await startSpirula({ dir: server.dir, port });
  await expectAll();
});
