/** The namespaces that images of a pool may be in. ceph: src/librbd/api/Namespace.cc */

import type { IoCtx } from "../rados/index.ts";
import { DIRECTORY } from "./calls.ts";
import { unless } from "./errors.ts";
import { RBD_NAMESPACE } from "./names.ts";

const PAGE = 1024;

/** Without the default one. */
export async function listNamespaces(io: IoCtx): Promise<string[]> {
  const all: string[] = [];
  for (let startAfter = ""; ; ) {
    const args = { startAfter, maxReturn: BigInt(PAGE) };
    const call = io.inNamespace("").query(RBD_NAMESPACE, DIRECTORY.listNamespaces, args);
    const page = await unless(call, "ENOENT");
    if (page !== undefined) all.push(...page);
    if (page === undefined || page.length < PAGE) return all;
    startAfter = page.at(-1) ?? "";
  }
}
