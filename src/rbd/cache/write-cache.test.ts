/** The policies of the write cache, over objects that change when they are told to. */
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/harness/manual-clock.ts";
import { CephError, ERRNO, silentLogger } from "../../base/index.ts";
import type { ObjectChange } from "../io/object-change.ts";
import { type CacheOptions, cacheSettings } from "./options.ts";
import { WriteCache } from "./write-cache.ts";

const KIB = 1024;
/** The least that a write counts for. */
const BLOCK = 4 * KIB;
const BACK = { policy: "writeback", writethroughUntilFlush: false } as const;
const AROUND = { policy: "writearound", writethroughUntilFlush: false } as const;

const turn = () => new Promise((resolve) => setImmediate(resolve));
const failure = (code: "EIO" | "ESHUTDOWN" | "EDQUOT") =>
  new CephError(-ERRNO[code], { op: "write to", target: "an object" });
const filled = (value: number, length = BLOCK) => new Uint8Array(length).fill(value);

interface Pending {
  readonly objectNo: number;
  readonly change: ObjectChange;
  readonly end: (error?: Error) => void;
}

class Scene {
  readonly clock = new ManualClock();
  readonly cache: WriteCache;
  /** Changes on their way, in the order in which they were sent. */
  pending: Pending[] = [];
  refusal: CephError | undefined;
  keepsHead = true;

  constructor(options: CacheOptions) {
    const host = {
      clock: this.clock,
      log: silentLogger,
      keepsHead: () => this.keepsHead,
      refusal: () => this.refusal,
      change: (objectNo: number, change: ObjectChange) =>
        new Promise<void>((resolve, reject) => {
          const end = (error?: Error) => (error === undefined ? resolve() : reject(error));
          this.pending.push({ objectNo, change, end });
        }),
    };
    this.cache = new WriteCache(host, cacheSettings(options, "an image"));
  }

  write(objectNo: number, offset: number, data: Uint8Array): Watched {
    return new Watched(this.cache.change(objectNo, { type: "write", offset, data }));
  }

  discard(objectNo: number, offset: number, length: number): Watched {
    return new Watched(this.cache.change(objectNo, { type: "discard", offset, length }));
  }

  compareAndWrite(objectNo: number, offset: number, data: Uint8Array): Watched {
    const change = { type: "compareAndWrite", offset, expected: data, data } as const;
    return new Watched(this.cache.change(objectNo, change));
  }

  writeBack(): Watched {
    return new Watched(this.cache.writeBack());
  }

  /** What is on its way, in short: object, kind, offset, length, first byte. */
  get sent(): string[] {
    return this.pending.map(({ objectNo, change }) => {
      if (change.type === "discard") return `${objectNo} discard ${change.offset}~${change.length}`;
      const { type, offset, data } = change;
      return `${objectNo} ${type} ${offset}~${data.length} ${data[0]}`;
    });
  }

  /** Ends the oldest on its way. */
  async end(error?: Error): Promise<void> {
    this.pending.shift()?.end(error);
    await turn();
  }

  async endAll(): Promise<void> {
    while (this.pending.length > 0) await this.end();
  }

  /** The first byte of what is known at an offset; undefined: nothing. */
  known(objectNo: number, offset: number): number | undefined {
    return this.cache.objects.find(objectNo)?.lookup(offset, 1).known[0]?.data?.[0];
  }
}

/** Work whose state can be asked for. */
class Watched {
  state: "under way" | "done" | { error: unknown } = "under way";

  constructor(work: Promise<void>) {
    work.then(
      () => {
        this.state = "done";
      },
      (error: unknown) => {
        this.state = { error };
      },
    );
  }

  async soon(): Promise<Watched["state"]> {
    await turn();
    return this.state;
  }
}

test("writeback: a write is done at once, and is written once it is old enough, with its neighbours", async () => {
  const scene = new Scene({ ...BACK, maxDirtyAgeMs: 1000 });
  const bytes = filled(1);
  expect(await scene.write(0, 0, bytes).soon()).toBe("done");
  // The caller may do with its bytes what it likes.
  bytes.fill(9);
  scene.clock.advance(600);
  expect(await scene.write(0, BLOCK, filled(2)).soon()).toBe("done");
  expect(await scene.write(1, 0, filled(3)).soon()).toBe("done");
  expect(await scene.write(0, 9 * BLOCK, filled(4)).soon()).toBe("done");
  expect(scene.sent).toEqual([]);
  scene.clock.advance(400);
  expect(scene.sent).toEqual([`0 write 0~${2 * BLOCK} 1`, `0 write ${9 * BLOCK}~${BLOCK} 4`]);
  scene.clock.advance(600);
  expect(scene.sent.slice(2)).toEqual([`1 write 0~${BLOCK} 3`]);
  await scene.endAll();
  expect(scene.cache.objects.space.unwritten).toBe(0);
  expect([scene.known(0, 0), scene.known(0, BLOCK), scene.known(1, 0)]).toEqual([1, 2, 3]);
  expect(scene.clock.timers).toBe(0);
});

