/** Maps and answers as a file: JSON with the maps in base64, and lists of OSDs as text to keep it small. */

import type { CrushAnswers } from "./answers.ts";
import type { Recorded } from "./placement.ts";

interface Document {
  /** Release of the tools that answered. */
  readonly version: string;
  readonly maps: readonly unknown[];
}

/** `0,1,2 3,4,5`: a word an input. */
const osdsText = (osds: CrushAnswers["osds"]): string => osds.map((list) => list.join()).join(" ");
const osdsOf = (text: string): number[][] =>
  text.split(" ").map((list) => (list === "" ? [] : list.split(",").map(Number)));

export function recordText(version: string, recorded: readonly Recorded[]): string {
  const maps = recorded.map((one) => {
    const map = one.map.toString("base64");
    if (one.kind === "osd") return { ...one, map };
    return {
      ...one,
      map,
      rules: one.rules.map((rule) => ({ ...rule, osds: osdsText(rule.osds) })),
    };
  });
  return JSON.stringify({ version, maps } satisfies Document);
}

export function readRecord(text: string): { version: string; maps: Recorded[] } {
  const { version, maps } = JSON.parse(text) as { version: string; maps: never[] };
  return {
    version,
    maps: maps.map((one: Recorded) => {
      const map = Buffer.from(one.map as unknown as string, "base64");
      if (one.kind === "osd") return { ...one, map };
      const rules = one.rules.map((rule) => ({
        ...rule,
        osds: osdsOf(rule.osds as unknown as string),
      }));
      return { ...one, map, rules };
    }),
  };
}
