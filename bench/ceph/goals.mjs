// What is promised against real Ceph on the same machine (floor) and what we are after (goal), and the
// table that tells how far we are.
import { markdown, median } from "../stats.mjs";

const MB = 1e6;
const perSecond = { unit: "IOPS", digits: 0, of: (run) => run.iops };
const bandwidth = { unit: "MiB/s", digits: 0, of: (run) => run.bytesPerSecond / 2 ** 20 };
const tail = { unit: "p99 ms", digits: 2, of: (run) => run.p99Ms };
const cpu = { unit: "server CPU s / 1000 ops", digits: 4, of: (run) => run.cpuPer1000 };
const peak = { unit: "server memory MB", digits: 0, of: (run) => run.peakBytes / MB };
const seconds = { unit: "s", digits: 2, of: (run) => run.seconds };

const atLeast = (ratio) => ({ text: `≥ ${ratio}x`, holds: (row) => row.ratio >= ratio });
const atMost = (divisor, bound = Number.POSITIVE_INFINITY, unit = "") => ({
  text: `≤ 1/${divisor}${bound === Number.POSITIVE_INFINITY ? "" : ` and ${bound} ${unit}`}`,
  holds: (row) => row.ratio <= 1 / divisor && row.ours <= bound,
});
const within = (bound, unit) => ({ text: `≤ ${bound} ${unit}`, holds: (row) => row.ours <= bound });

/** Job, what of it, floor, goal. A job named `*` is the worst of all jobs. */
const PROMISES = [
  ["randwrite-4k-qd32", perSecond, atLeast(4), atLeast(6)],
  ["randwrite-4k-qd1", perSecond, atLeast(2.5), atLeast(3)],
  ["randread-4k-qd32", perSecond, atLeast(2), atLeast(2.5)],
  ["randread-4k-qd1", perSecond, atLeast(1.5), atLeast(2)],
  ["randrw-16k-qd16", perSecond, atLeast(3), atLeast(4)],
  ["write-4m-qd16", bandwidth, atLeast(1.3), atLeast(1.5)],
  ["read-4m-qd16", bandwidth, atLeast(1), atLeast(1.25)],
  ["randwrite-4k-qd32", tail, atMost(2), atMost(6)],
  ["randwrite-4k-qd32", cpu, atMost(5), atMost(10)],
  ["randread-4k-qd32", cpu, atMost(3), atMost(4)],
  ["*", peak, atMost(10, 200, "MB"), within(100, "MB")],
  ["first image", seconds, atMost(10), within(0.5, "s")],
];

/**
 * @param {Record<string, { ours: object[], real: object[] }>} runs by job; the n-th of both are a pair
 * @returns rows of what was run
 */
export function promiseRows(runs) {
  const rows = [];
  for (const [job, metric, floor, goal] of PROMISES) {
    const of = job === "*" ? worst(runs) : runs[job];
    if (of === undefined || of.ours.length === 0) continue;
    rows.push(makeRow(job === "*" ? "any job" : job, metric, of, floor, goal));
  }
  return rows;
}

/** Every figure of every job, without a promise. */
export function detailRows(runs) {
  const rows = [];
  for (const [job, of] of Object.entries(runs)) {
    if (of.ours[0]?.iops === undefined) continue;
    for (const metric of [perSecond, tail, cpu, peak]) rows.push(makeRow(job, metric, of));
  }
  return rows;
}

function worst(runs) {
  const jobs = Object.values(runs).filter(({ ours }) => ours[0]?.peakBytes !== undefined);
  if (jobs.length === 0) return undefined;
  const top = (side) =>
    jobs[0][side].map((_, i) => ({
      peakBytes: Math.max(...jobs.map((job) => job[side][i].peakBytes)),
    }));
  return { ours: top("ours"), real: top("real") };
}

function makeRow(job, metric, { ours, real }, floor, goal) {
  const [mine, theirs] = [ours.map(metric.of), real.map(metric.of)];
  const ratios = theirs.map((value, i) => mine[i] / value);
  const row = { job, unit: metric.unit, digits: metric.digits, ours: median(mine) };
  if (ratios.length > 0) {
    row.real = median(theirs);
    row.ratio = median(ratios);
    row.ratioMin = Math.min(...ratios);
    row.ratioMax = Math.max(...ratios);
  }
  if (floor === undefined) return row;
  row.floor = floor.text;
  row.goal = goal.text;
  if (row.ratio === undefined) return row;
  row.verdict = floor.holds(row) ? "met" : "MISSED";
  row.goalMet = goal.holds(row);
  return row;
}

export function table(rows) {
  const promised = rows.some((row) => row.floor !== undefined);
  const heads = ["job", "ours", "real", "ratio", "min–max"];
  if (promised) heads.push("floor", "goal", "verdict");
  const lines = rows.map((row) => {
    const { digits } = row;
    const cells = [`${row.job}, ${row.unit}`, row.ours.toFixed(digits)];
    if (row.ratio === undefined) cells.push("-", "-", "-");
    else {
      const range = `${ratioText(row.ratioMin)}–${ratioText(row.ratioMax)}`;
      cells.push(row.real.toFixed(digits), ratioText(row.ratio), range);
    }
    if (promised) cells.push(row.floor, row.goal, row.verdict ?? "-");
    return cells;
  });
  return markdown(heads, lines);
}

/** Costs are small parts: 1/12 says more than 0.08. */
function ratioText(ratio) {
  return ratio < 0.5 ? `1/${(1 / ratio).toFixed(1)}` : `${ratio.toFixed(2)}x`;
}
