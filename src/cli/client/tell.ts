/**
 * Words for standard error that nobody waits for. Who reads them may be gone, or the disk that they go to full: then
 * they are lost, and nothing ends for that.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { isStream } from "./is-stream.ts";

const STDERR = 2;

let isFile: boolean | undefined;

export function tell(text: string): void {
  isFile ??= !isStream(STDERR);
  // A stream of Node.js that has failed once writes no more; a disk may have room again.
  if (!isFile) process.stderr.write(text);
  else tryToWrite(text);
}

function tryToWrite(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // There is nobody to tell.
  }
}
