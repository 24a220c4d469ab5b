/** Who has an image open. ceph: src/librbd/api/Image.cc, src/tools/rbd/action/Status.cc */

import { CephError } from "../base/index.ts";
import type { Watcher } from "../rados/index.ts";
import type { Image } from "./image.ts";

/** With ourselves, unless the image was opened to be read only. */
export async function listWatchers(image: Pick<Image, "io" | "headerOid">): Promise<Watcher[]> {
  return await image.io.listWatchers(image.headerOid);
}

/** Takes a watcher's client out of the cluster. */
export async function evict(image: Image, { addr }: Watcher): Promise<void> {
  const { result, status } = await image.rados.blocklist(addr);
  if (result < 0) throw new CephError(result, { op: "evict", target: image.target, cause: status });
}
