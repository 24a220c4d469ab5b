/** What the manager's commands work on: what the monitor's do, and the modules. */

import type { Settings } from "../config/index.ts";
import type { CommandContext } from "../mon/index.ts";
import type { ProgressModule } from "./progress.ts";
import type { Authorized } from "./rbd-support/host.ts";
import type { RbdSupport } from "./rbd-support/support.ts";

export interface MgrContext extends CommandContext {
  readonly progress: ProgressModule;
  readonly rbd: RbdSupport;
  /** What the manager goes by itself. */
  readonly settings: Settings;
  /** May the one who asks do this to a pool and namespace, too? */
  readonly authorized: Authorized;
}
