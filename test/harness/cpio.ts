/**
 * Writes a "newc" cpio archive, the form in which Linux takes its first root file system.
 *
 * Each entry is a 110-byte header of ASCII hex fields, the name with its NUL padded to 4 bytes from the
 * start of the header, then the data padded to 4. Times and inode numbers come from the order of the
 * entries, so the same entries give the same bytes.
 */
export interface CpioEntry {
  path: string;
  mode: number;
  data?: Uint8Array;
  /** Device number of a device node. */
  rdev?: [major: number, minor: number];
}

export const MODE_DIR = 0o040755;
export const MODE_EXE = 0o100755;
export const MODE_FILE = 0o100644;
export const MODE_LINK = 0o120777;
export const MODE_CHAR = 0o020600;

export function cpio(entries: CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  const all = [...entries, { path: "TRAILER!!!", mode: 0 }];
  for (const [index, entry] of all.entries()) {
    const name = Buffer.from(`${entry.path}\0`);
    const data = Buffer.from(entry.data ?? new Uint8Array());
    const [major, minor] = entry.rdev ?? [0, 0];
    const fields = [
      index + 1,
      entry.mode,
      0,
      0,
      1,
      0,
      data.length,
      0,
      0,
      major,
      minor,
      name.length,
      0,
    ];
    const header = `070701${fields.map((n) => n.toString(16).padStart(8, "0")).join("")}`;
    parts.push(padded(Buffer.concat([Buffer.from(header), name])), padded(data));
  }
  return Buffer.concat(parts);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
