/**
 * `osd erasure-code-profile …`: named parameters for erasure-coded pools. They are kept in the OSD map and
 * completed as upstream's plugins complete them; no pool is made by them here.
 * ceph: src/mon/OSDMonitor.cc parse_erasure_code_profile, normalize_profile,
 * src/erasure-code/jerasure/ErasureCodeJerasure.cc, src/erasure-code/isa/ErasureCodeIsa.cc
 */

import { byteString, textOf } from "../../encoding/index.ts";
import type { OsdMap } from "../../maps/index.ts";
import { Refusal } from "../services/osd-pools.ts";
import { type Args, type CommandReply, ok, refused } from "./command.ts";
import { changeMap, type MonCommand } from "./common.ts";
import type { CommandContext } from "./context.ts";

/** Keys and values; printed in order of the keys. */
type Profile = Map<string, string>;

/** More than anybody has use for. */
export const PROFILES_MAX = 1000;
const DEFAULT_OPTION = "osd_pool_default_erasure_code_profile";
/** In upstream's order, which a complaint lists. */
const JERASURE_TECHNIQUES =
  "reed_sol_van, reed_sol_r6_op, cauchy_orig, cauchy_good, liberation, blaum_roth, liber8tion";
/** Bytes of an int, which is what a chunk's alignment is counted in. */
const INT_BYTES = 4;

