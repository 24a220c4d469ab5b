/**
 * XML as Ceph's formatter writes it, from the value that JSON is made of. JSON has no names for what stands in
 * an array, nor for the whole: a command that can be asked for XML says them.
 * ceph: src/common/Formatter.cc XMLFormatter
 */

import { formatDouble, type Json, type JsonObject } from "./formatter.ts";

/** Names of elements that JSON does not have. */
export interface XmlNames {
  readonly root: string;
  /** By array (an array at the top has the root's name): what each of its items is called. */
  readonly items?: Readonly<Record<string, string | ((item: Json) => string)>>;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  '"': "&quot;",
};

function text(value: string | number | bigint | boolean): string {
  if (typeof value === "string") return value.replaceAll(/[&<>'"]/g, (c) => ESCAPES[c] ?? c);
  if (typeof value === "number" && !Number.isSafeInteger(value)) return formatDouble(value);
  return String(value);
}

class Writer {
  readonly #names: XmlNames;
  readonly #pretty: boolean;
  readonly #parts: string[] = [];

  constructor(names: XmlNames, pretty: boolean) {
    this.#names = names;
    this.#pretty = pretty;
  }

  element(name: string, value: Json, depth: number): void {
    const tag = name.replaceAll(" ", "_");
    if (typeof value !== "object") {
      this.#line(`<${tag}>${text(value)}</${tag}>`, depth);
      return;
    }
    this.#line(`<${tag}>`, depth);
    for (const [key, item] of this.#children(name, value)) {
      if (item !== undefined) this.element(key, item, depth + 1);
    }
    this.#line(`</${tag}>`, depth);
  }

  #children(
    name: string,
    value: readonly Json[] | ReadonlyMap<string, Json> | JsonObject,
  ): [string, Json | undefined][] {
    if (value instanceof Map) return [...(value as ReadonlyMap<string, Json>)];
    if (!Array.isArray(value)) return Object.entries(value as JsonObject);
    const called = this.#names.items?.[name];
    return (value as readonly Json[]).map((item) => [
      typeof called === "function" ? called(item) : (called ?? name),
      item,
    ]);
  }

  #line(line: string, depth: number): void {
    this.#parts.push(this.#pretty ? `${" ".repeat(depth)}${line}\n` : line);
  }

  toString(): string {
    return this.#parts.join("") + (this.#pretty ? "\n" : "");
  }
}

/** One line without a line end; or a line for each element, and an empty one. */
export function renderXml(value: Json, names: XmlNames, pretty: boolean): string {
  const writer = new Writer(names, pretty);
  writer.element(names.root, value, 0);
  return writer.toString();
}
