import { expect, test } from "vitest";
import { OBJECT_STATE } from "../../cls/rbd/types/features.ts";
import { osdOpName } from "../../messages/index.ts";
import { type ObjectChange, planChange } from "./object-change.ts";

const SIZE = 4096;
const ALONE = { objectSize: SIZE, hasParent: false, hasSnapshots: false };
const CLONE = { ...ALONE, hasParent: true };
const OLD_CLONE = { ...CLONE, hasSnapshots: true };

const whole: ObjectChange = { type: "discard", offset: 0, length: SIZE };
const names = (change: ObjectChange, at: Parameters<typeof planChange>[1]) =>
  planChange(change, at).ops.map(({ code }) => osdOpName(code));

test("a whole object that is discarded goes, unless the parent would show through", () => {
  expect(names(whole, ALONE)).toEqual(["delete"]);
  expect(planChange(whole, ALONE)).toMatchObject({
    removes: true,
    before: OBJECT_STATE.PENDING,
    needsObject: true,
  });
  expect(names(whole, CLONE)).toEqual(["create", "truncate"]);
  expect(planChange(whole, CLONE)).toMatchObject({ removes: false, needsCopyup: false });
  expect(names(whole, OLD_CLONE)).toEqual(["truncate"]);
  expect(planChange(whole, OLD_CLONE)).toMatchObject({ removes: false, needsCopyup: true });
  const past = { ...whole, showsParent: true } as const;
  expect(names(past, OLD_CLONE)).toEqual(["delete"]);
  expect(planChange(past, OLD_CLONE)).toMatchObject({ removes: true, needsCopyup: true });
});

test("the end of an object is cut off, its middle made zero", () => {
  expect(names({ type: "discard", offset: 512, length: SIZE - 512 }, ALONE)).toEqual(["truncate"]);
  expect(names({ type: "discard", offset: 512, length: 512 }, ALONE)).toEqual(["zero"]);
});

test("only a whole object without snapshots needs nothing of the parent", () => {
  const all: ObjectChange = { type: "write", offset: 0, data: Buffer.alloc(SIZE) };
  const part: ObjectChange = { type: "write", offset: 0, data: Buffer.alloc(512) };
  expect(names(all, ALONE)).toEqual(["writefull"]);
  expect(names(part, ALONE)).toEqual(["write"]);
  expect(planChange(all, CLONE).needsCopyup).toBe(false);
  expect(planChange(all, OLD_CLONE).needsCopyup).toBe(true);
  expect(planChange(part, CLONE).needsCopyup).toBe(true);
});

test("what is compared has to be there first", () => {
  const data = Buffer.alloc(SIZE);
  const change: ObjectChange = { type: "compareAndWrite", offset: 0, expected: data, data };
  expect(names(change, CLONE)).toEqual(["cmpext", "writefull"]);
  expect(planChange(change, CLONE)).toMatchObject({ afterCopyup: true, needsCopyup: true });
});
