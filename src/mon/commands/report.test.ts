import { expect, test } from "vitest";
import { crc32c } from "../../encoding/index.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

test("the report is made of what the other commands show", async () => {
  const { monitor } = await createBench();
  const ask = askerOf(monitor);
  await ask("osd pool set", { pool: "rbd", var: "noscrub", val: "1" });
  const json = async (prefix: string, args: object = {}): Promise<unknown> =>
    JSON.parse((await ask(prefix, { format: "json", ...args })).data);
  const report = await json("report");
  expect(report).toMatchObject({
    tag: "",
    osdmap: await json("osd dump"),
    osd_metadata: await json("osd metadata"),
    crushmap: await json("osd crush dump"),
    fsmap: await json("fs dump"),
    servicemap: { epoch: 1, services: {} },
    health: await json("health", { detail: "detail" }),
    num_osd: 0,
    num_pg: 32,
    num_pg_unknown: 32,
  });
  expect(report).toHaveProperty("health.checks.POOL_SCRUB_FLAGS.detail", [
    { message: "Pool rbd has noscrub flag" },
  ]);
});

test("without a format it is indented JSON; behind its name stands the checksum of its bytes", async () => {
  const { monitor } = await createBench();
  const { r, status, data } = await askerOf(monitor)("report", { tags: ["a", "b", "c"] });
  expect(r).toBe(0);
  expect(data).toContain('\n    "tag": "a b",\n');
  expect(status).toBe(`report ${crc32c(6789, Buffer.from(data))}`);
});
