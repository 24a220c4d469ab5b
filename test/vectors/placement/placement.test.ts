/**
 * Placement against recorded answers of Ceph's own tools, of three releases: random maps, and where crushtool
 * and osdmaptool send every input, PG and object of them. See README.md for how they were recorded.
 */

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { differencesOf, pairsOf, readRecord } from "../../placement/index.ts";

const here = new URL(".", import.meta.url);
const records = readdirSync(here)
  .filter((name) => name.endsWith(".json.gz"))
  .map((name) => readRecord(gunzipSync(readFileSync(new URL(name, here))).toString()));

test("there are records of Pacific, Reef and Tentacle", () => {
  expect(records.map(({ version }) => version)).toEqual(["16.2.15", "18.2.7", "20.2.4"]);
});

describe.each(records)("Ceph $version", ({ version, maps }) => {
  const release = Number(version.split(".")[0]);
  test.each(maps.map((map, n) => ({ n, kind: map.kind, map })))("map $n ($kind)", ({ map }) => {
    expect(pairsOf(map)).toBeGreaterThan(0);
    expect(differencesOf(map, release)).toEqual([]);
  });
});
