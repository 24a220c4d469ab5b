/**
 * Removing an image's journal: its data objects, set by set until a set has none, then its header.
 * ceph: src/librbd/journal/RemoveRequest.cc, src/journal/JournalTrimmer.cc
 */

import type { IoCtx } from "../rados/index.ts";
import { JOURNAL } from "./calls.ts";
import { unless } from "./errors.ts";
import { poolOf } from "./image.ts";
import { journalHeaderName, journalObjectName } from "./names.ts";

/** @throws CephError; a journal that is not there is no failure */
export async function removeJournal(io: IoCtx, imageId: string): Promise<void> {
  const header = journalHeaderName(imageId);
  const splayWidth = await unless(io.query(header, JOURNAL.getSplayWidth, undefined), "ENOENT");
  if (splayWidth === undefined) return;
  const pool = await io.query(header, JOURNAL.getPoolId, undefined);
  const dataIo = poolOf(io, pool);
  if (dataIo !== undefined) {
    const first = await io.query(header, JOURNAL.getMinimumSet, undefined);
    const active = await io.query(header, JOURNAL.getActiveSet, undefined);
    for (let set = first; ; set++) {
      const found = await removeSet(dataIo, { io, imageId, splayWidth, set });
      if (!found && set >= active) break;
    }
  }
  await unless(io.remove(header), "ENOENT");
}

/** @returns whether there was anything */
async function removeSet(
  dataIo: IoCtx,
  of: { io: IoCtx; imageId: string; splayWidth: number; set: number },
): Promise<boolean> {
  const { io, imageId, splayWidth, set } = of;
  const removed = await Promise.all(
    Array.from({ length: splayWidth }, async (_, i) => {
      // The header's pool names the journal, wherever its data is.
      const oid = journalObjectName(io.pool, imageId, set * splayWidth + i);
      return await unless(
        dataIo.remove(oid).then(() => true),
        "ENOENT",
      );
    }),
  );
  return removed.includes(true);
}
