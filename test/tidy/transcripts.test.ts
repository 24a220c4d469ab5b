/** The filters that transcripts go through: what the library's log does to a tool's lines is taken back, and no more. */
import { expect, test } from "vitest";
import { filterOutput, noFilters } from "../harness/filters.ts";

const LOG = "2026-11-29T09:10:11.123+0000 7f0011223344 -1 librbd::Request: no\n";
const MACHINE = { workDir: "/nowhere", deviceClass: "hdd" };
const CLEAN = "rbd: failed: (16) busy\nlog -1 librbd::Request: no\n";

test.each([
  ["behind the tool's line", `rbd: failed: (16) busy\n${LOG}\n`],
  ["in the middle of it", `rbd: failed: ${LOG}\n(16) busy\n`],
  ["behind it, its end in the middle", `rbd: failed: \n(16) busy\n${LOG}`],
  ["in the middle, its end behind", `rbd: failed: ${LOG}(16) busy\n\n`],
])("a line of the log lies %s", (_where, text) => {
  expect(filterOutput(text, noFilters(), MACHINE)).toBe(CLEAN);
});

test("a line that the tool itself breaks stays broken", () => {
  const broken = "rbd: failed: \n(16) busy\n";
  expect(filterOutput(broken, noFilters(), MACHINE)).toBe(broken);
  expect(filterOutput(`${broken}${LOG}\n`, noFilters(), MACHINE)).not.toBe(CLEAN);
});
