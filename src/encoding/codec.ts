/**
 * A codec is a value that knows how one Ceph type lies on the wire.
 *
 * There is one encoding per type: the one for the connection features we advertise (Ceph 16.2's set),
 * which every supported release speaks when asked. So a codec needs no feature argument.
 */

import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

export interface Codec<T> {
  /** Ceph's name of the type: used in errors and to find its golden vectors. */
  readonly name: string;
  /** Fewest bytes any value takes: bounds element counts before anything is allocated. */
  readonly minSize: number;
  encode(w: Writer, x: T): void;
  decode(r: Reader): T;
  /** Source text for compiled structs, where a call would cost more than the work (see struct.ts). */
  readonly inline?: {
    encode(w: string, x: string): string;
    decode(r: string): string;
  };
}

/** The value type of a codec. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

/** Encodes one value to its own buffer. */
export function encodeToBytes<T>(codec: Codec<T>, x: T): Buffer {
  const w = new Writer();
  codec.encode(w, x);
  return w.finish();
}

/** Decodes one value from the start of `bytes`; bytes after it are ignored, as Ceph's decoders do. */
export function decodeFromBytes<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.decode(new Reader(bytes));
}
