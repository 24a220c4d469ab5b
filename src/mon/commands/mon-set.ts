/**
 * `mon set …`: which types of keys are taken and made, with the commands of 19.2.6 and 20.2.4. What those keep in
 * the map of monitors shows in `mon dump`, once it has been set.
 * ceph: src/mon/MonmapMonitor.cc
 */

import { KEY_TYPES, keyTypeName, keyTypeOf } from "../../auth/index.ts";
import type { JsonObject } from "../../encoding/index.ts";
import { ENTITY_TYPE, formatAuthEntity } from "../../types/index.ts";
import type { KeyPolicy } from "../services/key-policy.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import type { MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** Types of keys: newer releases' part of the map of monitors, told of once somebody has set it. */
export function keyPolicyText(policy: KeyPolicy): string {
  if (!policy.isSet) return "";
  return `auth_allowed_ciphers ${policy.allowed.join(", ")}\nauth_preferred_cipher ${policy.preferred}\n`;
}

export function keyPolicyJson(policy: KeyPolicy): JsonObject {
  if (!policy.isSet) return {};
  const cipher = (name: string) => ({ type: keyTypeOf(name) ?? 0, name });
  return {
    auth_allowed_ciphers: policy.allowed.map(cipher),
    auth_preferred_cipher: cipher(policy.preferred),
  };
}

/** Who could not come back if only keys of `names` were taken: a daemon, or the one who asks. */
function lockedOut({ state, identity }: CommandContext, names: readonly string[]) {
  const asking = formatAuthEntity(identity.entity);
  return state.auth
    .list()
    .map(({ entity, auth }) => ({ entity, name: formatAuthEntity(entity), key: auth.key }))
    .filter(({ entity, name }) => entity.type !== ENTITY_TYPE.CLIENT || name === asking)
    .find(({ key }) => !names.includes(keyTypeName(key.type)));
}

async function setPreferred({ state }: CommandContext, name: string): Promise<CommandReply> {
  const type = keyTypeOf(name);
  if (type === undefined) return refused("EINVAL", `invalid key type: ${name}`);
  const refusal = state.auth.policy.refusalOf(type);
  if (refusal !== undefined) return refused("EINVAL", refusal);
  await state.auth.setPolicy({ preferred: keyTypeName(type) });
  return ok();
}

async function setAllowed(ctx: CommandContext, list: string): Promise<CommandReply> {
  const { auth } = ctx.state;
  const asked = list.split(",").map((name) => name.trim().toLowerCase());
  const unknown = asked.find((name) => keyTypeOf(name) === undefined);
  if (unknown !== undefined) return refused("EINVAL", `invalid key type: ${unknown}`);
  const names = KEY_TYPES.filter((name) => asked.includes(name));
  if (!names.includes(auth.policy.preferred)) {
    const why = `auth_preferred_cipher is ${auth.policy.preferred}: set it to one that stays allowed`;
    return refused("EINVAL", why);
  }
  // Upstream lets it happen, and has an option that lets the locked-out in; ours has none.
  const out = lockedOut(ctx, names);
  if (out !== undefined) {
    const why = `${out.name} has a key of type ${keyTypeName(out.key.type)}: rotate it first`;
    return refused("EPERM", why);
  }
  await auth.setPolicy({ allowed: names });
  return ok();
}

function set(ctx: CommandContext, args: Args): CommandReply | Promise<CommandReply> {
  const value = args.text("value")?.trim() ?? "";
  switch (args.text("name")) {
    case "auth_allowed_ciphers":
      return setAllowed(ctx, value);
    case "auth_preferred_cipher":
      return setPreferred(ctx, value);
    case "auth_service_cipher":
      // Nothing to choose: tickets are sealed with AES-256-GCM whatever the keys (auth/cephx/ticket.ts).
      return refused("EOPNOTSUPP", "service tickets are sealed with AES-256-GCM always");
    default:
      return refused("EINVAL", `there is nothing of that name to set: ${args.text("name")}`);
  }
}

export const monSetCommands: readonly MonCommand[] = [
  {
    sig: "mon set name=name,type=CephChoices,strings=auth_allowed_ciphers|auth_preferred_cipher|auth_service_cipher name=value,type=CephString",
    help: "set which types of keys are taken, and made",
    module: "mon",
    perm: "rw",
    run: (ctx, args) => ctx.state.auth.turns.take(() => set(ctx, args)),
  },
];
