/**
 * What a command line's last word may become, told from the tables that the command itself is read by.
 */

/** An option, as far as a shell has to know it. */
export interface CompletedOption {
  /** As it is written: `-p`, `--pool`. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  /** The values that there are; undefined: any. */
  readonly choices?: readonly string[] | undefined;
}

/**
 * @param words the last one is to be completed
 * @param options those that may stand there
 * @param next what may follow on these words, of which none is an option or its value
 * @param known options that are told from other words, though they are not proposed @default none
 * @returns none: anything may stand there
 */
export function completeWords(
  words: readonly string[],
  options: readonly CompletedOption[],
  next: (before: readonly string[]) => readonly string[],
  known: readonly CompletedOption[] = [],
): string[] {
  const last = words.at(-1) ?? "";
  const { before, open } = readWords(words.slice(0, -1), [...options, ...known]);
  const possible =
    open?.choices ??
    (open !== undefined
      ? []
      : last.startsWith("-")
        ? options.flatMap(({ names }) => names)
        : next(before));
  return [...new Set(possible)].filter((word) => word.startsWith(last)).toSorted();
}

/** The words that are no options, and the option whose value comes next. */
function readWords(
  words: readonly string[],
  options: readonly CompletedOption[],
): { before: string[]; open: CompletedOption | undefined } {
  const before: string[] = [];
  let open: CompletedOption | undefined;
  for (const word of words) {
    if (open !== undefined) {
      // Bash gives `--pool=rbd` as three words.
      if (word !== "=") open = undefined;
    } else if (word.startsWith("-") && word !== "-") {
      const known = options.find(({ names }) => names.includes(word));
      open = known?.takesValue === true ? known : undefined;
    } else {
      before.push(word);
    }
  }
  return { before, open };
}

/** Options in the form that Node's `parseArgs` takes. */
export function optionsOf(
  spec: Readonly<Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>>,
): CompletedOption[] {
  return Object.entries(spec).map(([name, { type, short }]) => ({
    names: short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`],
    takesValue: type === "string",
  }));
}
