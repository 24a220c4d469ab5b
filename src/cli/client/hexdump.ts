/**
 * Bytes as `hexdump -C` shows them, a line for sixteen, `*` for lines like the one before, then how many there are.
 * ceph: src/common/buffer.cc list::hexdump
 */

const PER_LINE = 16;

/** Lines with their line ends; "" for no bytes. */
export function hexdump(bytes: Uint8Array): string {
  const lines: string[] = [];
  let isStarred = false;
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const row = bytes.subarray(at, at + PER_LINE);
    // compat: only a row of one byte sixteen times over can be left out, and never the last.
    const isRepeat =
      at > 0 &&
      at + PER_LINE < bytes.length &&
      row.every((byte) => byte === row[0]) &&
      bytes.subarray(at - PER_LINE, at).every((byte) => byte === row[0]);
    if (!isRepeat) lines.push(line(at, row));
    else if (!isStarred) lines.push("*");
    isStarred = isRepeat;
  }
  if (bytes.length > 0) lines.push(offset(bytes.length));
  return lines.map((text) => `${text}\n`).join("");
}

const offset = (at: number) => at.toString(16).padStart(8, "0");

function line(at: number, row: Uint8Array): string {
  const hex = [...row].map((byte) => byte.toString(16).padStart(2, "0"));
  const halves = [hex.slice(0, 8).join(" "), hex.slice(8).join(" ")];
  const text = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? byte : 0x2e));
  const columns = `${halves[0]}  ${halves[1]}`.padEnd(48);
  return `${offset(at)}  ${columns}  |${String.fromCharCode(...text)}|`;
}
