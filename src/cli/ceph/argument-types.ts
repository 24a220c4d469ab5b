/**
 * The types of arguments that daemons use in the signatures of their commands: what each takes for a value,
 * what it says to what it does not take, and how it is shown in a usage line.
 * compat: texts and limits are those of 16.2.15, also where they are odd; `argument-types.test.ts` and the
 * recorded cases hold them.
 * ceph: src/pybind/ceph_argparse.py CephArgtype and what is derived from it
 */

import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { PyFloat, type PyJson } from "../../base/index.ts";
import { checkEntityAddress, checkIpAddress } from "./address-argument.ts";
import { ArgumentError, invalid } from "./argument-error.ts";
import {
  isPythonHex,
  pythonDecimal,
  pythonFloat,
  pythonInt,
  pythonList,
  pythonNumber,
} from "./python-text.ts";

/** What an argument is in the command's JSON. */
export type ArgumentValue = boolean | bigint | string | PyFloat;

export interface ArgumentType {
  readonly name: string;
  /**
   * The value of a word.
   * @param partial the beginning of one of the words that are possible is enough
   * @throws ArgumentError
   */
  value(word: string, partial: boolean): ArgumentValue;
  /** What stands for the type in an error. */
  readonly label: string;
  /** The words that this one may become. */
  complete(word: string): string[];
}

/** What a signature says of an argument besides type and name. */
export type TypeDetails = Readonly<Record<string, PyJson | undefined>>;

type Maker = (
  details: TypeDetails,
) => Omit<ArgumentType, "name" | "complete"> & Partial<Pick<ArgumentType, "complete">>;

const TYPES: Readonly<Record<string, Maker>> = {
  CephInt: intType,
  CephFloat: floatType,
  CephString: stringType,
  CephSocketpath: () => ({ label: "<admin-socket-path>", value: socketPath }),
  CephIPAddr: () => ({ label: "<IPaddr[:port]>", value: checked(checkIpAddress) }),
  CephEntityAddr: () => ({ label: "<EntityAddr>", value: checked(checkEntityAddress) }),
  CephPoolname: () => ({ label: "<poolname>", value: (word) => word }),
  CephObjectname: () => ({ label: "<objectname>", value: (word) => word }),
  CephPgid: () => ({ label: "<pgid>", value: checked(checkPgId) }),
  CephName: () => ({ label: "<name (type.id)>", value: checked(daemonName) }),
  CephOsdName: () => ({ label: "<osdname (id|osd.id)>", value: osdName }),
  CephChoices: choicesType,
  CephBool: () => ({ label: "<bool>", value: truth }),
  CephFilepath: () => ({ label: "<outfilename>", value: filePath }),
  CephFragment: () => ({
    label: "<CephFS fragment ID (0xvvv/bbb)>",
    value: checked(checkFragment),
  }),
  CephUUID: () => ({ label: "<uuid>", value: checked(checkUuid) }),
  CephPrefix: prefixType,
};

/** @returns undefined if there is no such type */
export function argumentType(name: string, details: TypeDetails): ArgumentType | undefined {
  const maker = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  return maker === undefined ? undefined : { name, complete: () => [], ...maker(details) };
}

/** A value that is the word itself, once it has been looked at. */
function checked(check: (word: string) => void): (word: string) => string {
  return (word) => {
    check(word);
    return word;
  };
}

const text = (x: PyJson | undefined): string => (typeof x === "string" ? x : "");

function intType(details: TypeDetails): ReturnType<Maker> {
  const range = limits(text(details["range"])).map((limit) => BigInt(limit));
  return {
    label: `<int${rangeLabel(range.map(String))}>`,
    value(word) {
      const value = pythonInt(word);
      if (value === undefined) throw invalid(`${word} doesn't represent an int`);
      const [min, max] = range;
      if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
        throw invalid(`${value} not in range ${pythonList(range.map(String))}`);
      }
      return value;
    },
  };
}

function floatType(details: TypeDetails): ReturnType<Maker> {
  const range = limits(text(details["range"])).map(Number);
  const shown = range.map(pythonFloat);
  return {
    label: `<float${rangeLabel(shown)}>`,
    value(word) {
      const value = pythonNumber(word);
      if (value === undefined) throw invalid(`${word} doesn't represent a float`);
      const [min, max] = range;
      if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
        throw invalid(`${pythonFloat(value)} not in range ${pythonList(shown)}`);
      }
      return new PyFloat(value);
    },
  };
}

function limits(range: string): string[] {
  return range === "" ? [] : range.split("|");
}

function rangeLabel([min, max]: readonly string[]): string {
  return min === undefined ? "" : `[${min}-${max ?? ""}]`;
}

/** Characters that a string may have if the signature does not say which: all of ASCII that can be printed. */
const PRINTABLE = /^[\t-\r -~]$/;

function stringType(details: TypeDetails): ReturnType<Maker> {
  const goodchars = text(details["goodchars"]);
  const good = new RegExp(`^(?:${goodchars})`);
  return {
    label: goodchars === "" ? "<string>" : `<string(goodchars ${goodchars})>`,
    value(word) {
      const bad = new Set(
        Array.from(word).filter((char) => !PRINTABLE.test(char) || !good.test(char)),
      );
      if (bad.size > 0) throw invalid(`invalid chars ${[...bad].join("")} in ${word}`);
      return word;
    },
    complete: (word) => (word === "" ? [] : [word]),
  };
}

