/**
 * What a benchmark says: a line a second while it runs, and the sums at its end, as text or as JSON or XML.
 * ceph: src/common/obj_bencher.cc status_printer, write_bench, seq_read_bench
 */

import { formatDouble, type Json } from "../../encoding/index.ts";

const MIB = 1024 * 1024;

/** A number as C++ streams print it: six digits that count. */
const short = (x: number) => formatDouble(x, 6);

/** The spread of numbers that come one by one. */
class Spread {
  min = Number.POSITIVE_INFINITY;
  max = 0;
  count = 0;
  mean = 0;
  #squares = 0;

  add(x: number): void {
    this.min = Math.min(this.min, x);
    this.max = Math.max(this.max, x);
    this.count++;
    const delta = x - this.mean;
    this.mean += delta / this.count;
    this.#squares += delta * (x - this.mean);
  }

  get deviation(): number {
    return this.count > 1 ? Math.sqrt(this.#squares / (this.count - 1)) : 0;
  }
}

export type BenchKind = "write" | "read";

export interface BenchSizes {
  readonly opSize: number;
  readonly objectSize: number;
}

/** A line of a second. Bandwidths are MiB a second, latencies seconds. */
export interface BenchSecond {
  readonly sec: number;
  readonly inFlight: number;
  readonly started: number;
  readonly finished: number;
  readonly averageBandwidth: number;
  /** undefined: nothing ended in this second. */
  readonly bandwidth: number | undefined;
  readonly lastLatency: number;
  readonly averageLatency: number;
}

export class BenchMeter {
  readonly #opSize: number;
  readonly latencies = new Spread();
  readonly bandwidths = new Spread();
  readonly rates = new Spread();
  started = 0;
  finished = 0;
  lastLatency = 0;
  #second = 0;
  #finishedBefore = 0;
  #secondsSinceChange = 0;

  constructor(opSize: number) {
    this.#opSize = opSize;
  }

  get inFlight(): number {
    return this.started - this.finished;
  }

  /** @param latency seconds */
  end(latency: number): void {
    this.lastLatency = latency;
    this.latencies.add(latency);
    this.finished++;
  }

