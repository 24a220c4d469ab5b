/** `osd utilization`: how groups lie on the OSDs that take part. */
import { expect, test } from "vitest";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

test("groups are counted on each OSD, and the least and the most named", async () => {
  const { monitor } = await createBench({ numOsds: 3 });
  const ask = askerOf(monitor);
  const { data } = await ask("osd utilization", { format: "json" });
  const told = JSON.parse(data) as Record<string, number>;
  expect(told["avg_pgs"]).toBeCloseTo(32 / 3, 6);
  expect(told["expected_baseline_std_dev"]).toBeCloseTo(Math.sqrt((32 / 3) * (2 / 3)), 6);
  expect(told["min_osd_pgs"]).toBeLessThanOrEqual(32 / 3);
  expect(told["max_osd_pgs"]).toBeGreaterThanOrEqual(32 / 3);
  const text = (await ask("osd utilization")).data;
  expect(text.split("\n")[0]).toBe("avg 10.6667");
  expect(text).toContain(`min osd.${told["min_osd"]} with ${told["min_osd_pgs"]} pgs (`);
  expect(text).toContain(`max osd.${told["max_osd"]} with ${told["max_osd_pgs"]} pgs (`);
});
