import { expect, test } from "vitest";
import { encodeToBytes, record, str } from "../../encoding/index.ts";
import { MemoryObject } from "../testing/memory-context.ts";
import { numopsClass } from "./class.ts";

const Args = record("numops", { key: str, operand: str });

/** What is stored after these additions. */
function sum(...operands: string[]): string {
  const object = new MemoryObject();
  for (const operand of operands) {
    object.call(numopsClass, "add", encodeToBytes(Args, { key: "k", operand }));
  }
  let stored = "";
  object.edit((state) => {
    stored = Buffer.from(state.omap.get("k") ?? []).toString();
  });
  return stored;
}

// Recorded from 16.2.15 on x86; found by the differential test.
test("what is no number has a sign", () => {
  expect(sum("1e400")).toBe("inf");
  expect(sum("inf", "-inf")).toBe("-nan");
  expect(sum("1", "nan")).toBe("nan");
  expect(sum("inf", "-inf", "1")).toBe("-nan");
  expect(sum("nan", "-nan")).toBe("nan");
});
