/**
 * Virtual time: one queue of events, each run to the end of all promises it has set going.
 *
 * Nothing here looks at real time or rolls real dice, so a seed gives the same events in the same order.
 * Between two events the queue of promises is run dry: Node looks at the queue of `process.nextTick` only
 * when that of promises is empty, so a callback there is the sign.
 *
 * Code takes no time, but calls that block do: what was due meanwhile comes late.
 * Everything that happens leaves its mark in a running hash; the last lines told are kept for the report.
 */
import { createHash } from "node:crypto";
import process from "node:process";
import type { Clock, Timer } from "../../src/base/index.ts";

/** Where every simulation begins: a Tuesday in 2026. */
const EPOCH_MS = 1_800_000_000_000;
/** Lines of the trace that a failure prints. */
const LINES_KEPT = 120;

interface Event {
  readonly at: number;
  readonly order: number;
  /** undefined: cancelled. */
  run: (() => void) | undefined;
}

/** Events after which Node gets a turn of its own: it tells of rejected promises only then. */
const EVENTS_PER_TURN = 50;

/** All promises that can go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** The same, and Node has done what it does between two turns of its loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export class World implements Clock {
  readonly #queue = new EventQueue();
  readonly #hash = createHash("sha256");
  readonly #stamp = new Float64Array(2);
  readonly #lines: string[] = [];
  #now = 0;
  #order = 0;
  #failure: Error | undefined;
  /** Events run. */
  events = 0;
  /** Gets every line of the trace. */
  onLine: (line: string) => void = () => {};

  /** Virtual milliseconds since the beginning. */
  monotonic(): number {
    return this.#now;
  }

  now(): number {
    return EPOCH_MS + this.#now;
  }

  after(delayMs: number, fn: () => void): Timer {
    const event = { at: this.#now + Math.max(0, delayMs), order: ++this.#order, run: fn };
    this.#queue.push(event);
    return {
      cancel: () => {
        (event as Event).run = undefined;
      },
    };
  }

  every(periodMs: number, fn: () => void): Timer {
    const tick = () => {
      timer = this.after(periodMs, tick);
      fn();
    };
    let timer = this.after(periodMs, tick);
    return { cancel: () => timer.cancel() };
  }

  defer(fn: () => void): void {
    this.after(0, fn);
  }

  /** Something takes time while everybody waits: a call that blocks. */
  elapse(ms: number): void {
    this.#now += ms;
  }

  /** Writes down that something happened. */
  trace(line: string): void {
    const stamped = `${(this.#now / 1000).toFixed(6)} ${line}`;
    this.#hash.update(stamped);
    this.#lines.push(stamped);
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
    this.onLine(stamped);
  }

  /** The last lines of the trace. */
  get lines(): readonly string[] {
    return this.#lines.slice(-LINES_KEPT);
  }

  /** Of everything so far. */
  get traceHash(): string {
    return this.#hash.copy().digest("hex");
  }

  /** A check has failed: the run ends here. The first failure counts. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /**
   * Runs events until `done` holds or `untilMs` is reached.
   * @returns whether `done` held
   * @throws what failed
   */
  async run(untilMs: number, done: () => boolean = () => false): Promise<boolean> {
    // What the caller has set going goes first.
    await turn();
    while (!done()) {
      const event = this.#queue.next(untilMs);
      if (event === undefined) {
        this.#now = Math.max(this.#now, untilMs);
        return done();
      }
      // Late, if something has blocked.
      this.#now = Math.max(this.#now, event.at);
      this.events++;
      this.#stamp[0] = event.at;
      this.#stamp[1] = event.order;
      this.#hash.update(this.#stamp);
      try {
        event.run?.();
      } catch (error) {
        this.fail(error as Error);
      }
      await (this.events % EVENTS_PER_TURN === 0 ? turn() : settled());
      if (this.#failure !== undefined) throw this.#failure;
    }
    return true;
  }

  /** Runs events until the promise has settled. */
  async finish<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
    let isDone = false;
    const finish = () => {
      isDone = true;
    };
    promise.then(finish, finish);
    if (!(await this.run(this.#now + limitMs, () => isDone))) {
      throw new Error(`${what}: not done after ${limitMs / 1000} virtual seconds`);
    }
    return await promise;
  }
}

/** A heap by time, then order. */
class EventQueue {
  readonly #heap: Event[] = [];

  #isBefore(a: number, b: number): boolean {
    const x = this.#heap[a]!;
    const y = this.#heap[b]!;
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  }

  push(event: Event): void {
    this.#heap.push(event);
    for (let at = this.#heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the first event not later than `untilMs`; cancelled ones are passed over. */
  next(untilMs: number): Event | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || (first.at > untilMs && first.run !== undefined)) return undefined;
      this.#pop();
      if (first.run !== undefined) return first;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
