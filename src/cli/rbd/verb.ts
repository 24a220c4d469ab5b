/** What a verb of the rbd command is. Help, completion and parsing all come from its row. */

import type { Call } from "./call.ts";
import type { RbdOption } from "./options.ts";

export interface Positional {
  /** `image-spec`. */
  readonly name: string;
  readonly help: string;
  /** It may be several words. */
  readonly isMany?: boolean;
}

export interface Verb {
  /** `snap create`. */
  readonly name: string;
  /** `snap add`. */
  readonly alias?: string;
  readonly summary: string;
  readonly positional: readonly Positional[];
  readonly options: readonly RbdOption[];
  /** What it does; undefined: it is known by name only. @throws CommandFailure */
  readonly run?: (call: Call) => Promise<void>;
}

const POOL = "<pool-name>[/<namespace>]";
const IMAGE = "[<pool-name>/[<namespace>/]]<image-name>";

export const poolSpec: Positional = { name: "pool-spec", help: `pool, as ${POOL}` };
export const poolName: Positional = { name: "pool-name", help: "pool" };

/** @param which `source-`, `dest-` */
export function imageSpec(which: "" | "source-" | "dest-" = ""): Positional {
  return { name: `${which}image-spec`, help: `image, as ${IMAGE}` };
}

export function snapSpec(which: "" | "source-" | "dest-" = ""): Positional {
  return { name: `${which}snap-spec`, help: `snapshot, as ${IMAGE}@<snap-name>` };
}

export function imageOrSnapSpec(which: "" | "source-" | "dest-" = ""): Positional {
  return {
    name: `${which}image-or-snap-spec`,
    help: `image or snapshot, as ${IMAGE}[@<snap-name>]`,
  };
}

export const pathName: Positional = {
  name: "path-name",
  help: "file; '-' for standard input or output",
};
