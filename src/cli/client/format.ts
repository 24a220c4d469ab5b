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
