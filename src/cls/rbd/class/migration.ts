/**
 * Live migration: the spec in the header of either end, and the mark that keeps clients which do not know
 * migration away. A format 2 header is marked by a feature, a format 1 header by other text at its start.
 * ceph: src/cls/rbd/cls_rbd.cc
 */

import { fail, isFailure, type Result } from "../../../base/index.ts";
import { byteStringOf, bytesOf, u64 } from "../../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../../objclass.ts";
import { isMissing, readKey, readKeyOr, removeKey, writeKey } from "../../omap.ts";
import { MigrationSetStateArgs } from "../ops/migration.ts";
import { MIGRATION_HEADER_TYPE, RBD_FEATURE } from "../types/features.ts";
import { HEADER_TEXT, MIGRATE_HEADER_TEXT } from "../types/format1.ts";
import { MigrationSpec } from "../types.ts";
import { KEY } from "./header.ts";

export const migrationMethods = {
  migration_set: method("rw", MigrationSpec, none, set),
  migration_set_state: method("rw", MigrationSetStateArgs, none, (context, args) => {
    const spec = get(context);
    if (isFailure(spec)) return spec;
    const { state, description: stateDescription } = args;
    return writeKey(context, KEY.MIGRATION, MigrationSpec, { ...spec, state, stateDescription });
  }),
  migration_get: method("r", none, MigrationSpec, get),
  migration_remove: method("rw", none, none, remove),
} satisfies Record<string, ClassMethod>;

/** Which text a format 1 header begins with, zero byte included. ENXIO: neither. */
function format1Text(context: ClassContext): Result<"plain" | "migrating"> {
  const text = context.read(0, HEADER_TEXT.length + 1);
  if (isFailure(text)) return text;
  const start = byteStringOf(text);
  if (start === `${HEADER_TEXT}\0`) return "plain";
  if (start === `${MIGRATE_HEADER_TEXT}\0`) return "migrating";
  return fail("ENXIO");
}

/**
 * Starts a migration. EEXIST: there is one; EINVAL: a format 1 image as the destination; ENXIO: no image
 * header.
 */
function set(context: ClassContext, spec: MigrationSpec): Result<void> {
  const old = context.omapGet(KEY.MIGRATION);
  if (!isFailure(old)) return fail("EEXIST");
  if (!isMissing(old)) return old;
  const features = readKeyOr(context, KEY.FEATURES, u64, undefined);
  if (isFailure(features)) return features;
  const marked =
    features === undefined ? markFormat1(context, spec) : mark(context, spec, features);
  if (isFailure(marked)) return marked;
  return writeKey(context, KEY.MIGRATION, MigrationSpec, spec);
}

function markFormat1(context: ClassContext, spec: MigrationSpec): Result<void> {
  const text = format1Text(context);
  if (isFailure(text)) return text;
  if (text === "migrating") return fail("EEXIST");
  if (spec.headerType !== MIGRATION_HEADER_TYPE.SRC) return fail("EINVAL");
  return context.write(0, bytesOf(MIGRATE_HEADER_TEXT));
}

function mark(context: ClassContext, spec: MigrationSpec, features: bigint): Result<void> {
  if ((features & RBD_FEATURE.MIGRATING) === 0n) {
    return writeKey(context, KEY.FEATURES, u64, features | RBD_FEATURE.MIGRATING);
  }
  // A destination is created with the feature.
  if (spec.headerType !== MIGRATION_HEADER_TYPE.DST) return fail("EEXIST");
}

/** EINVAL: not migrating; ENXIO: no image header; ENOENT: marked, but no spec. */
function get(context: ClassContext): Result<MigrationSpec> {
  const features = readKeyOr(context, KEY.FEATURES, u64, undefined);
  if (isFailure(features)) return features;
  if (features === undefined) {
    const text = format1Text(context);
    if (isFailure(text)) return text;
    if (text === "plain") return fail("EINVAL");
  } else if ((features & RBD_FEATURE.MIGRATING) === 0n) {
    return fail("EINVAL");
  }
  return readKey(context, KEY.MIGRATION, MigrationSpec);
}

/** Ends a migration; a format 2 image that is in none is left alone. Failures as of get. */
function remove(context: ClassContext): Result<void> {
  const removed = removeKey(context, KEY.MIGRATION);
  if (isFailure(removed)) return removed;
  const features = readKeyOr(context, KEY.FEATURES, u64, undefined);
  if (isFailure(features)) return features;
  if (features === undefined) {
    const text = format1Text(context);
    if (isFailure(text)) return fail("ENXIO");
    return text === "plain" ? fail("EINVAL") : context.write(0, bytesOf(HEADER_TEXT));
  }
  if ((features & RBD_FEATURE.MIGRATING) !== 0n) {
    return writeKey(context, KEY.FEATURES, u64, features & ~RBD_FEATURE.MIGRATING);
  }
}
