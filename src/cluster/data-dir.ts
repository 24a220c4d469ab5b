/**
 * The data directory: one file that says what it is, one folder per store, and the files for clients.
 *
 *   spirula.json                 version, fsid, OSDs: written once, when the cluster is whole, before anybody has its keys
 *   lock                         held while a process has the directory open
 *   mon/  osd.0/  …              object stores
 *   run/                         the daemons' admin sockets, while they run
 *   ceph.conf                    written at every start, for unmodified clients
 *   ceph.client.admin.keyring    the administrator's key, 0600
 *
 * A first start that is cut off leaves no spirula.json; the next one starts over. Nothing is touched in a
 * directory that is not ours, is in use, is newer than we are, or has lost its spirula.json.
 */

import { mkdirSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError } from "../base/index.ts";
import { type Disk, FileDisk } from "../store/index.ts";
import type { Uuid } from "../types/index.ts";
import { deviceClassOf } from "./device-class.ts";

/** The data directory as a start sees it: a real one, or one of a simulation. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  /**
   * What it holds; undefined if it is empty or has an unfinished first start in it.
   * @throws ConfigError if it is newer than we are, or holds something else
   */
  identity(): Promise<Identity | undefined>;
  writeIdentity(identity: Identity): Promise<void>;
  /** Removes the stores of a first start that did not finish. */
  clearUnfinished(): Promise<void>;
  /** Writes a file so that a crash leaves the old one or the new one, durably. */
  replaceFile(name: string, text: string, mode: number): Promise<void>;
  /** What kind of disk it lies on. */
  deviceClass(): "hdd" | "ssd";
}

/**
 * The directory of real files at `path`, made if absent.
 * @throws ConfigError if it can not be written to, or shows keys to others
 */
export async function openDirectory(path: string): Promise<DataDirectory> {
  const directory = await prepareDirectory(path);
  await checkSecrecy(directory);
  return {
    path: directory,
    identity: () => readIdentity(directory),
    writeIdentity: (identity) => writeIdentity(directory, identity),
    clearUnfinished: () => clearUnfinished(directory),
    replaceFile: (name, text, mode) => replaceFile(join(directory, name), text, mode),
    deviceClass: () => deviceClassOf(directory),
  };
}

/** The disk of a directory, which is made if absent and is nobody else's to read. */
export function directoryDisk(directory: string): Disk {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return new FileDisk(directory);
}

/**
 * Layout of the directory; a directory of a higher version is refused, one of a lower is brought up to date.
 * 1 — the first.
 * 2 — PGs keep their logs in chunks, and their info in an attribute: each is rewritten by its next write.
 */
export const DATA_VERSION = 2;

export interface Identity {
  readonly version: number;
  readonly fsid: Uuid;
  readonly osds: number;
}

const IDENTITY_FILE = "spirula.json";
/** What a first start may leave behind. */
const OURS = /^(lock(\..*)?|run|mon|osd\.\d+|spirula\.json\.new)$/;
/** What only a cluster that was whole has: written after its identity. */
const CLIENT_FILES = /^(ceph\.conf|ceph\.client\.admin\.keyring)(\.new)?$/;

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}

function explain(directory: string, error: unknown): never {
  if (!isSystemError(error)) throw error;
  const why =
    error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS"
      ? "not writable by this user"
      : error.code === "ENOTDIR" || error.code === "EEXIST"
        ? "a file is in the way"
        : error.message;
  throw new ConfigError(`${directory}: ${why}; give another directory with --data`, error);
}

/**
 * Makes sure that the directory exists and can be written to.
 * @throws ConfigError
 */
export async function prepareDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  try {
    await mkdir(directory, { recursive: true });
    const probe = join(directory, ".writable");
    const handle = await open(probe, "wx").catch(async (error: unknown) => {
      if (isSystemError(error) && error.code === "EEXIST") return undefined;
      throw error;
    });
    await handle?.close();
    await rm(probe, { force: true });
  } catch (error) {
    explain(directory, error);
  }
  return directory;
}

/** What holds keys, and the mode it is made with: the monitor's table of them, and the administrator's. */
const SECRETS: readonly (readonly [name: string, mode: number])[] = [
  ["mon", 0o700],
  ["ceph.client.admin.keyring", 0o600],
];

/**
 * Nobody but the owner and, if he has said so, his group can read keys.
 * @throws ConfigError
 */
export async function checkSecrecy(directory: string): Promise<void> {
  for (const [name, mode] of SECRETS) {
    const path = join(directory, name);
    const found = await stat(path).catch((error: unknown) => {
      if (isSystemError(error) && error.code === "ENOENT") return undefined;
      throw error;
    });
    if (found === undefined || (found.mode & 0o007) === 0) continue;
    const now = (found.mode & 0o777).toString(8).padStart(4, "0");
    throw new ConfigError(
      `${path}: has the cluster's keys, and everybody may read it (mode ${now}); run chmod ${mode.toString(8)} ${path}`,
    );
  }
}

/**
 * What the directory holds; undefined if it is empty or has an unfinished first start in it.
 * @throws ConfigError if it is newer than we are, or holds something else
 */
export async function readIdentity(directory: string): Promise<Identity | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, IDENTITY_FILE), "utf8");
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
    const names = await readdir(directory);
    const client = names.find((name) => CLIENT_FILES.test(name));
    if (client !== undefined && names.includes("mon")) {
      throw new ConfigError(
        `${directory}: has a cluster's stores and ${client}, but no ${IDENTITY_FILE}; restore it`,
      );
    }
    const foreign = names.find((name) => !OURS.test(name));
    if (foreign !== undefined) {
      throw new ConfigError(
        `${directory}: holds ${foreign} and no cluster; give an empty directory with --data`,
      );
    }
    return undefined;
  }
  let identity: Partial<Identity>;
  try {
    identity = (JSON.parse(text) as Partial<Identity> | null) ?? {};
  } catch (error) {
    throw new ConfigError(`${directory}: ${IDENTITY_FILE} is damaged; restore it`, error);
  }
  const { version, fsid, osds } = identity;
  if (typeof version !== "number") {
    throw new ConfigError(`${directory}: ${IDENTITY_FILE} has no version; restore it`);
  }
  if (version > DATA_VERSION) {
    throw new ConfigError(
      `${directory}: made by a newer spirula (layout ${version}, this one knows ${DATA_VERSION}); upgrade`,
    );
  }
  if (typeof fsid !== "string" || typeof osds !== "number") {
    throw new ConfigError(`${directory}: ${IDENTITY_FILE} is incomplete; restore it`);
  }
  return { version, fsid, osds };
}

/** Writes a file so that a crash leaves the old one or the new one, durably. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  await writeFile(fresh, text, { mode, flag: "wx", flush: true });
  await rename(fresh, path);
  const directory = await open(resolve(path, ".."));
  await directory.sync();
  await directory.close();
}

export async function writeIdentity(directory: string, identity: Identity): Promise<void> {
  const text = `${JSON.stringify(identity, null, 2)}\n`;
  await replaceFile(join(directory, IDENTITY_FILE), text, 0o644);
}

/** Removes the stores of a first start that did not finish. */
export async function clearUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name === "mon" || name.startsWith("osd.")) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }
}
