/**
 * The write cache against plain arrays: whatever fails and in whatever order it ends, what is read is what was
 * written last, and what was flushed is in the objects.
 */
import {
  type Arbitrary,
  array,
  asyncProperty,
  boolean,
  constantFrom,
  assert as holds,
  integer,
  oneof,
  record,
} from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/harness/manual-clock.ts";
import { CephError, ERRNO, silentLogger } from "../../base/index.ts";
import { NOSNAP } from "../../types/index.ts";
import type { ObjectChange } from "../io/object-change.ts";
import type { Fill, ObjectExtents } from "./extents.ts";
import { cacheSettings } from "./options.ts";
import { WriteCache } from "./write-cache.ts";

const SPAN = 32;
const BLOCK = 4096;

const range = record({
  offset: integer({ min: 0, max: SPAN - 1 }),
  size: integer({ min: 1, max: 12 }),
});
const which = integer({ min: 0, max: 2 });
const step = oneof(
  { weight: 4, arbitrary: record({ op: constantFrom("write" as const), range }) },
  record({ op: constantFrom("discard" as const), range }),
  record({ op: constantFrom("compareAndWrite" as const), range }),
  {
    weight: 3,
    arbitrary: record({
      op: constantFrom("end" as const),
      which,
      how: constantFrom("well", "well", "not made", "made, and not heard of"),
    }),
  },
  record({ op: constantFrom("flush" as const) }),
  record({ op: constantFrom("pass" as const), ms: integer({ min: 0, max: 30 }) }),
  record({ op: constantFrom("beginRead" as const), range }),
  record({ op: constantFrom("endRead" as const), which }),
);
type Step = typeof step extends Arbitrary<infer T> ? T : never;

const turn = () => new Promise((resolve) => setImmediate(resolve));

interface Pending {
  readonly change: ObjectChange;
  readonly end: (how: string) => void;
}

class Pair {
  readonly clock = new ManualClock();
  readonly cache: WriteCache;
  readonly keepsNothing: boolean;
  /** What the object has. */
  readonly stored = new Uint8Array(SPAN);
  /** What each byte may be: more than one value where a change is under way, or has failed. */
  readonly possible: Set<number>[] = Array.from({ length: SPAN }, () => new Set([0]));
  pending: Pending[] = [];
  reads: { readonly fill: Fill; readonly object: ObjectExtents; readonly data: Uint8Array }[] = [];
  readonly #underWay = new Set<number>();
  #value = 0;

  constructor(policy: "writeback" | "writearound" | "writethrough", keepsNothing: boolean) {
    this.keepsNothing = keepsNothing;
    const host = {
      clock: this.clock,
      log: silentLogger,
      keepsHead: () => !keepsNothing,
      refusal: () => undefined,
      change: (_: number, change: ObjectChange) =>
        new Promise<void>((resolve, reject) => {
          const end = (how: string): void => {
            if (how !== "not made") this.#apply(change);
            if (how === "well") return resolve();
            reject(new CephError(-ERRNO.EIO, { op: "write to", target: "an object" }));
          };
          this.pending.push({ change, end });
        }),
    };
    const options = { policy, writethroughUntilFlush: false, maxDirtyAgeMs: 20 };
    const bounds = { size: 6 * BLOCK, maxDirty: 4 * BLOCK, targetDirty: 2 * BLOCK };
    this.cache = new WriteCache(host, cacheSettings({ ...options, ...bounds }, "an image"));
  }

