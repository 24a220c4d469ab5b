/**
 * What those hear who watch how a pool's images are mirrored: mirror daemons, in the first place.
 * ceph: src/librbd/mirroring_watcher/Types.cc
 */

import { CephError } from "../../base/index.ts";
import { Writer } from "../../encoding/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import { NOTIFY_TIMEOUT_MS } from "../exclusive-lock.ts";
import type { RbdContext } from "../image.ts";
import { RBD_MIRRORING } from "../names.ts";

export type MirrorNotice =
  | { readonly op: "mode" /** MIRROR_MODE. */; readonly mode: number }
  | {
      readonly op: "image";
      /** MIRROR_IMAGE_STATE. */
      readonly state: number;
      readonly id: string;
      readonly globalId: string;
    };

export function encodeMirrorNotice(notice: MirrorNotice): Uint8Array {
  const w = new Writer();
  const mark = w.begin(1, 1);
  if (notice.op === "mode") {
    w.u32(0);
    w.u32(notice.mode);
  } else {
    w.u32(1);
    w.u32(notice.state);
    w.str(notice.id);
    w.str(notice.globalId);
  }
  w.end(mark);
  return w.finish();
}

/** Best effort, as upstream: what is told is done already. */
export async function tellMirrors(
  { log }: Pick<RbdContext, "log">,
  io: IoCtx,
  notice: MirrorNotice,
): Promise<void> {
  try {
    await io.notify(RBD_MIRRORING, encodeMirrorNotice(notice), NOTIFY_TIMEOUT_MS);
  } catch (error) {
    if (!(error instanceof CephError)) throw error;
    log.warn("mirrors not told of a change", { what: notice.op, why: error.message });
  }
}
