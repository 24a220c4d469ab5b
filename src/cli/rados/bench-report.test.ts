import { describe, expect, test } from "vitest";
import { BenchMeter, endJson, endLines, HEAD_LINE, secondLine } from "./bench-report.ts";

const MIB = 1024 * 1024;

/** Two seconds: 2 and then 6 writes of 1 MiB, of 0.1 s and 0.3 s in turn. */
function run(): { meter: BenchMeter; lines: string[] } {
  const meter = new BenchMeter(MIB);
  const lines = [secondLine(meter.tick(0))];
  for (const [count, elapsed] of [
    [2, 1],
    [6, 2],
  ] as const) {
    for (let i = 0; i < count; i++) {
      meter.started++;
      meter.end(i % 2 === 0 ? 0.1 : 0.3);
    }
    lines.push(secondLine(meter.tick(elapsed)));
  }
  lines.push(secondLine(meter.tick(3)));
  return { meter, lines };
}

// Columns and digits as 16.2.15 prints them.
describe("a benchmark's report", () => {
  test("has a line a second, with a dash where nothing ended", () => {
    expect([HEAD_LINE, ...run().lines]).toEqual([
      "  sec Cur ops   started  finished  avg MB/s  cur MB/s last lat(s)  avg lat(s)",
      "    0       0         0         0         0         0           -           0",
      "    1       0         2         2         2         2         0.3         0.2",
      "    2       0         8         8         4         6         0.3         0.2",
      "    3       0         8         8   2.66667         0           -         0.2",
    ]);
  });

  test("ends with sums, their spread over the seconds and over the requests", () => {
    const sizes = { opSize: MIB, objectSize: 4 * MIB };
    const end = { kind: "write", meter: run().meter, sizes, elapsed: 4 } as const;
    expect(endLines(end)).toBe(`Total time run:         4
Total writes made:      8
Write size:             1048576
Object size:            4194304
Bandwidth (MB/sec):     2
Stddev Bandwidth:       3.05505
Max bandwidth (MB/sec): 6
Min bandwidth (MB/sec): 0
Average IOPS:           2
Stddev IOPS:            3.05505
Max IOPS:               6
Min IOPS:               0
Average Latency(s):     0.2
Stddev Latency(s):      0.106904
Max latency(s):         0.3
Min latency(s):         0.1
`);
    expect(endJson({ ...end, kind: "read" })).toEqual({
      total_time_run: "4.000000",
      total_reads_made: "8",
      read_size: "1048576",
      object_size: "4194304",
      bandwidth: "2.000000",
      average_iops: "2",
      stddev_iops: "3.055050",
      max_iops: "6",
      min_iops: "0",
      average_latency: "0.200000",
      max_latency: "0.300000",
      min_latency: "0.100000",
    });
  });

  test("of a run shorter than a second has the average for the least and the most", () => {
    const meter = new BenchMeter(1);
    meter.tick(0);
    for (let i = 0; i < 3; i++) meter.end(0.01);
    expect(meter.rateRange(0.5)).toEqual({ min: 6, max: 6 });
  });
});
