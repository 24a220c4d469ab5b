/**
 * The list of a daemon's commands: usage and meaning, side by side.
 * ceph: src/ceph.in format_help, wrap
 */

import { COMMAND_FLAG, type Signature, usageLine } from "./signature.ts";

const NOT_SHOWN = COMMAND_FLAG.OBSOLETE | COMMAND_FLAG.DEPRECATED | COMMAND_FLAG.HIDDEN;

/**
 * @param columns width of the terminal
 * @param start only commands whose usage begins so
 * @returns lines, each with its end
 */
export function helpText(signatures: readonly Signature[], columns: number, start = ""): string {
  // One column stands between the two.
  const width = columns - 1;
  const usageWidth = Math.trunc(width / 2);
  const helpWidth = usageWidth + (width % 2);
  return signatures
    .filter(({ help, flags }) => help !== "" && (flags & NOT_SHOWN) === 0)
    .map((signature) => ({ usage: usageLine(signature), help: signature.help }))
    .filter(({ usage }) => usage.startsWith(start))
    .toSorted((a, b) => byCodePoints(a.usage, b.usage))
    .flatMap(({ usage, help }) =>
      sideBySide(wrap(usage, usageWidth), wrap(help, helpWidth), usageWidth),
    )
    .join("");
}

function byCodePoints(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function sideBySide(left: readonly string[], right: readonly string[], width: number): string[] {
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => i);
  return lines.map((i) => `${(left[i] ?? "").padEnd(width)} ${right[i] ?? ""}\n`);
}

/** Lines of that width; those behind the first stand one blank in. Words and what is in brackets stay whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let left = text;
  while (left !== "") {
    const isFirst = lines.length === 0;
    const room = isFirst ? width : width - 1;
    const lead = isFirst ? "" : " ";
    if (left.length <= room) {
      lines.push(lead + left);
      break;
    }
    // compat: the first line is measured as the others are, and breaks at the width of its own.
    const at = breakAt(left, room);
    lines.push(lead + left.slice(0, at).trimStart());
    left = left.slice(at);
  }
  return lines;
}

function breakAt(text: string, width: number): number {
  let at = width;
  while (at > 0 && /[A-Za-z{[<>\]}]/.test(text[at - 1] ?? "")) at--;
  return at === 0 ? width : at;
}
