/** What there is to say of one image. ceph: src/tools/rbd/action/Info.cc, Status.cc, Children.cc */

import { ERRNO, formatBytes } from "../../base/index.ts";
import type { Json, JsonObject } from "../../encoding/index.ts";
import {
  type Image,
  ImageMirroring,
  type MigrationPlace,
  type MigrationStatus,
  type Rbd,
} from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import { type FoundChild, findChildren } from "./find-children.ts";
import { parentText } from "./list.ts";
import {
  flag,
  formatOptions,
  imageIdOption,
  imageOptions,
  snapIdOption,
  snapOptions,
} from "./options.ts";
import { invalid } from "./spec.ts";
import { ctimeIfKnown } from "./times.ts";
import { imageOrSnapSpec, imageSpec, type Verb } from "./verb.ts";

export const infoVerbs: readonly Verb[] = [
  {
    name: "info",
    summary: "Show an image's size, layout, features and parent.",
    positional: [imageOrSnapSpec()],
    options: [...snapOptions(), imageIdOption, ...formatOptions],
    run: info,
  },
  {
    name: "status",
    summary: "Show who has an image open.",
    positional: [imageSpec()],
    options: [...imageOptions(), ...formatOptions],
    run: status,
  },
  {
    name: "children",
    summary: "List the clones of an image, or of a snapshot.",
    positional: [imageOrSnapSpec()],
    options: [
      ...snapOptions(),
      snapIdOption,
      flag("all", "those in the trash, too", "a"),
      flag("descendants", "the clones' clones, too"),
      ...formatOptions,
    ],
    run: children,
  },
];

async function info(call: Call): Promise<void> {
  const spec = call.imageOrId({ snapshot: "permitted" });
  call.checkFormat();
  await call.withImage(spec, "read", async (image) => {
    const facts = await orFail(factsOf(image, spec), "rbd: info");
    const names = {
      root: "image",
      items: { features: "feature", op_features: "op_feature", flags: "flag" },
    };
    await call.show(
      () => jsonOf(facts),
      names,
      () => plainOf(facts),
    );
  });
}

type Facts = Awaited<ReturnType<typeof factsOf>>;

async function factsOf(image: Image, spec: { namespace: string; snapshot: string }) {
  const group = await image.group();
  const namespace = spec.namespace === "" ? "" : `${spec.namespace}/`;
  const snapshots = spec.snapshot === "" ? [] : await image.snapshots();
  return {
    ...(await image.info()),
    limit: await image.snapshotLimit(),
    mirror: await new ImageMirroring(image).info(),
    shown: await image.parent(),
    group: group === undefined ? undefined : `${group.pool}/${namespace}${group.name}`,
    isProtected: snapshots.find(({ name }) => name === spec.snapshot)?.isProtected,
  };
}

function timesOf(facts: Facts): [name: string, text: string][] {
  if (facts.format === 1) return [];
  const times: [string, string][] = [
    ["create_timestamp", ctimeIfKnown(facts.createdMs)],
    ["access_timestamp", ctimeIfKnown(facts.accessedMs)],
    ["modify_timestamp", ctimeIfKnown(facts.modifiedMs)],
  ];
  return times.filter(([, text]) => text !== "");
}

function jsonOf(facts: Facts): Json {
  const { name, id, size, objects, objectSize, dataPool, objectPrefix, features, shown } = facts;
  const json: Record<string, Json> = {
    name,
    id,
    size,
    objects,
    order: Math.log2(objectSize),
    object_size: objectSize,
    snapshot_count: facts.snapshotCount,
  };
  if (dataPool !== undefined) json["data_pool"] = dataPool;
  json["block_name_prefix"] = objectPrefix;
  json["format"] = facts.format;
  if (facts.format === 2) {
    json["features"] = features;
    json["op_features"] = facts.operationFeatures;
    json["flags"] = facts.flags;
  }
  if (facts.group !== undefined) json["group"] = facts.group;
  for (const [what, text] of timesOf(facts)) json[what] = text;
  if (facts.isProtected !== undefined) json["protected"] = String(facts.isProtected);
  if (facts.limit !== undefined) json["snapshot_limit"] = facts.limit;
  if (shown !== undefined) {
    json["parent"] = {
      pool: shown.pool,
      pool_namespace: shown.namespace,
      image: shown.image,
      id: shown.imageId,
      snapshot: shown.snapshot,
      trash: shown.inTrash,
      overlap: shown.overlap,
    };
  }
  if (features.includes("striping")) {
    json["stripe_unit"] = facts.stripeUnit;
    json["stripe_count"] = facts.stripeCount;
  }
  if (features.includes("journaling")) json["journal"] = id;
  const mirroring = mirroringOf(facts);
  if (mirroring !== undefined) json["mirroring"] = { ...mirroring };
  return json;
}

