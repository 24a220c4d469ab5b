/** What clients may make the monitor keep: each bound is reached, and not passed. */
import { beforeEach, describe, expect, test } from "vitest";
import { formatKeyring } from "../auth/index.ts";
import { addrMapKey } from "../maps/index.ts";
import { ENTITY_TYPE, utimeFromMs } from "../types/index.ts";
import { BLOCKLIST_MAX, parseAddr } from "./commands/blocklist.ts";
import { PROFILES_MAX } from "./commands/erasure-code-profile.ts";
import { AUTH_ENTITIES_MAX } from "./services/auth.ts";
import { CONFIG_ENTRIES_MAX } from "./services/config.ts";
import { CONFIG_KEY_COUNT_MAX, CONFIG_KEY_VALUE_MAX } from "./services/config-key.ts";
import { HEALTH_MUTES_MAX } from "./services/health-mutes.ts";
import { PG_NUM_MAX } from "./services/osd-pools.ts";
import { type Ask, askerOf } from "./testing/ask.ts";
import { type Bench, createBench } from "./testing/bench.ts";

let bench: Bench;
let ask: Ask;

beforeEach(async () => {
  bench = await createBench();
  ask = askerOf(bench.monitor);
});

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Keyring of `count` entities that are not there. */
function keyringOf(count: number, prefix = "n"): string {
  const key = bench.monitor.state.auth.newKey();
  const entries = range(count).map((i) => ({
    entity: { type: ENTITY_TYPE.CLIENT, id: `${prefix}${i}` },
    auth: { key, caps: { mon: "allow r" } },
  }));
  return formatKeyring(entries);
}

describe("lengths", () => {
  test.each([
    {
      what: "a capability",
      max: 32 * 1024,
      run: (text: string) => ask("auth get-or-create", { entity: "client.x", caps: ["mon", text] }),
      // As long as it is, it has to be one.
      textOf: (length: number) => `allow r, allow command "${"x".repeat(length - 25)}"`,
      refusal: -22,
    },
    {
      what: "a capability in a keyring",
      max: 65_536,
      run: (text: string) => ask("auth import", {}, `[client.x]\n\tcaps mon = '${text}'\n`),
      refusal: -7,
    },
    {
      what: "a value of config-key set",
      max: CONFIG_KEY_VALUE_MAX,
      run: (val: string) => ask("config-key set", { key: "k", val }),
      refusal: -27,
    },
    {
      what: "the same, as input",
      max: CONFIG_KEY_VALUE_MAX,
      run: (text: string) => ask("config-key set", { key: "k" }, text),
      refusal: -27,
    },
    {
      what: "any argument",
      max: 1 << 20,
      run: (value: string) => ask("config set", { who: "client", name: "log_file", value }),
      refusal: -22,
    },
    {
      what: "a pool's name",
      max: 1024,
      run: (pool: string) => ask("osd pool create", { pool }),
      refusal: -22,
    },
  ])("$what of $max bytes is taken, one more is not", async (bound) => {
    const { max, run, refusal, textOf = (length: number) => "x".repeat(length) } = bound;
    expect(textOf(max).length).toBe(max);
    expect((await run(textOf(max + 1))).r).toBe(refusal);
    expect((await run(textOf(max))).r).toBe(0);
  });

  test("a list of 65,536 arguments is taken, one more is not", async () => {
    const out = (count: number) => ask("osd out", { ids: range(count).map(() => "0") });
    expect(await out(65_537)).toMatchObject({ r: -22, status: "too many values for 'ids'" });
    expect((await out(65_536)).r).toBe(0);
  });

  test("a pool of more PGs than may be is none", async () => {
    const create = (pg_num: number) => ask("osd pool create", { pool: "p", pg_num });
    expect(await create(PG_NUM_MAX + 1)).toMatchObject({ r: -34 });
  });
});

