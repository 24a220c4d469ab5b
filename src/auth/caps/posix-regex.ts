/**
 * Extended regular expressions of POSIX, as caps have them for arguments of commands.
 *
 * JavaScript's own engine tries one way to match after the other, of which an expression may have exponentially many:
 * a client could stop the monitor with one argument. Here all ways are followed at once, as the set of the places
 * that can have been reached, so that the time is bounded by the lengths of the text and of the expression.
 * ceph: src/mon/MonCap.cc (std::regex::extended)
 */

type Node =
  /** One character. */
  | { readonly kind: "one"; readonly is: (code: number) => boolean }
  /** The start of the text, or its end. */
  | { readonly kind: "edge"; readonly atEnd: boolean }
  | { readonly kind: "sequence" | "choice"; readonly nodes: readonly Node[] }
  | { readonly kind: "repeat"; readonly node: Node; readonly min: number; readonly max: number };

/** The largest count in braces.  POSIX: RE_DUP_MAX */
const REPEAT_MAX = 255;
const CLASSES: Readonly<Record<string, RegExp>> = {
  alpha: /[A-Za-z]/,
  digit: /[0-9]/,
  alnum: /[A-Za-z0-9]/,
  upper: /[A-Z]/,
  lower: /[a-z]/,
  space: /[ \t\n\v\f\r]/,
  blank: /[ \t]/,
  xdigit: /[0-9A-Fa-f]/,
  punct: /[!-/:-@[-`{-~]/,
};

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Undefined if the text is no expression. */
  whole(): Node | undefined {
    const node = this.#choice();
    return this.#at === this.#text.length ? node : undefined;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #choice(): Node | undefined {
    const nodes: Node[] = [];
    do {
      const node = this.#sequence();
      if (node === undefined) return undefined;
      nodes.push(node);
    } while (this.#take(/\|/y) !== undefined);
    return { kind: "choice", nodes };
  }

  #sequence(): Node | undefined {
    const nodes: Node[] = [];
    while (this.#at < this.#text.length && !"|)".includes(this.#text.charAt(this.#at))) {
      const atom = this.#atom();
      const node = atom === undefined ? undefined : this.#repeated(atom);
      if (node === undefined) return undefined;
      nodes.push(node);
    }
    return { kind: "sequence", nodes };
  }

  #repeated(atom: Node): Node | undefined {
    let node = atom;
    for (;;) {
      const found = this.#take(/([*+?])|\{(\d{1,3})(?:(,)(\d{1,3})?)?\}/y);
      if (found === undefined) return node;
      const [, sign, low, comma, high] = found;
      const min = sign === undefined ? Number(low) : sign === "+" ? 1 : 0;
      const most = sign === "?" ? 1 : Number.POSITIVE_INFINITY;
      const max =
        sign !== undefined ? most : high !== undefined ? Number(high) : comma ? most : min;
      if (min > REPEAT_MAX || max < min || (Number.isFinite(max) && max > REPEAT_MAX))
        return undefined;
      node = { kind: "repeat", node, min, max };
    }
  }

  #atom(): Node | undefined {
    if (this.#take(/\(/y) !== undefined) {
      const inner = this.#choice();
      return this.#take(/\)/y) === undefined ? undefined : inner;
    }
    if (this.#take(/\[/y) !== undefined) return this.#bracket();
    const [, escaped, plain] = this.#take(/\\([^])|([^*+?{\\])/y) ?? [];
    if (plain === ".") return { kind: "one", is: () => true };
    if (plain === "^" || plain === "$") return { kind: "edge", atEnd: plain === "$" };
    const code = (escaped ?? plain)?.charCodeAt(0);
    return code === undefined ? undefined : { kind: "one", is: (other) => other === code };
  }

  /** After its `[`: a backslash means itself, and so does a `]` in front. */
  #bracket(): Node | undefined {
    const isNot = this.#take(/\^/y) !== undefined;
    const tests: ((code: number) => boolean)[] = [];
    for (let isFirst = true; isFirst || this.#take(/\]/y) === undefined; isFirst = false) {
      const named = this.#take(/\[:([a-z]+):\]/y)?.[1];
      if (named !== undefined) {
        const members = Object.hasOwn(CLASSES, named) ? CLASSES[named] : undefined;
        if (members === undefined) return undefined;
        tests.push((code) => members.test(String.fromCharCode(code)));
        continue;
      }
      const [, low, high] = this.#take(/([^])(?:-([^\]]))?/y) ?? [];
      if (low === undefined) return undefined;
      const [from, to] = [low.charCodeAt(0), (high ?? low).charCodeAt(0)];
      if (from > to) return undefined;
      tests.push((code) => code >= from && code <= to);
    }
    return { kind: "one", is: (code) => tests.some((test) => test(code)) !== isNot };
  }
}

/** Where `node` can end that begins at one of these places. */
function follow(node: Node, from: ReadonlySet<number>, text: string): ReadonlySet<number> {
  switch (node.kind) {
    case "one":
      return new Set(
        [...from]
          .filter((at) => at < text.length && node.is(text.charCodeAt(at)))
          .map((at) => at + 1),
      );
    case "edge":
      return from.has(node.atEnd ? text.length : 0)
        ? new Set([node.atEnd ? text.length : 0])
        : new Set();
    case "sequence":
      return node.nodes.reduce((places, next) => follow(next, places, text), from);
    case "choice":
      return new Set(node.nodes.flatMap((next) => [...follow(next, from, text)]));
    case "repeat": {
      let last = from;
      for (let i = 0; i < node.min && last.size > 0; i++) last = follow(node.node, last, text);
      const reached = new Set(last);
      for (let i = node.min; i < node.max && last.size > 0; i++) {
        last = new Set([...follow(node.node, last, text)].filter((at) => !reached.has(at)));
        for (const at of last) reached.add(at);
      }
      return reached;
    }
  }
}

/** Does the expression match the whole text? Upstream takes a broken one for one that never matches. */
export function matchesWhole(expression: string, text: string): boolean {
  const node = new Parser(expression).whole();
  return node !== undefined && follow(node, new Set([0]), text).has(text.length);
}
