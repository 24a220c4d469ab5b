import { describe, expect, test } from "vitest";
import { bytesEqual, decodeFromBytes } from "../encoding/index.ts";
import {
  applyIncremental,
  encodeOsdMap,
  isUp,
  OsdMapIncremental,
  POOL_FLAG,
} from "../maps/index.ts";
import { NoSpaceError, TooLargeError } from "../store/index.ts";
import { HOBJECT_MIN, IntervalSet, IntervalSetCodec, NOSNAP } from "../types/index.ts";
import { Monitor } from "./monitor.ts";
import { NextEpoch, OSDMAP_EPOCHS_MAX, type OsdMapUpdate } from "./services/osd-map.ts";
import {
  createPoolSnap,
  createSelfManagedSnap,
  deletePool,
  PURGED_INTERVALS_MAX,
  Refusal,
  removeSelfManagedSnap,
  updatePool,
} from "./services/osd-pools.ts";
import { askerOf } from "./testing/ask.ts";
import { createBench, OSD_ADDR, optionsFor, settle } from "./testing/bench.ts";

const NEVER = { sec: 0, nsec: 0 };

describe("the OSD map", () => {
  test("changes of one turn share an epoch, each seeing what the earlier ones did", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    const before = maps.map.epoch;
    const ids = await Promise.all([
      maps.change((p) => createSelfManagedSnap(p, 1)),
      maps.change((p) => createSelfManagedSnap(p, 1)),
    ]);
    expect(ids).toEqual([2n, 3n]);
    expect(maps.map.epoch).toBe(before + 1);
  });

  test("nobody sees or is told of an epoch before it is durable", async () => {
    const { monitor, store } = await createBench();
    const { maps } = monitor.state;
    const before = maps.map.epoch;
    const told: number[] = [];
    monitor.onOsdMap(({ epoch }) => told.push(epoch));
    store.hold();
    let answered = false;
    const request = async () => {
      await maps.change((p) => createSelfManagedSnap(p, 1));
      answered = true;
    };
    const change = request();
    await settle();
    expect({ answered, told, epoch: maps.map.epoch }).toEqual({
      answered: false,
      told: [],
      epoch: before,
    });
    store.release();
    await change;
    expect(told).toEqual([before + 1]);
    expect(maps.map.epoch).toBe(before + 1);
  });

  test("a change that edits nothing makes no epoch", async () => {
    const { monitor } = await createBench();
    const before = monitor.osdMap.epoch;
    await monitor.state.maps.change(() => "nothing");
    await monitor.osdBoot(0, [OSD_ADDR], "00000000-1111-4222-8333-555555555555");
    expect(monitor.osdMap.epoch).toBe(before);
  });

  test("published incrementals lead from one full map's bytes to the next's", async () => {
    const { monitor } = await createBench();
    let map = monitor.osdMap;
    const updates: OsdMapUpdate[] = [];
    monitor.onOsdMap((update) => updates.push(update));
    await monitor.state.maps.change((p) => createSelfManagedSnap(p, 1));
    await monitor.osdDown(0);
    await monitor.state.maps.change((p) => deletePool(p, 1));
    expect(updates).toHaveLength(3);
    for (const update of updates) {
      map = applyIncremental(map, decodeFromBytes(OsdMapIncremental, update.incremental));
      expect(bytesEqual(encodeOsdMap(map).bytes, update.full)).toBe(true);
    }
  });

  test("a pool's name goes to another pool only in an epoch after it was given up", async () => {
    const { monitor } = await createBench();
    const ask = (prefix: string, args: object) => askerOf(monitor)(prefix, args);
    /** What librados knows pools by: the epoch's new names first, then it forgets those of pools that are gone. */
    const byName = new Map([["rbd", 1]]);
    const nameOf = new Map([[1, "rbd"]]);
    monitor.onOsdMap(({ incremental }) => {
      const inc = decodeFromBytes(OsdMapIncremental, incremental);
      const forget = (id: number) => byName.delete(nameOf.get(id) ?? "");
      for (const [id, name] of [...inc.newPoolNames].sort(([a], [b]) => a - b)) {
        forget(id);
        nameOf.set(id, name);
        byName.set(name, id);
      }
      for (const id of inc.oldPools) forget(id);
    });
    const rm = { pool: "rbd", pool2: "rbd", yes_i_really_really_mean_it: true };
    expect(
      await Promise.all([
        ask("osd pool rm", rm),
        ask("osd pool create", { pool: "rbd" }),
        ask("osd pool create", { pool: "b" }),
      ]),
    ).toMatchObject([{ r: 0 }, { r: 0 }, { r: 0 }]);
    expect(byName.get("rbd")).toBe(2);
    expect(byName.get("b")).toBe(3);
    const rename = (srcpool: string, destpool: string) =>
      ask("osd pool rename", { srcpool, destpool });
    const renamed = await Promise.all([
      rename("rbd", "c"),
      rename("b", "rbd"),
      rename("c", "d"),
      rename("d", "b"),
    ]);
    expect(renamed.map(({ r }) => r)).toEqual([0, 0, 0, 0]);
    expect(byName.size).toBe(2);
    expect([byName.get("b"), byName.get("rbd")]).toEqual([2, 3]);
  });

  test("a change that is postponed for ever is refused when nothing else is made", async () => {
    const { monitor } = await createBench();
    const change = monitor.state.maps.change(() => {
      throw new NextEpoch();
    });
    await expect(change).rejects.toBeInstanceOf(NextEpoch);
  });

  test("a mutator that throws spoils only its own change", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    const bad = maps.change(() => {
      throw new RangeError("bug");
    });
    const good = maps.change((p) => createSelfManagedSnap(p, 1));
    await expect(bad).rejects.toThrow("bug");
    expect(await good).toBe(2n);
  });

  test("after a restart the map is there, its OSDs down", async () => {
    const { monitor, store, clock } = await createBench();
    await monitor.state.maps.change((p) => createSelfManagedSnap(p, 1));
    const { epoch } = monitor.osdMap;
    monitor.close();
    const again = await Monitor.open(optionsFor(store, clock));
    expect(again.osdMap.epoch).toBe(epoch + 1);
    expect(again.osdMap.pools.get(1)?.snapSeq).toBe(2n);
    expect(isUp(again.osdMap, 0)).toBe(false);
    expect(again.state.maps.mapAt(epoch)?.pools.get(1)?.snapSeq).toBe(2n);
  });

  test("old epochs are let go, and what is kept can still be read", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    for (let i = 0; i < OSDMAP_EPOCHS_MAX + 60; i++) {
      await maps.change((p) => updatePool(p, 1, { quotaMaxBytes: i + 1 }));
    }
    const { epoch } = maps.map;
    expect(maps.oldestEpoch).toBeGreaterThan(1);
    expect(epoch - maps.oldestEpoch).toBeGreaterThanOrEqual(OSDMAP_EPOCHS_MAX);
    expect(maps.since(maps.oldestEpoch)).toHaveLength(epoch - maps.oldestEpoch);
    expect(maps.since(1)).toBeUndefined();
    expect(maps.mapAt(maps.oldestEpoch)?.epoch).toBe(maps.oldestEpoch);
    expect(maps.mapAt(maps.oldestEpoch - 1)).toBeUndefined();
  });

  test("a map that is too large for the store changes as any other, and can be read", async () => {
    const { monitor, store, clock } = await createBench();
    const submit = store.submit.bind(store);
    let max = 0;
    store.submit = (transaction) => {
      for (const op of transaction.ops) {
        const bytes = op.op === "omap-set" ? (op.entries[0]?.[1].length ?? 0) : 0;
        if (bytes >= max) throw new TooLargeError("transaction", bytes, max);
      }
      return submit(transaction);
    };
    max = monitor.osdMapFull.length - 1;
    const change = async ({ state }: Monitor, times: number) => {
      for (let i = 0; i < times; i++) {
        await state.maps.change((p) => updatePool(p, 1, { quotaMaxBytes: p.epoch }));
      }
    };
    await change(monitor, 2 * OSDMAP_EPOCHS_MAX + 60);
    const { epoch } = monitor.osdMap;
    expect(monitor.osdMap.pools.get(1)?.quotaMaxBytes).toBe(epoch);
    monitor.close();
    const again = await Monitor.open(optionsFor(store, clock));
    const { maps } = again.state;
    expect(maps.map.pools.get(1)?.quotaMaxBytes).toBe(epoch);
    expect(maps.oldestEpoch).toBe(1);
    expect(maps.mapAt(700)?.pools.get(1)?.quotaMaxBytes).toBe(700);
    // There is room again: what was kept for want of a full map goes, over some epochs.
    max = Number.POSITIVE_INFINITY;
    await change(again, OSDMAP_EPOCHS_MAX + 60);
    again.close();
    const third = (await Monitor.open(optionsFor(store, clock))).state.maps;
    expect(third.oldestEpoch).toBeGreaterThan(epoch);
    expect(third.mapAt(third.oldestEpoch)?.epoch).toBe(third.oldestEpoch);
    expect(third.incremental(third.oldestEpoch - 1)).toBeUndefined();
    expect(third.incremental(2)).toBeUndefined();
  }, 30_000);

  test("an OSD that was up elsewhere goes down before it comes up", async () => {
    const { monitor } = await createBench();
    const before = monitor.osdMap.epoch;
    const moved = { ...OSD_ADDR, nonce: 2 };
    await monitor.osdBoot(0, [moved], "00000000-1111-4222-8333-555555555555");
    expect(monitor.osdMap.epoch).toBe(before + 2);
    expect(monitor.osdMap.osdInfo[0]?.downAt).toBe(before + 1);
    expect(monitor.osdMap.clientAddrs[0]).toEqual([moved]);
  });
});

