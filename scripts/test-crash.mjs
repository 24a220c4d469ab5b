// The long crash test of the store: npm run test:crash -- --seeds N --from K
// Each seed cuts the power eight times; a failure names its seed.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "1000" }, from: { type: "string", default: "1" } },
});
const child = spawn("npx", ["vitest", "run", "--project", "crash", "store-crash"], {
  stdio: "inherit",
  env: { ...process.env, CRASH_SEEDS: values.seeds, CRASH_FROM: values.from },
});
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
