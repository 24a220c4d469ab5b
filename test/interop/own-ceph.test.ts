/**
 * `spirula ceph` in place of `ceph`: the administrator's rows of the walk-through say what the original said on
 * a real cluster.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deviceClassBelow } from "../harness/device-class.ts";
import { ownTools, withTools } from "../harness/own-tools.ts";
import { clientEnv, sh } from "../harness/run.ts";
import {
  compareStep,
  loadScenarios,
  splitTranscript,
  TRANSCRIPTS_DIR,
} from "../harness/scenario.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

/** Rows that need nothing of earlier ones. */
const ROWS = ["01-cluster", "30-administration", "34-operations", "36-manager-rbd"];

let work: TempDir;
let server: Target;
let deviceClass: string;
let bin: string;

beforeAll(async () => {
  work = await tempDir("own-ceph");
  deviceClass = await deviceClassBelow(work.path);
  server = await startTarget(work.path);
  bin = await ownTools(work.path, ["ceph"]);
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

for (const scenario of loadScenarios().filter(({ name }) => ROWS.includes(name))) {
  const transcript = readFileSync(join(TRANSCRIPTS_DIR, `${scenario.name}.txt`), "utf8");
  const expected = splitTranscript(transcript);
  describe(`row ${scenario.name}, with our own ceph`, () => {
    for (const [index, step] of scenario.steps.entries()) {
      test(`line ${step.line}: ${step.command}`, async () => {
        const inside = withTools(bin);
        const context = { confPath: server.confPath, workDir: work.path, deviceClass, inside };
        expect(await compareStep(step, expected[index], context)).toBe(expected[index]);
      });
    }
  });
}

test("without a monitor it says so, after as long as it may try, and fails", async () => {
  const options = { env: { ...clientEnv(), CEPH_CONF: "/dev/null" }, timeoutMs: 60_000 };
  const words = "--connect-timeout 2 -m v2:127.0.0.1:1 --auth_client_required none -s";
  const { code, stdout, stderr, durationMs } = await sh(`${join(bin, "ceph")} ${words}`, options);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^Error connecting to cluster: no answer from .*127\.0\.0\.1:1.*\n$/);
  expect(durationMs).toBeGreaterThan(2000);
});
