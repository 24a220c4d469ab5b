// node contender.mjs CONF POOL IMAGE MODE PARITY SLOTS SEED: see contender.ts
import process from "node:process";
import { loadTs } from "../../scripts/load-ts.mjs";

const { contender } = await loadTs("test/contention/contender.ts");
await contender(process.argv.slice(2));
