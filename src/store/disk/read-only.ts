/** A disk seen through a window: nothing that changes it is passed on. For checks and inspections. */

import type { Disk } from "./disk.ts";

/** The same disk, read-only: every file is opened for reading, whatever it was asked for. */
export function readOnlyDisk(disk: Disk): Disk {
  const refuse = (): never => {
    throw new Error("the disk is open for reading");
  };
  return {
    open: (name) => disk.open(name, "read"),
    exists: (name) => disk.exists(name),
    list: () => disk.list(),
    space: () => disk.space(),
    remove: refuse,
    removeSync: refuse,
    rename: refuse,
    syncDirectory: refuse,
    syncDirectorySync: refuse,
    lock: refuse,
  };
}
