/**
 * Commands on their way to whom they are for, and what comes back.
 * ceph: src/pybind/ceph_argparse.py json_command, send_command; src/ceph.in ids_by_service
 */

import { CephError, ERRNO, type PyJson } from "../../base/index.ts";
import type { Cluster } from "../../librados/index.ts";
import { errnoOf } from "../client/index.ts";
import { parseSignatures, type Signature } from "./signature.ts";
import type { Target } from "./target.ts";

export interface Answer {
  /** Negative errno, or what the command counts. */
  readonly result: number;
  readonly data: Uint8Array;
  /** A line for the user. */
  readonly status: string;
}

type Json = Readonly<Record<string, PyJson>>;

/** What a daemon answers; a daemon that is not there answers with an errno alone. */
export async function ask(
  { engine }: Cluster,
  target: Target,
  command: Json,
  input?: Uint8Array,
): Promise<Answer> {
  const options = { input };
  try {
    switch (target.type) {
      case "mon":
        return target.id === undefined
          ? await engine.command(command, options)
          : await engine.monTell(rankOrName(target.id), command, options);
      case "mgr":
        return await engine.mgrTell(target.id ?? "", command, options);
      case "mon-mgr":
        return await engine.mgrCommand(command, options);
      case "osd":
        return await engine.osdCommand(Number(target.id), command, options);
      case "pg": {
        const pg = parsePgId(target.id);
        return await engine.pgCommand(pg, command, options);
      }
      case "mds":
        return failed(
          -ERRNO.EOPNOTSUPP,
          "metadata servers cannot be told anything by this command",
        );
    }
  } catch (error) {
    return failed(errnoOf(error), error instanceof CephError ? causeText(error) : "");
  }
}

function failed(result: number, status: string): Answer {
  return { result, status, data: new Uint8Array() };
}

function causeText({ cause }: CephError): string {
  return cause instanceof Error ? cause.message : "";
}

function rankOrName(id: string): string | number {
  return /^\d+$/.test(id) ? Number(id) : id;
}

/** `1.1f`, which the words' check has let pass. */
function parsePgId(text: string): { pool: number; seed: number } {
  const [pool = "", seed = ""] = text.split(".");
  return { pool: Number(pool), seed: Number.parseInt(seed, 16) };
}

/** The commands a daemon has. @returns its errno if it does not say */
export async function askSignatures(
  cluster: Cluster,
  target: Target,
): Promise<Signature[] | Answer> {
  const answer = await ask(cluster, target, { prefix: "get_command_descriptions" });
  return answer.result === 0 ? parseSignatures(textOf(answer)) : answer;
}

export function textOf({ data }: Answer): string {
  return Buffer.from(data).toString("utf8");
}

/** The monitors' words, which a user without rights may be denied. @throws CephError */
async function monJson(cluster: Cluster, prefix: string): Promise<unknown> {
  const { data } = await cluster.monCommand({ prefix, format: "json" });
  return JSON.parse(data.toString("utf8")) as unknown;
}

/** The daemons there are of a type, by their ids. @throws CephError */
export async function daemonIds(cluster: Cluster, type: string): Promise<string[] | undefined> {
  switch (type) {
    case "mon": {
      const { mons } = (await monJson(cluster, "mon dump")) as { mons: { name: string }[] };
      return mons.map(({ name }) => name);
    }
    case "osd":
      return ((await monJson(cluster, "osd ls")) as number[]).map(String);
    case "mgr": {
      // Only the active one listens.
      const { active_name } = (await monJson(cluster, "mgr dump")) as { active_name: string };
      return [active_name];
    }
    case "mds": {
      const dump = (await monJson(cluster, "fs dump")) as FsDump;
      const ranks = dump.filesystems.flatMap(({ mdsmap }) => Object.values(mdsmap.info));
      return [...dump.standbys, ...ranks].map(({ name }) => name);
    }
    default:
      return undefined;
  }
}

interface FsDump {
  readonly standbys: { name: string }[];
  readonly filesystems: { mdsmap: { info: Record<string, { name: string }> } }[];
}
