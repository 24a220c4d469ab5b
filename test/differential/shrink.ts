/**
 * Shrinks a sequence of requests that shows a difference, by delta debugging: leaves out ever smaller parts
 * as long as a difference still shows at the last request that is left.
 */
import type { Request } from "./generate.ts";

/** Tells which request of a sequence, run on fresh pools, is the first to be answered differently. */
export type FirstDifference = (requests: readonly Request[]) => Promise<number | undefined>;

export async function shrink(
  requests: readonly Request[],
  firstDifference: FirstDifference,
  print: (line: string) => void,
): Promise<Request[]> {
  let kept = [...requests];
  const last = requests.at(-1);
  const narrowed = kept.filter((request) => request === last || mayMatter(request, last));
  if (narrowed.length < kept.length && (await firstDifference(narrowed)) !== undefined) {
    kept = narrowed;
  }
  let size = Math.ceil(kept.length / 2);
  while (size >= 1) {
    let at = 0;
    let isShorter = false;
    while (at < kept.length) {
      const rest = kept.toSpliced(at, size);
      const first = rest.length === 0 ? undefined : await firstDifference(rest);
      if (first === undefined) {
        at += size;
      } else {
        kept = rest.slice(0, first + 1);
        isShorter = true;
        print(`  ${kept.length} requests`);
      }
    }
    if (size === 1 && !isShorter) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return shrinkOps(kept, firstDifference);
}

/** Leaves out sub-operations of the requests. */
async function shrinkOps(
  requests: Request[],
  firstDifference: FirstDifference,
): Promise<Request[]> {
  let kept = requests;
  for (let i = 0; i < kept.length; i++) {
    for (let j = 0; ; ) {
      const request = kept[i];
      const ops = request?.["ops"] as unknown[] | undefined;
      if (request === undefined || ops === undefined || j >= ops.length || ops.length === 1) break;
      const shorter = kept.with(i, { ...request, ops: ops.toSpliced(j, 1) });
      const first = await firstDifference(shorter);
      if (first === undefined) j++;
      else kept = shorter.slice(0, first + 1);
    }
  }
  return kept;
}

/** The same object, or the snapshots and watches of its pool. */
function mayMatter(request: Request, last: Request | undefined): boolean {
  if (last === undefined || request["p"] !== last["p"]) return false;
  if (request["oid"] === undefined || last["oid"] === undefined) return true;
  return ["oid", "ns", "key"].every((part) => request[part] === last[part]);
}
