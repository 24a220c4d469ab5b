import { beforeEach, describe, expect, test } from "vitest";
import { createLogger } from "../base/index.ts";
import { type AdminAnswer, AdminSocket } from "./admin-socket.ts";
import { ADMIN_DEADLINE_MS, ADMIN_LINKS_MAX, ADMIN_REQUEST_BYTES_MAX } from "./limits.ts";
import type { Link, Receiver } from "./transport/transport.ts";

/** A clock whose timers run when they are told to. */
class TestClock {
  readonly due = new Set<{ delayMs: number; fn: () => void }>();
  now = () => 0;
  monotonic = () => 0;
  defer = (fn: () => void) => queueMicrotask(fn);
  every = () => ({ cancel: () => undefined });
  after = (delayMs: number, fn: () => void) => {
    const timer = { delayMs, fn };
    this.due.add(timer);
    return { cancel: () => this.due.delete(timer) };
  };
  expire(): void {
    for (const { fn } of this.due) fn();
  }
}

/** The daemon's end of a link, and what its peer does. */
class TestLink implements Link {
  readonly local = { host: "", port: 0 };
  readonly remote = { host: "", port: 0 };
  readonly queuedBytes = 0;
  readonly takenBytes = 0;
  readonly written: Buffer[] = [];
  receiver: Receiver | undefined;
  ended: string | undefined;
  /** Tells that the network has taken what was written. */
  taken: (() => void) | undefined;
  resume(): void {}
  start(receiver: Receiver): void {
    this.receiver = receiver;
  }
  write(chunks: readonly Uint8Array[], taken?: () => void): void {
    this.written.push(...chunks.map((chunk) => Buffer.from(chunk)));
    this.taken = taken;
  }
  destroy(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.receiver?.closed(reason);
  }
  /** The peer sends; as much as it is read of. */
  send(text: string): void {
    let rest = Buffer.from(text, "latin1");
    while (rest.length > 0 && this.ended === undefined) {
      const target = this.receiver?.target() ?? new Uint8Array(0);
      const part = rest.subarray(0, target.length);
      target.set(part);
      rest = rest.subarray(part.length);
      if (this.receiver?.received(part.length) !== true) return;
    }
  }
  get answer(): string {
    const all = Buffer.concat(this.written);
    expect(all.readUInt32BE()).toBe(all.length - 4);
    return all.toString("utf8", 4);
  }
}

let clock: TestClock;
let asked: string[];
let logged: string[];
let reply: () => Promise<AdminAnswer>;
let socket: AdminSocket;

beforeEach(() => {
  clock = new TestClock();
  asked = [];
  logged = [];
  reply = () => Promise.resolve({ r: 0, status: "told nobody", data: "{}\n" });
  const sink = (_level: string, line: string) => logged.push(line);
  socket = new AdminSocket({
    clock,
    log: createLogger({ sink, level: "debug", now: () => 0 }),
    answer: (request) => {
      asked.push(request);
      return reply();
    },
  });
});

function visit(): TestLink {
  const link = new TestLink();
  socket.accept(link);
  return link;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a request", () => {
  test.each(["\0", "\n"])("ends with %j, is answered, and the link is closed", async (end) => {
    const link = visit();
    link.send('{"prefix": ');
    link.send(`"version"}${end}`);
    await settle();
    expect(asked).toEqual(['{"prefix": "version"}']);
    expect(link.answer).toBe("{}\n");
    expect(link.ended).toBeUndefined();
    link.taken?.();
    expect(link.ended).toBe("answered");
    expect(clock.due.size).toBe(0);
  });

  test("that fails is answered with the error before what there is to print", async () => {
    reply = () => Promise.resolve({ r: -22, status: "bad", data: "{}" });
    const link = visit();
    link.send("x\0");
    await settle();
    expect(link.answer).toBe("ERROR: (22) Invalid argument\nbad\n{}");
  });

  test("that breaks is told to the log, and its sender learns no more than that", async () => {
    reply = () => Promise.reject(new Error("secret"));
    const link = visit();
    link.send("x\0");
    await settle();
    expect(link.answer).toBe(
      "ERROR: (5) Input/output error\ninternal error; see the server's log\n",
    );
    expect(logged.join("\n")).toContain("secret");
  });

  test("may be as long as upstream's and no longer", async () => {
    const link = visit();
    link.send(`${"x".repeat(ADMIN_REQUEST_BYTES_MAX - 1)}\0`);
    await settle();
    expect(asked).toEqual(["x".repeat(ADMIN_REQUEST_BYTES_MAX - 1)]);
    const long = visit();
    long.send("x".repeat(ADMIN_REQUEST_BYTES_MAX));
    expect(long.ended).toBe("request too long");
    expect(asked).toHaveLength(1);
    expect(long.written).toEqual([]);
  });

  test("is one: what follows it is not read", async () => {
    const link = visit();
    link.send("a\0b\0");
    link.send("c\0");
    await settle();
    expect(asked).toEqual(["a"]);
  });

  test("that does not come to its end costs its sender the link", () => {
    const link = visit();
    link.send('{"prefix"');
    expect([...clock.due].map(({ delayMs }) => delayMs)).toEqual([ADMIN_DEADLINE_MS]);
    clock.expire();
    expect(link.ended).toBe("too slow");
    expect(asked).toEqual([]);
    expect(clock.due.size).toBe(0);
  });

  test("may take its time to be answered; its answer is taken in time or lost", async () => {
    let done: ((answer: AdminAnswer) => void) | undefined;
    reply = () => new Promise((resolve) => (done = resolve));
    const link = visit();
    link.send("x\0");
    clock.expire();
    expect(link.ended).toBeUndefined();
    done?.({ r: 0, status: "", data: "late" });
    await settle();
    expect(link.answer).toBe("late");
    clock.expire();
    expect(link.ended).toBe("too slow");
  });

  test("whose sender is gone is answered to nobody", async () => {
    const link = visit();
    link.send("x\0");
    link.destroy("closed by peer");
    await settle();
    expect(link.written).toEqual([]);
  });
});

test("no more than a few are let in at a time, and all go when it is closed", () => {
  const links = Array.from({ length: ADMIN_LINKS_MAX }, visit);
  const last = visit();
  expect(last.ended).toBe("too many at a time");
  links[0]?.destroy("closed by peer");
  const next = visit();
  expect(next.ended).toBeUndefined();
  socket.close();
  expect([...links.slice(1), next].every(({ ended }) => ended === "closing")).toBe(true);
});
