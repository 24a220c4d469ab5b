/**
 * INI text as Ceph's configuration files and keyrings have it: sections of `name = value` lines, comments
 * after `#` or `;`, values in quotes, a backslash before what would mean something else, and one at a
 * line's end to go on with the next line.
 * ceph: src/common/ConfUtils.cc
 */

export interface IniSetting {
  /** Counted from 1. */
  readonly line: number;
  /** Its words joined by `_`, however they were written. */
  readonly name: string;
  readonly value: string;
}

export interface IniSection {
  readonly line: number;
  readonly name: string;
  readonly settings: readonly IniSetting[];
}

/** Why a text cannot be read, with the line it is about (counted from 1). */
export interface IniError {
  readonly line: number;
  readonly reason: string;
}

/** Sections in the order of the text; one that comes twice is there twice. */
export function parseIni(text: string): IniSection[] | IniError {
  const sections: { line: number; name: string; settings: IniSetting[] }[] = [];
  for (const { line, content } of joinContinued(text)) {
    if (content === "" || content.startsWith("#") || content.startsWith(";")) continue;
    if (content.startsWith("[")) {
      const name = /^\[\s*([^\]]*?)\s*\]\s*(?:[#;].*)?$/.exec(content)?.[1];
      if (name === undefined) return { line, reason: "bad section heading" };
      sections.push({ line, name, settings: [] });
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) return { line, reason: "setting before any section" };
    const setting = readSetting(line, content);
    if ("reason" in setting) return setting;
    section.settings.push(setting);
  }
  return sections;
}

/** Lines without surrounding white space; a backslash at the end joins the next one. */
function joinContinued(text: string): { line: number; content: string }[] {
  const out: { line: number; content: string }[] = [];
  let isOpen = false;
  for (const [index, raw] of text.split("\n").entries()) {
    const isContinued = raw.trimEnd().endsWith("\\");
    const part = isContinued ? raw.trimEnd().slice(0, -1) : raw;
    const last = out.at(-1);
    if (isOpen && last !== undefined) last.content += part;
    else out.push({ line: index + 1, content: part });
    isOpen = isContinued;
  }
  return out.map(({ line, content }) => ({ line, content: content.trim() }));
}

function readSetting(line: number, content: string): IniSetting | IniError {
  const equals = content.indexOf("=");
  if (equals < 0) return { line, reason: "no = in a setting" };
  const name = content
    .slice(0, equals)
    .trim()
    .replace(/[\s_]+/g, "_");
  const value = unquote(content.slice(equals + 1).trim());
  return value === undefined ? { line, reason: `bad value of ${name}` } : { line, name, value };
}

/** A value without its quotes and escapes, or up to a comment; undefined if a quote stays open. */
function unquote(text: string): string | undefined {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") {
    return text
      .replace(/(?<!\\)[#;].*$/, "")
      .trimEnd()
      .replace(/\\(.)/g, "$1");
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