function choicesType(details: TypeDetails): ReturnType<Maker> {
  const strings = text(details["strings"]).split("|");
  const label = strings.join("|");
  return {
    label,
    value(word, partial) {
      const isOne = partial ? strings.some((x) => x.startsWith(word)) : strings.includes(word);
      if (!isOne) throw invalid(`${word} not in ${label}`);
      return word;
    },
    complete: (word) => strings.filter((x) => x.startsWith(word)),
  };
}

function prefixType(details: TypeDetails): ReturnType<Maker> {
  const prefix = text(details["prefix"]);
  return {
    label: prefix,
    value(word, partial) {
      if (partial ? prefix.startsWith(word) : prefix === word) return word;
      throw new ArgumentError("prefix", `no match for ${word}`);
    },
    complete: (word) => (prefix.startsWith(word) ? [prefix.trimEnd()] : []),
  };
}

function truth(word: string): boolean {
  const lower = word.toLowerCase();
  if (lower === "true" || lower === "1") return true;
  if (lower === "false" || lower === "0") return false;
  throw invalid(`${word} not one of 'true', 'false'`);
}

function checkPgId(word: string): void {
  const dot = word.indexOf(".");
  if (dot < 0) throw invalid("pgid has no .");
  const [pool, seed] = [word.slice(0, dot), word.slice(dot + 1)];
  const id = pythonDecimal(pool);
  if (id === undefined) throw invalid(`pool ${pool} not integer`);
  if (id < 0n) throw invalid(`pool ${id} < 0`);
  if (!isPythonHex(seed)) throw invalid(`pgnum ${seed} not hex integer`);
}

/** A daemon or client, in parts. */
export interface DaemonName {
  /** Undefined for `*`. */
  readonly type: string | undefined;
  /** `*` for all of the type; undefined for `mon` and `mgr` alone. */
  readonly id: string | undefined;
}

const DAEMON_TYPES = ["osd", "mon", "client", "mds", "mgr"];

/** @throws ArgumentError */
export function daemonName(word: string): DaemonName {
  if (word === "*") return { type: undefined, id: undefined };
  if (word === "mgr" || word === "mon") return { type: word, id: undefined };
  const dot = word.indexOf(".");
  if (dot < 0) throw invalid(`CephName: no . in ${word}`);
  const [type, id] = [word.slice(0, dot), word.slice(dot + 1)];
  if (!DAEMON_TYPES.includes(type)) throw invalid(`unknown type ${type}`);
  if (type !== "osd" || id === "*") return { type, id };
  return { type, id: String(osdNumber(id)) };
}

function osdNumber(id: string): bigint {
  const number = pythonDecimal(id);
  if (number === undefined) throw invalid(`osd id ${id} not integer`);
  return number;
}

function osdName(word: string): bigint | string {
  if (word === "*") return word;
  const dot = word.indexOf(".");
  const type = dot < 0 ? "osd" : word.slice(0, dot);
  if (type !== "osd") throw invalid(`unknown type ${type}`);
  const number = osdNumber(word.slice(dot + 1));
  if (number < 0n) throw invalid(`osd id ${number} is less than 0`);
  return number;
}

function checkFragment(word: string): void {
  const [value = "", bits, ...more] = word.split("/");
  if (bits === undefined) throw invalid(`${word}: no /`);
  if (more.length > 0) throw invalid(`${word}: more than one /`);
  if (!value.startsWith("0x")) throw invalid(`${value} not a hex integer`);
  // compat: upstream reads the digits behind 0x as decimal ones, 0x and all, and so refuses every fragment.
  throw invalid(`can't convert ${value} to integer`);
}

function checkUuid(word: string): void {
  const bare = word.replaceAll("urn:", "").replaceAll("uuid:", "");
  const hex = bare.replaceAll(/^[{}]+|[{}]+$/g, "").replaceAll("-", "");
  if (hex.length !== 32)
    throw invalid(`invalid UUID ${word}: badly formed hexadecimal UUID string`);
  if (!isPythonHex(hex)) {
    throw invalid(`invalid UUID ${word}: invalid literal for int() with base 16: '${hex}'`);
  }
}

function socketPath(word: string): string {
  const found = statSync(word, { throwIfNoEntry: false });
  // The original dies here of an exception.
  if (found === undefined) throw invalid(`socket path ${word} does not exist`);
  if (!found.isSocket()) throw invalid(`socket path ${word} is not a socket`);
  return word;
}

/** A file that can be read, or written, or made. */
function filePath(word: string): string {
  const file = path.resolve(word);
  if (isAllowed(file, constants.R_OK)) return file;
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined) {
    if (!found.isFile()) throw invalid(`${file} is not file`);
    if (!isAllowed(file, constants.W_OK)) throw invalid(`${file} is not writable`);
  } else if (!isAllowed(path.dirname(file), constants.W_OK)) {
    throw invalid(`cannot create file in ${path.dirname(file)}`);
  }
  return file;
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false; // that it is not allowed is the answer
  }
}
