/**
 * Options of librbd that are set for everybody, for a pool, or for an image.
 * ceph: src/tools/rbd/action/Config.cc, src/librbd/api/Config.cc
 */

import { CephError, ERRNO } from "../../base/index.ts";
import { allOptions, findOption, parseOptionValue } from "../../config/index.ts";
import type { Json } from "../../encoding/index.ts";
import type { Rbd } from "../../librbd/index.ts";
import { CommandFailure } from "../client/index.ts";
import type { Call } from "./call.ts";
import { failed, orFail, saying } from "./failure.ts";
import { formatOptions, imageOptions, parseFeatures } from "./options.ts";
import { invalid } from "./spec.ts";
import { left, textTable } from "./table.ts";
import { imageSpec, type Positional, poolName, type Verb } from "./verb.ts";

const entity: Positional = { name: "config-entity", help: "whose: global, client, client.<id>" };
const key: Positional = { name: "key", help: "option: rbd_..." };
const value: Positional = { name: "value", help: "what it is set to" };

export const configVerbs: readonly Verb[] = [
  verb("global", "get", "Show what an option is set to for clients.", [entity, key], getGlobal),
  verb("global", "set", "Set an option for clients.", [entity, key, value], setGlobal),
  verb("global", "remove", "Set an option for clients no more.", [entity, key], removeGlobal),
  verb("global", "list", "List options that are set for clients.", [entity], listGlobal),
  verb("pool", "get", "Show what an option is set to for a pool.", [poolName, key], getPool),
  verb("pool", "set", "Set an option for a pool's images.", [poolName, key, value], setPool),
  verb("pool", "remove", "Set an option for a pool no more.", [poolName, key], removePool),
  verb("pool", "list", "List the options of a pool's images.", [poolName], listPool),
  verb("image", "get", "Show what an option is set to for an image.", [imageSpec(), key], getImage),
  verb("image", "set", "Set an option for an image.", [imageSpec(), key, value], setImage),
  verb("image", "remove", "Set an option for an image no more.", [imageSpec(), key], removeImage),
  verb("image", "list", "List the options of an image.", [imageSpec()], listImage),
];

function verb(
  whose: "global" | "pool" | "image",
  what: "get" | "set" | "remove" | "list",
  summary: string,
  positional: readonly Positional[],
  run: (call: Call) => Promise<void>,
): Verb {
  const short = { remove: "rm", list: "ls" } as const;
  const alias = what === "remove" || what === "list" ? short[what] : undefined;
  return {
    name: `config ${whose} ${what}`,
    ...(alias === undefined ? {} : { alias: `config ${whose} ${alias}` }),
    summary,
    positional,
    options: [
      ...(whose === "image" ? imageOptions() : []),
      ...(what === "list" ? formatOptions : []),
    ],
    run,
  };
}

/** Metadata of this prefix are options. ceph: METADATA_CONF_PREFIX */
const PREFIX = "conf_";

/** @throws CommandFailure */
function optionName(call: Call): string {
  const name = call.mustWord("config key was not specified");
  if (!name.startsWith("rbd_")) throw invalid(`not rbd option: ${name}`);
  if (findOption(name) === undefined) throw invalid(`invalid config key: ${name}`);
  return name;
}

/** What cannot be the option's value is refused: who opens an image passes over it. @throws CephError EINVAL */
async function setOption(
  kept: { setMetadata(key: string, value: string): Promise<void> },
  name: string,
  text: string,
): Promise<void> {
  const option = findOption(name);
  if (option !== undefined && typeof parseOptionValue(option, text) !== "string") {
    throw new CephError(-ERRNO.EINVAL, { op: "set", target: name });
  }
  await kept.setMetadata(PREFIX + name, text);
}

function notSet(name: string): CommandFailure {
  return new CommandFailure(`rbd: ${name} is not set`, ERRNO.ENOENT);
}

// --- For clients --------------------------------------------------------------------------------

function entityOf(call: Call): string {
  const who = call.word();
  if (who === "global" || who === "client" || who.startsWith("client.")) return who;
  throw invalid(`invalid config entity: ${who} (must be global, client or client.<id>)`);
}

