/** Types of keys that are taken, made and warned of; the words are those of a monitor of 20.2.4. */
import { beforeEach, describe, expect, test } from "vitest";
import { ENTITY_TYPE } from "../../types/index.ts";
import { Monitor } from "../monitor.ts";
import { checkHealth, healthDetail } from "../services/health.ts";
import { type Ask, askerOf } from "../testing/ask.ts";
import { type Bench, createBench, optionsFor } from "../testing/bench.ts";

const NORTH = { type: ENTITY_TYPE.CLIENT, id: "north" };
/** Who the bench's client is. */
const ASKING = { type: ENTITY_TYPE.CLIENT, id: "test" };
const AES = 1;
const AES256K = 2;

let bench: Bench;
let ask: Ask;

beforeEach(async () => {
  bench = await createBench();
  ask = askerOf(bench.monitor);
});

const set = (name: string, value: string) => ask("mon set", { name, value });
const auth = () => bench.monitor.state.auth;
const health = () => healthDetail(checkHealth(bench.monitor.state), 0);
const codes = () => checkHealth(bench.monitor.state).checks.map(({ code }) => code);

/** Every key that is there, made anew as what is preferred. */
async function rotateAll(): Promise<void> {
  for (const { entity } of auth().list()) {
    const name = `${entity.type === ENTITY_TYPE.CLIENT ? "client" : "mon"}.${entity.id}`;
    expect(await ask("auth rotate", { entity: name })).toMatchObject({ r: 0 });
  }
}

describe("a cluster in which nobody has said anything", () => {
  test("makes and takes aes keys, as clients of 16.2 need them, and warns of none", async () => {
    await ask("auth get-or-create", { entity: "client.north", caps: ["mon", "allow r"] });
    expect(auth().get(NORTH)?.key.type).toBe(AES);
    expect(auth().getUsable(NORTH)).toBeDefined();
    expect(health()).toEqual([]);
    expect((await ask("mon dump")).data).not.toContain("cipher");
  });
});

describe("auth_preferred_cipher", () => {
  test("is the type of new keys; weak ones that are left are warned of, word for word", async () => {
    await ask("auth get-or-create", { entity: "client.north", caps: ["mon", "allow r"] });
    expect(await set("auth_preferred_cipher", "aes256k")).toMatchObject({ r: 0 });
    expect(health()).toEqual([
      "[WRN] AUTH_INSECURE_CLIENT_KEY_TYPE: 2 auth client entities with insecure key types",
      "    entity client.admin using insecure key type: aes",
      "    entity client.north using insecure key type: aes",
      "[WRN] AUTH_INSECURE_KEYS_ALLOWED: Monitors are configured to allow auth using insecure key types",
      "[WRN] AUTH_INSECURE_KEYS_CREATABLE: Monitors are configured to allow creation of insecure key types",
      "[ERR] AUTH_INSECURE_SERVICE_KEY_TYPE: 1 auth service entities with insecure key types",
      "    entity mon. using insecure key type: aes",
    ]);
    await ask("auth rotate", { entity: "client.north" });
    expect(auth().get(NORTH)?.key.type).toBe(AES256K);
    await rotateAll();
    expect(codes()).toEqual(["AUTH_INSECURE_KEYS_ALLOWED", "AUTH_INSECURE_KEYS_CREATABLE"]);
    expect(await set("auth_preferred_cipher", "aes")).toMatchObject({ r: 0 });
    expect(health()).toEqual([]);
  });

  test("is one of those that there are", async () => {
    for (const value of ["des", "", "aes,aes256k"]) {
      const status = `invalid key type: ${value}`;
      expect(await set("auth_preferred_cipher", value)).toMatchObject({ r: -22, status });
    }
    expect(auth().policy.isSet).toBe(false);
  });

  test("its checks can be muted", async () => {
    await set("auth_preferred_cipher", "aes256k");
    await rotateAll();
    for (const code of codes()) await ask("health mute", { code, sticky: true });
    expect(checkHealth(bench.monitor.state).status).toBe("HEALTH_OK");
    expect((await ask("health")).data).toContain("HEALTH_OK (muted: ");
  });
});

