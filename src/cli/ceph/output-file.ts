/**
 * `-o FILE`, `--setuser`, `--setgroup`: the file that answers go to, opened before anything is asked, so that
 * a path that cannot be written to changes nothing in the cluster.
 * ceph: src/ceph.in main
 */

import { type FileHandle, open, readFile } from "node:fs/promises";
import { CommandFailure, errnoOf, openSink, type Sink, strerror } from "../client/index.ts";
import type { OptionKey } from "./options.ts";
import { pythonQuoted } from "./python-text.ts";

/** @returns undefined if no file is asked for @throws CommandFailure */
export async function openOutputFile(
  options: ReadonlyMap<OptionKey, string>,
): Promise<Sink | undefined> {
  const path = options.get("outFile");
  if (path === undefined) return undefined;
  try {
    const sink = await openSink(path, 0o666);
    await giveAway(path, options);
    return sink;
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`Can't open output file ${path}: ${fileError(path, error)}`, 1, error);
  }
}

async function giveAway(path: string, options: ReadonlyMap<OptionKey, string>): Promise<void> {
  const [user, group] = [options.get("setuser"), options.get("setgroup")];
  if (path === "-" || (user === undefined && group === undefined)) return;
  const uid = user === undefined ? -1 : await idOf("/etc/passwd", user);
  const gid = group === undefined ? -1 : await idOf("/etc/group", group);
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r+");
    await file.chown(uid, gid);
  } catch (error) {
    const what = user === undefined ? "group" : "user";
    const to = user ?? group ?? "";
    const text = `Failed to change ${what} ownership of ${path} to ${to}`;
    throw new CommandFailure(`${text}: ${fileError(path, error)}`, 1, error);
  } finally {
    await file?.close();
  }
}

/** What is wrong with a file, as Python says it. */
export function fileError(path: string, error: unknown): string {
  const errno = Math.abs(errnoOf(error));
  return `[Errno ${errno}] ${strerror(errno)}: ${pythonQuoted(path)}`;
}

/** The number of a name, in a file of lines `name:password:number:…`. */
async function idOf(file: string, name: string): Promise<number> {
  const lines = (await readFile(file, "utf8")).split("\n").map((line) => line.split(":"));
  const id = lines.find(([first]) => first === name)?.[2];
  if (id === undefined) throw new CommandFailure(`no '${name}' in ${file}`);
  return Number(id);
}
