/**
 * The stores of a data directory for tools that look at them offline, and what can keep them from doing
 * so, in one line that says what to do about it. Nothing is touched in a directory that is refused.
 */

import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ConfigError } from "../base/index.ts";
import { ObjectInfoCheck } from "../osd/index.ts";
import {
  CorruptionError,
  DiskLockedError,
  FileDisk,
  type FsckReport,
  fsck,
  inspectStore,
  lockForReading,
  NewerStoreError,
  readSuperblock,
  StoreFormatError,
  type StoreInspection,
} from "../store/index.ts";
import { readIdentity } from "./data-dir.ts";

const IDENTITY_FILE = "spirula.json";
/** Any of them in a directory without a cluster: the directory is a store, whole or not. */
const STORE_FILES = ["superblock", "manifest.0", "manifest.1", "block"];
const STORE_NAME = /^(mon|osd\.\d+)$/;

/** One store's place. */
export interface StorePlace {
  /** `mon`, `osd.0`, or the directory's own name. */
  readonly name: string;
  readonly path: string;
}

export interface Stores {
  readonly directory: string;
  /** A cluster's data directory, not a single store. */
  readonly isCluster: boolean;
  readonly stores: readonly StorePlace[];
}

/** What the user can mend, in one line. */
function explain(directory: string, error: unknown): never {
  if (error instanceof DiskLockedError) {
    throw new ConfigError(`${error.message}; stop it first`, error);
  }
  if (error instanceof StoreFormatError) {
    const remedy = error instanceof NewerStoreError ? "; use a newer spirula" : "";
    throw new ConfigError(`${directory}: ${error.message}${remedy}`, error);
  }
  if (error instanceof CorruptionError) {
    throw new ConfigError(`${directory}: ${error.message}`, error);
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EPERM") {
    throw new ConfigError(`${directory}: not this user's to open; run as its owner`, error);
  }
  throw error;
}

/**
 * The stores in a directory: a cluster's, or the one that the directory itself is.
 * @throws ConfigError if there is none, or if the cluster is newer than we are
 */
export async function findStores(path: string): Promise<Stores> {
  const directory = resolve(path);
  const names = await namesIn(directory);
  if (names.includes(IDENTITY_FILE)) {
    const identity = await readIdentity(directory).catch((error) => explain(directory, error));
    const osds = Array.from({ length: identity?.osds ?? 0 }, (_, id) => `osd.${id}`);
    const stores = ["mon", ...osds].map((name) => ({ name, path: join(directory, name) }));
    return { directory, isCluster: true, stores };
  }
  if (STORE_FILES.some((name) => names.includes(name))) {
    const stores = [{ name: basename(directory), path: directory }];
    return { directory, isCluster: false, stores };
  }
  if (names.some((name) => STORE_NAME.test(name))) {
    throw new ConfigError(
      `${directory}: the first start of a cluster was cut off here before it held anything; start it again`,
    );
  }
  throw new ConfigError(
    `${directory}: no cluster and no store here; give a cluster's data directory or one of its stores`,
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    if (!(await stat(directory)).isDirectory()) {
      throw new ConfigError(`${directory}: not a directory`);
    }
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new ConfigError(`${directory}: no such directory`, error);
    }
    explain(directory, error);
  }
}

/**
 * Keeps servers out of a cluster's directory while its stores are looked at.
 * @throws ConfigError if one is at work, or a store is newer than we are: no lock file is made then
 */
export function takeForReading({ directory, isCluster, stores }: Stores): () => void {
  if (!isCluster) return () => {};
  try {
    for (const { path } of stores) refuseNewer(path);
    return lockForReading(new FileDisk(directory));
  } catch (error) {
    explain(directory, error);
  }
}

function refuseNewer(path: string): void {
  try {
    readSuperblock(new FileDisk(path));
  } catch (error) {
    // Whatever else is wrong with it is the check's to tell.
    if (error instanceof NewerStoreError) explain(path, error);
  }
}

/**
 * Checks one store, and in it what the OSD keeps with its objects.
 * @throws ConfigError if it is in use or newer than we are
 */
export function checkStore(place: StorePlace, options: { deep: boolean }): FsckReport {
  try {
    return fsck(place.path, { ...options, expected: true, check: new ObjectInfoCheck() });
  } catch (error) {
    explain(place.path, error);
  }
}

/**
 * Opens one store for a look.
 * @throws ConfigError as `checkStore`
 */
export async function withStore<T>(
  place: StorePlace,
  look: (store: StoreInspection) => Promise<T>,
): Promise<T> {
  let opened: ReturnType<typeof inspectStore>;
  try {
    opened = inspectStore(place.path);
  } catch (error) {
    explain(place.path, error);
  }
  try {
    return await look(opened.inspection);
  } finally {
    opened.close();
  }
}
