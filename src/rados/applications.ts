/**
 * What pools are used for, as the OSD map says: applications and their metadata. Changes go through the
 * monitors' commands.
 * ceph: src/librados/IoCtxImpl.cc application_enable …
 */

import { CephError } from "../base/index.ts";
import { textOf } from "../encoding/index.ts";
import type { CallOptions } from "./limits.ts";
import { poolGone } from "./objecter.ts";
import type { Rados } from "./rados.ts";

/** Metadata by application, then key. Text. */
export type Applications = Map<string, Map<string, string>>;

/** @throws CephError ENOENT if there is no such pool */
export function poolApplications(rados: Rados, pool: number): Applications {
  const found = rados.map.pools.get(pool);
  if (found === undefined) throw poolGone(pool);
  return new Map(
    [...found.applicationMetadata].map(([app, metadata]) => [
      textOf(app),
      new Map([...metadata].map(([key, value]) => [textOf(key), textOf(value)])),
    ]),
  );
}

/** @param force though the pool has another application already @throws CephError EPERM without that */
export async function enableApplication(
  rados: Rados,
  pool: number,
  app: string,
  options: CallOptions & { force?: boolean } = {},
): Promise<void> {
  const { force = false, ...limits } = options;
  const sure = force ? { yes_i_really_mean_it: true } : {};
  await change(rados, pool, { prefix: "osd pool application enable", app, ...sure }, limits);
}

/** @throws CephError ENOENT if the application is not enabled */
export async function setApplicationMetadata(
  rados: Rados,
  pool: number,
  entry: { app: string; key: string; value: string },
  options: CallOptions = {},
): Promise<void> {
  await change(rados, pool, { prefix: "osd pool application set", ...entry }, options);
}

async function change(
  rados: Rados,
  pool: number,
  args: { prefix: string; [word: string]: unknown },
  limits: CallOptions,
): Promise<void> {
  const name = rados.map.poolNames.get(pool);
  if (name === undefined) throw poolGone(pool);
  const { result, status } = await rados.command({ ...args, pool: textOf(name) }, limits);
  if (result < 0) {
    const subject = { op: args.prefix, target: `pool ${textOf(name)}` };
    throw new CephError(result, { ...subject, cause: status });
  }
  await rados.latestMap(limits);
}
