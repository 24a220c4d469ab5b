import { expect, test } from "vitest";
import { askManager } from "../testing/ask.ts";

test("no devices are an empty list for who asks for one", async () => {
  const { ask } = await askManager();
  expect(await ask("device ls", { format: "json" })).toMatchObject({ r: 0, data: "[]" });
  expect((await ask("device ls")).data).toBe("DEVICE  HOST:DEV  DAEMONS  WEAR  LIFE EXPECTANCY\n");
});
