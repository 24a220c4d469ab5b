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
