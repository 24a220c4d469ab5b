/** The clones of an image, and theirs. ceph: src/librbd/api/Image.cc list_descendants */

import type { Image } from "../../librbd/index.ts";
import type { Call } from "./call.ts";

export interface FoundChild {
  readonly poolId: number;
  readonly pool: string;
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly inTrash: boolean;
}

/** In the order of their names. @param deep the clones' clones, too */
export async function findChildren(call: Call, image: Image, deep: boolean): Promise<FoundChild[]> {
  const cluster = await call.cluster();
  const names = new Map((await cluster.pools()).map(({ id, name }) => [id, name]));
  const found: FoundChild[] = [];
  for (const child of await image.children()) {
    const pool = names.get(child.poolId) ?? "";
    found.push({ ...child, pool });
    if (!deep || pool === "") continue;
    const spec = { pool, namespace: child.namespace, name: "", snapshot: "", id: child.id };
    found.push(...(await call.withImage(spec, "read", (next) => findChildren(call, next, true))));
  }
  return found.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey({ pool, namespace, name, id }: FoundChild): string {
  return [pool, namespace, name, id].join("\0");
}
