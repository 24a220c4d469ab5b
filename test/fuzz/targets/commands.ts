/**
 * Commands and messages to a monitor, and commands to a manager: each is answered, refused or cuts the link; the
 * cluster goes on. Commands are made by the signatures that clients are told, so none is forgotten.
 */
import { ALLOW_ALL_CAPS, type EntityCaps, formatKeyring } from "../../../src/auth/index.ts";
import { byteString, DecodeError } from "../../../src/encoding/index.ts";
import { MMonCommand, MMonCommandAck } from "../../../src/messages/index.ts";
import { mgrCommandTable } from "../../../src/mgr/index.ts";
import { askManager } from "../../../src/mgr/testing/ask.ts";
import { parseSignature } from "../../../src/mon/commands/command.ts";
import { monCommandTable } from "../../../src/mon/commands/table.ts";
import type { Monitor } from "../../../src/mon/monitor.ts";
import { createBench, FakeClient, FSID, settle } from "../../../src/mon/testing/bench.ts";
import { messageVectors } from "../../vectors/messages/vector.ts";
import { type Dice, mutated, mutatedObject, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

/** With values that do something: what a signature cannot tell. */
const COMMANDS: readonly Record<string, unknown>[] = [
  { prefix: "osd pool create", pool: "p", pg_num: 8 },
  { prefix: "osd pool rm", pool: "p", pool2: "p", yes_i_really_really_mean_it: true },
  { prefix: "osd pool set", pool: "rbd", var: "size", val: "1" },
  { prefix: "osd pool set-quota", pool: "rbd", field: "max_bytes", val: "10M" },
  { prefix: "osd pool application enable", pool: "rbd", app: "rbd" },
  { prefix: "osd blocklist", blocklistop: "add", addr: "127.0.0.1:0/123", expire: 60 },
  { prefix: "osd blocklist", range: "range", blocklistop: "add", addr: "10.4.0.0/16", expire: 60 },
  { prefix: "health mute", code: "OSD_DOWN", ttl: "1h", sticky: true },
  { prefix: "osd erasure-code-profile set", name: "p", profile: ["k=4", "m=2"], force: true },
  {
    prefix: "auth get-or-create",
    entity: "client.x",
    caps: ["mon", "profile rbd", "osd", "allow r"],
  },
  { prefix: "auth caps", entity: "client.x", caps: ["mon", "allow *"] },
  { prefix: "auth import" },
  { prefix: "auth add", entity: "client.x" },
  { prefix: "config set", who: "client.x", name: "debug_ms", value: "1" },
  { prefix: "config assimilate-conf" },
  { prefix: "config-key set", key: "a/b", val: "text" },
  { prefix: "config-key set", key: "a/b" },
  { prefix: "osd dump", format: "json" },
  { prefix: "osd tree", epoch: 2, format: "json-pretty" },
  { prefix: "df", detail: "detail" },
  { prefix: "status", format: "json" },
  { prefix: "osd setmaxosd", newmax: 3, yes_i_really_mean_it: true },
  { prefix: "osd crush rule create-simple", name: "r", root: "default", type: "host" },
  { prefix: "osd map", pool: "rbd", object: "o" },
  { prefix: "log last", num: 5, level: "info", channel: "*" },
  { prefix: "osd out", ids: ["0"] },
];

/** What comes along with a command (`ceph -i`): keyrings, configurations, a crash's report. */
const INPUTS: readonly Buffer[] = [
  "",
  '[client.x]\n\tkey = AQCIcmVkAAAAABAAMHLVYwJ3cVvJ0cXvUqVkVA==\n\tcaps mon = "allow *"\n\tcaps osd = "allow rwx pool=rbd"\n',
  "[global]\nmon host = 127.0.0.1 # here\n; note\n[client.a/host:x]\nrbd_cache = false\n[osd]\ndebug ms = 1/5\n",
  '{"crash_id": "2026-01-01_00:00:00.000000Z_0a1b2c3d-1111-4222-8333-444455556666", "timestamp": "2026-01-01T00:00:00.000000Z", "entity_name": "osd.0", "backtrace": ["a", "b"]}',
].map((text) => Buffer.from(text));

/** Values that an argument of a type may have, and some that it may not. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  CephInt: [0, 1, 8, "3", -1, 2 ** 31, 2 ** 40],
  CephFloat: [0, 0.5, 1, "0.85", -0.1, 1e300],
  CephBool: [true, false, "true"],
  CephPoolname: ["rbd", "p", "q", ".mgr", ""],
  CephOsdName: ["osd.0", "0", 0, "osd.99", "1"],
  CephPgid: ["1.0", "1.1f", "9.0", "1"],
  CephEntityAddr: ["127.0.0.1:0/123", "10.0.0.0/8", "v2:1.2.3.4:5/6", "[::1]:0/1", "x"],
  CephIPAddr: ["127.0.0.1:3300", "[::1]", "x"],
};
const TEXTS = ["client.x", "osd.0", "a", "1", "rbd/i", "k=2", "*", "json", "", "default", "host"];

function valueFor(dice: Dice, { type, fields }: { type: string; fields: Record<string, string> }) {
  const choices = fields["strings"]?.split("|");
  if (choices !== undefined && dice.below(10) > 0) return pick(dice, choices);
  return pick(dice, VALUES[type] ?? TEXTS);
}

type Signature = ReturnType<typeof parseSignature>;

/** A command by its signature: now and then without an argument that it has to have. */
function made(dice: Dice, { prefix, args }: Signature): Record<string, unknown> {
  const command: Record<string, unknown> = { prefix };
  for (const { name, required, many, ...spec } of args) {
    if (dice.below(required ? 20 : 2) === 0) continue;
    const one = () => valueFor(dice, { type: spec.type, fields: { ...spec.fields } });
    command[name] = many ? Array.from({ length: 1 + dice.below(3) }, one) : one();
  }
  if (dice.below(3) === 0) command["format"] = pick(dice, ["json", "json-pretty", "xml", "plain"]);
  return command;
}

/** Commands of a table as its clients send them, and what is nearly that. */
class CommandMaker {
  readonly #signatures: readonly Signature[];
  readonly #texts = COMMANDS.map((command) => Buffer.from(JSON.stringify(command)));

  constructor(descriptions: readonly unknown[]) {
    this.#signatures = descriptions.map((entry) => {
      const { sig } = entry as { sig: readonly (string | ReadonlyMap<string, string>)[] };
      const words = sig.map((part) =>
        typeof part === "string" ? part : [...part].map(([k, v]) => `${k}=${v}`).join(","),
      );
      return parseSignature(words.join(" "));
    });
  }

  text(dice: Dice): string {
    const isKnown = dice.below(2) === 0;
    if (isKnown && dice.below(4) === 0) {
      return mutated(dice, pick(dice, this.#texts), this.#texts).toString("latin1");
    }
    const sample = isKnown ? pick(dice, COMMANDS) : made(dice, pick(dice, this.#signatures));
    const isRight = !isKnown && dice.below(2) === 0;
    const command = isRight ? sample : mutatedObject(dice, sample, COMMANDS);
    return byteString(JSON.stringify(command));
  }

  input(dice: Dice): Buffer {
    if (dice.below(2) === 0) return Buffer.alloc(0);
    const sample = pick(dice, INPUTS);
    return dice.below(3) === 0 ? sample : mutated(dice, sample, INPUTS);
  }
}

/** All that clients can change of a monitor, as text. */
function stateOf({ state }: Monitor): string {
  const { maps, auth, config, configKey, mutes, modules } = state;
  const lists = [config.dump(), configKey.keys(), [...mutes.all.keys()], [...modules.enabled]];
  const keys = auth.list().map((entry) => formatKeyring([entry]));
  return JSON.stringify([maps.map.epoch, lists, keys, auth.policy.allowed]);
}

/** @param caps of the client; without any it changes nothing, and sees no map */
const monitorTarget = (name: string, caps: EntityCaps): Target => ({
  name,
  async open() {
    const { monitor, clock } = await createBench();
    const isHarmless = Object.keys(caps).length === 0;
    const before = stateOf(monitor);
    const commands = new CommandMaker(monCommandTable().descriptions());
    const vectors = messageVectors().filter(({ to }) => to === "mon");
    const fronts = vectors.map(({ message }) => message.front);
    let client = new FakeClient(monitor, caps);
    return {
      async feed(dice) {
        if (client.closed !== undefined) client = new FakeClient(monitor, caps);
        let what: string;
        if (dice.below(2) === 0) {
          const cmd = [commands.text(dice)];
          const data = commands.input(dice);
          client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data });
          what = `${cmd.join()} ${data.toString("latin1")}`;
        } else {
          const { name, message } = pick(dice, vectors);
          const front = mutated(dice, message.front, fronts);
          what = `${name} ${front.toString("hex")}`;
          try {
            monitor.dispatcher.onMessage(client.connection, { ...message, front });
          } catch (error) {
            if (!(error instanceof DecodeError)) throw error;
          }
        }
        if (dice.below(10) === 0) await settle();
        if (dice.below(50) === 0) clock.advance(1000);
        if (isHarmless && client.names.includes("osd_map")) throw new Error("the map, for nobody");
        client.sent.length = 0;
        return what;
      },
      async check() {
        await settle();
        const asker = new FakeClient(monitor);
        const cmd = [JSON.stringify({ prefix: "osd dump", format: "json" })];
        asker.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
        await settle();
        const [ack] = asker.take(MMonCommandAck);
        if (ack?.r !== 0) throw new Error(`osd dump: ${ack?.r}`);
        if (isHarmless && stateOf(monitor) !== before) throw new Error("changed by nobody");
        monitor.dispatcher.onClose(asker.connection, "asked");
      },
    };
  },
});

const managerTarget: Target = {
  name: "manager",
  share: 0.5,
  async open() {
    const { send, ask } = await askManager();
    const commands = new CommandMaker(mgrCommandTable().descriptions());
    return {
      async feed(dice) {
        const [text, input] = [commands.text(dice), commands.input(dice)];
        const answer = send(text, input);
        // Some wait for a cluster that is not to be reached here.
        await Promise.race([answer, settle()]);
        return `${text} ${input.toString("latin1")}`;
      },
      async check() {
        const { r } = await ask("pg stat");
        if (r !== 0) throw new Error(`pg stat: ${r}`);
      },
    };
  },
};

export const commandTargets: readonly Target[] = [
  monitorTarget("monitor", ALLOW_ALL_CAPS),
  monitorTarget("monitor, without a right", {}),
  managerTarget,
];
