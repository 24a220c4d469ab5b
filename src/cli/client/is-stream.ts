/**
 * What standard input and output are. Node.js has streams for terminals, pipes and sockets. A file it takes for one, and
 * does not see what a write has left; of a block device (`spirula rbd import - x < /dev/sdb`) it reads nothing, and
 * passes over what is written. These are read and written by their descriptors.
 */

import { fstatSync } from "node:fs";
import { isatty } from "node:tty";

export function isStream(descriptor: number): boolean {
  if (isatty(descriptor)) return true;
  const found = fstatSync(descriptor);
  return found.isFIFO() || found.isSocket();
}
