import { expect, test } from "vitest";
import { POOL_OPTS } from "../../maps/index.ts";
import { Monitor } from "../monitor.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, optionsFor } from "../testing/bench.ts";

const PRIORITY = POOL_OPTS["recovery_priority"]!.key;

async function bench() {
  const { monitor, store, clock } = await createBench();
  /** Each time another client. */
  const set = (name: string, val: string) =>
    askerOf(monitor)("osd pool set", { pool: "rbd", var: name, val });
  return { monitor, store, clock, set };
}

test.each(["constructor", "toString", "__proto__", "hasOwnProperty", "all", "pgnum"])(
  "%s is no variable of a pool, and changes no map",
  async (name) => {
    const { monitor, store, clock, set } = await bench();
    const { epoch } = monitor.osdMap;
    expect(await set(name, "1")).toMatchObject({
      r: -22,
      status: `unrecognized variable '${name}'`,
    });
    expect(monitor.osdMap.epoch).toBe(epoch);
    monitor.close();
    expect((await Monitor.open(optionsFor(store, clock))).osdMap.epoch).toBe(epoch + 1);
  },
);

test.each([
  ["recovery_priority", "1e300"],
  ["recovery_priority", "1.5"],
  ["recovery_priority", "0x5"],
  ["recovery_priority", "11"],
  ["recovery_priority", "-11"],
  ["scrub_priority", "99999999999999999999"],
  ["pg_autoscale_bias", "1e999"],
  ["pg_autoscale_bias", ""],
  ["target_size_bytes", "9E"],
])("%s = %j is refused, and spoils no change beside it", async (name, val) => {
  const { monitor, set } = await bench();
  const [bad, good] = await Promise.all([set(name, val), set("recovery_priority", "-10")]);
  expect(bad.r).toBe(-22);
  expect(good.r).toBe(0);
  expect(monitor.osdMap.pools.get(1)?.opts.get(PRIORITY)).toEqual({ type: "int", value: -10 });
});

// As 16.2.15 says it.
test.each([
  ["target_size_bytes", "10T", "target_size_bytes: 10995116277760\n"],
  ["compression_max_blob_size", "10M", "compression_max_blob_size: 10485760\n"],
  ["csum_type", "crc32c", "csum_type: crc32c\n"],
  ["compression_required_ratio", "0.75", "compression_required_ratio: 0.75\n"],
])("%s = %s is shown as it is", async (name, val, shown) => {
  const { monitor, set } = await bench();
  expect(await set(name, val)).toMatchObject({ r: 0 });
  const got = await askerOf(monitor)("osd pool get", { pool: "rbd", var: name });
  expect(got.data).toBe(shown);
});

test.each([
  ["csum_type", "4", "unrecognized csum_type '4'"],
  ["compression_required_ratio", "2", "compression_required_ratio is out of range (0-1): '2'"],
  ["pg_autoscale_bias", "2000", "pg_autoscale_bias must be between 0 and 1000"],
  ["pg_num_min", "400", "specified pg_num_min 400 > pg_num 32"],
])("%s = %s is out of what it may be", async (name, val, status) => {
  const { set } = await bench();
  expect(await set(name, val)).toMatchObject({ r: -22, status });
});