interface Mirroring {
  readonly mode: string;
  readonly state: string;
  readonly global_id?: string;
  readonly primary?: boolean;
}

/** Of an image that is mirrored, or might be by its journal. */
function mirroringOf({ mirror, features }: Facts): Mirroring | undefined {
  if (mirror === undefined || mirror.state === "disabled") {
    return features.includes("journaling") ? { mode: "journal", state: "disabled" } : undefined;
  }
  const { mode, state, globalId, isPrimary } = mirror;
  // What only the journal knows is shown as the original shows what it cannot find out.
  return { mode, state, global_id: globalId, primary: isPrimary ?? false };
}

function plainOf(facts: Facts): string {
  const { objectSize, dataPool, features, shown } = facts;
  const lines = [
    `size ${formatBytes(facts.size)} in ${facts.objects} objects`,
    `order ${Math.log2(objectSize)} (${formatBytes(objectSize)} objects)`,
    `snapshot_count: ${facts.snapshotCount}`,
  ];
  if (facts.id !== "") lines.push(`id: ${facts.id}`);
  if (dataPool !== undefined) lines.push(`data_pool: ${dataPool}`);
  lines.push(`block_name_prefix: ${facts.objectPrefix}`, `format: ${facts.format}`);
  if (facts.format === 2) {
    lines.push(
      `features: ${features.join(", ")}`,
      `op_features: ${facts.operationFeatures.join(", ")}`,
      `flags: ${facts.flags.join(", ")}`,
    );
  }
  if (facts.group !== undefined) lines.push(`group: ${facts.group}`);
  for (const [what, text] of timesOf(facts)) lines.push(`${what}: ${text}`);
  if (facts.isProtected !== undefined) {
    lines.push(`protected: ${facts.isProtected ? "True" : "False"}`);
  }
  if (facts.limit !== undefined) lines.push(`snapshot_limit: ${facts.limit}`);
  if (shown !== undefined) {
    const trash = shown.inTrash ? ` (trash ${shown.imageId})` : "";
    lines.push(`parent: ${parentText(shown)}${trash}`, `overlap: ${formatBytes(shown.overlap)}`);
  }
  if (features.includes("striping")) {
    lines.push(
      `stripe unit: ${formatBytes(facts.stripeUnit)}`,
      `stripe count: ${facts.stripeCount}`,
    );
  }
  if (features.includes("journaling")) lines.push(`journal: ${facts.id}`);
  const mirroring = mirroringOf(facts);
  if (mirroring !== undefined) {
    lines.push(`mirroring state: ${mirroring.state}`);
    if (mirroring.global_id !== undefined) {
      lines.push(
        `mirroring mode: ${mirroring.mode}`,
        `mirroring global id: ${mirroring.global_id}`,
        `mirroring primary: ${mirroring.primary}`,
      );
    }
  }
  return `rbd image '${facts.name}':\n${lines.map((line) => `\t${line}\n`).join("")}`;
}

async function status(call: Call): Promise<void> {
  const spec = call.spec();
  call.checkFormat();
  await call.withImage(spec, "read", async (image, rbd) => {
    const watchers = await orFail(image.watchers(), "rbd: show status failed");
    const migration = await migrationOf(call, image, rbd);
    await call.show(
      () => ({
        watchers: watchers.map(({ address, clientId, cookie }) => ({
          address,
          client: clientId,
          cookie,
        })),
        ...(migration === undefined ? {} : { migration: migrationJson(migration) }),
      }),
      { root: "status", items: { watchers: "watcher" } },
      () => {
        const lines = watchers.map(
          ({ address, clientId, cookie }) =>
            `\twatcher=${address} client.${clientId} cookie=${cookie}\n`,
        );
        const who = watchers.length === 0 ? "Watchers: none\n" : `Watchers:\n${lines.join("")}`;
        return `${who}${migration === undefined ? "" : migrationText(migration)}`;
      },
    );
  });
}

