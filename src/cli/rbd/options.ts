/**
 * Options of the rbd command: how they are written, what values they take, and those that several verbs have.
 * ceph: src/tools/rbd/ArgumentTypes.cc
 */

import { ConfigError } from "../../librados/index.ts";
import { FEATURE_NAMES, featureBits } from "../../librbd/index.ts";
import { parseIecSize } from "../client/index.ts";

/** A value of an option, once it is understood. Flags are true. */
export type OptionValue = string | number | bigint | true;

export interface RbdOption {
  /** Without its dashes: `no-progress`. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string;
  readonly help: string;
  /** The values that there are; undefined: all that `parse` takes. */
  readonly choices?: readonly string[];
  /** Reads its value; undefined: it is a flag. Answers undefined where the value is none. */
  readonly parse?: (text: string) => OptionValue | undefined;
  /** Whether a value that is none is shown where it is refused, as the original does of plain numbers. */
  readonly isQuoted?: boolean;
  /** The option that has taken its place, which who gives it is told once all is done. */
  readonly successor?: string;
  /** Given more than once, values add up. */
  readonly adds?: (before: OptionValue, value: OptionValue) => OptionValue;
}

// --- Values -------------------------------------------------------------------------------------

const text = (word: string): string => word;

/** `4096`, `4K`, `4Ki` as bytes. */
export function parseBytes(word: string): number | undefined {
  const bytes = parseIecSize(word);
  return typeof bytes === "number" && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Sizes of images: a plain number counts MiB. */
function parseImageSize(word: string): number | undefined {
  return parseBytes(/\d$/.test(word) ? `${word}M` : word);
}

export function parseCount(word: string): number | undefined {
  const count = /^\d+$/.test(word) ? Number(word) : Number.NaN;
  return Number.isSafeInteger(count) ? count : undefined;
}

const parseRatio = (word: string): number | undefined =>
  /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word) ? Number(word) : undefined;

const parseId = (word: string): bigint | undefined =>
  /^\d+$/.test(word) ? BigInt(word) : undefined;

const between =
  (low: number, high: number, parse: (word: string) => number | undefined) => (word: string) => {
    const value = parse(word);
    return value !== undefined && value >= low && value <= high ? value : undefined;
  };

const oneOf =
  (...words: string[]) =>
  (word: string) =>
    words.includes(word) ? word : undefined;

