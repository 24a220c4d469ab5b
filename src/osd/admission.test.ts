import { expect, test } from "vitest";
import { flatten } from "../encoding/index.ts";
import { opAppend, opCopyFrom, opRead, opWriteFull } from "../messages/index.ts";
import type { Connection } from "../messenger/index.ts";
import { Admission } from "./admission.ts";
import { BULK_READ_BYTES_MAX, IN_FLIGHT_BYTES_MAX, SESSION_BYTES_MAX } from "./limits.ts";
import { Session } from "./session.ts";
import { STALLED_LOOKS } from "./stall-watch.ts";
import { ManualClock, PG_NUM, POOL, type TestClient, TestOsd } from "./testing/osd-fixture.ts";

const MIB = 1 << 20;

/** A session whose connection says whether it is read from, and what of its answers is left. */
function client() {
  const state = { isRead: true, isOpen: true, queuedBytes: 0, takenBytes: 0 };
  const connection = {
    identity: undefined,
    pause: () => void (state.isRead = false),
    resume: () => void (state.isRead = true),
    close: () => void (state.isOpen = false),
    get queuedBytes() {
      return state.queuedBytes;
    },
    get takenBytes() {
      return state.takenBytes;
    },
  } as unknown as Connection;
  return { session: new Session(connection), state };
}

function setUp(...clients: ReturnType<typeof client>[]) {
  const store = { isCongested: false };
  const clock = new ManualClock();
  const sessions = clients.map(({ session }) => session);
  const admission = new Admission({
    isCongested: () => store.isCongested,
    clock,
    sessions: () => sessions,
  });
  const ran: string[] = [];
  const kept: string[] = [];
  const enter = (name: string, session: Session, dataBytes: number, readBytes: number): void =>
    admission.enter({
      session,
      dataBytes,
      readBytes,
      run: () => ran.push(name),
      keep: () => kept.push(name),
    });
  return { admission, store, clock, ran, kept, enter };
}

test("bulk reads past the bound wait, and with them everything later of their session", () => {
  const { admission, clock, ran, kept, enter } = setUp();
  const [a, b] = [client(), client()];
  enter("a1", a.session, 0, BULK_READ_BYTES_MAX - MIB);
  enter("a2", a.session, 0, 2 * MIB);
  enter("a3", a.session, 100, 0);
  enter("b1", b.session, 100, 0);
  enter("b2", b.session, 0, MIB);
  expect(ran).toEqual(["a1", "b1", "b2"]);
  expect(kept).toEqual(["a2", "a3"]);
  expect([a.state.isRead, b.state.isRead]).toEqual([false, true]);
  admission.leave({ session: a.session, dataBytes: 0, readBytes: BULK_READ_BYTES_MAX - MIB });
  clock.settle();
  expect(ran).toEqual(["a1", "b1", "b2", "a2", "a3"]);
  expect(a.state.isRead).toBe(true);
});

test("a read larger than all there is goes alone", () => {
  const { admission, clock, ran, enter } = setUp();
  const a = client();
  enter("huge", a.session, 0, 2 * BULK_READ_BYTES_MAX);
  enter("next", a.session, 0, MIB);
  expect(ran).toEqual(["huge"]);
  admission.leave({ session: a.session, dataBytes: 0, readBytes: 2 * BULK_READ_BYTES_MAX });
  clock.settle();
  expect(ran).toEqual(["huge", "next"]);
});

test("who has sent too much is read from again when half is done, whoever was at fault", () => {
  const { admission, enter } = setUp();
  const [a, b, c] = [client(), client(), client()];
  enter("a", a.session, SESSION_BYTES_MAX - 1, 0);
  enter("b", b.session, SESSION_BYTES_MAX - 1, 0);
  enter("c", c.session, IN_FLIGHT_BYTES_MAX - 2 * SESSION_BYTES_MAX + 3, 0);
  // All together are too many; the last to send is held back although it has sent little.
  expect([a.state.isRead, b.state.isRead, c.state.isRead]).toEqual([true, true, false]);
  admission.leave({ session: a.session, dataBytes: SESSION_BYTES_MAX - 1, readBytes: 0 });
  admission.leave({ session: b.session, dataBytes: SESSION_BYTES_MAX - 1, readBytes: 0 });
  expect(c.state.isRead).toBe(true);
});

