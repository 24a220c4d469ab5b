/** Mirroring of one image by its snapshots. ceph: src/tools/rbd/action/MirrorImage.cc */

import { ERRNO } from "../../base/index.ts";
import type { Json } from "../../encoding/index.ts";
import {
  type Image,
  ImageMirroring,
  type MirrorSiteStatus,
  type MirrorStatus,
  type OwnedSnapshot,
  PoolMirroring,
} from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, withReason } from "./failure.ts";
import { formatOptions, imageOptions } from "./options.ts";
import { quiesceOf, quiesceOptions } from "./snapshots.ts";
import { invalid, type Spec } from "./spec.ts";
import { localTime } from "./times.ts";
import { imageSpec, type Verb } from "./verb.ts";

export const mirrorImageVerbs: readonly Verb[] = [
  {
    name: "mirror image enable",
    summary: "Have an image mirrored.",
    positional: [
      imageSpec(),
      { name: "mode", help: "journal, which is not supported, or snapshot [default: journal]" },
    ],
    options: imageOptions(),
    run: enable,
  },
  {
    name: "mirror image disable",
    summary: "Have an image mirrored no more.",
    positional: [imageSpec()],
    options: imageOptions(),
    run: disable,
  },
  {
    name: "mirror image snapshot",
    summary: "Take a mirror snapshot.",
    positional: [imageSpec()],
    options: [...imageOptions(), ...quiesceOptions],
    run: snapshot,
  },
  {
    name: "mirror image status",
    summary: "Show how mirroring of an image goes.",
    positional: [imageSpec()],
    options: [...imageOptions(), ...formatOptions],
    run: status,
  },
];

async function enable(call: Call): Promise<void> {
  const spec = call.spec();
  const mode = call.word() || "journal";
  if (mode !== "journal" && mode !== "snapshot") throw invalid(`invalid mode name: ${mode}`);
  await call.withImage(spec, "write", async (image) => {
    if (mode === "journal") {
      const message = "rbd: journals are not supported: mirror image enable IMAGE snapshot";
      throw new CommandFailure(message, ERRNO.EOPNOTSUPP);
    }
    await orFail(new ImageMirroring(image).enable(), withReason);
    await call.out.say("Mirroring enabled");
  });
}

async function disable(call: Call): Promise<void> {
  const spec = call.spec();
  await call.withImage(spec, "write", async (image) => {
    await orFail(new ImageMirroring(image).disable(), withReason);
    await call.out.say("Mirroring disabled");
  });
}

/** @throws CommandFailure EINVAL: it is not mirrored */
async function statusOf(image: Image): Promise<MirrorStatus> {
  const found = await orFail(
    new ImageMirroring(image).status(),
    "rbd: failed to retrieve mirror info",
  );
  if (found?.state !== "enabled") throw invalid("mirroring not enabled on the image");
  return found;
}

async function snapshot(call: Call): Promise<void> {
  const spec = call.spec();
  const how = quiesceOf(call);
  await call.withImage(spec, "write", async (image) => {
    if ((await statusOf(image)).mode !== "snapshot") {
      throw invalid("snapshot based mirroring not enabled on the image");
    }
    const taken = new ImageMirroring(image).snapshot(how);
    const id = await orFail(taken, (error) => failed("rbd: error creating snapshot", error));
    await call.out.say(`Snapshot ID: ${id}`);
  });
}

async function status(call: Call): Promise<void> {
  const spec = call.spec();
  call.checkFormat();
  await call.withImage(spec, "read", async (image) => {
    const found = await statusOf(image);
    const isOurs = found.isPrimary === true && found.mode === "snapshot";
    const snapshots = isOurs ? (await image.allSnapshots()).filter(isPrimary) : [];
    const names = await peerNames(call, spec);
    const local = found.sites.find(({ mirrorUuid }) => mirrorUuid === "");
    const others = found.sites.filter((site) => site !== local);
    const shown: Shown = { name: spec.name, found, local, others, names, snapshots };
    await call.show(
      () => jsonOf(shown),
      {
        root: "image",
        items: { peer_sites: "peer_site", snapshots: "snapshot", mirror_peer_uuids: "peer_uuid" },
      },
      () => plainOf(shown),
    );
  });
}

interface Shown {
  readonly name: string;
  readonly found: MirrorStatus;
  readonly local: MirrorSiteStatus | undefined;
  readonly others: readonly MirrorSiteStatus[];
  /** Of sites, by their mirror uuids. */
  readonly names: ReadonlyMap<string, string>;
  readonly snapshots: readonly OwnedSnapshot[];
}

function isPrimary({ owner }: OwnedSnapshot): boolean {
  return owner.type === "mirror" && !owner.isCopy;
}

async function peerNames(call: Call, { pool }: Spec): Promise<Map<string, string>> {
  const peers = await new PoolMirroring(await call.open({ pool, namespace: "" })).peers();
  return new Map(peers.map(({ mirrorUuid, site }) => [mirrorUuid, site]));
}

const stateOf = ({ isUp, state }: MirrorSiteStatus) => `${isUp ? "up" : "down"}+${state}`;

function peersOf({ owner }: OwnedSnapshot): readonly string[] {
  return owner.type === "mirror" ? owner.peers : [];
}

const isDemoted = ({ owner }: OwnedSnapshot) =>
  owner.type === "mirror" && owner.state === "demoted";

function siteJson(site: MirrorSiteStatus): Record<string, Json> {
  const { description, updatedMs } = site;
  return { state: stateOf(site), description, last_update: localTime(updatedMs) };
}

function jsonOf({ name, found, local, others, names, snapshots }: Shown): Json {
  const json: Record<string, Json> = { name, global_id: found.globalId };
  if (local !== undefined) Object.assign(json, siteJson(local));
  if (others.length > 0) {
    json["peer_sites"] = others.map((site) => ({
      site_name: names.get(site.mirrorUuid) ?? "",
      mirror_uuids: site.mirrorUuid,
      ...siteJson(site),
    }));
  }
  if (snapshots.length > 0) {
    json["snapshots"] = snapshots.map((snap) => ({
      id: snap.id,
      name: snap.name,
      demoted: isDemoted(snap),
      mirror_peer_uuids: [...peersOf(snap)],
    }));
  }
  return json;
}

function plainOf({ name, found, local, others, names, snapshots }: Shown): string {
  const lines = [`${name}:`, `  global_id:   ${found.globalId}`];
  if (local !== undefined) {
    lines.push(
      `  state:       ${stateOf(local)}`,
      `  description: ${local.description}`,
      `  last_update: ${localTime(local.updatedMs)}`,
    );
  }
  if (others.length > 0) lines.push("  peer_sites:");
  for (const [index, site] of others.entries()) {
    if (index > 0) lines.push("");
    lines.push(
      `    name: ${names.get(site.mirrorUuid) ?? site.mirrorUuid}`,
      `    state: ${stateOf(site)}`,
      `    description: ${site.description}`,
      `    last_update: ${localTime(site.updatedMs)}`,
    );
  }
  if (snapshots.length > 0) lines.push("  snapshots:");
  for (const snap of snapshots) {
    const demoted = isDemoted(snap) ? "demoted " : "";
    const peers = peersOf(snap).join(",");
    lines.push(`    ${snap.id} ${snap.name} (${demoted}peer_uuids:[${peers}])`);
  }
  return lines.map((line) => `${line}\n`).join("");
}
