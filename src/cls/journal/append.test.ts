import { expect, test } from "vitest";
import { ERRNO } from "../../base/index.ts";
import { encodeToBytes } from "../../encoding/index.ts";
import { MemoryObject } from "../testing/memory-context.ts";
import { AppendArgs, journalClass } from "./index.ts";

function append(object: MemoryObject, text: string, softMaxSize = 10_000): number {
  const input = encodeToBytes(AppendArgs, { softMaxSize, data: Buffer.from(text) });
  return object.call(journalClass, "append", input).errno;
}

function content(object: MemoryObject): string {
  return Buffer.from(object.state?.data ?? []).toString();
}

test("entries stand one after another while a client may be older than Octopus", () => {
  const object = new MemoryObject();
  append(object, "one");
  append(object, "two");
  expect(content(object)).toBe("onetwo");
});

test("entries begin at allocation units where every client steps over the gaps", () => {
  const object = new MemoryObject();
  object.requireMinCompatClient = 15;
  append(object, "one");
  append(object, "x".repeat(4096));
  expect(object.state?.data).toHaveLength(8192);
  expect(content(object).slice(0, 5)).toBe("one\0\0");
  expect(append(object, "two", 8192)).toBe(-ERRNO.EOVERFLOW);
});
