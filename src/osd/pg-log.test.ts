import { describe, expect, it } from "vitest";
import { ERRNO } from "../base/index.ts";
import { encodeToBytes, flatten, list, s32, struct, u32, u64n } from "../encoding/index.ts";
import {
  type MOSDOpReply,
  OSD_FLAG,
  opAppend,
  opCreate,
  opRead,
  opStat,
  opWatch,
  opWrite,
  opWriteFull,
  WATCH_OP,
} from "../messages/index.ts";
import { NoSpaceError } from "../store/index.ts";
import {
  ENTITY_TYPE,
  EVersion,
  HOBJECT_MIN,
  type HObject,
  NOSNAP,
  OsdReqId,
  objectHash,
} from "../types/index.ts";
import {
  CHUNK_ENTRIES,
  HASH_UNKNOWN,
  LOG_ENTRIES_MIN,
  LOG_KEY_PREFIX,
  LogEntry,
  PgLog,
} from "./pg-log.ts";
import { PG_NUM, POOL, TestOsd } from "./testing/osd-fixture.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** The `n`th write of all, by one of two clients. */
function entryOf(n: number): LogEntry {
  const client = n % 2;
  return {
    reqid: { name: { type: ENTITY_TYPE.CLIENT, num: BigInt(4100 + client) }, tid: n, inc: client },
    version: { version: n, epoch: 10 + Math.floor(n / 1000) },
    userVersion: n + 1,
    result: -(n % 3),
    rvals: n % 5 === 0 ? [n, -n] : [],
    hash: n * 7,
    outputs: n % 10 === 0 ? [bytes(`${n}`), bytes("")] : [],
  };
}

/** A log with the omap that a store would have of it. */
class Kept {
  log = new PgLog();
  readonly omap = new Map<string, Uint8Array>();

  write(n: number): void {
    const entry = entryOf(n);
    const [key, value] = this.log.stage(entry);
    this.omap.set(key, Uint8Array.from(value));
    this.log.add(entry, n);
  }

  /** What a restart reads. @returns keys of the old format */
  restart(): string[] {
    this.log = new PgLog();
    const sorted = [...this.omap].sort(([a], [b]) => (a < b ? -1 : 1));
    return this.log.load([...sorted, ["snap.1", bytes("not of the log")]], 1_000_000);
  }

  /** Of the writes `[from, to)`, those that are not answered right. */
  wrong(from: number, to: number): number[] {
    return Array.from({ length: to - from }, (_, i) => from + i).filter((n) => {
      const { reqid, hash: _hash, ...answer } = entryOf(n);
      const { seq: _seq, ...found } = this.log.find(reqid) ?? { seq: 0 };
      return JSON.stringify(found) !== JSON.stringify(answer);
    });
  }
}

