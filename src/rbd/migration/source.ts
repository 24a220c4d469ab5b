/**
 * What an image in the middle of a migration shows of the one that it comes from. Where the destination has no
 * object it shows the source: at a snapshot that was copied the source's, at any newer one and at the head what
 * the source was when the migration began. Once all is copied, nothing.
 * ceph: src/librbd/image/RefreshRequest.cc get_migration_info, handle_get_migration_header, apply
 */

import { MIGRATION_HEADER_TYPE, MIGRATION_STATE } from "../../cls/rbd/types/features.ts";
import type { MigrationSpec, ParentImageSpec } from "../../cls/rbd/types.ts";
import { NOSNAP, type SnapId } from "../../types/index.ts";
import { computeSnapMap, type SnapMap } from "../deep-copy/snap-map.ts";
import { compareSnapIds } from "../deep-copy/snap-order.ts";
import { imageError } from "../errors.ts";

/** A snapshot of another image, or its head at NOSNAP. */
export interface ShownSpec extends ParentImageSpec {
  /** Its name, if it is of format 1 and has no id. */
  readonly format1?: string;
}

/** A revision of another image that shows through. */
export interface Shown {
  readonly spec: ShownSpec;
  /** Bytes, from the start. */
  readonly overlap: number;
}

export interface MigrationSource {
  /** By snapshot of the destination; NOSNAP: the head. */
  readonly shown: ReadonlyMap<SnapId, Shown>;
  /** Bytes that the source may show through to at any of them. */
  readonly overlap: number;
  /** By snapshot of the source: the destination's, and older ones. */
  readonly snapMap: SnapMap;
  /** The destination is to have what the source only shows of its own parent. */
  readonly flatten: boolean;
}

interface Revisions {
  readonly size: number;
  /** Oldest first. */
  readonly snapshots: readonly { readonly id: SnapId; readonly imageSize: number }[];
}

const { PREPARING, PREPARED, EXECUTING, EXECUTED, ABORTING } = MIGRATION_STATE;

/**
 * @param target the image, for errors
 * @returns undefined: it shows nothing of a source
 * @throws CephError EROFS: opened for writing, and it is a source, or given up; EAGAIN: not prepared yet; EINVAL:
 *   in a state that there is not; EBADMSG: no end of a migration; EOPNOTSUPP: from outside of the cluster
 */
export function migrationSource(
  spec: MigrationSpec,
  revisions: Revisions,
  { target, readOnly }: { readonly target: string; readonly readOnly: boolean },
): MigrationSource | undefined {
  const refuse = (code: "EROFS" | "EAGAIN" | "EINVAL" | "EBADMSG" | "EOPNOTSUPP", why: string) =>
    imageError(code, "open", target, why);
  if (spec.headerType === MIGRATION_HEADER_TYPE.SRC) {
    if (!readOnly) throw refuse("EROFS", "it is being migrated to another image");
    return undefined;
  }
  if (spec.headerType !== MIGRATION_HEADER_TYPE.DST) {
    throw refuse("EBADMSG", "neither end of a migration");
  }
  switch (spec.state) {
    case PREPARING:
      throw refuse("EAGAIN", "its migration is being prepared");
    case EXECUTED:
      return undefined;
    case PREPARED:
    case EXECUTING:
      break;
    case ABORTING:
      if (!readOnly) throw refuse("EROFS", "its migration is being given up");
      break;
    default:
      throw refuse("EINVAL", "its migration is in an unknown state");
  }
  if (spec.sourceSpec !== "") throw refuse("EOPNOTSUPP", "it is imported from a file or a stream");
  return sourceOf(spec, revisions);
}

function sourceOf(spec: MigrationSpec, { size, snapshots }: Revisions): MigrationSource {
  const seqs = [...spec.snapSeqs].sort((a, b) => compareSnapIds(a[0], b[0]));
  const there = new Map(snapshots.map(({ id, imageSize }) => [id, imageSize]));
  // What only a removed snapshot would bring comes with the next one that there is.
  const pairs = seqs.filter(([, target]) => there.has(target));
  const removed = seqs.map(([, target]) => target).filter((target) => !there.has(target));
  const lastCopied = seqs.at(-1)?.[1] ?? 0n;
  const newer = snapshots.filter(({ id }) => id > lastCopied);
  // What the source is now belongs to the oldest snapshot that was taken since.
  const headOf: readonly [SnapId, SnapId] = [NOSNAP, newer[0]?.id ?? NOSNAP];
  const { poolId, poolNamespace, imageId, imageName } = spec;
  const place = { poolId, poolNamespace, imageId, ...(imageId === "" && { format1: imageName }) };
  const at = (snapId: SnapId, overlap: number): Shown => ({ spec: { ...place, snapId }, overlap });
  const shown = new Map<SnapId, Shown>();
  for (const [source, target] of pairs) shown.set(target, at(source, there.get(target) ?? 0));
  // Who was once smaller shows no more than that.
  let { overlap } = spec;
  for (const { id, imageSize } of newer) {
    overlap = Math.min(overlap, imageSize);
    shown.set(id, at(NOSNAP, overlap));
  }
  shown.set(NOSNAP, at(NOSNAP, Math.min(overlap, size)));
  return {
    shown,
    overlap: Math.max(...[...shown.values()].map((revision) => revision.overlap)),
    snapMap: computeSnapMap(removed, [...pairs, headOf], 0n),
    flatten: spec.flatten,
  };
}
