/**
 * Runs the recorded rows (test/transcripts) on one server, in order, and compares what the commands say with
 * what they said on a real cluster.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deviceClassBelow } from "./device-class.ts";
import { ownTools, withTools } from "./own-tools.ts";
import { makeSampleDisk } from "./sample-disk.ts";
import {
  compareStep,
  runStep,
  type Scenario,
  type ScenarioContext,
  type Step,
  splitTranscript,
  TRANSCRIPTS_DIR,
} from "./scenario.ts";
import { startTarget, type Target } from "./target.ts";
import { type TempDir, tempDir } from "./temp.ts";

export interface RowsOptions {
  /** For the directory and the headings. */
  name: string;
  scenarios: readonly Scenario[];
  /** Others are run only: rows build on each other as a user's day does. */
  isCompared: (scenario: Scenario, step: Step) => boolean;
  /** Tools that are this package's own, by the original's names. @default none */
  own?: readonly string[];
}

export function describeRows(options: RowsOptions): void {
  const { name, scenarios, isCompared, own = [] } = options;
  let work: TempDir;
  let server: Target;
  let context: ScenarioContext;

  beforeAll(async () => {
    work = await tempDir(name);
    await makeSampleDisk(work.path);
    const deviceClass = await deviceClassBelow(work.path);
    server = await startTarget(work.path);
    context = { confPath: server.confPath, workDir: work.path, deviceClass };
    if (own.length > 0) context.inside = withTools(await ownTools(work.path, own));
  });

  afterAll(async () => {
    await server?.stop();
    await work?.remove();
  });

  for (const scenario of scenarios) {
    const transcript = readFileSync(join(TRANSCRIPTS_DIR, `${scenario.name}.txt`), "utf8");
    const expected = splitTranscript(transcript);
    describe(`row ${scenario.name}: what a real cluster says`, () => {
      test("the transcript has every command of the scenario", () => {
        const recorded = expected.map((text) => text.slice(2, text.indexOf("\n")));
        expect(recorded).toEqual(scenario.steps.map((step) => step.command));
      });
      for (const [index, step] of scenario.steps.entries()) {
        test(`line ${step.line}: ${step.command}`, async () => {
          if (!isCompared(scenario, step)) return void (await runStep(step, context));
          const got = await compareStep(step, expected[index], context);
          expect(got, `server log: ${server.output().slice(-1500)}`).toBe(expected[index]);
        });
      }
    });
  }
}
