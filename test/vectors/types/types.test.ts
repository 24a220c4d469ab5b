/**
 * Our codecs against what the real library encodes (scripts/record-types.cc), field by field with its own
 * dump, and against values cut out of recorded messages.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Codec,
  DecodeError,
  decodeFromBytes,
  encodeToBytes,
  textOf,
} from "../../../src/encoding/index.ts";
import { LogEntry, RequestRedirect } from "../../../src/messages/index.ts";
import {
  AddrVec,
  EntityAddr,
  EntityName,
  EVersion,
  formatAddr,
  formatAuthEntity,
  formatEntityName,
  HObject,
  ObjectLocator,
  OsdReqId,
  PgId,
  SnapContext,
  SnapSet,
  SpgId,
  Utime,
  Uuid,
} from "../../../src/types/index.ts";

type Json = Record<string, unknown>;

function recorded(name: string): { bytes: Buffer; dump: Json }[] {
  const text = readFileSync(join(import.meta.dirname, `${name}.json`), "utf8");
  const entries = JSON.parse(text) as { hex: string; dump: Json }[];
  return entries.map(({ hex, dump }) => ({ bytes: Buffer.from(hex, "hex"), dump }));
}

const ADDR_TYPES = ["none", "v1", "v2", "any"];

function dumpAddr(a: EntityAddr): Json {
  // Upstream prints the family of an address it does not know; ours is blank.
  const bare = formatAddr({ ...a, type: 0 }).replace(/\/\d+$/, "");
  const addr = a.ip === "" ? "(unrecognized address family 0)" : bare;
  return { type: ADDR_TYPES[a.type], addr, nonce: a.nonce };
}

/** Upstream prints snap ids signed. */
const dumpSnap = (snap: bigint) => Number(BigInt.asIntN(64, snap));

function dumpLocator(x: ObjectLocator): Json {
  return { pool: x.pool, key: x.key, namespace: x.nspace, hash: x.hash };
}

function dumpSnapSet(x: SnapSet): Json {
  const clones = x.clones.map((c) => ({
    snap: dumpSnap(c.id),
    size: c.size,
    overlap: `[${[...c.overlap].map(([start, length]) => `${start}~${length}`).join(",")}]`,
    snaps: c.snaps.map(dumpSnap),
  }));
  return { seq: dumpSnap(x.seq), clones };
}

/** The library's bytes as we write them, where the two differ and both readers accept either. */
type Ours = (bytes: Buffer) => Buffer;
const same: Ours = (bytes) => bytes;

/** Upstream fills a blank address with 28 zero bytes; we write an empty one. */
const emptySockaddr: Ours = (bytes) => {
  const zeros = Buffer.from(`1c000000${"00".repeat(28)}`, "hex");
  let out = bytes;
  for (let at = out.indexOf(zeros); at >= 0; at = out.indexOf(zeros)) {
    out = Buffer.concat([out.subarray(0, at), Buffer.alloc(4), out.subarray(at + zeros.length)]);
    out.writeUInt32LE(out.readUInt32LE(at - 12) - 28, at - 12);
  }
  return out;
};

/** SnapSet's list of snaps is empty since Octopus; upstream's instances still fill it. */
const noLegacySnaps: Ours = (bytes) => {
  const count = bytes.readUInt32LE(15);
  const out = Buffer.concat([bytes.subarray(0, 19), bytes.subarray(19 + count * 8)]);
  out.writeUInt32LE(0, 15);
  out.writeUInt32LE(out.length - 6, 2);
  return out;
};

interface Case {
  name: string;
  codec: Codec<unknown>;
  dump(x: unknown): Json;
  ours: Ours;
}

function check<T>(name: string, codec: Codec<T>, dump: (x: T) => Json, ours = same): Case {
  return { name, codec: codec, dump: dump, ours };
}

const CASES: Case[] = [
  check("entity_addrvec_t", AddrVec, (x) => ({ addrvec: x.map(dumpAddr) }), emptySockaddr),
  check("hobject_t", HObject, (x) => ({
    oid: textOf(x.oid),
    key: textOf(x.key),
    snapid: dumpSnap(x.snap),
    hash: x.hash,
    max: x.max,
    // JSON.parse rounds INT64_MIN as Number does.
    pool: Number(x.pool),
    namespace: textOf(x.nspace),
  })),
  check("object_locator_t", ObjectLocator, dumpLocator),
  check("SnapSet", SnapSet, dumpSnapSet, noLegacySnaps),
  check("request_redirect_t", RequestRedirect, (x) => ({
    object: x.object,
    locator: dumpLocator(x.locator),
  })),
  check("LogEntry", LogEntry, (x) => ({
    // An unnamed entity has type 0, which prints as nothing.
    name: x.name.type === 0 ? x.name.id : formatAuthEntity(x.name),
    rank: formatEntityName(x.rank).replace("unknown0", "unknown"),
    addrs: { addrvec: x.addrs.map(dumpAddr) },
    stamp: `${x.stamp.sec}.${String(x.stamp.nsec / 1000).padStart(6, "0")}`,
    seq: x.seq,
    channel: x.channel,
    priority: "[DBG]",
    message: x.message,
  })),
];

describe.each(CASES.map((c) => [c.name, c] as const))("%s of the real library", (name, c) => {
  const vectors = recorded(name);

  it("decodes to what the library's dump says", () => {
    expect(vectors.length).toBeGreaterThan(0);
    for (const { bytes, dump } of vectors) {
      expect(c.dump(decodeFromBytes(c.codec, bytes))).toEqual(dump);
    }
  });

  it("encodes to the same bytes", () => {
    for (const { bytes } of vectors) {
      const again = encodeToBytes(c.codec, decodeFromBytes(c.codec, bytes));
      expect(again.toString("hex")).toBe(c.ours(bytes).toString("hex"));
    }
  });

  it("is refused with a DecodeError at every truncation", () => {
    for (const { bytes } of vectors) {
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeFromBytes(c.codec, bytes.subarray(0, length))).toThrow(DecodeError);
      }
    }
  });
});

/** Types with no exported encoder: cut out of the traffic of a real cluster (record-messages.py). */
const CUT: Record<string, Codec<unknown>> = {
  SnapContext: SnapContext,
  entity_addr_t: EntityAddr,
  entity_name_t: EntityName,
  eversion_t: EVersion,
  osd_reqid_t: OsdReqId,
  pg_t: PgId,
  spg_t: SpgId,
  utime_t: Utime,
  uuid_d: Uuid,
};

const cuts = JSON.parse(
  readFileSync(join(import.meta.dirname, "../messages/cuts.json"), "utf8"),
) as Record<string, string[]>;

describe("types cut out of recorded traffic", () => {
  it("are all there", () => {
    expect(Object.keys(cuts)).toEqual(Object.keys(CUT));
  });

  it.each(Object.entries(CUT))("%s encodes to the same bytes, and not from fewer", (name, codec) => {
    for (const hex of cuts[name] ?? []) {
      const bytes = Buffer.from(hex, "hex");
      expect(encodeToBytes(codec, decodeFromBytes(codec, bytes)).toString("hex")).toBe(hex);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeFromBytes(codec, bytes.subarray(0, length))).toThrow(DecodeError);
      }
    }
  });

  it("name a client's request by its global id", () => {
    for (const hex of cuts["osd_reqid_t"] ?? []) {
      const reqid = decodeFromBytes(OsdReqId, Buffer.from(hex, "hex"));
      expect([1, 4, 8, 16]).toContain(reqid.name.type);
      expect(reqid.tid).toBeGreaterThan(0);
    }
  });
});