test("writeback: what is overwritten while it is written is written again, afterwards", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1, 2 * BLOCK));
  const first = scene.writeBack();
  scene.write(0, BLOCK, filled(2, 2 * BLOCK));
  const second = scene.writeBack();
  // They overlap.
  expect(scene.sent).toEqual([`0 write 0~${2 * BLOCK} 1`]);
  await scene.end();
  expect(first.state).toBe("done");
  expect(second.state).toBe("under way");
  expect(scene.sent).toEqual([`0 write ${BLOCK}~${2 * BLOCK} 2`]);
  await scene.end();
  expect(second.state).toBe("done");
  expect([scene.known(0, 0), scene.known(0, BLOCK)]).toEqual([1, 2]);
});

test("writeback: past the target the oldest object is written, past the most a write waits", async () => {
  const scene = new Scene({ ...BACK, maxDirty: 4 * BLOCK, targetDirty: 2 * BLOCK });
  for (const objectNo of [0, 1]) scene.write(objectNo, 0, filled(objectNo));
  expect(scene.sent).toEqual([]);
  scene.write(2, 0, filled(2));
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 0`]);
  expect(await scene.write(3, 0, filled(3)).soon()).toBe("done");
  const fifth = scene.write(4, 0, filled(4));
  const sixth = scene.write(4, 0, filled(5));
  expect([await fifth.soon(), sixth.state]).toEqual(["under way", "under way"]);
  await scene.end();
  // In their order, as far as there is room.
  expect([fifth.state, sixth.state]).toEqual(["done", "under way"]);
  await scene.end();
  expect(sixth.state).toBe("done");
  await scene.endAll();
  expect(scene.cache.objects.space.unwritten).toBeLessThanOrEqual(2 * BLOCK);
  expect(scene.known(4, 0)).toBe(5);
});

test("writeback: a write larger than the most is let in alone", async () => {
  const scene = new Scene({ ...BACK, maxDirty: BLOCK, targetDirty: BLOCK });
  scene.write(0, 0, filled(1));
  const large = scene.write(1, 0, filled(2, 5 * BLOCK));
  expect(await large.soon()).toBe("under way");
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 1`]);
  await scene.end();
  expect(large.state).toBe("done");
});

test("writeback: what fails stays dirty, is tried again, and fails whoever waits for it", async () => {
  const scene = new Scene({ ...BACK, maxDirtyAgeMs: 1000 });
  scene.write(0, 0, filled(1, 2 * BLOCK));
  const first = scene.writeBack();
  scene.write(0, BLOCK, filled(2));
  await scene.end(failure("EDQUOT"));
  expect(first.state).toMatchObject({ error: { code: "EDQUOT" } });
  expect([scene.known(0, 0), scene.known(0, BLOCK)]).toEqual([1, 2]);
  // By itself, in time.
  scene.clock.advance(1000);
  expect(scene.sent).toEqual([`0 write 0~${2 * BLOCK} 1`]);
  await scene.end(failure("EDQUOT"));
  const second = scene.writeBack();
  await scene.end();
  expect(second.state).toBe("done");
  expect(scene.cache.takeLoss()).toBeUndefined();
  // A failure of what has been overwritten whole concerns nobody.
  scene.write(0, 0, filled(3, 2 * BLOCK));
  const third = scene.writeBack();
  scene.write(0, 0, filled(4, 2 * BLOCK));
  await scene.end(failure("EIO"));
  expect(third.state).toBe("done");
  const last = scene.writeBack();
  expect(scene.sent).toEqual([`0 write 0~${2 * BLOCK} 4`]);
  await scene.end();
  expect(last.state).toBe("done");
});

test("writeback: who waits for room that can not be made hears why", async () => {
  const scene = new Scene({ ...BACK, maxDirty: BLOCK });
  scene.write(0, 0, filled(1));
  const waiting = scene.write(1, 0, filled(2));
  await scene.end(failure("EIO"));
  expect(waiting.state).toMatchObject({ error: { code: "EIO" } });
  expect(scene.known(0, 0)).toBe(1);
  expect(scene.known(1, 0)).toBeUndefined();
});

