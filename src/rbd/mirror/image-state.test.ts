import { expect, test } from "vitest";
import { RBD_PROTECTION_STATUS } from "../../cls/rbd/types/features.ts";
import { USER_NAMESPACE } from "../../cls/rbd/types.ts";
import { decodeFromBytes, encodeToBytes } from "../../encoding/index.ts";
import { ImageState, ImageStateHeader } from "./image-state.ts";

/** Behind the header, of an image of a real 16.2.15 with one protected snapshot and one metadata. */
const RECORDED =
  "01014500000001000000610d00000000000000ffffffffffffffff010000000400000000000000010110000000" +
  "01010400000000000000010000007502010000000100" +
  "00006b0100000076";

test("the state of a primary image lies as librbd writes it", () => {
  const state = decodeFromBytes(ImageState, Buffer.from(RECORDED, "hex"));
  expect(state).toEqual({
    name: "a",
    features: 13n,
    snapshotLimit: 0xffff_ffff_ffff_ffffn,
    snapshots: new Map([
      [4n, { namespace: USER_NAMESPACE, name: "u", protection: RBD_PROTECTION_STATUS.PROTECTED }],
    ]),
    metadata: new Map([["k", Buffer.from("v")]]),
  });
  expect(Buffer.from(encodeToBytes(ImageState, state)).toString("hex")).toBe(RECORDED);
});

test("so does the header before it, in how many objects it lies", () => {
  const recorded = "01010400000001000000";
  expect(decodeFromBytes(ImageStateHeader, Buffer.from(recorded, "hex"))).toEqual({
    objectCount: 1,
  });
  expect(Buffer.from(encodeToBytes(ImageStateHeader, { objectCount: 1 })).toString("hex")).toBe(
    recorded,
  );
});
