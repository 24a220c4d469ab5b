/**
 * Results as `--format` has them, from the value that JSON is made of.
 * ceph: src/common/Formatter.cc Formatter::create
 */

import {
  type Json,
  renderJson,
  renderJsonPretty,
  renderXml,
  type XmlNames,
} from "../../encoding/index.ts";

export const STRUCTURED_FORMATS = ["json", "json-pretty", "xml", "xml-pretty"] as const;
export type StructuredFormat = (typeof STRUCTURED_FORMATS)[number];

export function isStructuredFormat(word: string): word is StructuredFormat {
  return (STRUCTURED_FORMATS as readonly string[]).includes(word);
}

/** Pretty formats end with a line end, the others do not. @param names what only XML needs */
export function renderFormat(value: Json, format: StructuredFormat, names: XmlNames): string {
  if (format === "json") return renderJson(value);
  if (format === "json-pretty") return renderJsonPretty(value);
  return renderXml(value, names, format === "xml-pretty");
}

/** A list that is written item by item: for those too long to be held. */
export class ListWriter {
  readonly #format: StructuredFormat;
  readonly #names: { readonly root: string; readonly item: string };
  #isEmpty = true;

  /** @param names of the list and of its items, what only XML needs */
  constructor(format: StructuredFormat, names: { readonly root: string; readonly item: string }) {
    this.#format = format;
    this.#names = names;
  }

  begin(): string {
    const { root } = this.#names;
    if (this.#format === "xml") return `<${root}>`;
    return this.#format === "xml-pretty" ? `<${root}>\n` : "[";
  }

  item(value: Json): string {
    const { item } = this.#names;
    const isFirst = this.#isEmpty;
    this.#isEmpty = false;
    if (this.#format === "xml") return renderXml(value, { root: item }, false);
    if (this.#format === "xml-pretty") {
      return indented(renderXml(value, { root: item }, true).trimEnd(), " ");
    }
    if (this.#format === "json") return (isFirst ? "" : ",") + renderJson(value);
    const text = indented(renderJsonPretty(value).trimEnd(), "    ").trimEnd();
    return `${isFirst ? "" : ","}\n${text}`;
  }

  end(): string {
    const { root } = this.#names;
    if (this.#format === "xml") return `</${root}>`;
    if (this.#format === "xml-pretty") return `</${root}>\n\n`;
    if (this.#format === "json") return "]";
    return this.#isEmpty ? "]\n" : "\n]\n";
  }
}

function indented(text: string, by: string): string {
  return text.replaceAll(/^/gm, by) + "\n";
}
