/**
 * Reads cap texts as upstream's grammars do: ordered choice, no going back into a choice once made.
 *
 * Upstream's parsers are PEGs, and odd corners of their language follow from that (`allow class a pool b`
 * takes `pool` for a method name and then fails). So rules here are functions that either move past what
 * they matched or leave the position alone, and the grammars are written choice by choice in upstream's
 * order.
 * ceph: src/osd/OSDCap.cc, src/mon/MonCap.cc, src/mgr/MgrCap.cc (the Parser structs)
 */

/** Longer texts are refused: a cap is a line, and one ticket carries it. */
const TEXT_MAX = 32 * 1024;

export class CapScanner {
  readonly #text: string;
  readonly #space: RegExp;
  #at = 0;

  /** @param space characters that separate words: the OSD's grammar takes all ASCII white space */
  constructor(text: string, space: "ascii" | "blank-and-newline") {
    this.#text = text;
    this.#space = space === "ascii" ? /[ \t\n\v\f\r]+/y : /[ \t\n]+/y;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  get isTooLong(): boolean {
    return this.#text.length > TEXT_MAX;
  }

  /** Runs `rule`; if it fails (undefined or false), goes back to where it began. */
  attempt<T>(rule: () => T | undefined | false): T | undefined {
    const start = this.#at;
    const value = rule();
    if (value === undefined || value === false) {
      this.#at = start;
      return undefined;
    }
    return value;
  }

  /** What the sticky expression matches here, which may not be nothing. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === "") return undefined;
    this.#at += found.length;
    return found;
  }

  lit(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** At least one separator. */
  spaces(): boolean {
    return this.match(this.#space) !== undefined;
  }

  /** `=` or separators: between a keyword and its word. */
  equalsOrSpaces(): boolean {
    return this.lit("=") || this.spaces();
  }

  /** Separators and a keyword. */
  keyword(text: string): boolean {
    return this.attempt(() => this.spaces() && this.lit(text)) === true;
  }

  /** A quoted string of at least one character, or an unquoted word. */
  str(): string | undefined {
    return this.#quoted(/"[^"]+"/y) ?? this.#quoted(/'[^']+'/y) ?? this.match(/[a-zA-Z0-9_./-]+/y);
  }

  /** The same, but a quoted string may be empty. */
  estr(): string | undefined {
    return this.#quoted(/"[^"]*"/y) ?? this.#quoted(/'[^']*'/y) ?? this.match(/[a-zA-Z0-9_./-]+/y);
  }

  /** `[network <cidr>]` at the end of a grant. */
  network(): string | undefined {
    return this.attempt(() =>
      this.keyword("network") && this.spaces() ? this.match(/[/.:a-fA-F0-9\][]+/y) : undefined,
    );
  }

  #quoted(pattern: RegExp): string | undefined {
    return this.match(pattern)?.slice(1, -1);
  }
}

/** `grant [sep grant]...` up to the end of the text; undefined if anything is left over. */
export function grantList<G>(
  scanner: CapScanner,
  grant: () => G | undefined,
  separator: () => boolean,
): G[] | undefined {
  if (scanner.isTooLong) return undefined;
  const first = grant();
  if (first === undefined) return undefined;
  const grants = [first];
  for (;;) {
    const next = scanner.attempt(() => (separator() ? grant() : undefined));
    if (next === undefined) return grants;
    grants.push(next);
  }
}

/** Parsed caps by text. Texts come from few entities; the table starts over when it is full. */
export function cachedByText<T>(parse: (text: string) => T): (text: string) => T {
  const entriesMax = 1024;
  const cache = new Map<string, T>();
  return (text) => {
    const known = cache.get(text);
    if (known !== undefined || cache.has(text)) return known as T;
    const value = parse(text);
    if (cache.size >= entriesMax) cache.clear();
    cache.set(text, value);
    return value;
  };
}
