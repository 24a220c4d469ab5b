/** Verbs that the original has and this command knows by name only: it says so. */

import type { Verb } from "./verb.ts";

const NAMES: Readonly<Record<string, string>> = {
  "Kernel and userspace devices":
    "device attach, device detach, device list, device map, device unmap, map, unmap, showmapped, nbd list, nbd map, nbd unmap",
  "Encryption of an image's data": "encryption format",
  "Persistent caches": "persistent-cache flush, persistent-cache invalidate",
  "Journals of images":
    "journal client disconnect, journal export, journal import, journal info, journal inspect, journal reset, journal status",
  "Mirroring of images": "mirror image demote, mirror image promote, mirror image resync",
  "Mirroring of pools":
    "mirror pool demote, mirror pool peer bootstrap create, mirror pool peer bootstrap import, mirror pool peer set, mirror pool promote, mirror pool status",
  "Rates of images": "perf image iostat, perf image iotop",
};

export const missingVerbs: readonly Verb[] = Object.entries(NAMES).flatMap(([summary, names]) =>
  names.split(", ").map((name) => ({ name, summary: `${summary}.`, positional: [], options: [] })),
);
