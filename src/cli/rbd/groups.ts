/** Groups of images. ceph: src/tools/rbd/action/Group.cc */

import type { Rbd } from "../../librbd/index.ts";
import type { Call } from "./call.ts";
import { orFail, saying } from "./failure.ts";
import {
  flag,
  formatOptions,
  imageIdOption,
  imageOption,
  namespaceOption,
  noProgressOption,
  poolOption,
  poolOptions,
  type RbdOption,
  snapOption,
  textOption,
} from "./options.ts";
import { invalid, type Spec } from "./spec.ts";
import { left, right, textTable } from "./table.ts";
import { imageSpec, type Positional, poolSpec, type Verb } from "./verb.ts";

const GROUP = "[<pool-name>/[<namespace>/]]<group-name>";
const groupSpec: Positional = { name: "group-spec", help: `group, as ${GROUP}` };
const groupSnapSpec: Positional = {
  name: "group-snap-spec",
  help: `snapshot of a group, as ${GROUP}@<snap-name>`,
};
const groupOption = textOption("group", "group");
const groupOptions: readonly RbdOption[] = [...poolOptions, groupOption];
const memberOptions: readonly RbdOption[] = [
  textOption("group-pool", "the group's pool"),
  textOption("group-namespace", "the group's namespace"),
  groupOption,
  textOption("image-pool", "the image's pool"),
  textOption("image-namespace", "the image's namespace"),
  imageOption(),
  poolOption(),
  namespaceOption(),
];

export const groupVerbs: readonly Verb[] = [
  {
    name: "group create",
    summary: "Make a group of images.",
    positional: [groupSpec],
    options: groupOptions,
    run: create,
  },
  {
    name: "group list",
    alias: "group ls",
    summary: "List groups.",
    positional: [poolSpec],
    options: [...poolOptions, ...formatOptions],
    run: list,
  },
  {
    name: "group remove",
    alias: "group rm",
    summary: "Delete a group; its images stay.",
    positional: [groupSpec],
    options: groupOptions,
    run: remove,
  },
  {
    name: "group rename",
    summary: "Give a group another name in its pool.",
    positional: [
      { ...groupSpec, name: "source-group-spec" },
      { ...groupSpec, name: "dest-group-spec" },
    ],
    options: [
      ...groupOptions,
      poolOption("dest-"),
      namespaceOption("dest-"),
      textOption("dest-group", "the destination's group"),
    ],
    run: rename,
  },
  {
    name: "group image add",
    summary: "Put an image into a group.",
    positional: [groupSpec, imageSpec()],
    options: memberOptions,
    run: addImage,
  },
  {
    name: "group image list",
    alias: "group image ls",
    summary: "List the images of a group.",
    positional: [groupSpec],
    options: [...groupOptions, ...formatOptions],
    run: listImages,
  },
  {
    name: "group image remove",
    alias: "group image rm",
    summary: "Take an image out of a group.",
    positional: [groupSpec, imageSpec()],
    options: [...memberOptions, imageIdOption],
    run: removeImage,
  },
  {
    name: "group snap create",
    summary: "Take a snapshot of all images of a group at one moment.",
    positional: [groupSnapSpec],
    options: [
      ...groupOptions,
      snapOption(),
      flag("skip-quiesce", "ask nobody to hold still"),
      flag("ignore-quiesce-error", "go on where somebody cannot hold still"),
    ],
    run: createSnapshot,
  },
  {
    name: "group snap list",
    alias: "group snap ls",
    summary: "List the snapshots of a group.",
    positional: [groupSpec],
    options: [...groupOptions, ...formatOptions],
    run: listSnapshots,
  },
  {
    name: "group snap remove",
    alias: "group snap rm",
    summary: "Delete a snapshot of a group.",
    positional: [groupSnapSpec],
    options: [...groupOptions, snapOption()],
    run: removeSnapshot,
  },
  {
    name: "group snap rename",
    summary: "Give a snapshot of a group another name.",
    positional: [groupSnapSpec, { name: "dest-snap", help: "the new name" }],
    options: [...groupOptions, snapOption(), snapOption("dest-")],
    run: renameSnapshot,
  },
  {
    name: "group snap rollback",
    summary: "Make all images of a group what they were at a snapshot.",
    positional: [groupSnapSpec],
    options: [...groupOptions, snapOption(), noProgressOption],
    run: rollback,
  },
];

function groupOf(call: Call, snapshot: "none" | "required" = "none"): Spec {
  const keys = { pool: "pool", name: "group" };
  return call.spec({ keys, noun: "group", snapshot, check: "full" });
}

async function create(call: Call): Promise<void> {
  const group = groupOf(call);
  const rbd = await call.open(group);
  await orFail(rbd.createGroup(group.name), "rbd: create error");
}

async function list(call: Call): Promise<void> {
  const spec = call.pool();
  call.checkFormat();
  const rbd = await call.open(spec);
  const names = await orFail(rbd.listGroups(), "rbd: group list failed");
  await call.show(
    () => names,
    { root: "groups", items: { groups: "name" } },
    () => names.map((name) => `${name}\n`).join(""),
  );
}

async function remove(call: Call): Promise<void> {
  const group = groupOf(call);
  const rbd = await call.open(group);
  await orFail(rbd.removeGroup(group.name), "rbd: remove error");
}

