/** How a pool's images are mirrored, and with which clusters. ceph: src/tools/rbd/action/MirrorPool.cc */

import { CephError, ERRNO } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import { type MirrorPeer, PoolMirroring } from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, saying, withReason } from "./failure.ts";
import {
  choiceOption,
  flag,
  formatOptions,
  poolOption,
  poolOptions,
  textOption,
} from "./options.ts";
import { invalid } from "./spec.ts";
import { poolName, poolSpec, type Verb } from "./verb.ts";

export const mirrorPoolVerbs: readonly Verb[] = [
  {
    name: "mirror pool enable",
    summary: "Have images of a pool mirrored.",
    positional: [
      poolSpec,
      { name: "mode", help: "image: those that it is said of; pool: all with a journal" },
    ],
    options: [...poolOptions, textOption("site-name", "what this cluster is called")],
    run: enable,
  },
  {
    name: "mirror pool disable",
    summary: "Have images of a pool mirrored no more.",
    positional: [poolSpec],
    options: poolOptions,
    run: disable,
  },
  {
    name: "mirror pool info",
    summary: "Show how images of a pool are mirrored, and with whom.",
    positional: [poolSpec],
    options: [...poolOptions, ...formatOptions, flag("all", "where peers are, and their keys")],
    run: info,
  },
  {
    name: "mirror pool peer add",
    summary: "Have a pool mirrored with another cluster.",
    positional: [
      poolName,
      { name: "remote-cluster-spec", help: "the other cluster, as [<client-name>@]<cluster-name>" },
    ],
    options: [
      poolOption(),
      textOption("remote-client-name", "as whom its mirror daemon speaks to it"),
      textOption("remote-cluster", "the other cluster's name"),
      choiceOption("direction", "which way images go [default: rx-tx]", "rx-only", "rx-tx"),
    ],
    run: addPeer,
  },
  {
    name: "mirror pool peer remove",
    summary: "Have a pool mirrored with another cluster no more.",
    positional: [poolName, { name: "uuid", help: "the peer's uuid" }],
    options: [poolOption()],
    run: removePeer,
  },
];

/** ceph: RBD_MIRROR_SITE_NAME_CONFIG_KEY */
const SITE_NAME_KEY = "rbd/mirror/site_name";

async function enable(call: Call): Promise<void> {
  const spec = call.pool();
  const mode = call.word();
  if (mode !== "image" && mode !== "pool") throw invalid("must specify 'image' or 'pool' mode.");
  const mirroring = new PoolMirroring(await call.open(spec));
  const site = call.text("site-name").trim();
  const isNew = call.has("site-name") && site !== (await siteName(call));
  if (call.has("site-name")) await setSiteName(call, site);
  await change(call, mirroring, mode, isNew);
}

async function disable(call: Call): Promise<void> {
  const mirroring = new PoolMirroring(await call.open(call.pool()));
  await change(call, mirroring, "disabled", false);
}

async function change(
  call: Call,
  mirroring: PoolMirroring,
  next: "disabled" | "image" | "pool",
  isSilent: boolean,
): Promise<void> {
  const now = await orFail(mirroring.mode(), "rbd: failed to retrieve mirror mode");
  if (now === next) {
    if (isSilent) return;
    const already = next === "disabled" ? next : `configured for ${next} mode`;
    return await call.out.say(`rbd: mirroring is already ${already}`);
  }
  if (now !== "disabled" && next !== "disabled") {
    await call.out.say(`note: changing mirroring mode from ${now} to ${next}`);
  }
  await orFail(mirroring.setMode(next), withReason);
}

async function configKey(call: Call, key: string): Promise<string | undefined> {
  try {
    const cluster = await call.cluster();
    const { data } = await cluster.monCommand({ prefix: "config-key get", key });
    return data.toString("utf8");
  } catch (error) {
    if (error instanceof CephError && error.code === "ENOENT") return undefined;
    throw failed(`rbd: failed to retrieve ${key}`, error);
  }
}

/** The cluster's id unless it was given a name. */
async function siteName(call: Call): Promise<string> {
  const given = (await configKey(call, SITE_NAME_KEY))?.trim();
  return given || (await call.cluster()).fsid;
}

async function setSiteName(call: Call, name: string): Promise<void> {
  const cluster = await call.cluster();
  const work =
    name === ""
      ? cluster.monCommand({ prefix: "config-key rm", key: SITE_NAME_KEY })
      : cluster.monCommand({ prefix: "config-key set", key: SITE_NAME_KEY, val: name });
  await orFail(work, "rbd: failed to set site name");
}