describe("mon_auth_allow_insecure_key", () => {
  const option = (value: string) =>
    ask("config set", { who: "mon", name: "mon_auth_allow_insecure_key", value });

  test("false: no weak key is made any more, whatever for, and that is not warned of", async () => {
    await set("auth_preferred_cipher", "aes256k");
    expect(await option("false")).toMatchObject({ r: 0 });
    expect(codes()).not.toContain("AUTH_INSECURE_KEYS_CREATABLE");
    const [entity, caps] = ["client.north", ["mon", "allow r"]];
    for (const prefix of ["auth get-or-create", "auth get-or-create-key", "auth add"]) {
      expect(await ask(prefix, { entity, caps, key_type: "aes" }), prefix).toMatchObject({
        r: -22,
        status: "creating key with insecure key type aes not allowed",
      });
    }
    expect(auth().get(NORTH)).toBeUndefined();
    expect(await ask("auth rotate", { entity: "mon.", key_type: "aes" })).toMatchObject({ r: -22 });
    expect(await ask("auth add", { entity, caps })).toMatchObject({ r: 0 });
    expect(auth().get(NORTH)?.key.type).toBe(AES256K);
  });

  test("without it, weak keys are made as long as they open something", async () => {
    await set("auth_preferred_cipher", "aes256k");
    await rotateAll();
    expect(auth().policy.makesWeak).toBe(true);
    await set("auth_allowed_ciphers", "aes256k");
    expect(auth().policy.makesWeak).toBe(false);
    expect(health()).toEqual([]);
    await option("true");
    expect(codes()).toEqual(["AUTH_INSECURE_KEYS_CREATABLE"]);
    // Nor then is one made that opens nothing.
    const made = await ask("auth add", { entity: "client.north", key_type: "aes" });
    expect(made).toMatchObject({ r: -22, status: "key type aes is not in auth_allowed_ciphers" });
  });
});

describe("auth_allowed_ciphers", () => {
  test("a key of a type that is not among them opens nothing; one that is does", async () => {
    await ask("auth get-or-create", { entity: "client.north", caps: ["mon", "allow r"] });
    await set("auth_preferred_cipher", "aes256k");
    for (const entity of ["mon.", "client.admin"]) await ask("auth rotate", { entity });
    expect(await set("auth_allowed_ciphers", "aes256k")).toMatchObject({ r: 0 });
    expect(auth().getUsable(NORTH)).toBeUndefined();
    expect(health()).toEqual([
      "[WRN] AUTH_INSECURE_CLIENT_KEY_TYPE: 1 auth client entities with insecure key types",
      "    entity client.north using insecure key type: aes",
    ]);
    await ask("auth rotate", { entity: "client.north" });
    expect(auth().getUsable(NORTH)).toBeDefined();
    expect(health()).toEqual([]);
    expect(await set("auth_allowed_ciphers", "aes256k, aes")).toMatchObject({ r: 0 });
    expect(auth().policy.allowed).toEqual(["aes", "aes256k"]);
  });

  test("nobody locks out a daemon, or himself", async () => {
    await set("auth_preferred_cipher", "aes256k");
    const refusal = (name: string) => ({
      r: -1,
      status: `${name} has a key of type aes: rotate it first`,
    });
    expect(await set("auth_allowed_ciphers", "aes256k")).toMatchObject(refusal("mon."));
    await rotateAll();
    const key = auth().newKey(AES);
    await auth().set([{ entity: ASKING, auth: { key, caps: { mon: "allow *" } } }]);
    expect(await set("auth_allowed_ciphers", "aes256k")).toMatchObject(refusal("client.test"));
    expect(auth().policy.allows(AES)).toBe(true);
  });

  test("the preferred type stays among them", async () => {
    expect(await set("auth_allowed_ciphers", "aes256k")).toMatchObject({
      r: -22,
      status: "auth_preferred_cipher is aes: set it to one that stays allowed",
    });
    expect(await set("auth_allowed_ciphers", "aes,des")).toMatchObject({ r: -22 });
    expect(await set("auth_allowed_ciphers", "")).toMatchObject({ r: -22 });
  });
});

test("what has been set is in mon dump, and there after a restart", async () => {
  await set("auth_preferred_cipher", "aes256k");
  await rotateAll();
  await set("auth_allowed_ciphers", "aes256k");
  const lines = "auth_allowed_ciphers aes256k\nauth_preferred_cipher aes256k\n";
  expect((await ask("mon dump")).data).toContain(lines);
  bench.monitor.close();
  const again = await Monitor.open(optionsFor(bench.store, bench.clock));
  const dump = (await askerOf(again)("mon dump", { format: "json" })).data;
  expect(JSON.parse(dump)).toMatchObject({
    auth_allowed_ciphers: [{ type: AES256K, name: "aes256k" }],
    auth_preferred_cipher: { type: AES256K, name: "aes256k" },
  });
  expect(again.state.auth.newKey().type).toBe(AES256K);
});

test("it takes a client that may write to the monitor, and names that there are", async () => {
  expect(await set("auth_service_cipher", "aes256k")).toMatchObject({ r: -95 });
  expect(await set("quorum", "aes")).toMatchObject({ r: -22 });
});
