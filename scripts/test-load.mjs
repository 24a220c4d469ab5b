// The load test: npm run test:load -- --idle 1000 --slow 200 --rounds 3 --seconds 8
//
// A crowd of idle sessions, of handshakes that never end and of one client that never reads, beside an unmodified
// fio (test/load/). Fails where fio keeps less than 80 % of what it has alone (median of the rounds), or the
// server's memory passes --memory (256 MiB).
import process from "node:process";
import { parseArgs } from "node:util";
import { loadTs } from "./load-ts.mjs";

const SHARE_MIN = 0.8;
const { values } = parseArgs({
  options: {
    idle: { type: "string", default: "1000" },
    slow: { type: "string", default: "200" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "8" },
    memory: { type: "string", default: String(256 << 20) },
  },
});
const numbers = Object.fromEntries(Object.entries(values).map(([k, text]) => [k, Number(text)]));
if (!Object.values(numbers).every((n) => Number.isInteger(n) && n >= 1)) {
  console.error(
    "usage: npm run test:load -- [--idle N] [--slow N] [--rounds N] [--seconds S] [--memory BYTES]",
  );
  process.exit(2);
}
const { loadTest } = await loadTs("test/load/load.ts");
try {
  const { ratios, peakBytes, cutOff } = await loadTest({
    ...numbers,
    print: (line) => console.log(line),
  });
  const share = ratios.toSorted((a, b) => a - b)[ratios.length >> 1];
  console.log(
    `${(share * 100).toFixed(0)} % of the throughput alone (median of ${ratios.length}), ` +
      `peak ${(peakBytes / 2 ** 20).toFixed(0)} MiB of ${(numbers.memory / 2 ** 20).toFixed(0)}, ` +
      `${cutOff} handshakes cut off`,
  );
  const failed = Number(share < SHARE_MIN) + Number(peakBytes > numbers.memory);
  console.log(`${2 - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  console.log(error.message);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
}
