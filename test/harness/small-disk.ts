/**
 * A file system of a chosen size, to be filled: ext4 in a file, mounted by loop; where the machine has no
 * loop devices a tmpfs. Either needs root.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { must, sh, until } from "./run.ts";

export interface SmallDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** Bytes that may still be written. */
  free: () => Promise<number>;
  /** Takes space as somebody else would, but for `leaveBytes`. */
  takeAllBut: (leaveBytes: number) => Promise<void>;
  /** Gives that space back. */
  giveBack: () => Promise<void>;
  remove: () => Promise<void>;
}

/** @param work a directory of the test's own; the mount point is made in it */
export async function smallDisk(work: string, sizeMib: number): Promise<SmallDisk> {
  const image = join(work, "small.img");
  const path = join(work, "small");
  await mkdir(path);
  // No blocks set aside for root: the test is root.
  const ext4 = await sh(
    `truncate -s ${sizeMib}M ${image} && mkfs.ext4 -q -m 0 ${image} && mount -o loop ${image} ${path}`,
  );
  if (ext4.code !== 0) {
    const tmpfs = await sh(`mount -t tmpfs -o size=${sizeMib}m small ${path}`);
    if (tmpfs.code !== 0) {
      throw new Error(`no file system to fill (run as root): ${ext4.stderr}${tmpfs.stderr}`);
    }
  }
  const others = join(path, "others");
  const free = async () => Number(await must(`df --output=avail -B1 ${path} | tail -n 1`));
  return {
    path,
    free,
    takeAllBut: async (leaveBytes) => {
      await must(`: >${others}`);
      const size = (await free()) - leaveBytes;
      await sh(`head -c ${size} /dev/zero >${others}; sync ${others}`);
      // What the file system's own books took meanwhile may be free again: until it says that it is full.
      if (leaveBytes === 0) await sh(`while head -c 4096 /dev/zero >>${others}; do :; done`);
    },
    giveBack: async () => {
      await must(`rm -f ${others}`);
    },
    remove: async () => {
      // A server that was just killed may hold its files for a moment.
      await until("umount", 20_000, async () =>
        (await sh(`umount ${path}`)).code === 0 ? true : undefined,
      );
      await must(`rm -f ${image}`);
    },
  };
}
