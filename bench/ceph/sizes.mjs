/** Bytes of a size as fio and our command line write it: 4k, 256M, 1G. */
export function sizeOf(text) {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) throw new Error(`${text}: not a size`);
  return Number(match[1]) * { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match[2].toUpperCase()];
}