describe("a PG's log", () => {
  it.each([1, 7, 8, 9, 64, 65, 3000, 3007, 3008, 3009, 9001])(
    "of %i writes answers the newest, after a restart as well, and goes on",
    (count) => {
      const kept = new Kept();
      for (let n = 1; n <= count; n++) kept.write(n);
      const from = Math.max(1, count + 1 - LOG_ENTRIES_MIN);
      expect(kept.wrong(from, count + 1)).toEqual([]);
      const { length } = kept.log;
      expect(kept.restart()).toEqual([]);
      expect(kept.log.length).toBe(length);
      expect(kept.wrong(from, count + 1)).toEqual([]);
      for (let n = count + 1; n <= count + 20; n++) kept.write(n);
      kept.restart();
      expect(kept.wrong(Math.max(1, count + 21 - LOG_ENTRIES_MIN), count + 21)).toEqual([]);
    },
  );

  it("forgets the oldest, and keeps no more keys and entries than it needs", () => {
    const kept = new Kept();
    for (let n = 1; n <= 10_000; n++) kept.write(n);
    expect(kept.log.find(entryOf(10_000 - LOG_ENTRIES_MIN - CHUNK_ENTRIES).reqid)).toBeUndefined();
    expect(kept.log.length).toBeLessThanOrEqual(LOG_ENTRIES_MIN + CHUNK_ENTRIES);
    expect(kept.omap.size).toBe(LOG_ENTRIES_MIN / CHUNK_ENTRIES + 1);
  });

  it("parts by the objects' hashes, and both go on", () => {
    const kept = new Kept();
    for (let n = 1; n <= 5000; n++) kept.write(n);
    const isTheirs = (hash: number) => hash % 2 === 1;
    const child = new Kept();
    for (const [key, value] of kept.log.part(isTheirs)) child.omap.set(key, value);
    child.restart();
    const first = 5001 - LOG_ENTRIES_MIN;
    const theirs = new Set(child.wrong(first, 5001));
    for (let n = first; n <= 5000; n++) expect(theirs.has(n)).toBe(!isTheirs(n * 7));
    expect(kept.wrong(first, 5001)).toEqual([]);
    for (let n = 5001; n <= 5100; n++) child.write(n);
    child.restart();
    expect(child.wrong(5001, 5101)).toEqual([]);
    // What a build before the hashes has left is everybody's.
    const old = new PgLog();
    old.stage({ ...entryOf(1), hash: HASH_UNKNOWN });
    old.add({ ...entryOf(1), hash: HASH_UNKNOWN }, 1);
    expect([...old.part(() => false)]).toHaveLength(1);
  });

  it("an entry that was staged and refused by the store leaves nothing behind", () => {
    const kept = new Kept();
    for (let n = 1; n <= 100; n++) {
      kept.log.stage({ ...entryOf(n + 5000), rvals: [1, 2, 3, 4, 5, 6, 7] });
      kept.write(n);
    }
    expect(kept.log.find(entryOf(5001).reqid)).toBeUndefined();
    kept.restart();
    expect(kept.wrong(1, 101)).toEqual([]);
    expect(kept.log.length).toBe(100);
  });

  it("a chunk keeps its length as it fills", () => {
    const log = new PgLog();
    const lengths = Array.from({ length: CHUNK_ENTRIES }, (_, i) => {
      const entry = { ...entryOf(i), rvals: [], outputs: [] };
      const [, value] = log.stage(entry);
      log.add(entry, i);
      return value.length;
    });
    expect(new Set(lengths).size).toBe(1);
  });

  it("a tid of another incarnation, or one that has not been, is unknown", () => {
    const kept = new Kept();
    kept.write(10);
    const { reqid } = entryOf(10);
    expect(kept.log.find({ ...reqid, inc: 9 })).toBeUndefined();
    expect(kept.log.find({ ...reqid, tid: 9 })).toBeUndefined();
    expect(kept.log.find({ ...reqid, tid: 11 })).toBeUndefined();
  });

  it("an entry of a build that kept no outputs is read, and goes on without", () => {
    const version2 = struct(
      "spirula_log_entry",
      { v: 2 },
      {
        reqid: OsdReqId,
        version: EVersion,
        userVersion: u64n,
        result: s32,
        rvals: list(s32),
        hash: u32,
      },
    );
    const entry = entryOf(10);
    const chunk = Buffer.concat([
      Buffer.of(1, 1),
      encodeToBytes(version2, entry),
      Buffer.alloc(400),
    ]);
    const kept = new Kept();
    kept.omap.set(`${LOG_KEY_PREFIX}000`, chunk);
    kept.restart();
    expect(kept.log.find(entry.reqid)).toMatchObject({ rvals: [10, -10], outputs: [] });
    kept.write(11);
    kept.restart();
    expect(kept.log.find(entry.reqid)).toMatchObject({ rvals: [10, -10], outputs: [] });
    expect(kept.wrong(11, 12)).toEqual([]);
  });

  it("one entry per key, as it was kept before, is read, and chunks take its place", () => {
    const kept = new Kept();
    const keyOf = (n: number) => LOG_KEY_PREFIX + n.toString(16).padStart(16, "0");
    for (let n = 1; n <= 3050; n++) kept.omap.set(keyOf(n), encodeToBytes(LogEntry, entryOf(n)));
    const old = kept.restart();
    expect(old).toHaveLength(3050);
    expect(kept.wrong(51, 3051)).toEqual([]);
    for (const key of old) kept.omap.delete(key);
    for (const [key, value] of kept.log.chunks()) kept.omap.set(key, value);
    kept.write(3051);
    expect(kept.restart()).toEqual([]);
    expect(kept.wrong(60, 3052)).toEqual([]);
  });
});

describe("a resend of a write that asked for its results", () => {
  const returned = ({ ops }: MOSDOpReply) =>
    ops.map(({ rval, outdata }) => `${rval} ${Buffer.from(flatten(outdata)).toString("hex")}`);

  it("gets what the ops gave, too, after a restart as well", async () => {
    const osd = new TestOsd();
    await osd.client(4100).op("a", [opWriteFull(bytes("data"))]);
    const requests = [
      // One that changes something, one that does not, and one that fails.
      [opStat(), opWrite(0, bytes("x"))],
      [opStat(), opWatch(1n, WATCH_OP.UNWATCH)],
      [opStat(), opCreate(true)],
    ];
    const flags = OSD_FLAG.RETURNVEC;
    const first = osd.client(4100);
    const replies: MOSDOpReply[] = [];
    for (const [i, ops] of requests.entries()) {
      replies.push(await first.op("a", ops, { flags, tid: 100 + i }));
    }
    expect(replies.map((reply) => reply.result)).toEqual([0, 0, -ERRNO.EEXIST]);
    for (const restarted of [false, true]) {
      if (restarted) osd.restart();
      const client = osd.client(4100);
      for (const [i, ops] of requests.entries()) {
        const again = await client.op("a", ops, { flags, tid: 100 + i });
        expect(again.result).toBe(replies[i]!.result);
        expect(returned(again)[0]).toMatch(/^0 .{32}$/);
        expect(returned(again)).toEqual(returned(replies[i]!));
      }
    }
  });
});

