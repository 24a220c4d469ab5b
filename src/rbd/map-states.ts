/** What an image's object maps say of its objects, at any point of its history. */

import { statesOf } from "../cls/rbd/types/bit-vector.ts";
import type { CallOptions } from "../rados/index.ts";
import { NOSNAP, type SnapId } from "../types/index.ts";
import { OBJECT_MAP } from "./calls.ts";
import { isErrno, unless } from "./errors.ts";
import { sizeAt } from "./find-snapshot.ts";
import type { Image } from "./image.ts";
import { objectMapName } from "./names.ts";

/**
 * @param flag of FLAG: marks a map that is not to be believed
 * @returns one OBJECT_STATE an object; "gone": there is no such map, what it had is in the next newer one; undefined:
 *   it is not to be believed, or damaged
 */
export async function statesAt(
  image: Image,
  snap: SnapId,
  flag: bigint,
  options: CallOptions = {},
): Promise<Uint8Array | "gone" | undefined> {
  const { flags } = (snap === NOSNAP ? image : image.snapshots.find(({ id }) => id === snap)) ?? {};
  if (flags === undefined) return "gone";
  if ((flags & flag) !== 0n) return undefined;
  const name = objectMapName(image.id, snap);
  try {
    const load = image.io.query(name, OBJECT_MAP.load, undefined, options);
    const map = await unless(load, "ENOENT");
    if (map === undefined) return "gone";
    const count = image.objectsIn(sizeAt(image, snap));
    return map.size < count ? undefined : statesOf(map, count);
  } catch (error) {
    if (!isErrno(error, "EINVAL")) throw error;
    return undefined;
  }
}
