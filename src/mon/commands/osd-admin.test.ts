/** `osd out` and `osd reweight`: what an OSD has stays where it is. */
import { expect, test } from "vitest";
import { mapPg } from "../../maps/index.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

async function start(numOsds: number) {
  const { monitor } = await createBench({ numOsds });
  const placement = () => {
    const [[id, { pgNum }] = [0, { pgNum: 0 }]] = [...monitor.osdMap.pools];
    const seeds = Array.from({ length: pgNum }, (_, seed) => seed);
    return seeds.map((seed) => mapPg(monitor.osdMap, { pool: id, seed }).actingPrimary);
  };
  return { ask: askerOf(monitor), placement };
}

test.each([
  ["osd out", { ids: ["1"] }],
  ["osd reweight", { id: 1, weight: 0.5 }],
])("%s gives no groups to an OSD that has nothing of them", async (prefix, args) => {
  const { ask, placement } = await start(2);
  const before = placement();
  expect(await ask(prefix, args)).toMatchObject({
    r: -95,
    status: "osd.1 has objects that cannot be moved to another OSD",
  });
  expect(placement()).toEqual(before);
  expect(await ask("osd reweight", { id: 1, weight: 1 })).toMatchObject({ r: 0 });
});

test("the only OSD can go out: its groups wait for it", async () => {
  const { ask, placement } = await start(1);
  const before = placement();
  expect((await ask("osd out", { ids: ["0"] })).r).toBe(0);
  expect(new Set(placement())).toEqual(new Set([-1]));
  expect((await ask("osd in", { ids: ["0"] })).r).toBe(0);
  expect(placement()).toEqual(before);
});
