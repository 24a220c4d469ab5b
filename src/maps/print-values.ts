/**
 * How Ceph writes values into text and JSON: the parts that several printers share.
 *
 * A dump is a plain object whose keys come in Ceph's order. Its integers past 2^53 are bigints, which
 * JSON.stringify refuses: whoever writes the JSON gives them as digits (`dumpText` does).
 * ceph: src/common/Formatter.cc, src/include/utime.h, src/msg/msg_types.cc
 */

import { textOf } from "../encoding/index.ts";
import type { Utime } from "../types/index.ts";
import {
  ADDR_TYPE,
  type AddrVec,
  type EntityAddr,
  formatAddr,
  formatUtime,
} from "../types/index.ts";

export type Dump = string | number | bigint | boolean | readonly Dump[] | DumpObject;
export interface DumpObject {
  readonly [key: string]: Dump;
}

/** JSON on one line; bigints as digits. */
export function dumpText(x: Dump): string {
  if (typeof x === "bigint") return x.toString();
  if (typeof x !== "object") return JSON.stringify(x);
  if (isList(x)) return `[${x.map(dumpText).join(",")}]`;
  const fields = Object.entries(x).map(
    ([key, value]) => `${JSON.stringify(key)}:${dumpText(value)}`,
  );
  return `{${fields.join(",")}}`;
}

function isList(x: readonly Dump[] | DumpObject): x is readonly Dump[] {
  return Array.isArray(x);
}

/** ceph_release_t as text. */
export const RELEASE_NAMES = [
  "unknown",
  "argonaut",
  "bobtail",
  "cuttlefish",
  "dumpling",
  "emperor",
  "firefly",
  "giant",
  "hammer",
  "infernalis",
  "jewel",
  "kraken",
  "luminous",
  "mimic",
  "nautilus",
  "octopus",
  "pacific",
] as const;

export function releaseName(release: number): string {
  return RELEASE_NAMES[release] ?? "unknown";
}

/** 0 for a name that is none. */
export function releaseNumber(name: string): number {
  const number = (RELEASE_NAMES as readonly string[]).indexOf(name);
  return RELEASE_NAMES[number] === "unknown" ? 0 : Math.max(number, 0);
}

/** Below ten years a utime is a span, printed in seconds. */
const SPAN_SEC_MAX = 10 * 365 * 24 * 3600;

/** A time as text: `0.000000` when it never happened. */
export function timeText(t: Utime): string {
  if (t.sec >= SPAN_SEC_MAX) return formatUtime(t);
  return `${t.sec}.${String(Math.floor(t.nsec / 1000)).padStart(6, "0")}`;
}

/** A float as a C++ stream prints it: six significant digits. */
export function floatText(x: number): string {
  if (x === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(x)));
  if (exponent >= -4 && exponent < 6) return String(Number(x.toPrecision(6)));
  const [mantissa = "", power = ""] = Number(x.toPrecision(6)).toExponential().split("e");
  return `${mantissa}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

/** A weight in a table: five decimals, or 0. */
export function weightText(x: number): string {
  return x < 0.000001 ? "0" : x.toFixed(5);
}

/** 16.16 to a float. */
export function fixedPoint(x: number): number {
  return Math.fround(x / 0x10000);
}

/** Several addresses: nothing for none, bare if alone. */
export function addrVecText(v: AddrVec): string {
  if (v.length < 2) return v.map(formatAddr).join("");
  return `[${v.map(formatAddr).join(",")}]`;
}

function addrTypeName(type: number): string {
  const names: Readonly<Record<number, string>> = {
    0: "none",
    1: "v1",
    2: "v2",
    3: "any",
    4: "cidr",
  };
  return names[type] ?? "???";
}

export function dumpAddr(a: EntityAddr): DumpObject {
  const host = a.ip.includes(":") ? `[${a.ip}]` : a.ip;
  const addr = a.ip === "" ? "(unrecognized address family 0)" : `${host}:${a.port}`;
  return { type: addrTypeName(a.type), addr, nonce: a.nonce };
}

export function dumpAddrVec(v: AddrVec): DumpObject {
  return { addrvec: v.map(dumpAddr) };
}

/** The one address older tools expect: the v1 one, or the first. */
export function legacyAddrText(v: AddrVec): string {
  const a = v.find((one) => one.type === ADDR_TYPE.LEGACY) ?? v[0];
  if (a === undefined) return "(unrecognized address family 0)/0";
  const { addr, nonce } = dumpAddr(a) as { addr: string; nonce: number };
  return `${addr}/${nonce}`;
}

/** Byte strings to text, keys and values. */
export function dumpTextMap(x: ReadonlyMap<string, string>): DumpObject {
  return Object.fromEntries([...x].map(([k, v]) => [textOf(k), textOf(v)]));
}
