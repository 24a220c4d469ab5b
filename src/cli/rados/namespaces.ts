/** Which namespaces a command line means. ceph: src/tools/rados/rados.cc rados_tool_common */

import type { RadosContext } from "./context.ts";

/** All of them are wanted, and not one. */
export function wantsEveryNamespace({ options }: RadosContext): boolean {
  return options.has("all") && !options.has("default") && !options.has("namespace");
}
