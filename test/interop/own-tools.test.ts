/**
 * The recorded rows once more with this package's own tools in place of Ceph's: what a real cluster and the
 * original said is what ours has to say. Compared are the commands that call one of ours; the others run because
 * rows build on each other. With SPIRULA_TARGET=ceph on a real cluster; SPIRULA_ROWS names
 * the rows that are compared: `29-objects` has most calls.
 */
import { describeRows } from "../harness/rows.ts";
import { loadScenarios } from "../harness/scenario.ts";

const OWN_TOOLS = ["rados"];
const CALL = new RegExp(`\\b(?:${OWN_TOOLS.join("|")}) `);

/** One of the two rows with nearly all calls, and all rows before it: those before the other take minutes more. */
const ROW_DEFAULT = "12-rados";
const only = (process.env["SPIRULA_ROWS"] ?? ROW_DEFAULT).split(",");
const scenarios = loadScenarios();
const isWanted = (name: string) => only.includes(name);
const last = scenarios.findLastIndex(
  ({ name, steps }) => isWanted(name) && steps.some(({ command }) => CALL.test(command)),
);

describeRows({
  name: "own-tools",
  scenarios: scenarios.slice(0, last + 1),
  isCompared: ({ name }, { command }) => isWanted(name) && CALL.test(command),
  own: OWN_TOOLS,
});
