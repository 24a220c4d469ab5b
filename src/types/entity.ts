/**
 * Who talks (entity_name_t) and where (entity_addr_t, entity_addrvec_t).
 * ceph: src/msg/msg_types.h
 */

import { assert } from "../base/index.ts";
import {
  type Codec,
  type Infer,
  list,
  nameBytes,
  nameText,
  type Reader,
  record,
  s64,
  u8,
  u32,
  type Writer,
} from "../encoding/index.ts";

/** Entity types are bits, so that sets of them are masks.  ceph: src/include/msgr.h */
export const ENTITY_TYPE = { MON: 1, MDS: 2, OSD: 4, CLIENT: 8, MGR: 16, AUTH: 32 } as const;

const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: "mon",
  2: "mds",
  4: "osd",
  8: "client",
  16: "mgr",
  32: "auth",
};

export function entityTypeName(type: number): string {
  return TYPE_NAMES[type] ?? `unknown${type}`;
}

export function entityTypeOf(name: string): number | undefined {
  const found = Object.entries(TYPE_NAMES).find(([, text]) => text === name);
  return found === undefined ? undefined : Number(found[0]);
}

/** entity_name_t: a type and a number; a client's number is its global id. */
export const EntityName = record("entity_name_t", { type: u8, num: s64 });
export type EntityName = Infer<typeof EntityName>;

/** `client.4123`; a number below zero prints as `?`. */
export function formatEntityName(n: EntityName): string {
  return `${entityTypeName(n.type)}.${n.num < 0n ? "?" : n.num}`;
}

/** Reads `client.4123`; undefined if it is no type and number. */
export function parseEntityName(text: string): EntityName | undefined {
  const [, name = "", digits = ""] = /^([a-z]+)\.(-?\d{1,18})$/.exec(text) ?? [];
  const type = entityTypeOf(name);
  return type === undefined ? undefined : { type, num: BigInt(digits) };
}

/** EntityName of the auth world: a type and a text id, `client.admin`. On the wire the id is UTF-8, or any bytes. */
export interface AuthEntity {
  type: number;
  id: string;
}
export const AuthEntity: Codec<AuthEntity> = record("EntityName", {
  type: u32,
  id: {
    name: "str",
    minSize: 4,
    encode: (w: Writer, x: string) => w.str(nameBytes(x)),
    decode: (r: Reader) => nameText(r.str()),
  },
});

export function formatAuthEntity(e: AuthEntity): string {
  return `${entityTypeName(e.type)}.${e.id}`;
}

/** Reads `client.admin`; undefined if there is no dot or no such type. The id may be empty, as in Ceph. */
export function parseAuthEntity(text: string): AuthEntity | undefined {
  const dot = text.indexOf(".");
  const type = entityTypeOf(text.slice(0, dot));
  if (dot < 0 || type === undefined || type === ENTITY_TYPE.AUTH) return undefined;
  return { type, id: text.slice(dot + 1) };
}

export const ADDR_TYPE = { NONE: 0, LEGACY: 1, MSGR2: 2, ANY: 3 } as const;

/** An address: IPv4 or IPv6 in text form, "" when blank. */
export interface EntityAddr {
  type: number;
  nonce: number;
  /** Dotted quad or IPv6 text; "" for a blank address. */
  ip: string;
  port: number;
}

const AF_INET = 2;
const AF_INET6 = 10;
/** Larger sockaddrs than sockaddr_storage do not exist. */
const SOCKADDR_MAX = 128;

/** The four bytes of a dotted quad; undefined if it is none. */
function parseIPv4(ip: string): number[] | undefined {
  const quad = ip.split(".");
  const isQuad = quad.length === 4 && quad.every((n) => /^\d{1,3}$/.test(n) && Number(n) <= 255);
  return isQuad ? quad.map(Number) : undefined;
}

/** The words between two `::`, as bytes. The last may be a dotted quad. */
function parseWords(part: string): number[] | undefined {
  const out: number[] = [];
  for (const word of part === "" ? [] : part.split(":")) {
    const value = /^[0-9a-f]{1,4}$/i.test(word) ? Number.parseInt(word, 16) : undefined;
    const bytes = value === undefined ? parseIPv4(word) : [value >> 8, value & 255];
    if (bytes === undefined) return undefined;
    out.push(...bytes);
  }
  return out;
}

/** The 16 bytes of an IPv6 address (a zone, which the wire has no room for, is dropped). */
function parseIPv6(ip: string): number[] | undefined {
  const [head = "", tail, ...more] = ip.replace(/%.*$/, "").split("::");
  const front = parseWords(head);
  const back = parseWords(tail ?? "");
  if (front === undefined || back === undefined || more.length > 0) return undefined;
  const gap = 16 - front.length - back.length;
  const fits = tail === undefined ? gap === 0 : gap >= 2;
  return fits ? [...front, ...Array.from<number>({ length: gap }).fill(0), ...back] : undefined;
}

function parseIp(ip: string): number[] | undefined {
  return ip.includes(":") ? parseIPv6(ip) : parseIPv4(ip);
}

/** Does an address of this machine lead to this machine alone? 127.0.0.0/8 or ::1. */
export function isLoopback(ip: string): boolean {
  const bytes = parseIp(ip) ?? [];
  return bytes.length === 4 ? bytes[0] === 127 : bytes.join("") === `${"0".repeat(15)}1`;
}

/** Can `ip` stand in an EntityAddr? Ask before taking one from a user: encoding asserts it. */
export function isIpAddress(ip: string): boolean {
  return parseIp(ip) !== undefined;
}