async function info(call: Call): Promise<void> {
  const spec = call.pool();
  call.checkFormat();
  const rbd = await call.open(spec);
  const mirroring = new PoolMirroring(rbd);
  const mode = await orFail(mirroring.mode(), "rbd: failed to retrieve mirror mode");
  const isShown = mode !== "disabled" && spec.namespace === "";
  const site = isShown ? await siteName(call) : "";
  const peers = isShown ? await orFail(mirroring.peers(), "rbd: failed to list mirror peers") : [];
  const found: Peer[] = [];
  for (const peer of peers) {
    const where = call.has("all") ? await whereOf(call, rbd.io.poolId, peer.uuid) : undefined;
    found.push({ ...peer, where });
  }
  await call.show(
    () => ({ mode, ...(isShown ? { site_name: site, peers: found.map(peerJson) } : {}) }),
    { root: "mirror", items: { peers: "peer" } },
    () => `Mode: ${mode}\n${isShown ? `Site Name: ${site}\n\n${peersText(found)}` : ""}`,
  );
}

type Where = Readonly<Record<string, string>>;
type Peer = MirrorPeer & { readonly where: Where | undefined };

/** Its monitors and its key, as `mon_host` and `key`, where they are kept with the monitors. */
async function whereOf(call: Call, poolId: number, uuid: string): Promise<Where> {
  const text = await configKey(call, `rbd/mirror/peer/${poolId}/${uuid}`);
  try {
    return text === undefined ? {} : (JSON.parse(text) as Where);
  } catch (error) {
    throw new CommandFailure("rbd: failed to parse mirror peer attributes", ERRNO.EINVAL, error);
  }
}

function peerJson({ uuid, direction, site, mirrorUuid, client, where }: Peer): Json {
  const names = { uuid, direction, site_name: site, mirror_uuid: mirrorUuid, client_name: client };
  return { ...names, ...where };
}

function peersText(peers: readonly Peer[]): string {
  if (peers.length === 0) return "Peer Sites: none\n";
  const texts = peers.map(({ uuid, site, mirrorUuid, direction, client, where }) => {
    const lines = [`UUID: ${uuid}`, `Name: ${site}`];
    if (direction !== "rx-only" || mirrorUuid !== "") lines.push(`Mirror UUID: ${mirrorUuid}`);
    lines.push(`Direction: ${direction}`);
    if (direction !== "tx-only" || client !== "") lines.push(`Client: ${client}`);
    if (where !== undefined) {
      lines.push(`Mon Host: ${where["mon_host"] ?? ""}`, `Key: ${where["key"] ?? ""}`);
    }
    return `\n${lines.map((line) => `${line}\n`).join("")}`;
  });
  return `Peer Sites: \n${texts.join("\n")}`;
}

/** @throws CommandFailure EINVAL */
async function mustBeMirrored(mirroring: PoolMirroring): Promise<void> {
  const mode = await orFail(mirroring.mode(), "rbd: failed to retrieve mirror mode");
  if (mode === "disabled") throw invalid("mirroring not enabled on the pool");
}

async function addPeer(call: Call): Promise<void> {
  const pool = call.pool({ hasNamespace: false });
  const { client, cluster } = remoteOf(call);
  const mirroring = new PoolMirroring(await call.open(pool));
  await mustBeMirrored(mirroring);
  const peers = await orFail(mirroring.peers(), "rbd: failed to list mirror peers");
  if (peers.some(({ direction }) => direction !== "tx-only")) {
    throw invalid("multiple RX peers are not currently supported");
  }
  const { name: ourselves } = await call.cluster();
  const direction = call.text("direction") === "rx-only" ? "rx-only" : "rx-tx";
  // compat: by the name of its configuration the original knows itself.
  if (cluster === "ceph") throw invalid("error adding mirror peer");
  const added = mirroring.addPeer({ site: cluster, client: client || ourselves, direction });
  const uuid = await orFail(added, (error) =>
    saying(
      error.code === "EEXIST" ? "rbd: mirror peer already exists" : "rbd: error adding mirror peer",
      error,
    ),
  );
  await call.out.say(uuid);
}

/** The other cluster's name, and the user of it if one is said. */
function remoteOf(call: Call): { readonly client: string; readonly cluster: string } {
  const word = call.word();
  const match = /^(?:(client\.[^@]+)@)?([^/@]+)$/.exec(word);
  if (word !== "" && match === null) throw invalid(`invalid spec '${word}'`);
  const client = match?.[1] ?? call.text("remote-client-name");
  const cluster = match?.[2] ?? call.text("remote-cluster");
  if (cluster === "") throw invalid("remote cluster was not specified");
  return { client, cluster };
}

async function removePeer(call: Call): Promise<void> {
  const pool = call.pool({ hasNamespace: false });
  const uuid = call.mustWord("must specify peer uuid");
  if (!/^[A-F0-9]{8}(?:-[A-F0-9]{4}){3}-[A-F0-9]{12}$/i.test(uuid)) {
    throw invalid(`invalid uuid '${uuid}'`);
  }
  const mirroring = new PoolMirroring(await call.open(pool));
  await mustBeMirrored(mirroring);
  await orFail(mirroring.removePeer(uuid), (error) =>
    saying("rbd: error removing mirror peer", error),
  );
}
