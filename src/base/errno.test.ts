import { describe, expect, test } from "vitest";
import { AssertionError, assert, must } from "./assert.ts";
import { CephError, ConfigError, ERRNO, errnoName, fail, isFailure } from "./errno.ts";

describe("error numbers", () => {
  test("are Linux's, whatever the host's own numbers are", () => {
    const onTheWire = { EPERM: 1, ENOENT: 2, EEXIST: 17, EINVAL: 22, ENODATA: 61, EOPNOTSUPP: 95 };
    expect(ERRNO).toMatchObject(onTheWire);
    expect(ERRNO).toMatchObject({ ETIMEDOUT: 110, ESTALE: 116, EDQUOT: 122, ECANCELED: 125 });
  });

  test("are named one to one", () => {
    const numbers = Object.values(ERRNO);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const [name, number] of Object.entries(ERRNO)) {
      expect(errnoName(number)).toBe(name);
      expect(errnoName(-number)).toBe(name);
    }
  });

  test("without a name still print", () => {
    expect(errnoName(-4097)).toBe("E4097");
  });
});

describe("fail", () => {
  test("gives one frozen value per errno, named or numbered, with either sign", () => {
    const failure = fail("ENOENT");
    expect(failure.errno).toBe(-2);
    expect(fail("ENOENT")).toBe(failure);
    expect(fail(-2)).toBe(failure);
    expect(fail(2)).toBe(failure);
    expect(Object.isFrozen(failure)).toBe(true);
  });

  test("carries the offset of a cmpext mismatch, which has no name", () => {
    // ceph: src/osd/PrimaryLogPG.cc do_extent_cmp answers -MAX_ERRNO - offset.
    for (const offset of [0, 1, 4095, 4 * 1024 * 1024]) {
      const failure = fail(-4095 - offset);
      expect(isFailure(failure), `offset ${offset}`).toBe(true);
      expect(failure.errno, `offset ${offset}`).toBe(-4095 - offset);
    }
  });

  test("keeps no value for offsets, which would pile up", () => {
    expect(fail(-4096)).not.toBe(fail(-4096));
    expect(fail(-4095)).toBe(fail(-4095));
  });
});

test("only what fail() made is a failure: a value that looks like one is a value", () => {
  expect(isFailure(fail("EIO"))).toBe(true);
  for (const value of [{ errno: -5 }, -5, 0, undefined, null, new Uint8Array(4), "EIO"]) {
    expect(isFailure(value)).toBe(false);
  }
});

test("a CephError says what failed on what, and why", () => {
  const cause = new RangeError("below");
  const error = new CephError(-ERRNO.ENOENT, { op: "open", target: "rbd/disk", cause });
  expect(error).toMatchObject({ code: "ENOENT", errno: -2, op: "open", target: "rbd/disk", cause });
  expect(error.message).toBe("open rbd/disk: ENOENT");
  expect(new CephError(ERRNO.ENOENT, { op: "open", target: "x" }).errno).toBe(-2);
});

test("a ConfigError keeps its cause out of its one line", () => {
  const error = new ConfigError("--port 70000: too high", new Error("inner"));
  expect(error.message).toBe("--port 70000: too high");
  expect(error.cause).toEqual(new Error("inner"));
});

test("an assertion that does not hold throws, and one that holds is silent", () => {
  expect(() => assert(false, "epoch moved")).toThrow(new AssertionError("epoch moved"));
  expect(() => assert(0, "zero")).toThrow(AssertionError);
  expect(() => assert(1, "one")).not.toThrow();
});

test("must() passes everything but absence, falsy values too", () => {
  for (const value of [0, "", false, 0n]) expect(must(value, "value")).toBe(value);
  expect(() => must(undefined, "pool 7")).toThrow(new AssertionError("missing pool 7"));
  expect(() => must(null, "pool 7")).toThrow(AssertionError);
});
