import { expect, test } from "vitest";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

async function cluster() {
  const { monitor } = await createBench();
  const ask = askerOf(monitor);
  for (const pool of ["cache", "cache2", "base2"]) await ask("osd pool create", { pool });
  await ask("osd pool application enable", { pool: "rbd", app: "rbd" });
  const said = async (prefix: string, args: object) => {
    const { r, status } = await ask(prefix, args);
    return [r, status];
  };
  const pool = (id: number) => monitor.osdMap.pools.get(id)!;
  return { monitor, ask, said, pool };
}
const TIER = { pool: "rbd", tierpool: "cache" };
const SURE = { yes_i_really_mean_it: true };

/** The words are a 16.2.15's, but for what is not supported. */
test("pools become tiers of others and cease to be", async () => {
  const { said, pool } = await cluster();
  const added = "pool 'cache' is now (or already was) a tier of 'rbd'";
  expect(await said("osd tier add", { ...TIER, pool: "nosuch" })).toEqual([
    -2,
    "unrecognized pool 'nosuch'",
  ]);
  expect(await said("osd tier add", TIER)).toEqual([0, added]);
  expect(await said("osd tier add", TIER)).toEqual([0, added]);
  expect(await said("osd tier add", { pool: "base2", tierpool: "cache" })).toEqual([
    -22,
    "tier pool 'cache' is already a tier of 'rbd'",
  ]);
  expect(await said("osd tier add", { pool: "cache", tierpool: "cache2" })).toEqual([
    -22,
    "pool 'cache' is already a tier of 'rbd', multiple tiers are not yet supported.",
  ]);
  expect(await said("osd tier add", { pool: "cache2", tierpool: "rbd" })).toEqual([
    -22,
    "pool 'rbd' has following tier(s) already:'cache', multiple tiers are not yet supported.",
  ]);
  expect(pool(1).tiers).toEqual(new Set([2]));
  expect(pool(2)).toMatchObject({ tierOf: 1, cacheMode: 0 });
  await said("osd tier cache-mode", { pool: "cache", mode: "readonly", ...SURE });
  expect(await said("osd tier remove", TIER)).toEqual([
    0,
    "pool 'cache' is now (or already was) not a tier of 'rbd'",
  ]);
  expect(pool(1).tiers).toEqual(new Set());
  expect(pool(2)).toMatchObject({ tierOf: -1, cacheMode: 0, cacheTargetFullRatioMicro: 0 });
});

test.each([
  ["none", {}, 0, "set cache-mode for pool 'cache' to none"],
  ["readonly", SURE, 0, "set cache-mode for pool 'cache' to readonly"],
  [
    "readonly",
    {},
    -1,
    "'readonly' is not a well-supported cache mode and may corrupt your data.  pass --yes-i-really-mean-it to force.",
  ],
  ["forward", SURE, -1, "'forward' is no longer a supported cache mode"],
  ["nosuch", SURE, -22, "'nosuch' is not a valid cache mode"],
  [
    "writeback",
    SURE,
    -95,
    "cache-mode 'writeback' is not supported: no object is cached; the modes are 'none' and 'readonly'",
  ],
])("cache-mode %s %j: %d %s", async (mode, sure, r, status) => {
  const { said, pool } = await cluster();
  await said("osd tier add", TIER);
  expect(await said("osd tier cache-mode", { pool: "cache", mode, ...sure })).toEqual([r, status]);
  expect(pool(2).cacheMode).toBe(r === 0 && mode === "readonly" ? 3 : 0);
  expect(await said("osd tier cache-mode", { pool: "rbd", mode, ...sure })).toEqual([
    -22,
    "pool 'rbd' is not a tier",
  ]);
});

test("what would send requests elsewhere is refused, and changes nothing", async () => {
  const { monitor, said } = await cluster();
  const overlay = { pool: "rbd", overlaypool: "cache" };
  expect(await said("osd tier set-overlay", overlay)).toEqual([
    -22,
    "tier pool 'cache' is not a tier of 'rbd'",
  ]);
  expect(await said("osd tier add-cache", { ...TIER, size: 1000 })).toEqual([
    -95,
    expect.stringContaining("not supported"),
  ]);
  await said("osd tier add", TIER);
  const { epoch } = monitor.osdMap;
  expect(await said("osd tier set-overlay", overlay)).toEqual([
    -95,
    expect.stringContaining("not supported"),
  ]);
  expect(await said("osd pool set", { pool: "cache", var: "hit_set_period", val: "5" })).toEqual([
    -95,
    expect.stringContaining("not supported"),
  ]);
  expect(await said("osd tier remove-overlay", { pool: "rbd" })).toEqual([
    0,
    "there is now (or already was) no overlay for 'rbd'",
  ]);
  expect(monitor.osdMap.epoch).toBe(epoch);
});

test("a tier takes its pool's snapshots and applications, has none of its own, and both stay", async () => {
  const { monitor, said, pool } = await cluster();
  await said("osd tier add", TIER);
  expect([...pool(2).applicationMetadata.keys()]).toEqual(["rbd"]);
  expect(await said("osd pool application enable", { pool: "cache", app: "rgw" })).toEqual([
    -22,
    "application must be enabled on base tier",
  ]);
  expect(await said("osd pool mksnap", { pool: "cache", snap: "s" })).toEqual([
    -22,
    "pool cache is a cache tier",
  ]);
  await said("osd pool mksnap", { pool: "rbd", snap: "s" });
  expect(pool(2).snaps).toEqual(pool(1).snaps);
  expect(pool(2).snaps.size).toBe(1);
  await said("osd pool rmsnap", { pool: "rbd", snap: "s" });
  expect(pool(2).snaps.size).toBe(0);
  expect(new Set(monitor.osdMap.removedSnapsQueue.keys())).toEqual(new Set([1, 2]));
  const rm = (name: string) =>
    said("osd pool rm", { pool: name, pool2: name, yes_i_really_really_mean_it: true });
  expect(await rm("cache")).toEqual([-16, "pool 'cache' is a tier of 'rbd'"]);
  expect(await rm("rbd")).toEqual([-16, "pool 'rbd' has tiers cache"]);
});
