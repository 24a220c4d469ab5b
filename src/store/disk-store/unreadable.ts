/**
 * What the disk cannot read any more: damage of what was to be read, like a checksum that does not match.
 * It is the reader's misfortune and no reason to stop the store. (What it cannot write is another matter.)
 */

import { CorruptionError } from "../object-store.ts";

/** What a read gives for a bad sector, a failed integrity check, a damaged file system. */
const MEDIUM_ERRORS = new Set(["EIO", "ENODATA", "EILSEQ", "EBADMSG", "EUCLEAN"]);

/**
 * @param error what a read has thrown
 * @param object the object, or the file of the store, whose bytes they were
 * @returns what to throw instead
 */
export function readError(error: unknown, object: () => string): unknown {
  const { code = "" } = error as NodeJS.ErrnoException;
  return MEDIUM_ERRORS.has(code)
    ? new CorruptionError(object(), `cannot be read (${code})`)
    : error;
}