  #apply(change: ObjectChange): void {
    if (change.type !== "discard") this.stored.set(change.data, change.offset);
    else this.stored.fill(0, change.offset, change.offset + change.length);
  }

  async step(step: Step): Promise<void> {
    if (step.op === "write" || step.op === "discard" || step.op === "compareAndWrite") {
      await this.#change(step.op, step.range);
    } else if (step.op === "end") await this.#end(step.which, step.how);
    else if (step.op === "flush") this.cache.writeBack().catch(() => undefined);
    else if (step.op === "pass") this.clock.advance(step.ms);
    else if (step.op === "beginRead") this.#beginRead(step.range);
    else this.#endRead(step.which);
    await turn();
  }

  async #change(
    type: "write" | "discard" | "compareAndWrite",
    { offset, size }: { offset: number; size: number },
  ): Promise<void> {
    const length = Math.min(size, SPAN - offset);
    const value = type === "discard" ? 0 : (this.#value = (this.#value % 250) + 1);
    const data = new Uint8Array(length).fill(value);
    const change: ObjectChange =
      type === "write"
        ? { type, offset, data }
        : type === "discard"
          ? { type, offset, length }
          : { type, offset, data, expected: data };
    const bytes = Array.from({ length }, (_, i) => offset + i);
    // Nothing that is under way is joined: of those the order is not known.
    if (bytes.some((at) => this.#underWay.has(at))) return;
    for (const at of bytes) {
      this.possible[at]?.add(value);
      this.#underWay.add(at);
    }
    const done = () => {
      for (const at of bytes) this.#underWay.delete(at);
    };
    const settle = () => {
      for (const at of bytes) this.possible[at] = new Set([value]);
      done();
    };
    this.cache.change(0, change).then(settle, done);
    await turn();
  }

  async #end(which: number, how: string): Promise<void> {
    const [ended] = this.pending.splice(which, 1);
    ended?.end(how);
    await turn();
    // What was written around is lost if it fails: then it is as the object has it, now and later.
    if (this.cache.takeLoss() !== undefined && ended !== undefined) this.#lose(ended.change);
  }

  #lose(change: ObjectChange): void {
    if (change.type === "discard") return;
    for (let at = change.offset; at < change.offset + change.data.length; at++) {
      const later = this.#known(at);
      if (later === undefined) this.possible[at] = new Set([this.stored[at] ?? 0]);
    }
  }

  #beginRead({ offset, size }: { offset: number; size: number }): void {
    const length = Math.min(size, SPAN - offset);
    const object = this.cache.objects.open(0, NOSNAP);
    for (const [at, count] of object.lookup(offset, length).gaps) {
      const fill = object.beginFill(at, count);
      if (this.keepsNothing) object.endFill(fill);
      // As it is when the read is served.
      else this.reads.push({ fill, object, data: this.stored.slice() });
    }
    this.cache.objects.close(object);
  }

  #endRead(which: number): void {
    const [read] = this.reads.splice(which, 1);
    if (read === undefined) return;
    read.object.endFill(read.fill, [{ offset: 0, data: read.data }]);
    this.cache.objects.close(read.object);
    this.cache.objects.trim();
  }

  #known(at: number): number | undefined {
    const [extent] = this.cache.objects.find(0)?.lookup(at, 1).known ?? [];
    return extent === undefined ? undefined : (extent.data?.[0] ?? 0);
  }

  check(): void {
    for (let at = 0; at < SPAN; at++) {
      const shown = this.#known(at) ?? this.stored[at];
      expect([...(this.possible[at] ?? [])], `byte ${at}`).toContain(shown);
    }
    const { space } = this.cache.objects;
    expect(space.unwritten).toBeGreaterThanOrEqual(0);
    if (space.leastRecent !== undefined) expect(space.used).toBeLessThanOrEqual(6 * BLOCK);
  }

  /** No more failures: all ends well, and is stable. */
  async finish(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      const flush = this.cache.writeBack();
      while (this.pending.length > 0) await this.#end(0, "well");
      await flush;
    }
    this.check();
    for (let at = 0; at < SPAN; at++) {
      expect([...(this.possible[at] ?? [])], `byte ${at}`).toContain(this.stored[at]);
    }
    expect(this.cache.objects.space.unwritten).toBe(0);
    expect(this.clock.timers).toBe(0);
  }
}

test.each(["writeback", "writearound", "writethrough"] as const)(
  "%s: what is read is what was written last, and what is flushed is stored",
  async (policy) => {
    await holds(
      asyncProperty(array(step, { maxLength: 40 }), boolean(), async (steps, keepsNothing) => {
        const pair = new Pair(policy, keepsNothing);
        for (const step of steps) {
          await pair.step(step);
          pair.check();
        }
        await pair.finish();
      }),
      { numRuns: 40 },
    );
  },
);
