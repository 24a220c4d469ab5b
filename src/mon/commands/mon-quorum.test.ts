import { expect, test } from "vitest";
import { askerOf } from "../testing/ask.ts";
import { createBench } from "../testing/bench.ts";

test.each([
  [
    "mon ok-to-stop",
    { ids: ["a", "b"] },
    -16,
    "not enough monitors would be available () after stopping mons [a,b]",
  ],
  ["mon ok-to-stop", { ids: ["b"] }, 0, "quorum should be preserved (a) after stopping [b]"],
  [
    "mon ok-to-add-offline",
    {},
    -16,
    "adding a monitor may break quorum (until that monitor starts)",
  ],
  ["mon ok-to-rm", { id: "a" }, -16, "removing mon.a would break quorum"],
  ["mon ok-to-rm", { id: "b" }, 0, "mon.b does not exist"],
])("%s %j: %d %s", async (prefix, args, r, status) => {
  const { monitor } = await createBench();
  expect(await askerOf(monitor)(prefix, args)).toEqual({ r, status, data: "" });
});
