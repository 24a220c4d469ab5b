/**
 * Replays what a real cluster's object classes answered (recorded by scripts/record-cls.py) on ours, and
 * compares every errno, every output of a reading method, and the raw bytes of all objects at the end.
 */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { objectClasses } from "../../../src/cls/index.ts";
import { MemoryObject } from "../../../src/cls/testing/memory-context.ts";
import { ADDR_TYPE, ENTITY_TYPE } from "../../../src/types/index.ts";

type Hex = string;

interface Call {
  do: "call";
  oid: string;
  cls: string;
  method: string;
  input: Hex;
  errno: number;
  output: Hex;
  /** Time the call used, if it left one. */
  now?: [sec: number, nsec: number];
  random?: Hex;
  /** The version that the call used, if it left it. */
  version?: number;
}

/** What a client did to an object besides calls. */
type Step =
  | Call
  | { do: "write"; oid: string; data: Hex; snapSeq?: number }
  | { do: "omap"; oid: string; entries: Record<string, Hex> }
  | { do: "xattr"; oid: string; key: string; value: Hex }
  | { do: "remove" | "watch" | "unwatch"; oid: string };

interface ObjectBytes {
  data: Hex;
  xattrs: Record<string, Hex>;
  omap: Record<string, Hex>;
}

interface Recording {
  origin: { num: string; ip: string; port: number; nonce: number };
  sequences: { title: string; steps: Step[]; state: Record<string, ObjectBytes | null> }[];
}

const DIRECTORY = new URL(".", import.meta.url);

function hex(bytes: Uint8Array): Hex {
  return Buffer.from(bytes).toString("hex");
}

function bytes(text: Hex): Uint8Array {
  return Buffer.from(text, "hex");
}

function runStep(object: MemoryObject, step: Step): void {
  switch (step.do) {
    case "call":
      throw new Error("calls are compared, not just run");
    case "write":
      object.edit((state) => {
        state.data = bytes(step.data);
      });
      if (step.snapSeq !== undefined) object.snapsetSeq = BigInt(step.snapSeq);
      break;
    case "omap":
      object.edit((state) => {
        for (const [key, value] of Object.entries(step.entries)) state.omap.set(key, bytes(value));
      });
      break;
    case "xattr":
      object.edit((state) => state.xattrs.set(step.key, bytes(step.value)));
      break;
    case "remove":
      object.erase();
      break;
    case "watch":
      object.watcherList = [{ ...object.origin, cookie: 1n, timeoutSeconds: 30 }];
      break;
    case "unwatch":
      object.watcherList = [];
      break;
  }
}

function compareCall(object: MemoryObject, step: Call, where: string): void {
  if (step.now !== undefined) object.now = { sec: step.now[0], nsec: step.now[1] };
  if (step.random !== undefined) object.randomBytes = bytes(step.random);
  object.version = step.version ?? object.version;
  const cls = objectClasses.get(step.cls);
  if (cls === undefined) throw new Error(`no class ${step.cls}`);
  const { errno, output } = object.call(cls, step.method, bytes(step.input));
  // A write's output never reaches a client.
  const seen = cls.methods[step.method]?.writes === true ? "" : hex(output);
  expect({ errno, output: seen }, where).toEqual({ errno: step.errno, output: step.output });
}

/** Damaged input gets an answer, whatever it is: on a copy, so that the sequence goes on undisturbed. */
function answerDamage(object: MemoryObject, step: Call): void {
  const cls = objectClasses.get(step.cls);
  if (cls === undefined) return;
  for (const input of damaged(bytes(step.input))) {
    const { errno } = object.clone().call(cls, step.method, input);
    expect(errno, `${step.cls}.${step.method} of ${hex(input)}`).toBeLessThanOrEqual(0);
  }
}

function stateOf(object: MemoryObject): ObjectBytes | null {
  const { state } = object;
  if (state === undefined) return null;
  const record = (x: ReadonlyMap<string, Uint8Array>) =>
    Object.fromEntries([...x].map(([key, value]) => [key, hex(value)]));
  return { data: hex(state.data), xattrs: record(state.xattrs), omap: record(state.omap) };
}

const themes = readdirSync(DIRECTORY).filter((name) => name.endsWith(".json"));
const recordings = themes.map((file): [string, Recording] => [
  file,
  JSON.parse(readFileSync(new URL(file, DIRECTORY), "utf8")) as Recording,
]);

/** Deterministic noise, so that a failure can be replayed. */
function noise(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return x >>> 8;
  };
}

/** The input cut short everywhere (long ones: near both ends), and with single bytes made huge. */
function* damaged(input: Uint8Array): Generator<Uint8Array> {
  const random = noise(input.length);
  for (let n = 0; n < input.length; n++) {
    if (n > 40 && n < input.length - 8) continue;
    yield input.subarray(0, n);
    const flipped = Uint8Array.from(input);
    flipped[n] = random() & 0xff;
    yield flipped;
    const huge = Uint8Array.from(input);
    huge[n] = 0xff;
    yield huge;
  }
}

describe.each(recordings)("%s", (_file, recording) => {
  test.each(recording.sequences)("$title", ({ steps, state }) => {
    const objects = new Map<string, MemoryObject>();
    const { num, ip, port, nonce } = recording.origin;
    const objectOf = (oid: string): MemoryObject => {
      let object = objects.get(oid);
      if (object === undefined) {
        object = new MemoryObject();
        object.origin = {
          name: { type: ENTITY_TYPE.CLIENT, num: BigInt(num) },
          addr: { type: ADDR_TYPE.MSGR2, nonce, ip, port },
        };
        objects.set(oid, object);
      }
      return object;
    };
    for (const [i, step] of steps.entries()) {
      const object = objectOf(step.oid);
      if (step.do === "call") answerDamage(object, step);
      if (step.do !== "call") runStep(object, step);
      else compareCall(object, step, `step ${i}: ${step.oid} ${step.cls}.${step.method}`);
    }
    for (const [oid, expected] of Object.entries(state)) {
      expect(stateOf(objectOf(oid)), oid).toEqual(expected);
    }
  });
});

test("every method of every class has been recorded succeeding", () => {
  const calls = recordings.flatMap(([, r]) =>
    r.sequences.flatMap((s) => s.steps.filter((x) => x.do === "call")),
  );
  const succeeded = new Set(calls.filter((c) => c.errno === 0).map((c) => `${c.cls}.${c.method}`));
  const missing = [...objectClasses.values()].flatMap((cls) =>
    Object.keys(cls.methods)
      .map((method) => `${cls.name}.${method}`)
      .filter((name) => !succeeded.has(name)),
  );
  expect(missing).toEqual([]);
});
