import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("work is done in the order in which it came, and a failure is its own only", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let go = () => {};
  const first = turns.take(async () => {
    await new Promise<void>((resolve) => (go = resolve));
    seen.push("first");
  });
  const second = turns.take(() => {
    seen.push("second");
    throw new RangeError("bad");
  });
  const third = turns.take(() => seen.push("third"));
  await Promise.resolve();
  expect(seen).toEqual([]);
  go();
  await first;
  await expect(second).rejects.toThrow("bad");
  expect(await third).toBe(3);
  expect(seen).toEqual(["first", "second", "third"]);
});
