/** Which error comes first, as the differential test found it: see test/differential/. */
import { describe, expect, test } from "vitest";
import { ERRNO } from "../../../base/index.ts";
import { MemoryObject } from "../../testing/memory-context.ts";
import { rbdClass } from "../index.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const MALFORMED = hex("01");

describe("a malformed argument", () => {
  test("of set_id comes after the object that is not there", () => {
    const object = new MemoryObject();
    expect(object.call(rbdClass, "set_id", MALFORMED).errno).toBe(-ERRNO.ENOENT);
    object.edit(() => undefined);
    expect(object.call(rbdClass, "set_id", MALFORMED).errno).toBe(-ERRNO.EINVAL);
  });

  test("of format 1 snapshots comes after a header that is none", () => {
    const object = new MemoryObject();
    for (const name of ["snap_add", "snap_remove", "snap_rename"]) {
      expect(object.call(rbdClass, name, MALFORMED).errno, name).toBe(-ERRNO.EINVAL);
    }
  });
});

test("the status of an image that is not mirrored, or not enabled, is dropped without a word", () => {
  const status = hex("02000000673101011300000006050000006c6f63616c000000000000000001");
  const image = (state: string) =>
    hex(`02000000693101010700000002000000 6731 ${state}`.replaceAll(" ", ""));
  const object = new MemoryObject();
  expect(object.call(rbdClass, "mirror_image_status_set", status).errno).toBe(0);
  expect(object.state).toBeUndefined();
  for (const [state, kept] of [
    ["02", false],
    ["01", true],
  ] as const) {
    expect(object.call(rbdClass, "mirror_image_set", image(state)).errno).toBe(0);
    expect(object.call(rbdClass, "mirror_image_status_set", status).errno).toBe(0);
    expect(object.state?.omap.has("status_global_g1"), state).toBe(kept);
  }
});

test("an order past 63 is taken modulo 64, as processors shift", () => {
  const object = new MemoryObject();
  const create = hex(
    `0000400000000000 40 bf00000000000000 02000000 6d6d 0500000000000000`.replaceAll(" ", ""),
  );
  expect(object.call(rbdClass, "create", create).errno).toBe(0);
  const { errno, output } = object.call(rbdClass, "get_stripe_unit_count", hex(""));
  expect(errno).toBe(0);
  expect(Buffer.from(output).toString("hex")).toBe("01000000000000000100000000000000");
});
