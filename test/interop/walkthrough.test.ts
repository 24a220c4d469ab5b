/**
 * The walk-through, row by row: the same commands by the same unmodified clients as on a real cluster,
 * and the same answers. What a real cluster said is in test/transcripts/NN-name.txt (recorded by
 * scripts/record-transcripts.mjs); the rows that need a virtual machine are in boot.test.ts.
 *
 * The rows build on each other as a user's day does, so they run in order on one server. To see one row
 * alone: SPIRULA_ROWS=03-list runs it and, without comparing, the rows before it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deviceClassBelow } from "../harness/device-class.ts";
import { makeSampleDisk } from "../harness/sample-disk.ts";
import {
  compareStep,
  loadScenarios,
  runStep,
  splitTranscript,
  TRANSCRIPTS_DIR,
} from "../harness/scenario.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

const only = process.env["SPIRULA_ROWS"]?.split(",") ?? [];
const scenarios = loadScenarios();
const last = scenarios.findLastIndex((scenario) => only.includes(scenario.name));

let work: TempDir;
let server: Target;
let deviceClass: string;

beforeAll(async () => {
  work = await tempDir("walkthrough");
  await makeSampleDisk(work.path);
  deviceClass = await deviceClassBelow(work.path);
  server = await startTarget(work.path);
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

for (const scenario of last < 0 ? scenarios : scenarios.slice(0, last + 1)) {
  const compared = last < 0 || only.includes(scenario.name);
  const transcript = readFileSync(join(TRANSCRIPTS_DIR, `${scenario.name}.txt`), "utf8");
  const expected = splitTranscript(transcript);
  describe(`row ${scenario.name}: what a real cluster says`, () => {
    if (compared) {
      test("the transcript has every command of the scenario", () => {
        const recorded = expected.map((text) => text.slice(2, text.indexOf("\n")));
        expect(recorded).toEqual(scenario.steps.map((step) => step.command));
      });
    }
    for (const [index, step] of scenario.steps.entries()) {
      test(`line ${step.line}: ${step.command}`, async () => {
        const context = { confPath: server.confPath, workDir: work.path, deviceClass };
        if (!compared) return void (await runStep(step, context));
        const got = await compareStep(step, expected[index], context);
        expect(got, lastLog(server)).toBe(expected[index]);
      });
    }
  });
}

function lastLog(from: Target): string {
  return `server log: ${from.output().slice(-1500)}`;
}
