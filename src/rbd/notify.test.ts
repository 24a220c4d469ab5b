import { expect, test } from "vitest";
import { DecodeError } from "../encoding/index.ts";
import {
  decodeHeaderNotice,
  decodeResponse,
  encodeHeaderNotice,
  encodeResponse,
  encodeTrashNotice,
  type OwnerRequest,
} from "./notify.ts";

const FROM = { gid: 4123n, handle: 0x5566_7788n };
const ASKED = { from: FROM, request: 9n };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("notices lie as NotifyMessage has them", () => {
  const id = "1b100000000000008877665500000000";
  expect(hex(encodeHeaderNotice({ op: "acquired", from: FROM }))).toBe(`07011400000000000000${id}`);
  expect(hex(encodeHeaderNotice({ op: "released", from: FROM }))).toBe(`07011400000001000000${id}`);
  expect(hex(encodeHeaderNotice({ op: "request", from: FROM }))).toBe(
    `07011500000002000000${id}00`,
  );
  expect(hex(encodeHeaderNotice({ op: "update" }))).toBe("07010400000003000000");
});

test("requests to the lock's owner name the snapshot, and themselves", () => {
  const id = "1b1000000000000088776655000000000900000000000000";
  const request = { from: FROM, request: 9n, name: "s", namespace: { type: "user" } } as const;
  const user = "01010400000000000000";
  expect(hex(encodeHeaderNotice({ op: "snapRemove", ...request }))).toBe(
    `07012b000000090000000100000073${user}${id}`,
  );
  expect(hex(encodeHeaderNotice({ op: "snapCreate", ...request }))).toBe(
    `070133000000080000000100000073${user}${id}0000000000000000`,
  );
  expect(hex(encodeHeaderNotice({ op: "quiesce", from: FROM, request: 9n }))).toBe(
    `07011c00000012000000${id}`,
  );
  expect(hex(encodeHeaderNotice({ op: "flatten", from: FROM, request: 9n }))).toBe(
    `07011c00000006000000${id}`,
  );
  expect(hex(encodeHeaderNotice({ op: "migrate", from: FROM, request: 9n }))).toBe(
    `07011c00000010000000${id}`,
  );
  const done = { op: "complete", from: FROM, request: 9n, result: -17 } as const;
  expect(hex(encodeHeaderNotice(done))).toBe(`07012000000005000000${id}efffffff`);
  expect(decodeHeaderNotice(encodeHeaderNotice(done))).toEqual(done);
});

test("they are read again; what is for others is told by its number", () => {
  for (const op of ["acquired", "released", "request"] as const) {
    expect(decodeHeaderNotice(encodeHeaderNotice({ op, from: FROM }))).toEqual({ op, from: FROM });
  }
  const future = Buffer.from("07010400000063000000", "hex");
  expect(decodeHeaderNotice(future)).toEqual({ op: "other", code: 0x63 });
});

test("every request to the owner is read as it was meant", () => {
  const namespace = { type: "user" } as const;
  const requests: readonly OwnerRequest[] = [
    { op: "flatten" },
    { op: "rebuildObjectMap" },
    { op: "resize", size: 2 ** 40, allowShrink: true },
    { op: "snapCreate", name: "s", namespace, flags: 2n },
    { op: "snapRemove", name: "s", namespace },
    { op: "snapProtect", name: "s", namespace },
    { op: "snapUnprotect", name: "s", namespace },
    { op: "rename", name: "b" },
    { op: "updateFeatures", features: 12n, enabled: true },
    { op: "sparsify", sparseSize: 4096 },
    { op: "metadata", key: "k", value: "v" },
    { op: "metadata", key: "k", value: undefined },
  ];
  for (const request of requests) {
    const notice = { ...request, from: FROM, request: 9n };
    expect(decodeHeaderNotice(encodeHeaderNotice(notice))).toEqual(notice);
  }
  const rename = { op: "snapRename", snapId: 7n, name: "t", from: FROM, request: 9n } as const;
  expect(decodeHeaderNotice(encodeHeaderNotice(rename))).toEqual({ ...rename, namespace });
  expect(hex(encodeHeaderNotice({ op: "resize", size: 5, allowShrink: true, ...ASKED }))).toBe(
    "0701250000000700000005000000000000001b100000000000008877665500000000090000000000000001",
  );
});

test("an empty notice of an ancient client is an update; half a one is refused", () => {
  expect(decodeHeaderNotice(new Uint8Array(0))).toEqual({ op: "update" });
  const whole = encodeHeaderNotice({ op: "request", from: FROM });
  for (let length = 1; length < whole.length - 1; length++) {
    expect(() => decodeHeaderNotice(whole.subarray(0, length)), `${length}`).toThrow(DecodeError);
  }
});

test("answers carry the errno", () => {
  expect(hex(encodeResponse(-30))).toBe("010104000000e2ffffff");
  expect(decodeResponse(encodeResponse(-30))).toBe(-30);
});

test("a removal from the trash names the image", () => {
  expect(hex(encodeTrashNotice("id"))).toBe("01010a00000001000000020000006964");
});