/** That it cannot be read is no reason not to show the rest. */
async function migrationOf(
  call: Call,
  image: Image,
  rbd: Rbd,
): Promise<MigrationStatus | undefined> {
  const { features } = await image.info();
  if (!features.includes("migrating")) return undefined;
  try {
    return await rbd.migrationStatus(image.name);
  } catch (error) {
    call.warnOf("rbd: getting migration status failed", error);
    return undefined;
  }
}

const poolText = ({ pool, poolId }: MigrationPlace): string => pool || String(poolId);

function placeText(place: MigrationPlace): string {
  const { namespace, image, imageId } = place;
  const pool = `${poolText(place)}${namespace === "" ? "" : `/${namespace}`}`;
  return `${pool}/${image}${imageId === "" ? "" : ` (${imageId})`}`;
}

function migrationText(status: MigrationStatus): string {
  const { source, sourceSpec, destination, state, description } = status;
  const how = description === "" ? "" : ` (${description})`;
  return [
    "Migration:",
    `\tsource: ${source === undefined ? sourceSpec : placeText(source)}`,
    `\tdestination: ${placeText(destination)}`,
    `\tstate: ${state}${how}`,
    "",
  ].join("\n");
}

function migrationJson(status: MigrationStatus): JsonObject {
  const { source, sourceSpec, destination, state, description } = status;
  const place = (which: string, of: MigrationPlace): JsonObject => ({
    [`${which}_pool_name`]: poolText(of),
    [`${which}_pool_namespace`]: of.namespace,
    [`${which}_image_name`]: of.image,
    [`${which}_image_id`]: of.imageId,
  });
  return {
    ...(source === undefined ? { source_spec: sourceSpec } : place("source", source)),
    ...place("dest", destination),
    state,
    state_description: description,
  };
}

async function children(call: Call): Promise<void> {
  const spec = call.spec({ snapshot: "permitted" });
  const snapId = call.id("snap-id");
  if (snapId !== undefined && spec.snapshot !== "") {
    throw invalid("trying to access snapshot using both name and id.");
  }
  call.checkFormat();
  await call.withImage({ ...spec, snapshot: "" }, "read", async (image) => {
    const snapshot = snapId === undefined ? spec.snapshot : await nameOf(image, snapId);
    if (snapshot !== "") {
      await orFail(image.setSnapshot(snapshot), (error) =>
        error.code === "ENOENT"
          ? saying("rbd: snapshot does not exist.", error)
          : failed("rbd: error setting snapshot", error),
      );
    }
    const all = await orFail(
      findChildren(call, image, call.has("descendants")),
      "rbd: listing children failed",
    );
    const isAll = call.has("all");
    const shown = isAll ? all : all.filter(({ inTrash }) => !inTrash);
    await call.show(
      () => shown.map((child) => childJson(child, isAll)),
      { root: "children", items: { children: "child" } },
      () => shown.map((child) => `${childText(child)}\n`).join(""),
    );
  });
}

async function nameOf(image: Image, snapId: bigint): Promise<string> {
  const found = (await image.allSnapshots()).find(({ id }) => id === snapId);
  if (found === undefined) throw new CommandFailure("rbd: snapshot does not exist.", ERRNO.ENOENT);
  return found.name;
}

function childJson({ pool, namespace, id, name, inTrash }: FoundChild, isAll: boolean): Json {
  const place = { pool, pool_namespace: namespace, image: name };
  return isAll ? { ...place, id, trash: inTrash } : place;
}

function childText({ poolId, pool, namespace, id, name, inTrash }: FoundChild): string {
  const start = pool === "" ? `(child missing ${poolId}/` : `${pool}/`;
  const place = `${start}${namespace === "" ? "" : `${namespace}/`}`;
  if (name === "") return `${place}${id})`;
  return `${place}${name}${inTrash ? ` (trash ${id})` : ""}`;
}
