/**
 * Codecs that only arguments and answers of class methods need: a field older clients leave out at the
 * end, and bytes that are the whole rest of the input.
 */

import type { Codec } from "../encoding/index.ts";

/** A last field that old clients do not send: `absent` when nothing is left to read. Always written. */
export function tail<T>(codec: Codec<T>, absent: T): Codec<T> {
  return {
    name: codec.name,
    minSize: 0,
    encode: (w, x) => codec.encode(w, x),
    decode: (r) => (r.remaining > 0 ? codec.decode(r) : absent),
  };
}

/** Everything up to the end, no length before it; decodes to a view of the frame. */
export const rest: Codec<Uint8Array> = {
  name: "rest",
  minSize: 0,
  encode: (w, x) => w.bytes(x),
  decode: (r) => r.view(r.remaining),
};
