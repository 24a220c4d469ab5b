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

const ASCII = /^[^\x80-\uffff]*$/;
/** UTF-8 as the standard has it, byte by byte; anything else is no text. */
const UTF8 =
  /[^\x80-\uffff]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g;

/**
 * A name as text, so that `nameBytes` gives the same bytes back: one that is not UTF-8 keeps its odd bytes as
 * U+DC80 to U+DCFF, which no text has alone (Python's way with file names).
 */
export function nameText(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  return bytes.replaceAll(UTF8, (text: string, odd: string | undefined) =>
    odd === undefined ? textOf(text) : String.fromCharCode(0xdc00 + odd.charCodeAt(0)),
  );
}

/** The bytes of a name that is given as text: UTF-8, and what `nameText` has made of other bytes. */
export function nameBytes(text: string): string {
  if (ASCII.test(text)) return text;
  return text.replaceAll(/[\udc80-\udcff]|[^\udc80-\udcff]+/gu, (part) => {
    const code = part.charCodeAt(0);
    return part.length === 1 && code >= 0xdc80 && code <= 0xdcff
      ? String.fromCharCode(code - 0xdc00)
      : byteString(part);
  });
}