test("writethrough: a write is done once it is stable; whoever makes it hears of its failure", async () => {
  const scene = new Scene({ policy: "writethrough" });
  scene.cache.flushSeen();
  const good = scene.write(0, 0, filled(1));
  const bad = scene.write(0, BLOCK, filled(2));
  expect(await good.soon()).toBe("under way");
  await scene.end();
  await scene.end(failure("EIO"));
  expect(good.state).toBe("done");
  expect(bad.state).toMatchObject({ error: { code: "EIO" } });
  expect([scene.known(0, 0), scene.known(0, BLOCK)]).toEqual([1, undefined]);
  expect(await scene.writeBack().soon()).toBe("done");
  expect(scene.cache.takeLoss()).toBeUndefined();
  expect(scene.pending).toEqual([]);
});

test.each(["writeback", "writearound"] as const)(
  "%s: until the first flush a write is done once it is stable",
  async (policy) => {
    const scene = new Scene({ policy });
    const before = scene.write(0, 0, filled(1));
    expect(await before.soon()).toBe("under way");
    await scene.end();
    expect(before.state).toBe("done");
    scene.cache.flushSeen();
    expect(await scene.write(0, 0, filled(2)).soon()).toBe("done");
  },
);

test("writearound: writes are on their way at once, in order where they overlap, and nothing is kept", async () => {
  const scene = new Scene(AROUND);
  const writes = [
    scene.write(0, 0, filled(1)),
    scene.write(0, BLOCK, filled(2)),
    scene.write(0, BLOCK / 2, filled(3)),
  ];
  await turn();
  expect(writes.map(({ state }) => state)).toEqual(["done", "done", "done"]);
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 1`, `0 write ${BLOCK}~${BLOCK} 2`]);
  expect(scene.known(0, BLOCK)).toBe(3);
  const flush = scene.writeBack();
  await scene.end();
  expect(scene.sent).toEqual([`0 write ${BLOCK}~${BLOCK} 2`]);
  await scene.end();
  // Whole: what comes before it is there when it is.
  expect(scene.sent).toEqual([`0 write ${BLOCK / 2}~${BLOCK} 3`]);
  expect(flush.state).toBe("under way");
  await scene.end();
  expect(flush.state).toBe("done");
  expect(scene.cache.objects.count).toBe(0);
});

test("writearound: what is on its way is bounded, also where the same is written again and again", async () => {
  const scene = new Scene({ ...AROUND, maxDirty: 2 * BLOCK });
  const writes = [1, 2, 3].map((value) => scene.write(0, 0, filled(value)));
  await turn();
  expect(writes.map(({ state }) => state)).toEqual(["done", "done", "under way"]);
  await scene.end();
  expect(writes[2]?.state).toBe("done");
  await scene.end();
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 3`]);
  await scene.end();
});

test("writearound: a write that fails is lost, which is told once", async () => {
  const scene = new Scene(AROUND);
  scene.write(0, 0, filled(1));
  await scene.end(failure("EIO"));
  // Nothing is dirty: whoever wants that has it.
  expect(await scene.writeBack().soon()).toBe("done");
  expect(scene.cache.takeLoss()).toMatchObject({ error: { code: "EIO" } });
  expect(scene.cache.takeLoss()).toBeUndefined();
  expect(scene.known(0, 0)).toBeUndefined();
});

test("a discard is done once it is stable, and what was dirty in it is not written", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1, 3 * BLOCK));
  const discard = scene.discard(0, BLOCK, BLOCK);
  scene.write(0, BLOCK, filled(2, BLOCK / 2));
  const flush = scene.writeBack();
  expect(scene.sent).toEqual([`0 discard ${BLOCK}~${BLOCK}`, `0 write ${2 * BLOCK}~${BLOCK} 1`]);
  await scene.end();
  expect(discard.state).toBe("done");
  // What is written meanwhile comes after it.
  expect(scene.sent).toEqual([
    `0 write ${2 * BLOCK}~${BLOCK} 1`,
    `0 write 0~${BLOCK + BLOCK / 2} 1`,
  ]);
  await scene.endAll();
  expect(flush.state).toBe("done");
  expect(scene.known(0, BLOCK)).toBe(2);
  expect(scene.known(0, BLOCK + BLOCK / 2)).toBeUndefined();
});