function inOrder(profile: Iterable<[string, string]>): Profile {
  return new Map([...profile].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `{k=2,m=1}` */
function braced(profile: Profile): string {
  return `{${[...inOrder(profile)].map(([key, value]) => `${key}=${value}`).join(",")}}`;
}

function parsePairs(words: readonly string[]): Profile {
  const profile: Profile = new Map();
  for (const word of words) {
    const at = word.indexOf("=");
    profile.set(at < 0 ? word : word.slice(0, at), at < 0 ? "" : word.slice(at + 1));
  }
  return profile;
}

/** What a profile of the default plugin begins with. */
function defaults(ctx: CommandContext): Profile {
  const text = ctx.state.settings.text(DEFAULT_OPTION);
  return parsePairs(text.split(/\s+/).filter((word) => word !== ""));
}

/** A number of a profile, set there if it is missing. */
function intOf(profile: Profile, key: string, fallback: number): number | Refusal {
  const text = profile.get(key) || String(fallback);
  if (!/^[+-]?\d+$/.test(text)) {
    const why = `Expected option value to be integer, got '${text}'`;
    return new Refusal(
      "EINVAL",
      `could not convert ${key}=${text} to int because ${why}, set to default ${fallback}`,
    );
  }
  profile.set(key, text);
  return Number(text);
}

/** Sets what a profile leaves out; upstream's refusal if it cannot be. */
function complete(profile: Profile): Refusal | undefined {
  const setDefault = (key: string, value: string) => {
    if (!profile.has(key)) profile.set(key, value);
  };
  const plugin = profile.get("plugin") ?? "";
  if (plugin !== "jerasure" && plugin !== "isa") {
    return new Refusal("EOPNOTSUPP", `erasure code plugin '${plugin}' is not supported`);
  }
  setDefault("technique", "reed_sol_van");
  const technique = profile.get("technique") ?? "";
  const k = intOf(profile, "k", 7);
  if (k instanceof Refusal) return k;
  const m = intOf(profile, "m", 3);
  if (m instanceof Refusal) return m;
  if (k < 2) return new Refusal("EINVAL", `k=${k} must be >= 2`);
  if (m < 1) return new Refusal("EINVAL", `m=${m} must be >= 1`);
  setDefault("crush-root", "default");
  setDefault("crush-failure-domain", "host");
  setDefault("crush-device-class", "");
  if (plugin === "isa") {
    if (technique === "reed_sol_van" || technique === "cauchy") return undefined;
    const choices = "Choose one of the following: reed_sol_van,cauchy";
    return new Refusal(
      "ENOENT",
      `technique=${technique} is not a valid coding technique. ${choices}`,
    );
  }
  return completeJerasure(profile, technique, k);
}

function completeJerasure(profile: Profile, technique: string, k: number): Refusal | undefined {
  if (!JERASURE_TECHNIQUES.split(", ").includes(technique)) {
    const choices = `Choose one of the following: ${JERASURE_TECHNIQUES}`;
    return new Refusal(
      "ENOENT",
      `technique=${technique} is not a valid coding technique.  ${choices}`,
    );
  }
  if (!/^(?:reed_sol|cauchy)_/.test(technique)) {
    return new Refusal("EOPNOTSUPP", `technique=${technique} is not supported`);
  }
  const w = intOf(profile, "w", 8);
  if (w instanceof Refusal) return w;
  if (![8, 16, 32].includes(w)) return new Refusal("EINVAL", `w=${w} must be one of {8, 16, 32}`);
  if (!profile.has("jerasure-per-chunk-alignment")) {
    profile.set("jerasure-per-chunk-alignment", "false");
  }
  const packetSize = technique.startsWith("cauchy") ? intOf(profile, "packetsize", 2048) : 1;
  if (packetSize instanceof Refusal) return packetSize;
  return checkStripeUnit(profile, k, k * w * packetSize * INT_BYTES);
}

/** A stripe unit has to be what a chunk of such a stripe is: nothing is padded. */
function checkStripeUnit(profile: Profile, k: number, alignment: number): Refusal | undefined {
  const text = profile.get("stripe_unit");
  if (text === undefined) return undefined;
  const unit = /^\d+$/.test(text) ? Number(text) : 0;
  if (unit === 0) return new Refusal("EINVAL", `could not parse stripe_unit '${text}'`);
  const chunk = (Math.ceil((k * unit) / alignment) * alignment) / k;
  if (chunk === unit) return undefined;
  const what = `stripe_unit ${unit} does not match ec profile alignment. Would be padded to ${chunk}`;
  return new Refusal("EINVAL", what);
}

/** The profile that was asked for, as upstream keeps it. */
function wanted(ctx: CommandContext, words: readonly string[], map: OsdMap): Profile | Refusal {
  const base = defaults(ctx);
  const given = parsePairs(words);
  const isOther = given.has("plugin") && given.get("plugin") !== base.get("plugin");
  const profile = isOther ? given : new Map([...base, ...given]);
  const old = [...given.keys()].find((key) => key.startsWith("ruleset-"));
  if (old !== undefined) {
    const other = old.replace(/^ruleset-/, "crush-");
    const what = `property '${old}' is no longer supported; try '${other}' instead`;
    return new Refusal("EINVAL", what);
  }
  const domain = profile.get("crush-failure-domain");
  const types = [...map.crush.typeNames.values()].map(textOf);
  if (domain !== undefined && !types.includes(domain)) {
    const what = `erasure-code-profile ${braced(profile)} contains an invalid failure-domain "${domain}"`;
    return new Refusal("EINVAL", what);
  }
  return complete(profile) ?? inOrder(profile);
}

function profileOf(map: OsdMap, name: string): Profile | undefined {
  const found = map.erasureCodeProfiles.get(byteString(name));
  if (found === undefined) return undefined;
  return inOrder([...found].map(([key, value]) => [textOf(key), textOf(value)]));
}

async function set(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("name") ?? "";
  return await changeMap(ctx, (pending) => {
    const profile = wanted(ctx, args.list("profile"), pending.map);
    if (profile instanceof Refusal) return profile;
    const old = profileOf(pending.map, name);
    if (old !== undefined) {
      const bad = complete(old);
      if (bad !== undefined) return bad;
      if (braced(old) === braced(profile)) return "";
      if (!args.flag("force")) {
        const what = `will not override erasure code profile ${name} because the existing profile ${braced(old)} is different from the proposed profile ${braced(profile)}`;
        return new Refusal("EPERM", what);
      }
    } else if (pending.map.erasureCodeProfiles.size >= PROFILES_MAX) {
      return new Refusal("ENOSPC", `there are ${PROFILES_MAX} profiles already`);
    }
    const bytes = new Map([...profile].map(([key, value]) => [byteString(key), byteString(value)]));
    pending.edit((inc) => {
      inc.newErasureCodeProfiles.set(byteString(name), bytes);
      inc.oldErasureCodeProfiles = inc.oldErasureCodeProfiles.filter(
        (other) => other !== byteString(name),
      );
    });
    return "";
  });
}

async function rm(ctx: CommandContext, args: Args): Promise<CommandReply> {
  const name = args.text("name") ?? "";
  const key = byteString(name);
  return await changeMap(ctx, (pending) => {
    if (!pending.map.erasureCodeProfiles.has(key)) {
      return `erasure-code-profile ${name} does not exist`;
    }
    pending.edit((inc) => {
      inc.newErasureCodeProfiles.delete(key);
      if (pending.base.erasureCodeProfiles.has(key)) inc.oldErasureCodeProfiles.push(key);
    });
    return "";
  });
}

function get(ctx: CommandContext, args: Args): CommandReply {
  const name = args.text("name") ?? "";
  const profile = profileOf(ctx.state.maps.map, name);
  if (profile === undefined) return refused("ENOENT", `unknown erasure code profile '${name}'`);
  const text = () => [...profile].map(([key, value]) => `${key}=${value}\n`).join("");
  return ok(args.render(text, () => profile, { newline: true }));
}

function ls(ctx: CommandContext, args: Args): CommandReply {
  const names = [...ctx.state.maps.map.erasureCodeProfiles.keys()].map(textOf).sort();
  return ok(
    args.render(
      () => names.map((name) => `${name}\n`).join(""),
      () => names,
      { newline: true },
    ),
  );
}

const NAME = "name=name,type=CephString,goodchars=[A-Za-z0-9-_.]";

export const erasureCodeProfileCommands: readonly MonCommand[] = [
  [
    `osd erasure-code-profile set ${NAME} name=profile,type=CephString,n=N,req=false name=force,type=CephBool,req=false`,
    "rw",
    "keep parameters for erasure-coded pools under a name",
    set,
  ] as const,
  [`osd erasure-code-profile get ${NAME}`, "r", "show an erasure code profile", get] as const,
  [`osd erasure-code-profile rm ${NAME}`, "rw", "remove an erasure code profile", rm] as const,
  ["osd erasure-code-profile ls", "r", "list the erasure code profiles", ls] as const,
].map(([sig, perm, help, run]): MonCommand => ({ sig, help, module: "osd", perm, run }));