test("what waits of a session that is gone runs, to be found unanswerable", () => {
  const { admission, ran, enter } = setUp();
  const [a, b] = [client(), client()];
  enter("a1", a.session, 0, BULK_READ_BYTES_MAX);
  enter("b1", b.session, 0, MIB);
  admission.drop(b.session);
  expect(ran).toEqual(["a1", "b1"]);
  admission.leave({ session: b.session, dataBytes: 0, readBytes: MIB });
  enter("a2", a.session, 0, MIB);
  expect(ran).toEqual(["a1", "b1"]);
});

test("nobody is let in within the call in which another is over, and what has become free is for those who wait", () => {
  const { admission, clock, ran, enter } = setUp();
  const [a, b, c] = [client(), client(), client()];
  enter("a", a.session, 0, BULK_READ_BYTES_MAX);
  enter("b", b.session, 0, BULK_READ_BYTES_MAX);
  admission.leave({ session: a.session, dataBytes: 0, readBytes: BULK_READ_BYTES_MAX });
  expect(ran).toEqual(["a"]);
  enter("c1", c.session, 0, MIB);
  clock.settle();
  expect(ran).toEqual(["a", "b"]);
  admission.leave({ session: b.session, dataBytes: 0, readBytes: BULK_READ_BYTES_MAX });
  clock.settle();
  expect(ran).toEqual(["a", "b", "c1"]);
});

const HERE = { pool: POOL, key: "", nspace: "", hash: -1 };
/** What requests for x may wait for, and by how many epochs their map is newer than the OSD's. */
const WAITS: [what: string, epochs: number, begin: (osd: TestOsd) => void][] = [
  ["a map", 1, () => {}],
  ["a split", 0, (osd) => osd.split(2 * PG_NUM)],
  ["a copy", 0, (osd) => osd.client(1).submit("x", [opCopyFrom({ oid: "y", locator: HERE })])],
];

/** Requests of `a` for x, of which the second is held up by what `b` has until `b` is gone. */
type Held = (osd: TestOsd, a: TestClient, b: TestClient, o: { epoch: number }) => () => number[];

const append = (text: string) => opAppend(Buffer.from(text));

/** The first in line has all the room, and gives it back in the moment that it is let go. */
const byBulkReads: Held = (_osd, a, b, o) => {
  const bulk = opRead(0, BULK_READ_BYTES_MAX);
  b.submit("x", [bulk], o);
  const one = a.submit("x", [append("1")], o);
  a.submit("y", [bulk], o);
  const two = a.submit("x", [append("2")], o);
  return () => [one, two];
};

/** The link's next message has been received but for its place, and what comes after it as well. */
const byBulkData: Held = ({ memory }, a, b, o) => {
  b.submit("x", [opWriteFull(memory.take(MIB)!)], o);
  const one = a.submit("x", [append("1")], o);
  let two = 0;
  memory.whenFree(MIB, () => {
    two = a.submit("x", [append("2")], o);
  });
  return () => [one, two];
};

const HELD: [room: string, hold: Held][] = [
  ["the room for bulk reads", byBulkReads],
  ["memory for bulk data", byBulkData],
];

const ORDERS = HELD.flatMap(([room, hold]) =>
  WAITS.map(([what, epochs, begin]) => ({ room, hold, what, epochs, begin })),
);

test.each(ORDERS)(
  "requests that wait for $what keep their order when $room gets free meanwhile",
  async ({ hold, epochs, begin }) => {
    const osd = new TestOsd();
    const [a, b] = [osd.client(4100), osd.client(4200)];
    for (const oid of ["x", "y"]) await a.op(oid, [opWriteFull(Buffer.from("0"))]);
    begin(osd);
    const sent = hold(osd, a, b, { epoch: osd.map.epoch + epochs });
    b.close();
    if (epochs > 0) osd.changeMap(() => {});
    const results = () => sent().map((tid) => a.reply(tid)?.result);
    for (let i = 0; i < 50 && results().includes(undefined); i++) {
      osd.clock.settle();
      await Promise.resolve();
    }
    expect(results()).toEqual([0, 0]);
    const { ops } = await a.op("x", [opRead(0, 0)]);
    expect(Buffer.from(flatten(ops[0]!.outdata)).toString()).toBe("012");
  },
);

