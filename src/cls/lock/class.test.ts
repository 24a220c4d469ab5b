import { expect, test } from "vitest";
import { ERRNO } from "../../base/index.ts";
import { decodeFromBytes, encodeToBytes, type Infer } from "../../encoding/index.ts";
import { ADDR_TYPE, UTIME_ZERO } from "../../types/index.ts";
import { MemoryObject } from "../testing/memory-context.ts";
import { lockClass } from "./class.ts";
import { GetInfoArgs, GetInfoReply, LockArgs, UnlockArgs } from "./ops.ts";
import { LOCK_FLAG, LOCK_TYPE } from "./types.ts";

const LOCK: Infer<typeof LockArgs> = {
  name: "l",
  type: LOCK_TYPE.EXCLUSIVE,
  cookie: "c",
  tag: "",
  description: "",
  duration: UTIME_ZERO,
  flags: 0,
};

function lock(object: MemoryObject, change: Partial<typeof LOCK> = {}): number {
  const input = encodeToBytes(LockArgs, { ...LOCK, ...change });
  return object.call(lockClass, "lock", input).errno;
}

function info(object: MemoryObject): Infer<typeof GetInfoReply> {
  const { output } = object.call(lockClass, "get_info", encodeToBytes(GetInfoArgs, { name: "l" }));
  return decodeFromBytes(GetInfoReply, output);
}

function asClient(object: MemoryObject, num: bigint): void {
  object.origin = { ...object.origin, name: { ...object.origin.name, num } };
}

test("the lock belongs to the session that took it, whatever cookie another one claims", () => {
  const object = new MemoryObject();
  expect(lock(object)).toBe(0);
  asClient(object, 9n);
  expect(lock(object)).toBe(-ERRNO.EBUSY);
  const unlock = encodeToBytes(UnlockArgs, { name: "l", cookie: "c" });
  expect(object.call(lockClass, "unlock", unlock).errno).toBe(-ERRNO.ENOENT);
});

test("a holder's address is stored with the legacy type", () => {
  const object = new MemoryObject();
  lock(object);
  const [holder] = info(object).lockers;
  expect(holder?.[1].addr).toEqual({ ...object.origin.addr, type: ADDR_TYPE.LEGACY });
});

test("names end at the first zero, as those of upstream's attributes", () => {
  const object = new MemoryObject();
  expect(lock(object, { name: "l\0one" })).toBe(0);
  expect(lock(object, { name: "l\0two", cookie: "other" })).toBe(-ERRNO.EBUSY);
  expect(info(object).lockers.length).toBe(1);
});

test("a lock holds until its time is up, and not longer", () => {
  const object = new MemoryObject();
  object.now = { sec: 100, nsec: 600_000_000 };
  lock(object, { duration: { sec: 5, nsec: 500_000_000 } });
  asClient(object, 9n);
  object.now = { sec: 106, nsec: 100_000_000 };
  expect(info(object).lockers).toHaveLength(1);
  expect(lock(object)).toBe(-ERRNO.EBUSY);
  object.now = { sec: 106, nsec: 100_000_001 };
  expect(info(object).lockers).toHaveLength(0);
  expect(lock(object)).toBe(0);
});

test("an ephemeral lock that ran out takes the object's content along when it is taken anew", () => {
  const object = new MemoryObject();
  object.edit((state) => {
    state.data = Uint8Array.of(1);
  });
  object.now = { sec: 100, nsec: 0 };
  lock(object, { type: LOCK_TYPE.EXCLUSIVE_EPHEMERAL, duration: { sec: 1, nsec: 0 } });
  expect(object.state?.data.length).toBe(1);
  object.now = { sec: 200, nsec: 0 };
  expect(lock(object, { type: LOCK_TYPE.EXCLUSIVE_EPHEMERAL })).toBe(0);
  expect(object.state?.data.length).toBe(0);
  expect(info(object).lockers).toHaveLength(1);
});

test("renewing needs a lock to renew, and taking may not both allow and demand it", () => {
  const object = new MemoryObject();
  const { MAY_RENEW, MUST_RENEW } = LOCK_FLAG;
  expect(lock(object, { flags: MUST_RENEW })).toBe(-ERRNO.ENOENT);
  expect(lock(object, { flags: MAY_RENEW })).toBe(0);
  expect(lock(object, { flags: MUST_RENEW })).toBe(0);
  expect(lock(object, { flags: MAY_RENEW | MUST_RENEW })).toBe(-ERRNO.EINVAL);
  expect(lock(object)).toBe(-ERRNO.EEXIST);
});

test("a refused lock leaves no object behind", () => {
  const object = new MemoryObject();
  expect(lock(object, { name: "" })).toBe(-ERRNO.EINVAL);
  expect(object.state).toBeUndefined();
});
