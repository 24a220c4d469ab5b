/**
 * Byte strings: how names travel inside the process.
 *
 * Ceph's names (objects, xattrs, omap keys, pools) are bytes, not text. A byte string is a JavaScript
 * string in which every character is one byte (0-255). It loses nothing, whatever the client sent, and
 * comparing two with `<` is Ceph's byte order. Text exists only at the edges: JSON commands, logs, files.
 */

/** Every character a byte? */
export function isByteString(x: string): boolean {
  for (let i = 0; i < x.length; i++) if (x.charCodeAt(i) > 0xff) return false;
  return true;
}

/** The byte string of some text: its UTF-8 bytes. Text that is ASCII is its own byte string. */
export function byteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text a byte string spells in UTF-8; bytes that are not UTF-8 show as U+FFFD. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const PLAIN = /^[ -$&-~]*$/;

/**
 * A name as people can read it, on one line: the text it spells, with `%xx` for bytes that are not UTF-8,
 * for what a terminal would act on or hide, and for `%` itself.
 */
export function printable(bytes: string): string {
  if (PLAIN.test(bytes)) return bytes;
  const text = textOf(bytes);
  const isText = byteString(text) === bytes;
  const escape = (char: string): string =>
    [...Buffer.from(char, isText ? "utf8" : "latin1")]
      .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
      .join("");
  return isText
    ? text.replaceAll(/[%\p{C}\p{Zl}\p{Zp}]/gu, escape)
    : bytes.replaceAll(/[^ -$&-~]/g, escape);
}

/** The bytes of a byte string. */
export function bytesOf(bytes: string): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** The byte string of some bytes. */
export function byteStringOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Ceph's order of names, for sort(). */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
