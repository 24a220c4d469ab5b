/**
 * How a client proves who it is: its key, from where Ceph's clients look for it.
 * ceph: src/auth/KeyRing.cc from_ceph_context, src/auth/AuthRegistry.cc
 */

import {
  CephxClient,
  type ClientAuth,
  CON_MODE,
  type CryptoKey,
  NoneClient,
  parseKey,
  parseKeyring,
} from "../auth/index.ts";
import { CephError, type Clock, ConfigError, ERRNO, type Random } from "../base/index.ts";
import { type ClientConfig, splitPaths } from "../config/index.ts";
import { type AuthEntity, formatAuthEntity } from "../types/index.ts";
import { readIfThere } from "./read-config.ts";

const KEY_BYTES_MAX = 64 * 1024;
const KEYRING_BYTES_MAX = 16 * 1024 * 1024;

export interface Credentials {
  /** Methods to try, most wanted first, each with what it needs. */
  readonly methods: readonly ClientAuth[];
  /** Why the one that wants a key is not among them; undefined: it is, or is not wanted. */
  readonly noKey: CephError | undefined;
}

/** @throws ConfigError if a file with the key cannot be read or understood, or no method is one of ours */
export async function findCredentials(
  config: ClientConfig,
  entity: AuthEntity,
  host: { readonly clock: Clock; readonly random: Random },
): Promise<Credentials> {
  const methods = wordsOf(config.get("auth_supported") || config.get("auth_client_required"));
  const found: ClientAuth[] = [];
  let noKey: CephError | undefined;
  for (const method of methods) {
    if (method === "none") found.push(new NoneClient(entity));
    if (method !== "cephx") continue;
    const key = await findKey(config, entity);
    const modes = {
      monModes: modesOf(config, "ms_mon_client_mode"),
      serviceModes: modesOf(config, "ms_client_mode"),
    };
    if (key !== undefined) found.push(new CephxClient({ entity, key, ...host, ...modes }));
    else noKey = keyMissing(config, entity);
  }
  if (found.length === 0 && noKey === undefined) {
    throw new ConfigError(`auth_client_required: '${methods.join(", ")}' is no method we speak`);
  }
  return { methods: found, noKey };
}

function keyMissing(config: ClientConfig, entity: AuthEntity): CephError {
  const target = `${formatAuthEntity(entity)} in ${config.get("keyring")}`;
  return new CephError(-ERRNO.ENOENT, { op: "find a key for", target });
}

/** Of the option `key`, of the file `keyfile`, or of the first keyring that is there. */
async function findKey(config: ClientConfig, entity: AuthEntity): Promise<CryptoKey | undefined> {
  const direct = config.get("key");
  if (direct !== "") return keyOf(direct.trim(), "the option key");
  const keyfile = config.get("keyfile");
  if (keyfile !== "") {
    const text = await readIfThere(keyfile, KEY_BYTES_MAX);
    if (text === undefined) throw new ConfigError(`keyfile ${keyfile}: no such file`);
    return keyOf(text.trim(), keyfile);
  }
  for (const path of splitPaths(config.get("keyring"))) {
    const text = await readIfThere(path, KEYRING_BYTES_MAX);
    if (text === undefined) continue;
    const entries = parseKeyring(text);
    if (!Array.isArray(entries))
      throw new ConfigError(`${path}:${entries.line}: ${entries.reason}`);
    const name = formatAuthEntity(entity);
    return entries.find((entry) => formatAuthEntity(entry.entity) === name)?.auth.key;
  }
  return undefined;
}

function keyOf(text: string, where: string): CryptoKey {
  const key = parseKey(text);
  if (key === undefined) throw new ConfigError(`${where}: holds no key`);
  return key;
}

function wordsOf(text: string): string[] {
  return text.split(/[,;\s]+/).filter((word) => word !== "");
}

function modesOf(config: ClientConfig, option: string): number[] {
  const known: Readonly<Record<string, number>> = { crc: CON_MODE.CRC, secure: CON_MODE.SECURE };
  const words = wordsOf(config.get(option));
  const modes = words.flatMap((word) => (Object.hasOwn(known, word) ? [known[word] ?? 0] : []));
  if (modes.length === 0) throw new ConfigError(`${option}: '${words.join(" ")}' is no mode`);
  return modes;
}
