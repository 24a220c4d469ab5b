#!/usr/bin/env node
// npm run bench:micro: the parts of the hot path one by one, each against the machine's own limit. Every one in
// a process of its own, so that none runs code that another one has shaped.
import { spawnSync } from "node:child_process";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../scripts/load-ts.mjs";

const BENCHES = [
  "encoding/codecs.mjs",
  "messenger/frames.mjs",
  "store/disk-store.mjs",
  "osd/requests.mjs",
];

// As many threads as bin/spirula has; a module's own code runs too late to say so.
const env = { UV_THREADPOOL_SIZE: "16", ...process.env };

const load = loadavg().map((each) => each.toFixed(2));
console.log(`load average at the start: ${load.join(" ")}`);
for (const bench of BENCHES) {
  console.log(`\n== ${bench}`);
  const { status } = spawnSync(process.execPath, [join(ROOT, "bench", bench)], {
    env,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