async function rename(call: Call): Promise<void> {
  const from = groupOf(call);
  const { pool, namespace } = from;
  const to = call.spec({
    side: "dest-",
    keys: { pool: "dest-pool", name: "dest-group" },
    noun: "group",
    start: { pool, namespace },
    check: "full",
  });
  if (pool !== to.pool) {
    throw invalid(
      `group rename across pools not supported\nsource pool: ${pool}, dest pool: ${to.pool}`,
    );
  }
  if (namespace !== to.namespace) {
    throw invalid(
      `group rename across namespaces not supported\nsource namespace: ${namespace}, dest namespace: ${to.namespace}`,
    );
  }
  const rbd = await call.open(from);
  await orFail(rbd.renameGroup(from.name, to.name), "rbd: failed to rename group");
}

/**
 * A group and an image of the same namespace.
 * compat: the original passes over --pool and both namespaces, and takes what is in no namespace of its default pool.
 * @throws CommandFailure
 */
function memberOf(call: Call, idInstead: string): { group: Spec; image: Spec } {
  const startOf = (whose: "group" | "image") => ({
    pool: call.text("pool"),
    namespace: call.text(`${whose}-namespace`),
  });
  const group = call.spec({
    keys: { pool: "group-pool", name: "group" },
    noun: "group",
    start: startOf("group"),
    check: "full",
  });
  const image = call.spec({
    keys: { pool: "image-pool", name: "image" },
    start: startOf("image"),
    check: "full",
    isOptional: idInstead !== "",
  });
  if (group.namespace !== image.namespace) {
    throw invalid("group and image namespace must match.");
  }
  return { group, image };
}

async function addImage(call: Call): Promise<void> {
  const { group, image } = memberOf(call, "");
  const rbd = await call.open(group);
  const io = await call.openIo(image);
  await orFail(rbd.addToGroup(group.name, image.name, io), "rbd: add image error");
}

async function removeImage(call: Call): Promise<void> {
  const id = call.text("image-id");
  const { group, image } = memberOf(call, id);
  if (id !== "" && image.name !== "") {
    throw invalid("trying to access image using both name and id. ");
  }
  const rbd = await call.open(group);
  const images = await call.open(image);
  const work = async () => {
    const name = id === "" ? image.name : await nameOf(images, id);
    await rbd.removeFromGroup(group.name, name, images.io);
  };
  await orFail(work(), "rbd: remove image error");
}

async function nameOf(rbd: Rbd, id: string): Promise<string> {
  await using image = await rbd.open({ id }, { readOnly: true });
  return image.name;
}

async function listImages(call: Call): Promise<void> {
  const group = groupOf(call);
  call.checkFormat();
  const rbd = await call.open(group);
  const images = await orFail(rbd.groupImages(group.name), "rbd: group image list failed");
  const { namespace } = group;
  const names = images
    .map((member) => ({ ...member, namespace }))
    .sort((a, b) => (`${a.pool}/${a.image}` < `${b.pool}/${b.image}` ? -1 : 1));
  await call.show(
    () =>
      names.map(({ image, pool, isAttached }) => ({
        image,
        pool,
        namespace,
        state: isAttached ? 0 : 1,
      })),
    { root: "images", items: { images: "image" } },
    () =>
      names
        .map(({ image, pool, isAttached }) => {
          const place = `${pool}/${namespace === "" ? "" : `${namespace}/`}${image}`;
          return `${place} ${isAttached ? "" : "incomplete"}\n`;
        })
        .join(""),
  );
}

async function createSnapshot(call: Call): Promise<void> {
  const group = groupOf(call, "required");
  if (call.has("skip-quiesce") && call.has("ignore-quiesce-error")) {
    throw invalid("ignore-quiesce-error cannot be used together with skip-quiesce");
  }
  const rbd = await call.open(group);
  // compat: the original says nothing when it fails.
  await orFail(rbd.createGroupSnapshot(group.name, group.snapshot), (error) => saying("", error));
}

async function listSnapshots(call: Call): Promise<void> {
  const group = groupOf(call);
  call.checkFormat();
  const rbd = await call.open(group);
  const listing = rbd.groupSnapshots(group.name);
  const found = await orFail(listing, "rbd: group snap list failed");
  const shown = found.map(({ name, isComplete }) => ({
    snapshot: name,
    state: isComplete ? "ok" : "incomplete",
  }));
  const columns = [left("NAME"), right("STATUS")];
  await call.show(
    () => shown,
    { root: "group_snaps", items: { group_snaps: "group_snap" } },
    () => {
      const rows = shown.map(({ snapshot, state }) => [snapshot, state]);
      return rows.length === 0 ? "" : textTable(columns, rows);
    },
  );
}

async function removeSnapshot(call: Call): Promise<void> {
  const group = groupOf(call, "required");
  const rbd = await call.open(group);
  await orFail(
    rbd.removeGroupSnapshot(group.name, group.snapshot),
    "rbd: failed to remove group snapshot",
  );
}

async function renameSnapshot(call: Call): Promise<void> {
  const group = groupOf(call, "required");
  const to = call.text("dest-snap") || call.word();
  if (to === "") throw invalid("destination snapshot name was not specified");
  const rbd = await call.open(group);
  await orFail(
    rbd.renameGroupSnapshot(group.name, group.snapshot, to),
    "rbd: failed to rename group snapshot",
  );
}

async function rollback(call: Call): Promise<void> {
  const group = groupOf(call, "required");
  const rbd = await call.open(group);
  const work = call.withProgress("Rolling back to group snapshot", (onProgress) =>
    rbd.rollBackGroup(group.name, group.snapshot, { onProgress }),
  );
  await orFail(work, "rbd: rollback group to snapshot failed");
}