/** Names with commas between, as bits. */
export function parseFeatures(word: string): bigint | undefined {
  try {
    return featureBits(word.split(",").filter((name) => name !== ""));
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

// --- Options of one kind ------------------------------------------------------------------------

export function flag(name: string, help: string, short?: string): RbdOption {
  return { name, help, ...(short === undefined ? {} : { short }) };
}

export function textOption(name: string, help: string, short?: string): RbdOption {
  return { name, help, parse: text, ...(short === undefined ? {} : { short }) };
}

export const numberOption = (name: string, help: string): RbdOption => ({
  name,
  help,
  parse: parseCount,
  isQuoted: true,
});
export const bytesOption = (name: string, help: string): RbdOption => ({
  name,
  help,
  parse: parseBytes,
});
export const ratioOption = (name: string, help: string): RbdOption => ({
  name,
  help,
  parse: parseRatio,
  isQuoted: true,
});
export const idOption = (name: string, help: string): RbdOption => ({
  name,
  help,
  parse: parseId,
  isQuoted: true,
});
export const choiceOption = (name: string, help: string, ...choices: string[]): RbdOption => ({
  name,
  help,
  parse: oneOf(...choices),
  choices,
});

/** How an option is written where it is told of: `-p [ --pool ]`. */
export function writtenName({ name, short }: Pick<RbdOption, "name" | "short">): string {
  return short === undefined ? `--${name}` : `-${short} [ --${name} ]`;
}

/** Whose an option is, where a verb speaks of two images. */
export type Side = "" | "dest-";

const whose = (side: Side): string => (side === "" ? "" : "the destination's ");

export const poolOption = (side: Side = ""): RbdOption =>
  textOption(`${side}pool`, `${whose(side)}pool`, side === "" ? "p" : undefined);
export const namespaceOption = (side: Side = ""): RbdOption =>
  textOption(`${side}namespace`, `${whose(side)}namespace`);
export const imageOption = (side: Side = ""): RbdOption =>
  textOption(side === "" ? "image" : "dest", side === "" ? "image" : "the destination's name");
export const snapOption = (side: Side = ""): RbdOption =>
  textOption(side === "" ? "snap" : "dest-snap", `${whose(side)}snapshot`);

export const poolOptions: readonly RbdOption[] = [poolOption(), namespaceOption()];

export function imageOptions(side: Side = ""): readonly RbdOption[] {
  return [poolOption(side), namespaceOption(side), imageOption(side)];
}

export function snapOptions(side: Side = ""): readonly RbdOption[] {
  return [...imageOptions(side), snapOption(side)];
}

export const imageIdOption = textOption("image-id", "the image's id, in place of its name");
export const snapIdOption = idOption("snap-id", "the snapshot's id, in place of its name");
export const fromSnapOption = textOption("from-snap", "snapshot to start from");
export const wholeObjectOption = flag("whole-object", "compare objects as a whole");
export const pathOption = textOption("path", "file; '-' for standard input or output");
export const noProgressOption = flag("no-progress", "do not show how far it is");
export const sparseSizeOption = bytesOption(
  "sparse-size",
  "smallest run of zeros that is left out, B/K/M [default: 4K]",
);
export const exportFormatOption: RbdOption = {
  name: "export-format",
  help: "version of the file's format [default: 1]",
  parse: between(1, 2, parseCount),
};
export const formatOptions: readonly RbdOption[] = [
  choiceOption(
    "format",
    "of what is printed: plain, json or xml [default: plain]",
    "plain",
    "json",
    "xml",
  ),
  flag("pretty-format", "indented, for json and xml"),
];
export const sizeOption: RbdOption = {
  name: "size",
  short: "s",
  help: "size of the image, M/G/T [default: M]",
  parse: parseImageSize,
};

/** How images are made. @param hasFormat where the format of the image may be said */
export function createOptions(hasFormat: boolean): readonly RbdOption[] {
  const formats: readonly RbdOption[] = [
    {
      name: "image-format",
      help: "format of the image; 1 needs RBD_FORCE_ALLOW_V1=1 in the environment [default: 2]",
      parse: between(1, 2, parseCount),
    },
    {
      ...flag("new-format", "--image-format 2, as it was called once"),
      successor: "image-format 2",
    },
  ];
  return [
    ...(hasFormat ? formats : []),
    {
      name: "order",
      help: "--object-size as a power of two",
      parse: between(12, 25, parseCount),
      successor: "object-size",
    },
    bytesOption("object-size", "bytes of an object, B/K/M [4K to 32M]"),
    {
      name: "image-feature",
      help: `features: ${FEATURE_NAMES.slice(0, 8).join(", ")}`,
      parse: parseFeatures,
      adds: (before, value) => BigInt(before) | BigInt(value),
    },
    flag("image-shared", "for several clients at once: no exclusive lock"),
    bytesOption("stripe-unit", "bytes of a stripe's part, B/K/M"),
    numberOption("stripe-count", "objects that stripes go round"),
    textOption("data-pool", "pool of the data"),
    choiceOption("mirror-image-mode", "how it is mirrored", "journal", "snapshot"),
    numberOption("journal-splay-width", "objects of the journal in use at a time"),
    {
      name: "journal-object-size",
      help: "bytes of a journal's object [4K to 64M]",
      parse: between(1 << 12, 1 << 26, parseBytes),
    },
    textOption("journal-pool", "pool of the journal"),
  ];
}