it("a request of very many ops is remembered by what a log can keep of it", async () => {
  const osd = new TestOsd();
  const client = osd.client(4100);
  await client.op("a", [opWriteFull(bytes("data"))]);
  const many = Array.from({ length: 3000 }, () => opStat());
  const flags = OSD_FLAG.RETURNVEC;
  const write = (tid: number) => client.op("a", [...many, opAppend(bytes("x"))], { flags, tid });
  const first = await write(100);
  for (let tid = 101; tid < 104; tid++) expect((await write(tid)).result).toBe(0);
  const again = await write(100);
  expect([again.result, again.userVersion]).toEqual([0, first.userVersion]);
  const seed = objectHash("a", "", "") % PG_NUM;
  const object: HObject = { ...HOBJECT_MIN, pool: BigInt(POOL), hash: seed, snap: NOSNAP };
  const entries = osd.store.omapEntries(`${POOL}.${seed.toString(16)}`, object, LOG_KEY_PREFIX);
  for (const [, value] of entries) expect(value.length).toBeLessThan(64 << 10);
});

describe("a PG of the format before chunks", () => {
  const oid = "a";
  const hash = objectHash(oid, "", "");
  const seed = hash % PG_NUM;
  const collection = `${POOL}.${seed.toString(16)}`;
  const object: HObject = { ...HOBJECT_MIN, pool: BigInt(POOL), hash: seed, snap: NOSNAP };

  it("answers resends, counts on, and is of the present one after its next write", async () => {
    const osd = new TestOsd();
    const client = osd.client(4100);
    for (const x of "abcdefghij") await client.op(oid, [opAppend(bytes(x))]);
    const tid = client.lastTid;
    const { store } = osd;
    // As a build of that time has left it.
    const info = store.getAttr(collection, object, "info")!;
    const chunks = [...store.omapEntries(collection, object, LOG_KEY_PREFIX)].map(([key]) => key);
    const entries = Array.from({ length: 10 }, (_, i): [string, Uint8Array] => {
      const version = { version: i + 1, epoch: 10 };
      const reqid = { name: client.peerName, tid: tid - 9 + i, inc: 0 };
      const entry = {
        reqid,
        version,
        userVersion: i + 1,
        result: 0,
        rvals: [],
        hash: HASH_UNKNOWN,
        outputs: [],
      };
      return [
        LOG_KEY_PREFIX + (i + 1).toString(16).padStart(16, "0"),
        encodeToBytes(LogEntry, entry),
      ];
    });
    store.submit({
      collection,
      ops: [
        { op: "remove-attr", object, name: "info" },
        { op: "omap-remove", object, keys: chunks },
        { op: "omap-set", object, entries: [["info", info], ...entries] },
      ],
    });
    const back = () => {
      osd.restart();
      return osd.client(4100);
    };
    const resent = await back().op(oid, [opAppend(bytes("j"))], { tid });
    // A full store refuses the takeover together with the write: nothing has changed then.
    const submit = store.submit.bind(store);
    store.submit = () => {
      throw new NoSpaceError();
    };
    const full = { tid: tid + 1, flags: OSD_FLAG.FULL_TRY };
    expect((await back().op(oid, [opAppend(bytes("k"))], full)).result).toBe(-ERRNO.ENOSPC);
    store.submit = submit;
    expect(store.omapGet(collection, object, "info")).toEqual(info);
    expect(resent.replayVersion).toEqual({ version: 10, epoch: 10 });
    const next = await back().op(oid, [opAppend(bytes("k"))], { tid: tid + 1 });
    expect(next.replayVersion).toEqual({ version: 11, epoch: 10 });
    expect(store.omapGet(collection, object, "info")).toBeUndefined();
    const keys = [...store.omapEntries(collection, object, LOG_KEY_PREFIX)].map(([key]) => key);
    expect(keys).toEqual(["log.000", "log.001"]);
    const last = back();
    for (let t = tid - 9; t <= tid + 1; t++) {
      expect((await last.op(oid, [opAppend(bytes("x"))], { tid: t })).result).toBe(0);
    }
    const read = await last.op(oid, [opRead(0, 0)], { tid: tid + 2 });
    expect(Buffer.from(flatten(read.ops[0]!.outdata)).toString()).toBe("abcdefghijk");
  });
});