/** RFC 5952: lower case, the longest run of two or more zero words as `::`. */
function formatIPv6(b: Uint8Array): string {
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push((b[i]! << 8) | b[i + 1]!);
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && words[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (part: number[]) => part.map((w) => w.toString(16)).join(":");
  if (best.length < 2) return hex(words);
  return `${hex(words.slice(0, best.at))}::${hex(words.slice(best.at + best.length))}`;
}

/*
 * entity_addr_t:
 *   u8 1; u8 1, u8 1, u32 length; u32 type; u32 nonce; u32 sockaddr length;
 *   [u16 family; u16 port (big endian); IPv4: 4 bytes, 8 zeros | IPv6: u32 flow, 16 bytes, u32 scope]
 */
export const EntityAddr: Codec<EntityAddr> = {
  name: "entity_addr_t",
  minSize: 1,
  encode(w, x) {
    w.u8(1);
    const mark = w.begin(1, 1);
    w.u32(x.type);
    w.u32(x.nonce);
    const bytes = x.ip === "" ? [] : parseIp(x.ip);
    assert(bytes !== undefined, `not an address: ${x.ip}`);
    if (x.ip === "") {
      w.u32(0);
    } else if (x.ip.includes(":")) {
      w.u32(28);
      w.u16(AF_INET6);
      w.u16(((x.port & 255) << 8) | (x.port >> 8));
      w.u32(0);
      w.bytes(Uint8Array.from(bytes));
      w.u32(0);
    } else {
      w.u32(16);
      w.u16(AF_INET);
      w.u16(((x.port & 255) << 8) | (x.port >> 8));
      w.bytes(Uint8Array.from(bytes));
      w.zeros(8);
    }
    w.end(mark);
  },
  decode(r) {
    const marker = r.u8();
    if (marker === 0) {
      // The legacy form: three bytes of padding, nonce, 128 bytes of sockaddr_storage.
      r.advance(3);
      const nonce = r.u32();
      const storage = r.view(SOCKADDR_MAX);
      const family = (storage[0]! << 8) | storage[1]!;
      const ip = family === AF_INET ? [...storage.subarray(4, 8)].join(".") : "";
      return { type: ADDR_TYPE.LEGACY, nonce, ip, port: (storage[2]! << 8) | storage[3]! };
    }
    if (marker !== 1) throw r.fail(`address marker ${marker}`);
    r.begin("entity_addr_t", 1);
    const type = r.u32();
    const nonce = r.u32();
    const length = r.u32();
    if (length > SOCKADDR_MAX) throw r.fail(`sockaddr of ${length} bytes`);
    let ip = "";
    let port = 0;
    if (length > 0) {
      const sa = r.view(length);
      const family = length >= 2 ? sa[0]! | (sa[1]! << 8) : 0;
      if (family === AF_INET && length >= 8) {
        port = (sa[2]! << 8) | sa[3]!;
        ip = `${sa[4]}.${sa[5]}.${sa[6]}.${sa[7]}`;
      } else if (family === AF_INET6 && length >= 24) {
        port = (sa[2]! << 8) | sa[3]!;
        ip = formatIPv6(sa.subarray(8, 24));
      } else if (family !== 0) {
        throw r.fail(`address family ${family}`);
      }
    }
    r.finish();
    return { type, nonce, ip, port };
  },
};

export const BLANK_ADDR: EntityAddr = Object.freeze({
  type: ADDR_TYPE.NONE,
  nonce: 0,
  ip: "",
  port: 0,
});

/** `v2:127.0.0.1:3300/0`, as Ceph prints it. */
export function formatAddr(a: EntityAddr): string {
  const prefix = a.type === ADDR_TYPE.MSGR2 ? "v2:" : a.type === ADDR_TYPE.LEGACY ? "v1:" : "";
  if (a.ip === "") return a.type === ADDR_TYPE.NONE ? "-" : `${prefix}:/${a.nonce}`;
  return `${prefix}${a.ip.includes(":") ? `[${a.ip}]` : a.ip}:${a.port}/${a.nonce}`;
}

/** Without its type, as Ceph prints what is a client's. ceph: entity_addr_t::get_legacy_str */
export function formatLegacyAddr(a: EntityAddr): string {
  return formatAddr({ ...a, type: ADDR_TYPE.NONE });
}

/** What identifies a client instance for blocklists and watches: everything but the address type. */
export function addrKey(a: EntityAddr): string {
  return `${a.ip}:${a.port}/${a.nonce}`;
}

/** Several addresses of one entity. */
export type AddrVec = EntityAddr[];
const addrs = list(EntityAddr);
export const AddrVec: Codec<AddrVec> = {
  name: "entity_addrvec_t",
  minSize: 1,
  encode(w, x) {
    w.u8(2);
    addrs.encode(w, x);
  },
  decode(r) {
    const marker = r.u8();
    if (marker === 2) return addrs.decode(r);
    // A lone address stands for a vector of one.
    r.offset--;
    return [EntityAddr.decode(r)];
  },
};

/** `[v2:127.0.0.1:3300/0,v1:127.0.0.1:6789/0]`, or the bare address when there is one. */
export function formatAddrVec(v: AddrVec): string {
  const only = v[0];
  if (v.length === 1 && only !== undefined) return formatAddr(only);
  return `[${v.map(formatAddr).join(",")}]`;
}

/** entity_inst_t */
export const EntityInst = record("entity_inst_t", { name: EntityName, addr: EntityAddr });
export type EntityInst = Infer<typeof EntityInst>;
