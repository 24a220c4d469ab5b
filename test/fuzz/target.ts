/**
 * A place where bytes of others come in. It may refuse them in the way it has for that; anything else that is
 * thrown, and whatever `check` finds, is a fault.
 */
import type { Dice } from "./mutate.ts";

export interface Target {
  readonly name: string;
  /** Its part of a run's inputs, against 1 of a target that is quick. @default 1 */
  readonly share?: number;
  /** A fresh one of whatever is fed. */
  open(): Promise<Opened> | Opened;
}

export interface Opened {
  /** Feeds it one input. @returns what it was, to be shown if it was too much */
  feed(dice: Dice): Promise<string> | string;
  /** Is it still well? Called now and then and at the end. Throws if it is not. */
  check?(): Promise<void> | void;
}
