/**
 * `auth …`: entities, their keys and what they may do.
 * ceph: src/mon/AuthMonitor.cc
 */

import {
  type EntityAuth,
  type EntityCaps,
  formatKey,
  formatKeyring,
  type KeyringEntry,
  keyTypeOf,
  parseKeyring,
} from "../../auth/index.ts";
import { type Json } from "../../encoding/index.ts";
import { type AuthEntity, formatAuthEntity, parseAuthEntity } from "../../types/index.ts";
import { AUTH_ENTITIES_MAX, capsComplaint } from "../services/auth.ts";
import { type Args, COMMAND_FLAG, type CommandReply, ok, refused } from "./command.ts";
import { isCommandReply, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

const CAP_TEXT_MAX = 65536;

function entryJson({ entity, auth }: KeyringEntry): Json {
  const caps = new Map(Object.entries(auth.caps).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { entity: formatAuthEntity(entity), key: formatKey(auth.key), caps };
}

/** Pairs of service and cap text, checked; a reply says what is wrong with them. */
function capsOf(list: readonly string[]): EntityCaps | CommandReply {
  if (list.length % 2 !== 0) {
    return refused("EINVAL", "bad capabilities request; odd number of arguments");
  }
  const caps: Record<string, string> = {};
  for (let i = 0; i < list.length; i += 2) {
    const service = list[i] ?? "";
    const text = list[i + 1] ?? "";
    if (text.length > CAP_TEXT_MAX) return refused("E2BIG", `${service} cap is too long`);
    const complaint = capsComplaint(service, text);
    if (complaint !== undefined) return refused("EINVAL", complaint);
    // An empty text drops the cap.
    // compat: of several for one service the first counts.
    if (text !== "") caps[service] ??= text;
  }
  return caps;
}

function isCaps(x: EntityCaps | CommandReply): x is EntityCaps {
  return !isCommandReply(x);
}

/** The service whose caps differ from those asked for. */
function mismatch(auth: EntityAuth, wanted: EntityCaps): string | undefined {
  for (const [service, text] of Object.entries(wanted)) {
    if ((auth.caps[service] ?? "") !== text) return service;
  }
  return undefined;
}

interface Subject {
  readonly entity: AuthEntity;
  readonly name: string;
}

function subjectOf(args: Args): Subject | undefined {
  const entity = parseAuthEntity(args.text("entity") ?? "");
  return entity === undefined ? undefined : { entity, name: formatAuthEntity(entity) };
}

function full(ctx: CommandContext): CommandReply | undefined {
  if (ctx.state.auth.size < AUTH_ENTITIES_MAX) return undefined;
  return refused("ENOSPC", `there are ${AUTH_ENTITIES_MAX} entities already`);
}

/** The type that a new key is to have; a reply says that there is none such, or that none is made. */
function keyTypeArg({ state }: CommandContext, args: Args): number | CommandReply {
  const { policy } = state.auth;
  const asked = args.text("key_type") ?? "preferred";
  const name = asked === "preferred" ? policy.preferred : asked;
  const type = keyTypeOf(name);
  if (type === undefined) return refused("EINVAL", `invalid key type: ${name}`);
  const refusal = policy.refusalOf(type);
  return refusal === undefined ? type : refused("EINVAL", refusal);
}

async function getOrCreate(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", "bad entity name");
  const type = keyTypeArg(ctx, args);
  if (typeof type === "object") return type;
  const caps = capsOf(args.list("caps"));
  if (!isCaps(caps)) return caps;
  let auth = ctx.state.auth.get(subject.entity);
  if (auth !== undefined) {
    const differs = mismatch(auth, caps);
    if (differs !== undefined) {
      return refused("EINVAL", `key for ${subject.name} exists but cap ${differs} does not match`);
    }
  } else {
    const refusal = full(ctx);
    if (refusal !== undefined) return refusal;
    auth = { key: ctx.state.auth.newKey(type), caps };
    await ctx.state.auth.set([{ entity: subject.entity, auth }]);
  }
  const entry = { entity: subject.entity, auth };
  const key = formatKey(auth.key);
  if (args.prefix === "auth get-or-create-key") {
    return ok(
      args.render(
        () => `${key}\n`,
        () => ({ key }),
      ),
    );
  }
  return ok(
    args.render(
      () => `[${subject.name}]\n\tkey = ${key}\n`,
      () => [entryJson(entry)],
    ),
  );
}

function get(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("entity") ?? "";
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", `invalid entity_auth ${name}`);
  const auth = ctx.state.auth.get(subject.entity);
  if (auth === undefined) {
    return refused("ENOENT", `failed to find ${name} in keyring`);
  }
  const entry = { entity: subject.entity, auth };
  const data = args.render(
    () => formatKeyring([entry]),
    () => [entryJson(entry)],
  );
  return ok(data, `exported keyring for ${name}`);
}

function exportKeys(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("entity");
  if (name === undefined) {
    const entries = ctx.state.auth.list();
    return ok(
      args.render(
        () => formatKeyring(entries),
        () => ({ auth_dump: entries.map(entryJson) }),
      ),
      "exported master keyring",
    );
  }
  const subject = subjectOf(args);
  const auth = subject === undefined ? undefined : ctx.state.auth.get(subject.entity);
  if (subject === undefined || auth === undefined) {
    return refused("ENOENT", "no key for auth(key=AAAAAAAAAAAAAAAA)");
  }
  const entry = { entity: subject.entity, auth };
  const data = args.render(
    () => formatKeyring([entry]),
    () => [entryJson(entry)],
  );
  return ok(data, `export auth(key=${formatKey(auth.key)})`);
}

function getKey(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("entity") ?? "";
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", `invalid entity_auth ${name}`);
  const auth = ctx.state.auth.get(subject.entity);
  if (auth === undefined) return refused("ENOENT", `don't have ${subject.name}`);
  const key = formatKey(auth.key);
  return ok(
    args.render(
      () => key,
      () => ({ key }),
    ),
  );
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const entries = ctx.state.auth.list();
  if (args.format !== "plain") return ok(args.json({ auth_dump: entries.map(entryJson) }));
  const lines = entries.map(({ entity, auth }) => {
    const caps = Object.entries(auth.caps).sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      formatAuthEntity(entity),
      `\tkey: ${formatKey(auth.key)}`,
      ...caps.map(([service, text]) => `\tcaps: [${service}] ${text}`),
    ].join("\n");
  });
  return ok(`${lines.join("\n")}\n`, "installed auth entries:\n");
}

/** The keyring that came with `-i`; undefined if it cannot be read. */
function inputKeyring(args: Args, missing?: () => EntityAuth["key"]): KeyringEntry[] | undefined {
  const entries = parseKeyring(Buffer.from(args.input).toString("utf8"), missing);
  return Array.isArray(entries) ? entries : undefined;
}

async function add(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", "bad entity name");
  const type = keyTypeArg(ctx, args);
  if (typeof type === "object") return type;
  const caps = capsOf(args.list("caps"));
  if (!isCaps(caps)) return caps;
  let given: EntityAuth | undefined;
  if (args.input.length > 0) {
    const keyring = inputKeyring(args);
    if (keyring === undefined) return refused("EINVAL", "error decoding keyring");
    given = keyring.find((entry) => formatAuthEntity(entry.entity) === subject.name)?.auth;
    if (given === undefined) {
      return refused("EINVAL", `key for ${subject.name} not found in provided keyring`);
    }
    if (Object.keys(given.caps).length > 0 && Object.keys(caps).length > 0) {
      return refused("EINVAL", "caps cannot be specified both in keyring and in command");
    }
  }
  const wanted = { ...given?.caps, ...caps };
  const present = ctx.state.auth.get(subject.entity);
  if (present !== undefined) {
    const differs = mismatch(present, wanted);
    if (differs !== undefined) {
      const why = `entity ${subject.name} exists but cap ${differs} does not match`;
      return refused("EINVAL", why);
    }
    if (given !== undefined && formatKey(given.key) !== formatKey(present.key)) {
      return refused("EINVAL", `entity ${subject.name} exists but key does not match`);
    }
    return ok();
  }
  const refusal = full(ctx);
  if (refusal !== undefined) return refusal;
  const key = given?.key ?? ctx.state.auth.newKey(type);
  await ctx.state.auth.set([{ entity: subject.entity, auth: { key, caps: wanted } }]);
  return ok("", `added key for ${subject.name}`);
}

async function importKeys(ctx: CommandContext, args: Args): Promise<CommandReply> {
  if (args.input.length === 0) return refused("EINVAL", "auth import: no data supplied");
  // Without a key upstream stores an empty one, which opens nothing; neither does one that nobody knows.
  const entries = inputKeyring(args, () => ctx.state.auth.newKey());
  if (entries === undefined) {
    return refused("EINVAL", "error decoding keyring cannot parse buffer: Malformed input");
  }
  const fresh = entries.filter(({ entity }) => ctx.state.auth.get(entity) === undefined);
  if (ctx.state.auth.size + fresh.length > AUTH_ENTITIES_MAX) {
    return refused("ENOSPC", `there may be ${AUTH_ENTITIES_MAX} entities`);
  }
  for (const { auth } of entries) {
    const texts = Object.values(auth.caps);
    if (texts.length === 0) return refused("EINVAL", "auth import: no caps supplied");
    if (texts.some((text) => text.length > CAP_TEXT_MAX)) {
      return refused("E2BIG", "a cap is too long");
    }
    // Caps that do not parse are let in, as upstream does, and show in the cluster's health.
  }
  await ctx.state.auth.set(entries);
  return ok("", "imported keyring");
}

async function setCaps(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", "bad entity name");
  const auth = ctx.state.auth.get(subject.entity);
  if (auth === undefined) return refused("ENOENT", `couldn't find entry ${subject.name}`);
  const caps = capsOf(args.list("caps"));
  if (!isCaps(caps)) return caps;
  await ctx.state.auth.set([{ entity: subject.entity, auth: { key: auth.key, caps } }]);
  return ok("", `updated caps for ${subject.name}`);
}

/** A new key for an entity that keeps its caps. Who is in already stays, as the tickets that it has are good. */
async function rotate(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", "bad entity name");
  const present = ctx.state.auth.get(subject.entity);
  if (present === undefined) return refused("ENOENT", "entity does not exist");
  const type = keyTypeArg(ctx, args);
  if (typeof type === "object") return type;
  const auth = { key: ctx.state.auth.newKey(type), caps: present.caps };
  const entry = { entity: subject.entity, auth };
  await ctx.state.auth.set([entry]);
  return ok(
    args.render(
      () => formatKeyring([entry]),
      () => [entryJson(entry)],
    ),
  );
}

async function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const subject = subjectOf(args);
  if (subject === undefined) return refused("EINVAL", "bad entity name");
  if (ctx.state.auth.get(subject.entity) === undefined) {
    return ok("", `entity ${subject.name} does not exist`);
  }
  await ctx.state.auth.remove(subject.entity);
  return ok("", "updated");
}

