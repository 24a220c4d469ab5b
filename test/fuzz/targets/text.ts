/** Parsers of text: they say what is wrong, and throw nothing. */
import { parseKeyring, parseMgrCap, parseMonCap, parseOsdCap } from "../../../src/auth/index.ts";
import { mutated, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

function textTarget(name: string, parse: (text: string) => unknown, samples: string[]): Target {
  return {
    name,
    open() {
      const all = samples.map((text) => Buffer.from(text, "latin1"));
      return {
        feed(dice) {
          const text = mutated(dice, pick(dice, all), all).toString("latin1");
          parse(text);
          return text;
        },
      };
    },
  };
}

export const textTargets: readonly Target[] = [
  textTarget("keyring", parseKeyring, [
    '[client.admin]\n\tkey = AQCIcmVkAAAAABAAMHLVYwJ3cVvJ0cXvUqVkVA==\n\tcaps mon = "allow *"\n\tcaps osd = "allow *"\n',
    "[global]\nx = 1\n# note\n[client.a] ; note\nkey=AQCIcmVkAAAAABAAMHLVYwJ3cVvJ0cXvUqVkVA== \\\n  # end\ncaps mon = profile rbd\n",
  ]),
  textTarget("osd caps", parseOsdCap, [
    "allow rwx pool=rbd namespace=a* object_prefix rbd_children, allow class-read",
    "profile rbd pool=vms, profile rbd-read-only, allow class rbd metadata_list network 10.0.0.0/8",
    'allow rw tag rbd data=x; allow * pool "odd name", allow rwx all',
  ]),
  textTarget("manager caps", parseMgrCap, [
    "profile rbd pool=vms namespace=a, allow r, allow command 'rbd task add remove' with x=y",
    "allow module rbd_support with level=vms r, allow service x rw network 10.0.0.0/8, allow *",
  ]),
  textTarget("monitor caps", parseMonCap, [
    'profile rbd, allow command "auth get" with entity=client.a, allow r',
    "allow service osd rw, allow rwx network 10.0.0.0/8; allow command osd with pool prefix rbd",
  ]),
];
