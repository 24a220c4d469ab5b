/** A short round of `npm run test:kill`: what the crash tests cannot show, an acknowledgement lost or done twice. */
import { expect, test } from "vitest";
import { killTest } from "../kill/kill.ts";

test("clients that check everything notice nothing of three kills", async () => {
  const { passed, fioRuns, acks } = await killTest({ cycles: 3, seed: 1 });
  expect(passed).toBe(3);
  expect(fioRuns).toBeGreaterThan(0);
  expect(acks).toBeGreaterThan(0);
});

test("nor of three kills while PGs split", async () => {
  const { passed } = await killTest({ cycles: 3, seed: 2, splits: true });
  expect(passed).toBe(3);
});
