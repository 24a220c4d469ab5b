import { expect, test } from "vitest";
import { CommandFailure } from "../client/index.ts";
import { dateOf } from "./dates.ts";

const NOW = Date.UTC(2026, 10, 29, 12);

test("a plain date is this machine's midnight, or the time that it says", async () => {
  expect(await dateOf("now", NOW)).toBe(NOW);
  expect(await dateOf("2030-01-01", NOW)).toBe(new Date(2030, 0, 1).getTime());
  expect(await dateOf("2030-01-01 12:30", NOW)).toBe(new Date(2030, 0, 1, 12, 30).getTime());
  expect(await dateOf("2030-01-01T12:30:05.5Z", NOW)).toBe(Date.UTC(2030, 0, 1, 12, 30, 5, 500));
  expect(await dateOf("2030-01-01 12:30+01:00", NOW)).toBe(Date.UTC(2030, 0, 1, 11, 30));
});

test("everything else is what date(1) takes it for", async () => {
  expect(await dateOf("@1900000000", NOW)).toBe(1_900_000_000_000);
  expect(await dateOf("1 Jan 2030 00:00 UTC", NOW)).toBe(Date.UTC(2030, 0, 1));
});

test("what is no date is refused as 16.2.15 does", async () => {
  const refusal = new CommandFailure("rbd: error calling /bin/date: (22) Invalid argument", 22);
  await expect(dateOf("no such day", NOW)).rejects.toThrow(refusal);
  await expect(dateOf("2030-13-01", NOW)).rejects.toThrow("date: invalid date '2030-13-01'");
});
