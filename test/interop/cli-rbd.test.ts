/**
 * `spirula rbd` in the place of the original: the walk-through's rows about images, with ours as `rbd` on the
 * PATH, must say what the original said on a real cluster (test/transcripts/NN-name.txt), by our server.
 *
 * Lines that the original's library logs (`log -1 librbd: …`) are none of the tool's words, and not compared.
 * What ours is known not to do as the original is listed in LEFT_OUT with the reason; the original does those
 * steps, so that what comes after them finds what it needs.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deviceClassBelow } from "../harness/device-class.ts";
import { ownTools, withTools } from "../harness/own-tools.ts";
import { makeSampleDisk } from "../harness/sample-disk.ts";
import {
  compareStep,
  loadScenarios,
  runStep,
  type ScenarioContext,
  splitTranscript,
  TRANSCRIPTS_DIR,
} from "../harness/scenario.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

/** Rows that are run, in order; those that are not compared only leave behind what the others need. */
const COMPARED = [
  "02-create",
  "03-list",
  "04-resize",
  "05-inspect",
  "06-convert",
  "08-snapshot",
  "10-snapshot-delete",
  "11-clone",
  "14-copy",
  "15-manager-tasks",
  "20-features",
  "21-clones",
  "22-copies",
  "23-trash",
  "24-groups",
  "25-namespaces",
  "26-migration",
  "28-locks",
  "31-mirroring",
  "35-format1",
];
const NEEDED = ["01-cluster"];

const NO_JOURNALS = "images with a journal can be read, not changed";

const NO_PROMOTION = "whose copy of an image is the primary one cannot be changed";

/** By row and command. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "20-features": {
    "rbd create --size 32M --object-size 1M --stripe-unit 256K --stripe-count 4 --image-feature layering,striping,exclusive-lock,object-map,fast-diff,deep-flatten,journaling every":
      NO_JOURNALS,
    "rbd bench --io-type write --io-size 64K --io-threads 4 --io-total 4M every": NO_JOURNALS,
    "rbd feature disable every journaling": NO_JOURNALS,
  },
  "31-mirroring": {
    "rbd mirror image demote twin": NO_PROMOTION,
    "rbd mirror image promote twin": NO_PROMOTION,
  },
};

const only = process.env["SPIRULA_ROWS"]?.split(",") ?? [];
const scenarios = loadScenarios().filter(
  ({ name }) => COMPARED.includes(name) || NEEDED.includes(name),
);

let work: TempDir;
let server: Target;
let original: ScenarioContext;
let ours: ScenarioContext;

beforeAll(async () => {
  work = await tempDir("cli-rbd");
  await makeSampleDisk(work.path);
  const deviceClass = await deviceClassBelow(work.path);
  server = await startTarget(work.path);
  original = { confPath: server.confPath, workDir: work.path, deviceClass };
  ours = { ...original, inside: withTools(await ownTools(work.path, ["rbd"])) };
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

/** Without what the original's library logs, and the blank lines that the filters take for the log's. */
function toolsWords(transcript: string): string {
  return transcript.replaceAll(/^! (?:log -?\d+ .*)?\n/gm, "");
}

for (const scenario of scenarios) {
  const isCompared =
    COMPARED.includes(scenario.name) && (only.length === 0 || only.includes(scenario.name));
  const leftOut = LEFT_OUT[scenario.name] ?? {};
  describe(`row ${scenario.name}: what a real cluster says to the original`, async () => {
    const file = join(TRANSCRIPTS_DIR, `${scenario.name}.txt`);
    const expected = splitTranscript(await readFile(file, "utf8")).map(toolsWords);
    test("what is left out is in the row", () => {
      const commands = scenario.steps.map(({ command }) => command);
      expect(Object.keys(leftOut).filter((command) => !commands.includes(command))).toEqual([]);
    });
    for (const [index, step] of scenario.steps.entries()) {
      const reason = leftOut[step.command];
      const how = reason === undefined ? "" : ` (by the original: ${reason})`;
      test(`line ${step.line}: ${step.command}${how}`, async () => {
        if (!isCompared) return void (await runStep(step, ours));
        const want = expected[index];
        const got = await compareStep(step, want, reason === undefined ? ours : original);
        expect(toolsWords(got)).toBe(want);
      });
    }
  });
}
