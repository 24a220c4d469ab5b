import { expect, test } from "vitest";
import {
  newObjectStatSum,
  newPool,
  PG_AUTOSCALE_MODE,
  POOL_OPTS,
  type PoolOpt,
} from "../../maps/index.ts";
import { EVERSION_ZERO } from "../../types/index.ts";
import { askManager } from "../testing/ask.ts";
import { formatSize } from "./autoscale.ts";

const GIB = 2 ** 30;

/** Pools that differ in what they hold or shall hold, on three OSDs of 4 GiB. */
async function cluster() {
  const { monitor, ask } = await askManager({ numOsds: 3 });
  const { OFF, WARN, ON } = PG_AUTOSCALE_MODE;
  const float = Math.fround;
  const pools: [name: string, pgNum: number, mode: number, opts: Record<string, number>][] = [
    ["rbd", 32, OFF, { pg_autoscale_bias: 4 }],
    ["big", 32, OFF, { target_size_bytes: 3 * GIB }],
    ["ratio", 32, WARN, { target_size_ratio: float(0.3) }],
    ["on", 8, ON, { target_size_ratio: float(0.1) }],
  ];
  await monitor.state.maps.change((pending) =>
    pending.edit((inc) => {
      inc.newPoolMax = pools.length;
      for (const [i, [name, pgNum, pgAutoscaleMode, values]] of pools.entries()) {
        const opts = new Map(
          Object.entries(values).map(([key, value]): [number, PoolOpt] => {
            const spec = POOL_OPTS[key] ?? { key: -1, type: "int" };
            return [spec.key, { type: spec.type === "int" ? "int" : "double", value }];
          }),
        );
        inc.newPools.set(i + 1, newPool({ pgNum, size: 1, pgAutoscaleMode, opts }));
        inc.newPoolNames.set(i + 1, name);
      }
    }),
  );
  const { epoch } = monitor.osdMap;
  const pg = {
    pgid: { pool: 1, seed: 0 },
    state: "active+clean",
    version: EVERSION_ZERO,
    stats: newObjectStatSum(),
    allocated: 17_900_020,
    stored: 17_900_020,
    logSize: 0,
    snapTrimQueueLength: 0,
    damaged: [],
  };
  for (let id = 0; id < 3; id++) {
    const statfs = { total: 4 * GIB, available: 4 * GIB, data: 0, internal: 0 };
    const perf = { commitLatencyMs: 0, applyLatencyMs: 0 };
    const pgs = id === 0 ? [pg] : [];
    monitor.osdReport(id, { seq: 1, epoch, statfs, fullness: "none", pgs, perf });
  }
  return ask;
}

/** What a 16.2.15 of three OSDs of 4 GiB said of such pools. */
const TABLE = [
  "POOL     SIZE  TARGET SIZE  RATE  RAW CAPACITY   RATIO  TARGET RATIO  EFFECTIVE RATIO  BIAS  PG_NUM  NEW PG_NUM  AUTOSCALE  BULK   ",
  "rbd    17480k                1.0        12288M  0.0014                                  4.0      32              off        False  ",
  "big        0         3072M   1.0        12288M  0.2500                                  1.0      32              off        False  ",
  "ratio      0                 1.0        12288M  0.5625        0.3000           0.5625   1.0      32              warn       False  ",
  "on         0                 1.0        12288M  0.1875        0.1000           0.1875   1.0       8          32  on         False  ",
];

test("a table of what each pool holds, shall hold and should have", async () => {
  const ask = await cluster();
  expect(await ask("osd pool autoscale-status")).toEqual({
    r: 0,
    status: "",
    data: `${TABLE.join("\n")}\n`,
  });
});

test("the same as JSON", async () => {
  const ask = await cluster();
  const { data } = await ask("osd pool autoscale-status", { format: "json" });
  const status = (fields: object) => ({
    actual_capacity_ratio: 0,
    actual_raw_used: 0,
    bias: 1,
    bulk: false,
    capacity_ratio: 0,
    crush_root_id: -1,
    effective_target_ratio: 0,
    logical_used: 0,
    pg_autoscale_mode: "off",
    pg_num_target: 32,
    raw_used: 0,
    raw_used_rate: 1,
    subtree_capacity: 12884901888,
    target_bytes: 0,
    target_ratio: 0,
    would_adjust: false,
    ...fields,
  });
  expect(JSON.parse(data)).toEqual([
    status({
      pool_id: 1,
      pool_name: "rbd",
      actual_capacity_ratio: 0.0013892243926723797,
      actual_raw_used: 17900020,
      bias: 4,
      capacity_ratio: 0.0013892243926723797,
      logical_used: 17900020,
      pg_num_final: 32,
      pg_num_ideal: 1,
      raw_used: 17900020,
    }),
    status({
      pool_id: 2,
      pool_name: "big",
      capacity_ratio: 0.25,
      pg_num_final: 64,
      pg_num_ideal: 75,
      raw_used: 3221225472,
      target_bytes: 3221225472,
    }),
    status({
      pool_id: 3,
      pool_name: "ratio",
      capacity_ratio: 0.5625000034924595,
      effective_target_ratio: 0.5625000034924595,
      pg_autoscale_mode: "warn",
      pg_num_final: 128,
      pg_num_ideal: 126,
      target_ratio: 0.30000001192092896,
    }),
    status({
      pool_id: 4,
      pool_name: "on",
      capacity_ratio: 0.18749999650754046,
      effective_target_ratio: 0.18749999650754046,
      pg_autoscale_mode: "on",
      pg_num_final: 32,
      pg_num_ideal: 18,
      pg_num_target: 8,
      target_ratio: 0.10000000149011612,
      would_adjust: true,
    }),
  ]);
  expect(data).toContain('"raw_used": 3221225472.0,');
  expect(data).toContain('"capacity_ratio": 0.5625000034924595,');
});

test.each([
  [0, "    0 "],
  [19, "   19 "],
  [72_900_016, "71191k"],
  [12_884_901_888, "12288M"],
  [GIB, " 1024M"],
])("%d bytes in the table are '%s'", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
