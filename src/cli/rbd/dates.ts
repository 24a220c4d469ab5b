/**
 * Dates as they are given to commands: a plain one is read here, on any system; everything else (`3600 sec`,
 * `now + 10 sec`, `next friday`) means what this machine's date(1) takes it for, as with the original.
 * ceph: src/include/utime.h invoke_date
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { ERRNO } from "../../base/index.ts";
import { CommandFailure, cppStrerror } from "../client/index.ts";

/** Year, month and day; a time, by this machine's clock unless it says otherwise. */
const PLAIN = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?))?$/;

/** @returns milliseconds since 1970 @throws CommandFailure EINVAL: it is no date */
export async function dateOf(text: string, nowMs: number): Promise<number> {
  if (text === "now") return nowMs;
  const [, day, time = "00:00"] = PLAIN.exec(text) ?? [];
  if (day === undefined) return await askDate(text);
  const ms = Date.parse(`${day}T${time}`);
  if (Number.isNaN(ms)) throw noDate(`date: invalid date '${text}'\n`);
  return ms;
}

/** By GNU's or BusyBox's date(1), which says itself what it does not understand. */
async function askDate(text: string): Promise<number> {
  const child = spawn("date", ["-d", text, "+%s"], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    printed += part;
  });
  const [code] = await once(child, "close").catch((error: unknown) => {
    throw noDate(`date: ${error instanceof Error ? error.message : String(error)}\n`);
  });
  const seconds = Number(printed);
  if (code !== 0 || printed === "" || !Number.isSafeInteger(seconds)) throw noDate("");
  return seconds * 1000;
}

/** @param before what date(1) says, if it has not said it */
function noDate(before: string): CommandFailure {
  const message = `${before}rbd: error calling /bin/date: ${cppStrerror(ERRNO.EINVAL)}`;
  return new CommandFailure(message, ERRNO.EINVAL);
}
