import { expect, test } from "vitest";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

test.each(["max_bytez", "", "constructor"])("a quota of %j limits nothing", async (field) => {
  const { monitor } = await createBench();
  const ask = askerOf(monitor);
  expect(await ask("osd pool set-quota", { pool: "rbd", field, val: "10" })).toMatchObject({
    r: -22,
    status: `unrecognized field '${field}'; should be 'max_bytes' or 'max_objects'`,
  });
  expect(monitor.osdMap.pools.get(1)).toMatchObject({ quotaMaxBytes: 0, quotaMaxObjects: 0 });
});

// As 16.2.15 says it.
test.each([
  ["max_bytes", "10KB", "set-quota max_bytes = 10240 for pool rbd"],
  ["max_bytes", "5B", "set-quota max_bytes = 5 for pool rbd"],
  ["max_objects", "2K", "set-quota max_objects = 2000 for pool rbd"],
  ["max_bytes", "1k", "strict_iecstrtoll: unit prefix not recognized"],
  ["max_objects", "1k", "strict_si_cast: unit prefix not recognized"],
  ["max_bytes", "1KiB", "strict_iecstrtoll: illegal prefix (length > 2)"],
  ["max_objects", "5B", "Expected option value to be integer, got '5B'"],
  ["max_objects", "5 K", "Expected option value to be integer, got '5 '"],
  ["max_bytes", "", "strict_iecstrtoll: value not specified"],
  ["max_bytes", "-1", "strict_iecstrtoll: value should not be negative"],
])("a quota of %s %j", async (field, val, said) => {
  const { monitor } = await createBench();
  const { r, status } = await askerOf(monitor)("osd pool set-quota", { pool: "rbd", field, val });
  const isSet = said.startsWith("set-quota");
  expect([r, status]).toEqual(isSet ? [0, said] : [-22, `error parsing value '${val}': ${said}`]);
});
