// The little arithmetic and printing that the benchmarks share.

/** The middle one: measurements on a shared machine have outliers, which a mean would follow. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** A Markdown table of cells that are text. */
export function markdown(heads, rows) {
  return [heads, heads.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** The value of a percentile, 0 to 1. */
export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const BATCH_MS = 40;
const BATCHES = 12;

/**
 * Nanoseconds of one call, the best of several batches: what the code costs when nobody disturbs it.
 * @param {(count: number) => void} loop makes that many calls, so that calling them costs nothing beside
 */
export function nanoseconds(loop) {
  let count = 1;
  for (;;) {
    const ms = timed(loop, count);
    if (ms >= BATCH_MS) break;
    count = Math.ceil(count * Math.min(10, Math.max(1.5, (BATCH_MS * 1.1) / Math.max(ms, 0.01))));
  }
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < BATCHES; i++) best = Math.min(best, timed(loop, count));
  return (best * 1e6) / count;
}

function timed(loop, count) {
  const start = performance.now();
  loop(count);
  return performance.now() - start;
}

/** What a call takes, in the unit that suits it. */
export function timeText(ns) {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

export function sizeText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 2 ** 20 ? `${bytes / 1024} KiB` : `${bytes / 2 ** 20} MiB`;
}
