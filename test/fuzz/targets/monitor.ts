/**
 * Messages and commands to a monitor: each is answered, refused or cuts the link; the cluster goes on. And what
 * the monitor is told itself, as it comes from an admin socket.
 */
import { byteString, DecodeError } from "../../../src/encoding/index.ts";
import { MMonCommand, MMonCommandAck } from "../../../src/messages/index.ts";
import { createBench, FakeClient, FSID, settle } from "../../../src/mon/testing/bench.ts";
import { messageVectors } from "../../vectors/messages/vector.ts";
import { mutated, mutatedObject, pick } from "../mutate.ts";
import type { Target } from "../target.ts";

/** What is sent to a monitor by clients. */
const COMMANDS = [
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
  { prefix: "config set", who: "client.x", name: "debug_ms", value: "1" },
  { prefix: "config-key set", key: "a/b", val: "text" },
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

/** What daemons are told themselves. */
const TOLD = [
  { prefix: "config set", var: "mon_lease", val: ["6"] },
  { prefix: "config set", var: "osd max backfills", val: ["1", "K"] },
  { prefix: "config get", var: "mon_lease", format: "json" },
  { prefix: "config unset", var: "mon_lease" },
  { prefix: "config diff", format: "json-pretty" },
  { prefix: "injectargs", injected_args: ["--mon-lease 5 --no-mon_allow_pool_delete"] },
  { prefix: "injectargs", injected_args: ["--debug_mon=20/20", "--mon_allow_pool_delete", "true"] },
  { prefix: "injectargs", injected_args: ["  --auth_mon_ticket_ttl=1e3 --nosuch 3 --", "-x"] },
  { prefix: "help" },
];

export const toldMonitorTarget: Target = {
  name: "a monitor's admin socket",
  async open() {
    const { monitor } = await createBench();
    const texts = TOLD.map((command) => Buffer.from(JSON.stringify(command)));
    return {
      async feed(dice) {
        const request =
          dice.below(2) === 0
            ? mutated(dice, pick(dice, texts), texts).toString("utf8")
            : JSON.stringify(mutatedObject(dice, pick(dice, TOLD), TOLD));
        const { r, data } = await monitor.command(request);
        if (!Number.isInteger(r) || r > 0) throw new Error(`answered with ${r}`);
        if (r === 0) JSON.parse(String(data));
        return request;
      },
      /** Whatever it was told, each of its options is one that it could be set to. */
      check() {
        const { settings } = monitor.state;
        for (const [name, value] of settings.overrides) {
          if (settings.check(name, value) !== value) throw new Error(`${name} is ${value}`);
        }
      },
    };
  },
};

export const monitorTarget: Target = {
  name: "monitor",
  async open() {
    const { monitor, clock } = await createBench();
    const texts = COMMANDS.map((command) => Buffer.from(JSON.stringify(command)));
    const vectors = messageVectors().filter(({ to }) => to === "mon");
    const fronts = vectors.map(({ message }) => message.front);
    let client = new FakeClient(monitor);
    return {
      async feed(dice) {
        if (client.closed !== undefined) client = new FakeClient(monitor);
        let what: string;
        if (dice.below(2) === 0) {
          const cmd = [
            dice.below(4) === 0
              ? mutated(dice, pick(dice, texts), texts).toString("latin1")
              : byteString(JSON.stringify(mutatedObject(dice, pick(dice, COMMANDS), COMMANDS))),
          ];
          client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: new Uint8Array(0) });
          what = cmd.join();
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
        monitor.dispatcher.onClose(asker.connection, "asked");
      },
    };
  },
};