interface Setting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** By name: the value that counts for the entity, of its own section or of one above it. */
async function globalSettings(call: Call, who: string): Promise<Map<string, Setting>> {
  const cluster = await call.cluster();
  const dump = cluster.monCommand({ prefix: "config dump", format: "json" });
  const { data } = await orFail(dump, "rbd: error reading config");
  const sections = ["global", "client", who].slice(0, who === "global" ? 1 : 3);
  const found = new Map<string, Setting>();
  for (const section of new Set(sections)) {
    for (const setting of JSON.parse(data.toString("utf8")) as Setting[]) {
      const isOurs = setting.section === section && setting.name.startsWith("rbd_");
      if (isOurs) found.set(setting.name, setting);
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function getGlobal(call: Call): Promise<void> {
  const who = entityOf(call);
  const name = optionName(call);
  const found = (await globalSettings(call, who)).get(name);
  if (found?.section !== who) throw notSet(name);
  await call.out.say(found.value);
}

async function changeGlobal(
  call: Call,
  what: string,
  command: Readonly<Record<string, string>> & { readonly name: string },
): Promise<void> {
  const cluster = await call.cluster();
  await orFail(cluster.monCommand(command), (error) => {
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    return saying(`rbd: error ${what} ${command.name}: ${why}`, error);
  });
}

async function setGlobal(call: Call): Promise<void> {
  const who = entityOf(call);
  const name = optionName(call);
  const command = { prefix: "config set", who, name, value: call.word() };
  await changeGlobal(call, "setting", command);
}

async function removeGlobal(call: Call): Promise<void> {
  const who = entityOf(call);
  const name = optionName(call);
  await changeGlobal(call, "removing", { prefix: "config rm", who, name });
}

async function listGlobal(call: Call): Promise<void> {
  const who = entityOf(call);
  call.checkFormat();
  const settings = [...(await globalSettings(call, who)).values()];
  if (settings.length === 0 && !call.isStructured) return;
  const columns = [left("Name"), left("Value"), left("Section")];
  await call.show(
    () => settings.map(({ name, value, section }) => ({ name, value, section })),
    { root: "config", items: { config: "option" } },
    () =>
      textTable(
        columns,
        settings.map(({ name, value, section }) => [name, value, section]),
      ),
  );
}

// --- For a pool ---------------------------------------------------------------------------------

/** What no pool and no image may have of its own. ceph: EXCLUDE_OPTIONS */
const NOT_OVERRIDDEN = new Set(
  (
    "auto_exclusive_lock_until_manual_request default_format default_pool " +
    "discard_on_zeroed_write_same op_thread_timeout op_threads tracing validate_names validate_pool " +
    "mirror_pool_replayers_refresh_interval config_pool_override_update_timestamp"
  )
    .split(" ")
    .map((name) => `rbd_${name}`),
);
/** What is used only when images are made. ceph: EXCLUDE_IMAGE_OPTIONS */
const AT_CREATION = new Set(
  (
    "default_clone_format default_data_pool default_features default_format default_order " +
    "default_stripe_count default_stripe_unit journal_order journal_pool journal_splay_width"
  )
    .split(" ")
    .map((name) => `rbd_${name}`),
);

interface Overridable {
  readonly name: string;
  readonly value: string;
  readonly source: "config" | "pool" | "image";
}

async function optionsOf(
  call: Call,
  rbd: Rbd,
  image: ReadonlyMap<string, string> | undefined,
): Promise<Overridable[]> {
  const { config } = await call.cluster();
  const pool = await orFail(rbd.metadata(), "rbd: failed to list config");
  const isShown = (name: string) =>
    name.startsWith("rbd_") &&
    !NOT_OVERRIDDEN.has(name) &&
    (image === undefined || !(AT_CREATION.has(name) || name.startsWith("rbd_mirror_")));
  return allOptions()
    .filter(({ name }) => isShown(name))
    .map(({ name }) => {
      const own = image?.get(PREFIX + name);
      if (own !== undefined) return { name, value: own, source: "image" };
      const pools = pool.get(PREFIX + name);
      if (pools !== undefined) return { name, value: pools, source: "pool" };
      return { name, value: shownValue(name, config.get(name)), source: "config" };
    });
}

/** As the original has them when it lists them. */
function shownValue(name: string, value: string): string {
  // Names are turned into bits as the option is read.
  if (name === "rbd_default_features" && !/^\d+$/.test(value)) {
    return String(parseFeatures(value.replaceAll(" ", "")) ?? value);
  }
  // The tool turns it off for itself.
  return name === "rbd_cache_writethrough_until_flush" ? "false" : value;
}

function optionTable(options: readonly Overridable[]): string {
  const columns = [left("Name"), left("Value"), left("Source")];
  return textTable(
    columns,
    options.map(({ name, value, source }) => [name, value, source]),
  );
}

const optionsJson = (options: readonly Overridable[]): Json =>
  options.map(({ name, value, source }) => ({ name, value, source }));
const OPTION_NAMES = { root: "config", items: { config: "option" } };

async function rootOf(call: Call): Promise<Rbd> {
  const pool = call.mustWord("pool name was not specified");
  return await call.open({ pool, namespace: "" });
}

async function getPool(call: Call): Promise<void> {
  const opening = call.mustWord("pool name was not specified");
  const name = optionName(call);
  const rbd = await call.open({ pool: opening, namespace: "" });
  const found = (await orFail(rbd.metadata(), `rbd: failed to get ${name}`)).get(PREFIX + name);
  if (found === undefined) throw notSet(name);
  await call.out.say(found);
}

async function setPool(call: Call): Promise<void> {
  const pool = call.mustWord("pool name was not specified");
  const name = optionName(call);
  const text = call.word();
  const rbd = await call.open({ pool, namespace: "" });
  await orFail(setOption(rbd, name, text), `rbd: failed to set ${name}`);
}

async function removePool(call: Call): Promise<void> {
  const pool = call.mustWord("pool name was not specified");
  const name = optionName(call);
  const rbd = await call.open({ pool, namespace: "" });
  await orFail(rbd.setMetadata(PREFIX + name, undefined), `rbd: failed to remove ${name}`);
}

async function listPool(call: Call): Promise<void> {
  call.checkFormat();
  const rbd = await rootOf(call);
  const options = await optionsOf(call, rbd, undefined);
  await call.show(
    () => optionsJson(options),
    OPTION_NAMES,
    () => optionTable(options),
  );
}

// --- For an image -------------------------------------------------------------------------------

async function getImage(call: Call): Promise<void> {
  const spec = call.spec();
  const name = optionName(call);
  await call.withImage(spec, "read", async (image) => {
    const found = await orFail(image.getMetadata(PREFIX + name), (error) =>
      error.code === "ENOENT" ? notSet(name) : failed(`rbd: failed to get ${name}`, error),
    );
    await call.out.say(found);
  });
}

async function setImage(call: Call): Promise<void> {
  const spec = call.spec();
  const name = optionName(call);
  const text = call.mustWord("image config value was not specified");
  await call.withImage(spec, "write", async (image) => {
    await orFail(setOption(image, name, text), `rbd: failed to set ${name}`);
  });
}

async function removeImage(call: Call): Promise<void> {
  const spec = call.spec();
  const name = optionName(call);
  await call.withImage(spec, "write", async (image) => {
    await orFail(image.removeMetadata(PREFIX + name), `rbd: failed to remove ${name}`);
  });
}

async function listImage(call: Call): Promise<void> {
  const spec = call.spec();
  call.checkFormat();
  await call.withImage(spec, "read", async (image, rbd) => {
    const own = await orFail(image.metadata(), "rbd: failed to list config");
    const options = await optionsOf(call, rbd, own);
    await call.show(
      () => optionsJson(options),
      OPTION_NAMES,
      () => `There are ${options.length} values:\n${optionTable(options)}`,
    );
  });
}
