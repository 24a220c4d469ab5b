/** Histories made by hand: what the checker must explain, and what it must not. */
import { describe, expect, test } from "vitest";
import { Call, ConsistencyError, ObjectChecker } from "./checker.ts";
import type { Request, SubOp } from "./model.ts";
import { apply, NEW_OBJECT } from "./model.ts";

const read: Request = { oid: "o", ops: [{ op: "read", offset: 0, length: 0 }], isWrite: false };

function write(op: SubOp, ...snaps: bigint[]): Request {
  const context = snaps.length === 0 ? {} : { snapContext: { seq: snaps[0]!, snaps } };
  return { oid: "o", ops: [op], isWrite: true, ...context };
}
const full = (text: string, ...snaps: bigint[]) =>
  write({ op: "write-full", data: Buffer.from(text) }, ...snaps);
const append = (text: string) => write({ op: "append", data: Buffer.from(text) });

/** What a read of `text` says. */
function saw(text: string): string {
  return apply(apply(NEW_OBJECT, full(text)).state, read).outcome;
}
const NOTHING = "-2";

/** Clients with requests numbered as they come. */
function history() {
  const checker = new ObjectChecker("o");
  let tid = 0;
  const send = (client: string, request: Request): Call => {
    const call = new Call(client, ++tid, request);
    checker.sent(call);
    return call;
  };
  const answer = (call: Call, outcome: string, version: number) =>
    checker.answered(call, { outcome, version });
  const done = (client: string, request: Request, outcome: string, version: number) =>
    answer(send(client, request), outcome, version);
  return { checker, send, answer, done };
}

describe("is explained", () => {
  test("one after the other", () => {
    const { done } = history();
    done("a", read, NOTHING, 0);
    done("a", full("1"), "0", 1);
    done("b", read, saw("1"), 1);
    done("b", append("2"), "0", 2);
    done("a", read, saw("12"), 2);
    done("a", write({ op: "delete" }), "0", 3);
    done("b", read, NOTHING, 0);
  });

  test("a read beside a write has seen it or not", () => {
    for (const [outcome, version] of [
      [saw("old"), 1],
      [saw("new"), 2],
    ] as const) {
      const { send, answer, done } = history();
      done("a", full("old"), "0", 1);
      const w = send("a", full("new"));
      done("b", read, outcome, version);
      answer(w, "0", 2);
      done("b", read, saw("new"), 2);
    }
  });

  test("writes beside each other, by their versions", () => {
    const { send, answer, done } = history();
    const first = send("a", append("1"));
    const second = send("b", append("2"));
    answer(first, "0", 2);
    answer(second, "0", 1);
    done("a", read, saw("21"), 2);
  });

  test("what a dead client had on the way has happened, or not, for good", () => {
    for (const happened of [true, false]) {
      const { checker, send, done } = history();
      done("a", full("1"), "0", 1);
      const lost = send("dead", append("2"));
      lost.isOrphan = true;
      done("b", read, saw("1"), 1);
      checker.giveUp(new Set([lost]));
      done("b", read, happened ? saw("12") : saw("1"), happened ? 2 : 1);
    }
  });

  test("a snapshot is what the first write that knew it found", () => {
    const { done } = history();
    done("a", full("1"), "0", 1);
    done("a", full("2", 5n), "0", 2);
    done("a", full("3", 5n), "0", 3);
    done("b", { ...read, snap: 5n }, saw("1"), 1);
    done("b", { ...read, snap: 6n }, saw("3"), 3);
  });
});

describe("nothing explains", () => {
  const isRefused = (run: () => void) => expect(run).toThrow(ConsistencyError);

  test("an acknowledged write that is gone", () => {
    const { done } = history();
    done("a", full("1"), "0", 1);
    isRefused(() => done("b", read, NOTHING, 0));
  });

  test("a read of what is overwritten", () => {
    const { done } = history();
    done("a", full("old"), "0", 1);
    done("a", full("new"), "0", 2);
    isRefused(() => done("b", read, saw("old"), 1));
  });

  test("a write that was seen and is not there any more", () => {
    const { send, answer, done } = history();
    done("a", full("old"), "0", 1);
    const w = send("a", full("new"));
    done("b", read, saw("new"), 2);
    done("b", read, saw("old"), 1);
    // The checker waits for the write's answer, and then knows.
    isRefused(() => answer(w, "0", 2));
  });

  test("an append that happened twice", () => {
    const { done } = history();
    done("a", append("1"), "0", 1);
    isRefused(() => done("b", read, saw("11"), 2));
  });

  test("one client's writes out of order", () => {
    const { send, answer, done } = history();
    const first = send("a", append("1"));
    const second = send("a", append("2"));
    isRefused(() => {
      answer(second, "0", 1);
      answer(first, "0", 2);
      done("a", read, saw("21"), 2);
    });
  });

  test("a client that does not see its own write", () => {
    const { send, answer } = history();
    const w = send("a", full("1"));
    const r = send("a", read);
    isRefused(() => {
      answer(r, NOTHING, 0);
      answer(w, "0", 1);
    });
  });

  test("a version that does not rise", () => {
    const { done } = history();
    done("a", full("1"), "0", 7);
    isRefused(() => done("a", full("2"), "0", 7));
  });

  test("a snapshot that changed", () => {
    const { done } = history();
    done("a", full("1"), "0", 1);
    done("a", full("2", 5n), "0", 2);
    isRefused(() => done("b", { ...read, snap: 5n }, saw("2"), 2));
  });

  test("an exclusive creation of what is there", () => {
    const { done } = history();
    done("a", full("1"), "0", 1);
    isRefused(() => done("b", write({ op: "create" }), "0", 2));
  });

  test("a dead client's write that happens after it was given up", () => {
    const { checker, send, done } = history();
    done("a", full("1"), "0", 1);
    const lost = send("dead", append("2"));
    lost.isOrphan = true;
    checker.giveUp(new Set([lost]));
    done("b", read, saw("1"), 1);
    isRefused(() => done("b", read, saw("12"), 2));
  });
});