describe("counts", () => {
  test("entities with keys, one by one and by a keyring", async () => {
    const { auth } = bench.monitor.state;
    let others = AUTH_ENTITIES_MAX - auth.size;
    const real = () => auth.list().length;
    // To make them all would take the time of all the other tests here.
    Object.defineProperty(auth, "size", { get: () => others + real() });
    for (const prefix of ["auth add", "auth get-or-create", "auth get-or-create-key"]) {
      expect(await ask(prefix, { entity: "client.more" }), prefix).toMatchObject({ r: -28 });
    }
    others -= 3;
    expect(await ask("auth import", {}, keyringOf(4))).toMatchObject({ r: -28 });
    expect(await ask("auth import", {}, keyringOf(2))).toMatchObject({ r: 0 });
    expect(await ask("auth add", { entity: "client.last" })).toMatchObject({ r: 0 });
    expect(await ask("auth add", { entity: "client.more" })).toMatchObject({ r: -28 });
    // Whoever is there already takes no more room.
    expect(await ask("auth import", {}, keyringOf(2))).toMatchObject({ r: 0 });
    expect(auth.size).toBe(AUTH_ENTITIES_MAX);
  });

  test("options set centrally, one by one and by a file", async () => {
    const { config } = bench.monitor.state;
    const others = CONFIG_ENTRIES_MAX - 3;
    Object.defineProperty(config, "size", { get: () => others + config.dump().length });
    const fileOf = (count: number) =>
      range(count)
        .map((i) => `[client.n${i}]\ndebug ms = 1\n`)
        .join("");
    const assimilate = (count: number) => ask("config assimilate-conf", {}, fileOf(count));
    expect(await assimilate(4)).toMatchObject({ r: -28 });
    expect(config.dump()).toEqual([]);
    expect(await assimilate(2)).toMatchObject({ r: 0 });
    const set = (who: string) => ask("config set", { who, name: "debug_ms", value: "2" });
    expect(await set("client")).toMatchObject({ r: 0 });
    expect(await set("mon")).toMatchObject({ r: -28 });
    expect(config.size).toBe(CONFIG_ENTRIES_MAX);
  });

  test("applications of a pool and their settings", async () => {
    const enable = (app: string) =>
      ask("osd pool application enable", { pool: "rbd", app, yes_i_really_mean_it: true });
    for (const app of ["a", "b", "c", "d"]) expect((await enable(app)).r).toBe(0);
    expect(await enable("e")).toMatchObject({ r: -22 });
    const set = (key: string) =>
      ask("osd pool application set", { pool: "rbd", app: "a", key, value: "v" });
    for (const i of range(64)) expect((await set(`k${i}`)).r).toBe(0);
    expect(await set("more")).toMatchObject({ r: -22 });
  });

  test("values of config-key", async () => {
    const { configKey } = bench.monitor.state;
    const value = Buffer.from("v");
    await Promise.all(range(CONFIG_KEY_COUNT_MAX - 1).map((i) => configKey.set(`k${i}`, value)));
    const set = (key: string) => ask("config-key set", { key, val: "w" });
    expect(await set("last")).toMatchObject({ r: 0 });
    expect(await set("more")).toMatchObject({ r: -28 });
    expect(await set("last")).toMatchObject({ r: 0 });
    expect(configKey.keys()).toHaveLength(CONFIG_KEY_COUNT_MAX);
  });

  test.each([
    ["clients", "newBlocklist", {}, (i: number) => `10.1.0.1:0/${i + 1}`],
    [
      "ranges",
      "newRangeBlocklist",
      { range: "range" },
      (i: number) => `10.${i >> 8}.${i & 255}.1/32`,
    ],
  ] as const)("%s that are locked out", async (_what, list, kind, textOf) => {
    const add = (i: number) =>
      ask("osd blocklist", { ...kind, blocklistop: "add", addr: textOf(i) });
    const until = utimeFromMs(4e12);
    await bench.monitor.state.maps.change((pending) =>
      pending.edit((inc) => {
        for (const i of range(BLOCKLIST_MAX - 1)) {
          const addr = parseAddr(textOf(i))!.addr;
          inc[list].set(addrMapKey(addr), { addr, until });
        }
      }),
    );
    expect(await add(BLOCKLIST_MAX)).toMatchObject({ r: 0 });
    expect(await add(BLOCKLIST_MAX + 1)).toMatchObject({ r: -28 });
    expect(await add(BLOCKLIST_MAX)).toMatchObject({ r: 0 });
  });

  test("profiles of erasure codes", async () => {
    const set = (name: string) =>
      ask("osd erasure-code-profile set", { name, profile: ["k=2", "m=1"] });
    const { maps } = bench.monitor.state;
    const others = PROFILES_MAX - 1 - maps.map.erasureCodeProfiles.size;
    await maps.change((pending) =>
      pending.edit((inc) => {
        for (const i of range(others)) inc.newErasureCodeProfiles.set(`p${i}`, new Map());
      }),
    );
    expect(await set("last")).toMatchObject({ r: 0 });
    expect(await set("more")).toMatchObject({ r: -28 });
    expect(await set("last")).toMatchObject({ r: 0 });
  });

  test("checks that are muted", async () => {
    const mute = (code: string) => ask("health mute", { code, sticky: true });
    for (const i of range(HEALTH_MUTES_MAX)) expect((await mute(`C${i}`)).r).toBe(0);
    expect(await mute("MORE")).toMatchObject({ r: -28 });
    expect(await mute("C0")).toMatchObject({ r: 0 });
  });
});
