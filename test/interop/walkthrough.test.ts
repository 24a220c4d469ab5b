/**
 * The walk-through, row by row: the same commands by the same unmodified clients as on a real cluster,
 * and the same answers. What a real cluster said is in test/transcripts/NN-name.txt (recorded by
 * scripts/record-transcripts.mjs); the rows that need a virtual machine are in boot.test.ts.
 *
 * The rows build on each other as a user's day does, so they run in order on one server. To see one row
 * alone: SPIRULA_ROWS=03-list runs it and, without comparing, the rows before it.
 */
import { describeRows } from "../harness/rows.ts";
import { loadScenarios } from "../harness/scenario.ts";

const only = process.env["SPIRULA_ROWS"]?.split(",") ?? [];
const scenarios = loadScenarios();
const last = scenarios.findLastIndex((scenario) => only.includes(scenario.name));

describeRows({
  name: "walkthrough",
  scenarios: last < 0 ? scenarios : scenarios.slice(0, last + 1),
  isCompared: ({ name }) => last < 0 || only.includes(name),
});
