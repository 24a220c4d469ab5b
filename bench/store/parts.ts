/** What the store's benchmark takes from the source, bundled together for a plain script. */
import { type HObject, NOSNAP } from "../../src/types/index.ts";

export { alignedBuffer } from "../../src/base/index.ts";
export { createStore, openStore } from "../../src/store/index.ts";

/** The head of object `number` of an image. */
export function dataObject(number: number): HObject {
  const oid = `rbd_data.10226b8b4567.${number.toString(16).padStart(16, "0")}`;
  return { key: "", oid, snap: NOSNAP, hash: number, max: 0, nspace: "", pool: 2n };
}
