/**
 * A disk as one process has it: calls that block take time, and whatever the process waits for when it dies,
 * it waits for for ever.
 */
import type { Disk } from "../../src/store/index.ts";
import type { SimProcess } from "./machine.ts";

type DiskFile = ReturnType<Disk["open"]>;

/** The same promise, which a process that has died meanwhile hears nothing of. */
function untilDeath<T>(process: SimProcess, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(
      (value) => {
        if (process.isAlive) resolve(value);
      },
      (error: unknown) => {
        if (process.isAlive) reject(error);
      },
    );
  });
}

/** @param block makes time pass, as a write that is waited for does */
export function processDisk(disk: Disk, process: SimProcess, block: () => void): Disk {
  return {
    open: (name, mode) => processFile(disk.open(name, mode), process, block),
    exists: (name) => disk.exists(name),
    list: () => disk.list(),
    remove: (name) => untilDeath(process, disk.remove(name)),
    removeSync: (name) => disk.removeSync(name),
    rename: (from, to) => disk.rename(from, to),
    syncDirectory: () => untilDeath(process, disk.syncDirectory()),
    syncDirectorySync: () => {
      block();
      disk.syncDirectorySync();
    },
    lock: () => disk.lock(),
    space: () => disk.space(),
  };
}

function processFile(file: DiskFile, process: SimProcess, block: () => void): DiskFile {
  const whileAlive = <T>(work: Promise<T>) => untilDeath(process, work);
  return {
    size: () => file.size(),
    allocated: () => file.allocated(),
    readSync: (into, offset) => file.readSync(into, offset),
    read: (into, offset) => whileAlive(file.read(into, offset)),
    writeSync: (data, offset) => file.writeSync(data, offset),
    write: (data, offset) => whileAlive(file.write(data, offset)),
    writeDurableSync: (data, offset) => {
      block();
      file.writeDurableSync(data, offset);
    },
    writeDurable: (data, offset) => whileAlive(file.writeDurable(data, offset)),
    sync: () => whileAlive(file.sync()),
    syncSync: () => {
      block();
      file.syncSync();
    },
    truncate: (size) => file.truncate(size),
    punch: (offset, length) => whileAlive(file.punch(offset, length)),
    close: () => file.close(),
  };
}
