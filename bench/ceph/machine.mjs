// What needs root: page cache, file systems of a given size. And how full a cluster can be made.
import { mkdir, rm, writeFile } from "node:fs/promises";
import process from "node:process";
import { clientEnv, must } from "./servers.mjs";

const OBJECT_BYTES = 4 * 2 ** 20;

export function requireRoot(what) {
  if (process.getuid?.() !== 0) throw new Error(`${what} needs root`);
}

/** Files are read from the disk again afterwards. Dirty pages first: those would stay. */
export async function dropCaches() {
  await must("sync");
  await writeFile("/proc/sys/vm/drop_caches", "3");
}

/** A file system of `bytes` at `dir`, in a sparse file beside it. Returns how to take it away again. */
export async function mountLoop(dir, bytes) {
  const file = `${dir}.ext4`;
  await mkdir(dir, { recursive: true });
  await must(
    `truncate -s ${bytes} ${file} && mkfs.ext4 -q -m 0 ${file} && mount -o loop ${file} ${dir}`,
  );
  return async () => {
    await must(`umount ${dir}`);
    await rm(file);
  };
}

/** Size of an image that takes a share of the cluster's space, in whole objects. */
export async function imageBytesFor(server, share) {
  const text = await must("ceph df --format json", { env: clientEnv(server.confPath) });
  const { total_bytes: total, total_used_raw_bytes: used } = JSON.parse(text).stats;
  return Math.floor((total * share - used) / OBJECT_BYTES) * OBJECT_BYTES;
}
