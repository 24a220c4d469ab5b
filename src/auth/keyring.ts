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

/** Why a keyring cannot be read, with the line it is about (counted from 1). */
export interface KeyringError {
  readonly line: number;
  readonly reason: string;
}

/** A section as it is being read. */
interface Section {
  readonly line: number;
  readonly name: string;
  key: string | undefined;
  readonly caps: Record<string, string>;
}

/**
 * Reads a keyring. A section [global] is passed over, as upstream does; a key that is there has to be good.
 * @param missing makes the key of a section without one; not given: each has to have one
 */
export function parseKeyring(
  text: string,
  missing?: () => EntityAuth["key"],
): KeyringEntry[] | KeyringError {
  const sections: Section[] = [];
  const lines = joinContinued(text);
  for (const { number, content } of lines) {
    if (content === "" || content.startsWith("#") || content.startsWith(";")) continue;
    if (content.startsWith("[")) {
      const name = /^\[\s*([^\]]*?)\s*\]\s*(?:[#;].*)?$/.exec(content)?.[1];
      if (name === undefined) return { line: number, reason: "bad section heading" };
      sections.push({ line: number, name, key: undefined, caps: {} });
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) return { line: number, reason: "setting before any section" };
    const reason = section.name === "global" ? undefined : readSetting(section, content);
    if (reason !== undefined) return { line: number, reason };
  }
  const entries: KeyringEntry[] = [];
  for (const section of sections) {
    if (section.name === "global") continue;
    const entity = parseAuthEntity(section.name);
    const key = section.key === undefined ? missing?.() : parseKey(section.key);
    if (entity === undefined) return { line: section.line, reason: `bad entity ${section.name}` };
    if (key === undefined) return { line: section.line, reason: `no key for ${section.name}` };
    entries.push({ entity, auth: { key, caps: section.caps } });
  }
  return entries;
}

/** Lines without surrounding white space; a backslash at the end joins the next one. */
function joinContinued(text: string): { number: number; content: string }[] {
  const out: { number: number; content: string }[] = [];
  let open = false;
  for (const [index, raw] of text.split("\n").entries()) {
    const isContinued = raw.trimEnd().endsWith("\\");
    const part = isContinued ? raw.trimEnd().slice(0, -1) : raw;
    const last = out.at(-1);
    if (open && last !== undefined) last.content += part;
    else out.push({ number: index + 1, content: part });
    open = isContinued;
  }
  return out.map(({ number, content }) => ({ number, content: content.trim() }));
}

/** Takes one `name = value` line; returns what is wrong with it. */
function readSetting(section: Section, content: string): string | undefined {
  const equals = content.indexOf("=");
  if (equals < 0) return "no = in a setting";
  const name = content
    .slice(0, equals)
    .trim()
    .replace(/[\s_]+/g, " ");
  const value = unquote(content.slice(equals + 1).trim());
  if (value === undefined) return `bad value of ${name}`;
  if (name === "key") {
    section.key = value;
  } else if (name.startsWith("caps ")) {
    Object.defineProperty(section.caps, name.slice(5), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else if (name !== "auid") {
    // auid is what keyrings before Luminous had; upstream skips it too.
    return `unknown setting ${name}`;
  }
  return undefined;
}

/** A value without its quotes and escapes, or up to a comment; undefined if a quote stays open. */
function unquote(text: string): string | undefined {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") {
    return text.replace(/\s*[#;].*$/, "").replace(/\\(.)/g, "$1");
  }
  let out = "";
  for (let i = 1; i < text.length; i++) {
    const c = text[i];
    if (c === quote) return /^\s*(?:[#;].*)?$/.test(text.slice(i + 1)) ? out : undefined;
    if (c === "\\" && i + 1 < text.length) i++;
    out += text[i];
  }
  return undefined;
}
