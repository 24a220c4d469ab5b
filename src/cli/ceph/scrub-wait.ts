/**
 * `--block`: a scrub is done when every group's stamp has moved.
 * ceph: src/ceph.in get_scrub_timestamps, waitscrub
 */

import { sleep, systemClock } from "../../base/index.ts";
import { CommandFailure } from "../client/index.ts";
import { ask, textOf } from "./ask.ts";
import type { Session } from "./session.ts";

const POLL_MS = 3_000;
const KINDS = ["scrub", "deep-scrub"];
const ALL = ["all", "any", "*"];

interface PgDump {
  readonly pg_map?: { readonly pg_stats: PgStat[] };
  readonly pg_stats?: PgStat[];
}
type PgStat = { readonly pgid: string; readonly up_primary: number } & Readonly<
  Record<string, unknown>
>;

/** Stamps by group. */
type Stamps = ReadonlyMap<string, unknown>;

/** Are these words that can be waited for? */
export function isScrub(words: readonly string[]): boolean {
  return words[0] === "osd" && KINDS.includes(words[1] ?? "");
}

/** When the groups that the words name were scrubbed last. */
export async function scrubStamps(session: Session, words: readonly string[]): Promise<Stamps> {
  const key = `last_${(words[1] ?? "").replaceAll("-", "_")}_stamp`;
  const answer = await ask(
    session.cluster,
    { type: "mon-mgr" },
    { prefix: "pg dump", format: "json" },
  );
  if (answer.result !== 0) throw new CommandFailure(`pg dump: ${answer.status}`, -answer.result);
  const dump = JSON.parse(textOf(answer)) as PgDump;
  const stats = dump.pg_map?.pg_stats ?? dump.pg_stats ?? [];
  const who = words[2] ?? "";
  const isMeant = ({ up_primary }: PgStat) =>
    ALL.includes(who) || up_primary === Number(who.replace(/^osd\./, ""));
  return new Map(stats.filter(isMeant).map((stat) => [stat.pgid, stat[key]]));
}

/** Resolves when all of them have been scrubbed since. Groups that are gone are not waited for. */
export async function waitForScrub(
  session: Session,
  words: readonly string[],
  before: Stamps,
): Promise<void> {
  await session.out.say(`Waiting for ${words[1]} to complete...`);
  for (;;) {
    const now = await scrubStamps(session, words);
    if (![...before].some(([pgid, stamp]) => now.get(pgid) === stamp)) break;
    await sleep(systemClock, POLL_MS);
  }
  await session.out.say(`${words[1]} completed`);
}