test("a discard that fails leaves what was dirty dirty", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1));
  const discard = scene.discard(0, 0, BLOCK);
  await scene.end(failure("EIO"));
  expect(discard.state).toMatchObject({ error: { code: "EIO" } });
  const flush = scene.writeBack();
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 1`]);
  await scene.end();
  expect(flush.state).toBe("done");
});

test("a write that fails is not made again after a discard that came later", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1));
  const flush = scene.writeBack();
  const discard = scene.discard(0, 0, BLOCK);
  await scene.end(failure("EIO"));
  // Neither the write nor the discard is stable.
  expect(flush.state).toMatchObject({ error: { code: "EIO" } });
  const again = scene.writeBack();
  expect(scene.sent).toEqual([`0 discard 0~${BLOCK}`]);
  await scene.end();
  expect([discard.state, again.state]).toEqual(["done", "done"]);
  expect(await scene.writeBack().soon()).toBe("done");
  expect(scene.known(0, 0)).toBeUndefined();
  expect(scene.cache.objects.space.used).toBe(0);
});

test("if that discard fails as well, the write is made again", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1));
  scene.writeBack();
  scene.discard(0, 0, BLOCK);
  await scene.end(failure("EIO"));
  await scene.end(failure("EIO"));
  scene.writeBack();
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 1`]);
  await scene.end();
  expect(scene.cache.objects.space.unwritten).toBe(0);
});

test("a comparison sees what was written before, and fails if that can not be written", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1));
  scene.write(0, 4 * BLOCK, filled(9));
  const first = scene.compareAndWrite(0, 0, filled(2));
  expect(scene.sent).toEqual([`0 write 0~${BLOCK} 1`]);
  await scene.end();
  expect(scene.sent).toEqual([`0 compareAndWrite 0~${BLOCK} 2`]);
  await scene.end();
  expect(first.state).toBe("done");
  expect(scene.known(0, 0)).toBeUndefined();
  scene.write(0, 0, filled(3));
  scene.writeBack();
  // The one that is on its way counts as well.
  const second = scene.compareAndWrite(0, 0, filled(4));
  await scene.end(failure("EDQUOT"));
  expect(await second.soon()).toMatchObject({ error: { code: "EDQUOT" } });
  expect(scene.sent.filter((what) => what.includes("compare"))).toEqual([]);
  expect(scene.known(0, 0)).toBe(3);
});

test("what can never be written any more is lost, which is told once, and is never sent", async () => {
  const scene = new Scene(BACK);
  scene.write(0, 0, filled(1));
  scene.writeBack();
  scene.write(0, 0, filled(2));
  const flush = scene.writeBack();
  scene.write(1, 0, filled(3));
  scene.cache.lose(failure("ESHUTDOWN"));
  scene.write(2, 0, filled(4));
  await scene.end();
  expect(flush.state).toBe("done");
  expect(scene.sent).toEqual([]);
  expect([0, 1, 2].map((objectNo) => scene.known(objectNo, 0))).toEqual([undefined, undefined, 4]);
  expect(scene.cache.takeLoss()).toMatchObject({ error: { code: "ESHUTDOWN" } });
  expect(scene.cache.takeLoss()).toBeUndefined();
  const later = scene.writeBack();
  expect(scene.sent).toEqual([`2 write 0~${BLOCK} 4`]);
  await scene.end();
  expect(later.state).toBe("done");
  expect(scene.cache.objects.space.unwritten).toBe(0);
});

test("who may not write any more loses what is dirty, by word of the server or by their own", async () => {
  for (const word of ["server", "own"]) {
    const scene = new Scene(BACK);
    scene.write(0, 0, filled(1));
    scene.write(1, 0, filled(1));
    if (word === "own") scene.refusal = failure("ESHUTDOWN");
    const flush = scene.writeBack();
    await scene.end(failure("ESHUTDOWN"));
    await scene.end(failure("ESHUTDOWN"));
    expect(await flush.soon(), word).toBe("done");
    expect(scene.cache.takeLoss(), word).toMatchObject({ error: { code: "ESHUTDOWN" } });
    expect(scene.cache.objects.space.used, word).toBe(0);
    expect(scene.clock.timers, word).toBe(0);
  }
});

test("what is clean makes room, used longest ago first; what is dirty never does", async () => {
  const scene = new Scene({ ...BACK, size: 4 * BLOCK, maxDirty: 4 * BLOCK });
  for (const objectNo of [0, 1, 2]) scene.write(objectNo, 0, filled(objectNo));
  scene.writeBack();
  await scene.endAll();
  expect(scene.known(0, 0)).toBe(0);
  scene.write(3, 0, filled(3));
  scene.write(4, 0, filled(4));
  scene.write(5, 0, filled(5));
  await turn();
  const known = [0, 1, 2, 3, 4, 5].map((objectNo) => scene.known(objectNo, 0));
  expect(known).toEqual([0, undefined, undefined, 3, 4, 5]);
  expect(scene.cache.objects.space.used).toBe(4 * BLOCK);
  expect(scene.cache.objects.count).toBe(4);
});

test("where nothing may be kept, what has been written goes", async () => {
  const scene = new Scene(BACK);
  scene.keepsHead = false;
  scene.write(0, 0, filled(1));
  scene.writeBack();
  expect(scene.known(0, 0)).toBe(1);
  await scene.end();
  expect(scene.cache.objects.count).toBe(0);
});
