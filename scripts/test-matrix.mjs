// Clients of three generations: npm run test:matrix
//
// Runs the scenarios of test/transcripts and test/matrix with the unmodified clients of Debian 12 (this
// machine's), Debian 13 and Debian testing, on a fresh Spirula and a fresh real one-OSD Ceph of this machine,
// command by command, and compares what both say: ≠ where they differ, ~ where a scenario tells why they do.
// Clients of other releases than the machine's live in folders below --dir (default .cache/debian), made once
// by debootstrap from the archive that this machine's apt uses; 800 MB each.
// Then the end-to-end tests of connection modes and types of keys are run with those clients.
//
//   --generations A,B  of bookworm, trixie, testing    --only 03-list,…  only these scenarios; up to 15 they
//   --verbose          the answers, too                                  build on each other
//   --record           notes the outcomes in test/matrix/results.json for docs/compatibility.md
//
// Needs root, and Debian's ceph-mon, ceph-mgr and ceph-osd. Exit code 1 if a command is answered otherwise
// than by the real cluster.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs, ROOT } from "./load-ts.mjs";

process.chdir(ROOT);
const { clientVersions, RELEASES, rbdCommands, releaseRoot, ROOTS_DIR } = await loadTs(
  "test/harness/debian-root.ts",
);
const { values } = parseArgs({
  options: {
    dir: { type: "string", default: ROOTS_DIR },
    generations: { type: "string", default: Object.keys(RELEASES).join(",") },
    only: { type: "string" },
    verbose: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
  },
});
const names = values.generations.split(",");
const { formatResults, RESULTS_FILE } = await loadTs("test/harness/compatibility.ts");
const { difference, dropMatrix, exitOf, interruptMatrix, runMatrix } =
  await loadTs("test/harness/matrix.ts");
const { loadScenarios } = await loadTs("test/harness/scenario.ts");
const { run } = await loadTs("test/harness/run.ts");
const { tempDir } = await loadTs("test/harness/temp.ts");
const { requireBuild } = await loadTs("test/harness/spirula.ts");

const only = values.only?.split(",");
const scenarios = [...loadScenarios(), ...loadScenarios("test/matrix")].filter(
  (scenario) => only === undefined || only.includes(scenario.name),
);
const TIMED_OUT = "timed out";
const total = { passed: 0, failed: 0 };
const results = {};
let interrupted = async () => undefined;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => void interrupted().finally(() => process.exit(1)));
}
try {
  requireBuild();
  if (scenarios.length === 0) throw new Error(`${values.only}: no such scenario`);
  for (const name of names) results[name] = await runGeneration(name);
  if (values.record) record();
} catch (error) {
  console.error(error.message);
  total.failed++;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);

/** Runs one generation's clients and prints its table. Returns what is recorded of it. */
async function runGeneration(name) {
  const root = await releaseRoot(name, (line) => console.log(line), values.dir);
  const versions = await clientVersions(root);
  const shown = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  console.log(`\n== ${RELEASES[name]}: ${shown.join(", ")}\n  ours  real`);
  const commands = [];
  const counts = { passed: 0, failed: 0 };
  const work = await tempDir(`matrix-${name}`);
  interrupted = async () => {
    await interruptMatrix(work.path);
    await work.remove();
  };
  let scenario;
  const each = (outcome) => {
    if (outcome.scenario !== scenario) console.log((scenario = outcome.scenario));
    const { command, differs } = outcome;
    const [ours, real] = [exitOf(outcome.ours), exitOf(outcome.real)];
    // A command that had no end on either side was not answered the same.
    const same = outcome.ours === outcome.real && real !== TIMED_OUT;
    const passed = same === (differs === undefined) && ours !== TIMED_OUT && real !== TIMED_OUT;
    counts[passed ? "passed" : "failed"]++;
    const mark = passed ? (same ? " " : "~") : "≠";
    console.log(`${mark} ${ours.padStart(4)}  ${real.padStart(4)}  ${command}`);
    if (!passed) console.log(indent(same ? `the same, but: ${differs}` : difference(outcome)));
    else if (!same) console.log(indent(differs));
    if (values.verbose) console.log(indent(outcome.real));
    commands.push({ scenario, command, ours, real, same });
  };
  let unsupported = {};
  try {
    unsupported = await runMatrix({
      root,
      dir: work.path,
      scenarios,
      each,
    });
  } finally {
    await dropMatrix(work.path);
    await work.remove();
  }
  for (const [op, times] of Object.entries(unsupported)) {
    console.log(`our OSD does not know ${op}, asked ${times} times`);
  }
  if (only === undefined) await runTests(name, counts);
  total.passed += counts.passed;
  total.failed += counts.failed;
  console.log(`${RELEASES[name]}: ${counts.passed} passed, ${counts.failed} failed`);
  return { title: RELEASES[name], versions, rbd: await rbdCommands(root), commands };
}

/** What is not compared command by command: who gets in, with what key, in which mode. */
async function runTests(name, counts) {
  const tests = ["connection-modes", "key-types"].map((test) => `test/interop/${test}.test.ts`);
  const args = ["vitest", "run", "--project", "interop", "--reporter", "json", ...tests];
  const env = { ...process.env, SPIRULA_CLIENTS: name };
  const { stdout, stderr } = await run("npx", args, { env, timeoutMs: 300_000 });
  const start = stdout.indexOf('{"');
  if (start < 0) throw new Error(`${tests.join(", ")}: ${stderr}`);
  const report = JSON.parse(stdout.slice(start));
  for (const test of report.testResults.flatMap((file) => file.assertionResults)) {
    const passed = test.status === "passed";
    counts[passed ? "passed" : "failed"]++;
    console.log(`${passed ? " " : "≠"} ${test.fullName}`);
    if (!passed) console.log(indent(test.failureMessages.join("\n")));
  }
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, "      ");
}

/** Notes what was run; of what was not, what was noted before stays. */
function record() {
  const before = existsSync(RESULTS_FILE) ? JSON.parse(readFileSync(RESULTS_FILE, "utf8")) : {};
  const found = Object.keys(RELEASES).flatMap((name) => {
    const [old, now] = [before[name], results[name]];
    if (now === undefined || old === undefined) return [[name, now ?? old]];
    const run = new Set(scenarios.map((scenario) => scenario.name));
    const kept = old.commands.filter((command) => !run.has(command.scenario));
    return [[name, { ...now, commands: [...kept, ...now.commands] }]];
  });
  const noted = Object.fromEntries(found.filter(([, result]) => result !== undefined));
  writeFileSync(RESULTS_FILE, formatResults(noted));
}
