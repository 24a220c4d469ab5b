import { expect, test } from "vitest";
import { ERRNO } from "../../../base/index.ts";
import { type Codec, decodeFromBytes, encodeToBytes } from "../../../encoding/index.ts";
import { MemoryObject } from "../../testing/memory-context.ts";
import { rbdClass } from "../index.ts";
import { ObjectMapResizeArgs, ObjectMapUpdateArgs } from "../ops/object-map.ts";
import { BitVectorCodec, stateAt } from "../types/bit-vector.ts";
import { OBJECT_STATE } from "../types/features.ts";

const { EXISTS, EXISTS_CLEAN, NONEXISTENT, PENDING } = OBJECT_STATE;

function call<A>(object: MemoryObject, method: string, codec: Codec<A>, args: A): number {
  return object.call(rbdClass, method, encodeToBytes(codec, args)).errno;
}

function mapOf(count: number): MemoryObject {
  const object = new MemoryObject();
  const args = { objectCount: BigInt(count), defaultState: NONEXISTENT };
  expect(call(object, "object_map_resize", ObjectMapResizeArgs, args)).toBe(0);
  return object;
}

function update(object: MemoryObject, start: number, end: number, newState: number): number {
  const args = { start: BigInt(start), end: BigInt(end), newState, currentState: undefined };
  return call(object, "object_map_update", ObjectMapUpdateArgs, args);
}

function stored(object: MemoryObject) {
  return decodeFromBytes(BitVectorCodec, object.state?.data ?? new Uint8Array(0));
}

test("an update of one object in a map of millions writes one block and its crc", () => {
  const object = mapOf(4_000_000);
  object.bytesWritten = 0;
  expect(update(object, 1_234_567, 1_234_568, EXISTS)).toBe(0);
  expect(object.bytesWritten).toBe(4096 + 4);
  expect(stateAt(stored(object), 1_234_567)).toBe(EXISTS);
});

test("an update that changes nothing writes nothing", () => {
  const object = mapOf(100);
  update(object, 3, 5, EXISTS);
  object.bytesWritten = 0;
  expect(update(object, 3, 5, EXISTS)).toBe(0);
  expect(object.bytesWritten).toBe(0);
});

test("an update across a block border keeps both crcs right", () => {
  const object = mapOf(40_000);
  expect(update(object, 16_000, 17_000, PENDING)).toBe(0);
  const map = stored(object);
  expect([15_999, 16_000, 16_999, 17_000].map((i) => stateAt(map, i))).toEqual([
    NONEXISTENT,
    PENDING,
    PENDING,
    NONEXISTENT,
  ]);
});

test("an update refuses a block that rotted, and not one that it does not touch", () => {
  const object = mapOf(40_000);
  object.edit((state) => {
    state.data[18 + 4096] = 0xff;
  });
  expect(update(object, 20_000, 20_001, EXISTS)).toBe(-ERRNO.EINVAL);
  expect(update(object, 0, 1, EXISTS)).toBe(0);
});

test("a state byte beyond the four is cut to them and harms no neighbour", () => {
  const object = mapOf(8);
  expect(update(object, 2, 3, 0xfd)).toBe(0);
  expect([...Array(8).keys()].map((i) => stateAt(stored(object), i))).toEqual([
    0, 0, 1, 0, 0, 0, 0, 0,
  ]);
});

test("taking and removing a snapshot moves objects between exists and clean", () => {
  const object = mapOf(3);
  update(object, 0, 2, EXISTS);
  const snapshot = stored(object);
  expect(object.call(rbdClass, "object_map_snap_add", new Uint8Array(0)).errno).toBe(0);
  expect(stateAt(stored(object), 0)).toBe(EXISTS_CLEAN);
  expect(call(object, "object_map_snap_remove", BitVectorCodec, snapshot)).toBe(0);
  expect([0, 1, 2].map((i) => stateAt(stored(object), i))).toEqual([EXISTS, EXISTS, NONEXISTENT]);
});
