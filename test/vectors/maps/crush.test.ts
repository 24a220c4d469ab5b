/**
 * CRUSH against crushtool: every map re-encodes to its own bytes, and every rule sends inputs 0 to 1023
 * where crushtool sends them. See README.md for how the vectors were made.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type CrushMap, CrushMapCodec, doRule } from "../../../src/crush/index.ts";
import { decodeFromBytes, encodeToBytes, Reader } from "../../../src/encoding/index.ts";

const here = new URL(".", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, here));
const maps = readdirSync(here).filter((name) => /^crush-.*\.bin$/.test(name));

interface Case {
  map: string;
  rule: number;
  numRep: number;
  weights: Record<string, number>;
  first: string[];
  sha256: string;
}
const cases = JSON.parse(read("crush-mappings.json").toString()) as Case[];
const INPUTS = 1024;

function weightsOf(map: CrushMap, changed: Record<string, number>): number[] {
  const weights = Array.from({ length: map.maxDevices }, () => 0x10000);
  for (const [osd, weight] of Object.entries(changed)) {
    weights[Number(osd)] = Math.trunc(weight * 0x10000);
  }
  return weights;
}

describe.each(maps)("%s", (name) => {
  const bytes = read(name);
  const map = decodeFromBytes(CrushMapCodec, bytes);

  test("is read to its last byte and encodes to the same bytes", () => {
    const r = new Reader(bytes);
    CrushMapCodec.decode(r);
    expect(r.remaining).toBe(0);
    expect(encodeToBytes(CrushMapCodec, map).equals(bytes)).toBe(true);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("rule %i maps as crushtool does", (rule) => {
    const own = cases.filter((c) => c.map === name && c.rule === rule);
    expect(own.length).toBeGreaterThan(0);
    for (const c of own) {
      const weights = weightsOf(map, c.weights);
      const lines: string[] = [];
      for (let x = 0; x < INPUTS; x++) {
        const osds = doRule(map, rule, { x, resultMax: c.numRep, weights, chooseArgsPool: 0 });
        lines.push(`${x} [${osds.join(",")}]`);
      }
      const what = JSON.stringify({ numRep: c.numRep, weights: c.weights });
      expect(lines.slice(0, 2), what).toEqual(c.first);
      const digest = createHash("sha256").update(lines.join("\n")).digest("hex");
      expect(digest.slice(0, 16), what).toBe(c.sha256);
    }
  });
});