test("while the store is behind, what brings data waits, and with it everything later of its session", () => {
  const { admission, store, ran, kept, enter } = setUp();
  const [a, b] = [client(), client()];
  store.isCongested = true;
  enter("a1", a.session, MIB, 0);
  enter("a2", a.session, 0, 0);
  enter("b1", b.session, 0, MIB);
  expect(ran).toEqual(["b1"]);
  expect(kept).toEqual(["a1", "a2"]);
  expect([a.state.isRead, b.state.isRead]).toEqual([false, true]);
  admission.leave({ session: b.session, dataBytes: 0, readBytes: MIB });
  expect(ran).toEqual(["b1"]);
  store.isCongested = false;
  admission.retry();
  expect(ran).toEqual(["b1", "a1", "a2"]);
  admission.leave({ session: a.session, dataBytes: MIB, readBytes: 0 });
  expect(a.state.isRead).toBe(true);
});

test("whoever waits for the store keeps nobody from reading, and reads keep their turns", () => {
  const { admission, store, clock, ran, enter } = setUp();
  const [a, b, c, d] = [client(), client(), client(), client()];
  enter("busy", d.session, 0, BULK_READ_BYTES_MAX);
  store.isCongested = true;
  enter("write", a.session, 100, 0);
  enter("large read", b.session, 0, BULK_READ_BYTES_MAX);
  enter("small read", c.session, 0, MIB);
  expect(ran).toEqual(["busy"]);
  admission.leave({ session: d.session, dataBytes: 0, readBytes: BULK_READ_BYTES_MAX });
  clock.settle();
  expect(ran).toEqual(["busy", "large read"]);
  admission.leave({ session: b.session, dataBytes: 0, readBytes: BULK_READ_BYTES_MAX });
  clock.settle();
  expect(ran).toEqual(["busy", "large read", "small read"]);
  store.isCongested = false;
  admission.retry();
  expect(ran).toEqual(["busy", "large read", "small read", "write"]);
});

test("who does not read is let go of when others wait for the memory of its answers, and who reads slowly is not", () => {
  const [deaf, slow, other] = [client(), client(), client()];
  const { admission, clock, ran, enter } = setUp(deaf, slow, other);
  enter("deaf", deaf.session, 0, BULK_READ_BYTES_MAX / 2);
  enter("slow", slow.session, 0, BULK_READ_BYTES_MAX / 2);
  deaf.state.queuedBytes = slow.state.queuedBytes = BULK_READ_BYTES_MAX / 2;
  clock.advance(3_600_000);
  expect(deaf.state.isOpen).toBe(true);
  enter("other", other.session, 0, MIB);
  for (let look = 0; look < STALLED_LOOKS; look++) {
    expect(deaf.state.isOpen).toBe(true);
    slow.state.takenBytes++;
    clock.advance(1000);
  }
  expect([deaf.state.isOpen, slow.state.isOpen, other.state.isOpen]).toEqual([false, true, true]);
  admission.leave({ session: deaf.session, dataBytes: 0, readBytes: BULK_READ_BYTES_MAX / 2 });
  clock.settle();
  expect(ran).toEqual(["deaf", "slow", "other"]);
});

test("who waits for nobody but itself keeps its link", () => {
  const deaf = client();
  const { clock, enter } = setUp(deaf);
  enter("first", deaf.session, 0, BULK_READ_BYTES_MAX);
  enter("second", deaf.session, 0, MIB);
  deaf.state.queuedBytes = BULK_READ_BYTES_MAX;
  clock.advance(3_600_000);
  expect(deaf.state.isOpen).toBe(true);
});
