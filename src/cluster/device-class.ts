/**
 * What kind of disk a directory lies on, as `ceph osd tree` shows it: "hdd" if the kernel says that it
 * rotates, else "ssd".
 * ceph: src/common/blkdev.cc BlkDev::is_rotational
 */

import { readFileSync, statSync } from "node:fs";

/** Minor numbers fill the low byte and what lies above the major.  Linux: dev_t */
function deviceNumbers(dev: number): string {
  const major = Math.floor(dev / 256) % 4096;
  const minor = (dev % 256) + Math.floor(dev / 1_048_576) * 256;
  return `${major}:${minor}`;
}

/** Directories without a block device of their own (overlays, network) count as "ssd". */
export function deviceClassOf(directory: string): "hdd" | "ssd" {
  const base = `/sys/dev/block/${deviceNumbers(statSync(directory).dev)}`;
  // A partition has no queue of its own; its disk is one level up.
  for (const path of [`${base}/queue/rotational`, `${base}/../queue/rotational`]) {
    try {
      return readFileSync(path, "latin1").trim() === "1" ? "hdd" : "ssd";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "ssd";
}
