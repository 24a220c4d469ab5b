#!/usr/bin/env node
// npm run bench:osd: what one request costs the server's processor between the frame and the reply, without
// network and clients: requests are handed to an OSD on a real store as the messenger would hand them over.
//
//   node bench/osd/requests.mjs [--dir DIR] [--seconds S] [--only write-4k-qd32]
//
// DIR on a memory file system (/dev/shm) leaves the disk out. Prints microseconds of processor time (user,
// system, all threads) and requests a second.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs, ROOT } from "../../scripts/load-ts.mjs";

const { values } = parseArgs({
  options: {
    dir: { type: "string", default: tmpdir() },
    seconds: { type: "string", default: "5" },
    only: { type: "string" },
  },
});
process.env.UV_THREADPOOL_SIZE ??= "16";
process.chdir(ROOT);
const bench = await loadTs("bench/osd/requests.ts");
const JOBS = ["write-4k-qd32", "write-4k-qd1", "read-4k-qd32", "read-4k-qd1", "write-4m-qd4"];
const dir = mkdtempSync(join(values.dir, "spirula-osd-"));
try {
  const osd = await bench.open(dir);
  for (const job of JOBS) {
    if (values.only !== undefined && values.only !== job) continue;
    const result = await bench.run(osd, job, Number(values.seconds));
    const cells = Object.entries(result).map(([name, x]) => `${name} ${x}`);
    console.log(`${job.padEnd(14)} ${cells.join("  ")}`);
  }
  await osd.close();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