const ENTITY = "name=entity,type=CephString";
const CAPS = "name=caps,type=CephString,n=N";
// compat: not marked as not positional, as upstream's is: 16.2's `ceph` cannot read such a description.
const KEY_TYPE = "name=key_type,type=CephString,req=false";

export const authCommands: readonly MonCommand[] = [
  [
    "auth get-or-create",
    `${ENTITY} ${CAPS},req=false ${KEY_TYPE}`,
    "rwx",
    getOrCreate,
    "show an entity's key, making it if there is none",
  ] as const,
  [
    "auth get-or-create-key",
    `${ENTITY} ${CAPS},req=false ${KEY_TYPE}`,
    "rwx",
    getOrCreate,
    "show only the key, making it if there is none",
  ] as const,
  ["auth get", ENTITY, "rx", get, "show an entity's keyring"] as const,
  [
    "auth export",
    `${ENTITY},req=false`,
    "rx",
    exportKeys,
    "show the keyring of one entity or of all",
  ] as const,
  ["auth get-key", ENTITY, "rx", getKey, "show an entity's key"] as const,
  ["auth print-key", ENTITY, "rx", getKey, "show an entity's key"] as const,
  ["auth print_key", ENTITY, "rx", getKey, "show an entity's key"] as const,
  ["auth ls", "", "rx", ls, "list all entities with keys and caps"] as const,
  ["auth list", "", "rx", ls, "list all entities with keys and caps"] as const,
  [
    "auth add",
    `${ENTITY} ${CAPS},req=false ${KEY_TYPE}`,
    "rwx",
    add,
    "add an entity, with a key from the input or a new one",
  ] as const,
  ["auth import", "", "rwx", importKeys, "add or replace the entities of a keyring (-i)"] as const,
  [
    "auth rotate",
    `${ENTITY} ${KEY_TYPE}`,
    "rwx",
    rotate,
    "replace an entity's key by a new one, and show it",
  ] as const,
  ["auth caps", `${ENTITY} ${CAPS}`, "rwx", setCaps, "replace an entity's caps"] as const,
  ["auth rm", ENTITY, "rwx", rm, "remove an entity"] as const,
  ["auth del", ENTITY, "rwx", rm, "remove an entity"] as const,
].map(([prefix, sig, perm, run, help]) => ({
  sig: sig === "" ? prefix : `${prefix} ${sig}`,
  help,
  module: "auth",
  perm,
  flags: prefix === "auth list" || prefix === "auth del" ? COMMAND_FLAG.DEPRECATED : 0,
  // Two who ask for the same new user at once are both told of the one that is made.
  run: perm.includes("w") ? (ctx, args) => ctx.state.auth.turns.take(() => run(ctx, args)) : run,
}));
