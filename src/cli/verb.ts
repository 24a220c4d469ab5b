/** A verb of the `spirula` command. */

export interface Verb {
  readonly summary: string;
  /** @returns the exit code */
  run(args: string[]): Promise<number>;
  /**
   * What the last of the words behind the verb may become, "" where it has not begun; none: anything, a file's name
   * as well.
   */
  complete(words: readonly string[]): Promise<readonly string[]>;
}
