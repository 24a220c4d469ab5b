// Breaks one promise of the server at a time and demands that the simulation notices each.
//
// node scripts/mutate-server.mjs [--seeds N] [--minutes M] [name…]: bundles the simulation with one textual
// mutation of one file and runs seeds until one fails. A mutation that survives is a hole in the
// simulation: exit code 1. Nothing is written but bundles in .cache.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { loadTs } from "./load-ts.mjs";
import { ROOT } from "./steps.mjs";

const { MUTATIONS } = await loadTs("test/mutations/server.ts");
const { values, positionals } = parseArgs({
  options: {
    seeds: { type: "string", default: "60" },
    from: { type: "string", default: "1" },
    minutes: { type: "string", default: "0.3" },
  },
  allowPositionals: true,
});
/** A seed takes seconds of real time. */
const SEED_MS_MAX = 120_000;
const cache = join(ROOT, ".cache", "bundles");
mkdirSync(cache, { recursive: true });
const survivors = [];
// What fails without a mutation says nothing about one.
const sound = join(cache, `mutant-none-${process.pid}.mjs`);
await bundleWith(sound, "", "", "", "none");
const unmutated = await run(sound);
rmSync(sound, { force: true });
if (unmutated.failedSeed !== undefined) {
  throw new Error(`seed ${unmutated.failedSeed} fails without a mutation: ${unmutated.why}`);
}
for (const [name, file, from, to, faults] of MUTATIONS) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const bundle = join(cache, `mutant-${name}-${process.pid}.mjs`);
  await bundleWith(bundle, join(ROOT, file), from, to, name);
  const found = await run(bundle, faults);
  rmSync(bundle, { force: true });
  if (found.failedSeed === undefined) survivors.push(name);
  const how = found.failedSeed === undefined ? "SURVIVED" : `seed ${found.failedSeed}`;
  process.stdout.write(`${how.padEnd(9)} ${name}  ${found.why.slice(0, 120)}\n`);
}
if (survivors.length > 0) process.stdout.write(`survived: ${survivors.join(", ")}\n`);
process.exitCode = survivors.length > 0 ? 1 : 0;

async function bundleWith(outfile, mutated, from, to, name) {
  const mutate = {
    name: "mutate",
    setup(hooks) {
      hooks.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== mutated) return undefined;
        const source = readFileSync(path, "utf8");
        if (!source.includes(from)) throw new Error(`${name}: ${path} does not say: ${from}`);
        return { contents: source.replace(from, () => to), loader: "ts" };
      });
    },
  };
  await build({
    entryPoints: [join(ROOT, "test/sim/run.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "error",
    plugins: [mutate],
  });
}

/** Seeds one after the other, in a process of their own: a mutant may do anything, and one that does not end is found. */
async function run(bundle, faults) {
  const first = Number(values.from);
  const options = { minutes: Number(values.minutes), ...(faults === undefined ? {} : { faults }) };
  const code = `
    const { simulate } = await import(${JSON.stringify(`file://${bundle}`)});
    for (let seed = ${first}; seed < ${first + Number(values.seeds)}; seed++) {
      console.log("seed " + seed);
      try {
        await simulate({ seed, ...${JSON.stringify(options)} });
      } catch (error) {
        console.log("found " + (error.cause?.message ?? error.message).split("\\n")[0]);
        process.exit(1);
      }
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], { cwd: ROOT });
  let seed = first;
  /** @type {string | undefined} */
  let why;
  let said = "";
  const stuck = () => {
    why = "does not end";
    child.kill("SIGKILL");
  };
  let timer = setTimeout(stuck, SEED_MS_MAX);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, ...rest] = line.split(" ");
    if (word === "found") why = rest.join(" ");
    if (word !== "seed") return;
    seed = Number(rest[0]);
    clearTimeout(timer);
    timer = setTimeout(stuck, SEED_MS_MAX);
  });
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-2000)));
  const [status] = await once(child, "close");
  clearTimeout(timer);
  if (why !== undefined) return { failedSeed: seed, why };
  if (status === 0) return { failedSeed: undefined, why: "" };
  throw new Error(`the run itself failed: ${said}`);
}