describe("snapshots of pools", () => {
  test("a removed id is queued at once, purged when trimmed, and never given out again", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    const snap = (await maps.change((p) => createSelfManagedSnap(p, 1))) as bigint;
    await maps.change((p) => removeSelfManagedSnap(p, 1, snap));
    expect(maps.map.newRemovedSnaps.get(1)?.has(Number(snap))).toBe(true);
    expect(maps.map.removedSnapsQueue.get(1)?.has(Number(snap))).toBe(true);
    expect(maps.map.pools.get(1)?.snapSeq).toBe(snap + 1n);
    await monitor.snapsPurged(1, IntervalSet.of(Number(snap), 1));
    expect(maps.map.newPurgedSnaps.get(1)?.has(Number(snap))).toBe(true);
    expect(maps.map.removedSnapsQueue.get(1)).toBeUndefined();
    expect(await maps.change((p) => createSelfManagedSnap(p, 1))).toBe(snap + 2n);
  });

  test("removing an id twice is fine and makes no epoch, also after it was purged", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    const snap = (await maps.change((p) => createSelfManagedSnap(p, 1))) as bigint;
    const rm = () => maps.change((p) => removeSelfManagedSnap(p, 1, snap));
    await rm();
    const queued = maps.map.epoch;
    expect(await rm()).toBeUndefined();
    expect(maps.map.epoch).toBe(queued);
    await monitor.snapsPurged(1, IntervalSet.of(Number(snap), 1));
    const purged = maps.map.epoch;
    expect(await rm()).toBeUndefined();
    expect(maps.map.epoch).toBe(purged);
  });

  test("what could not be stored leaves nothing behind: a snap of the next epoch is queued as any other", async () => {
    const { monitor, store } = await createBench();
    const { maps } = monitor.state;
    const take = () => maps.change((p) => createSelfManagedSnap(p, 1));
    const rm = (snap: bigint) => maps.change((p) => removeSelfManagedSnap(p, 1, snap));
    const snap = (await take()) as bigint;
    const submit = store.submit.bind(store);
    store.submit = () => {
      throw new NoSpaceError();
    };
    await expect(maps.change((p) => deletePool(p, 1))).rejects.toThrow("no space");
    await expect(rm(snap)).rejects.toThrow("no space");
    store.submit = submit;
    const next = (await take()) as bigint;
    await rm(next);
    expect([...(maps.map.removedSnapsQueue.get(1) ?? [])]).toEqual([[Number(next), 1]]);
    await monitor.snapsPurged(1, IntervalSet.of(Number(next), 1));
    const { epoch } = maps.map;
    await rm(next);
    expect(maps.map.epoch).toBe(epoch);
  });

  test("what is known of purged snaps has a bound, and what is forgotten can be removed again", async () => {
    const { monitor, store, clock } = await createBench();
    const { maps } = monitor.state;
    const left = PURGED_INTERVALS_MAX + 100;
    await maps.change((p) => {
      updatePool(p, 1, { snapSeq: BigInt(2 * left), flags: POOL_FLAG.SELFMANAGED_SNAPS });
      p.newPurged.set(
        1,
        IntervalSet.from(Array.from({ length: left }, (_, i) => [2 * i + 1, 1] as const)),
      );
    });
    const rm = (snap: number) => maps.change((p) => removeSelfManagedSnap(p, 1, BigInt(snap)));
    const purge = (snap: number) => monitor.snapsPurged(1, IntervalSet.of(snap, 1));
    await rm(2 * left - 2);
    await purge(2 * left - 2);
    const stored = store.omapGet(
      "mon",
      { ...HOBJECT_MIN, oid: "osdmap", snap: NOSNAP, pool: -1n },
      "p/1",
    );
    expect(decodeFromBytes(IntervalSetCodec, stored!).count).toBeLessThanOrEqual(
      PURGED_INTERVALS_MAX,
    );
    // The newest and one from before the bound.
    for (const [snap, isKnown] of [
      [2 * left - 2, true],
      [1, false],
    ] as const) {
      const { epoch } = maps.map;
      await rm(snap);
      expect(maps.map.epoch - epoch, `${snap}`).toBe(isKnown ? 0 : 1);
    }
    expect([...maps.map.removedSnapsQueue.get(1)!]).toEqual([[1, 1]]);
    await purge(1);
    expect(maps.map.removedSnapsQueue.get(1)).toBeUndefined();
    monitor.close();
    const again = (await Monitor.open(optionsFor(store, clock))).state.maps;
    expect(await again.change((p) => createSelfManagedSnap(p, 1))).toBe(BigInt(2 * left + 3));
  });

  test("a pool that is deleted takes the snaps along that were to be trimmed", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    const take = () => maps.change((p) => createSelfManagedSnap(p, 1));
    const [early, late] = [(await take()) as bigint, (await take()) as bigint];
    await maps.change((p) => removeSelfManagedSnap(p, 1, early));
    const before = monitor.osdMap;
    let incremental: Uint8Array | undefined;
    monitor.onOsdMap((update) => ({ incremental } = update));
    await Promise.all([
      maps.change((p) => removeSelfManagedSnap(p, 1, late)),
      maps.change((p) => deletePool(p, 1)),
    ]);
    expect(monitor.osdMap.removedSnapsQueue.size).toBe(0);
    const applied = applyIncremental(before, decodeFromBytes(OsdMapIncremental, incremental!));
    expect(bytesEqual(encodeOsdMap(applied).bytes, monitor.osdMapFull)).toBe(true);
  });

  test("an id that was never given out is refused", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    await maps.change((p) => createSelfManagedSnap(p, 1));
    const result = await maps.change((p) => removeSelfManagedSnap(p, 1, 99n));
    expect(result).toBeInstanceOf(Refusal);
    expect((result as Refusal).errno).toBe(-2);
  });

  test("a pool has either kind of snapshots, never both", async () => {
    const { monitor } = await createBench();
    const { maps } = monitor.state;
    await maps.change((p) => createPoolSnap(p, 1, "s", NEVER));
    expect((maps.map.pools.get(1)?.flags ?? 0) & POOL_FLAG.POOL_SNAPS).not.toBe(0);
    const result = await maps.change((p) => createSelfManagedSnap(p, 1));
    expect((result as Refusal).errno).toBe(-22);
  });

  test("what was never removed cannot be purged", async () => {
    const { monitor } = await createBench();
    const before = monitor.osdMap.epoch;
    await monitor.snapsPurged(1, IntervalSet.of(1, 100));
    expect(monitor.osdMap.epoch).toBe(before);
  });
});
