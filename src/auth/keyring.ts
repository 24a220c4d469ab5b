/**
 * Keyring files: entities with their keys and caps, in the layout `ceph auth get` prints.
 *
 *     [client.admin]
 *     <tab>key = AQ...==
 *     <tab>caps mon = "allow *"
 *
 * Entities are printed by type number and id, caps by service, as upstream's maps order them.
 * ceph: src/auth/KeyRing.cc, src/common/ConfUtils.cc
 */

import { type IniError, type IniSection, parseIni } from "../base/index.ts";
import { compareBytes } from "../encoding/index.ts";
import { type AuthEntity, formatAuthEntity, parseAuthEntity } from "../types/index.ts";
import { formatKey, parseKey } from "./crypto-key.ts";
import type { EntityAuth } from "./identity.ts";

export interface KeyringEntry {
  readonly entity: AuthEntity;
  readonly auth: EntityAuth;
}

/** The text of entries, one section each. */
export function formatKeyring(entries: Iterable<KeyringEntry>): string {
  const sorted = [...entries].sort(
    (a, b) => a.entity.type - b.entity.type || compareBytes(a.entity.id, b.entity.id),
  );
  return sorted.map(formatEntry).join("");
}

function formatEntry({ entity, auth }: KeyringEntry): string {
  const caps = Object.entries(auth.caps).sort((a, b) => compareBytes(a[0], b[0]));
  const lines = caps.map(([service, text]) => `\tcaps ${service} = "${escape(text)}"\n`);
  return `[${formatAuthEntity(entity)}]\n\tkey = ${formatKey(auth.key)}\n${lines.join("")}`;
}

function escape(text: string): string {
  return text.replaceAll('"', '\\"');
}

/**
 * Reads a keyring. A section [global] is passed over, as upstream does; a key that is there has to be good.
 * @param missing makes the key of a section without one; not given: each has to have one
 */
export function parseKeyring(
  text: string,
  missing?: () => EntityAuth["key"],
): KeyringEntry[] | IniError {
  const sections = parseIni(text);
  if (!Array.isArray(sections)) return sections;
  const entries: KeyringEntry[] = [];
  for (const section of sections) {
    if (section.name === "global") continue;
    const entry = readEntry(section, missing);
    if ("reason" in entry) return entry;
    entries.push(entry);
  }
  return entries;
}

function readEntry(
  { line, name, settings }: IniSection,
  missing?: () => EntityAuth["key"],
): KeyringEntry | IniError {
  const caps = new Map<string, string>();
  let keyText: string | undefined;
  for (const setting of settings) {
    if (setting.name === "key") keyText = setting.value;
    else if (setting.name.startsWith("caps_")) caps.set(setting.name.slice(5), setting.value);
    // auid is what keyrings before Luminous had; upstream skips it too.
    else if (setting.name !== "auid") {
      return { line: setting.line, reason: `unknown setting ${setting.name}` };
    }
  }
  const entity = parseAuthEntity(name);
  const key = keyText === undefined ? missing?.() : parseKey(keyText);
  if (entity === undefined) return { line, reason: `bad entity ${name}` };
  if (key === undefined) return { line, reason: `no key for ${name}` };
  return { entity, auth: { key, caps: Object.fromEntries(caps) } };
}