  /** Takes stock: called at the start and then each second. @param elapsed seconds since the start */
  tick(elapsed: number): BenchSecond {
    const since = this.#secondsSinceChange;
    const bandwidth =
      since === 0 ? -1 : ((this.finished - this.#finishedBefore) * this.#opSize) / MIB / since;
    if (since > 0) {
      this.bandwidths.add(bandwidth);
      this.rates.add(Math.trunc((this.finished - this.#finishedBefore) / since));
    }
    const hasChanged = this.#finishedBefore !== this.finished;
    if (hasChanged) {
      this.#finishedBefore = this.finished;
      this.#secondsSinceChange = 0;
    }
    this.#secondsSinceChange++;
    return {
      sec: this.#second++,
      inFlight: this.inFlight,
      started: this.started,
      finished: this.finished,
      averageBandwidth: this.finished === 0 ? 0 : (this.#opSize * this.finished) / elapsed / MIB,
      bandwidth: hasChanged ? bandwidth : undefined,
      lastLatency: this.lastLatency,
      averageLatency: this.latencies.mean,
    };
  }

  /** The least and the most operations a second; the average of a run too short for either. @param elapsed seconds */
  rateRange(elapsed: number): { readonly min: number; readonly max: number } {
    const { count, min, max } = this.rates;
    const average = Math.trunc(this.finished / elapsed);
    return count > 0 ? { min, max } : { min: average, max: average };
  }
}

export const HEAD_LINE =
  "  sec Cur ops   started  finished  avg MB/s  cur MB/s last lat(s)  avg lat(s)";

export function secondLine(x: BenchSecond): string {
  const cells: [text: string, width: number][] = [
    [String(x.sec), 5],
    [String(x.inFlight), 7],
    [String(x.started), 9],
    [String(x.finished), 9],
    [short(x.averageBandwidth), 9],
    [x.bandwidth === undefined ? "0" : short(x.bandwidth), 9],
    [x.bandwidth === undefined ? "-" : short(x.lastLatency), 11],
    [short(x.averageLatency), 11],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join(" ");
}

/** Before the heads are said again, every twenty seconds. */
export function latencyLine({ latencies }: BenchMeter): string {
  const { min, max, mean } = latencies;
  const least = Number.isFinite(min) ? min : 9999;
  return `min lat: ${short(least)} max lat: ${short(max)} avg lat: ${short(mean)}`;
}

const fixed = (x: number) => x.toFixed(6);

/** compat: numbers are texts, as the original formats them. */
export function secondJson(x: BenchSecond): Json {
  return {
    sec: String(x.sec),
    cur_ops: String(x.inFlight),
    started: String(x.started),
    finished: String(x.finished),
    avg_bw: fixed(x.averageBandwidth),
    cur_bw: fixed(x.bandwidth ?? 0),
    last_lat: fixed(x.bandwidth === undefined ? 0 : x.lastLatency),
    avg_lat: fixed(x.averageLatency),
  };
}

interface Sum {
  /** As text: `Bandwidth (MB/sec):`. */
  readonly label: string;
  readonly key: string;
  readonly value: number;
  readonly isWhole?: boolean;
}

/** @param elapsed seconds */
function sumsOf(
  kind: BenchKind,
  meter: BenchMeter,
  { opSize, objectSize }: BenchSizes,
  elapsed: number,
): Sum[] {
  const { latencies, bandwidths, rates, finished } = meter;
  const range = meter.rateRange(elapsed);
  const isWrite = kind === "write";
  const made = isWrite ? "writes" : "reads";
  const whole = (label: string, key: string, value: number): Sum => {
    return { label, key, value: Math.trunc(value), isWhole: true };
  };
  const real = (label: string, key: string, value: number): Sum => ({ label, key, value });
  const least = Number.isFinite(bandwidths.min) ? bandwidths.min : Number.MAX_VALUE;
  return [
    real("Total time run", "total_time_run", elapsed),
    whole(`Total ${made} made`, `total_${made}_made`, finished),
    whole(isWrite ? "Write size" : "Read size", `${kind}_size`, opSize),
    whole("Object size", "object_size", objectSize),
    real("Bandwidth (MB/sec)", "bandwidth", (finished * opSize) / elapsed / MIB),
    ...(isWrite
      ? [
          real("Stddev Bandwidth", "stddev_bandwidth", bandwidths.deviation),
          real("Max bandwidth (MB/sec)", "max_bandwidth", bandwidths.max),
          real("Min bandwidth (MB/sec)", "min_bandwidth", least),
        ]
      : []),
    whole("Average IOPS", "average_iops", finished / elapsed),
    real("Stddev IOPS", "stddev_iops", rates.deviation),
    whole("Max IOPS", "max_iops", range.max),
    whole("Min IOPS", "min_iops", range.min),
    real("Average Latency(s)", "average_latency", latencies.mean),
    ...(isWrite ? [real("Stddev Latency(s)", "stddev_latency", latencies.deviation)] : []),
    real("Max latency(s)", "max_latency", latencies.max),
    real("Min latency(s)", "min_latency", Number.isFinite(latencies.min) ? latencies.min : 9999),
  ];
}

export interface BenchEnd {
  readonly kind: BenchKind;
  readonly meter: BenchMeter;
  readonly sizes: BenchSizes;
  /** Seconds. */
  readonly elapsed: number;
}

export function endLines({ kind, meter, sizes, elapsed }: BenchEnd): string {
  const width = kind === "write" ? 24 : 22;
  return sumsOf(kind, meter, sizes, elapsed)
    .map(({ label, value, isWhole }) => {
      return `${`${label}:`.padEnd(width)}${isWhole === true ? value : short(value)}\n`;
    })
    .join("");
}

export function endJson({ kind, meter, sizes, elapsed }: BenchEnd): Record<string, Json> {
  return Object.fromEntries(
    sumsOf(kind, meter, sizes, elapsed).map(({ key, value, isWhole }) => [
      key,
      isWhole === true ? String(value) : fixed(value),
    ]),
  );
}
