/** Types of keys and their rotation; the words are those of a monitor of 20.2.4. */
import { describe, expect, test } from "vitest";
import { formatKey, parseKey, parseKeyring } from "../../auth/index.ts";
import { textOf } from "../../encoding/index.ts";
import { MMonCommand, MMonCommandAck } from "../../messages/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import { askerOf } from "../testing/ask.ts";
import { createBench, FakeClient, FSID, settle } from "../testing/bench.ts";

const NORTH = { type: ENTITY_TYPE.CLIENT, id: "north" };
const AES = 1;
const AES256K = 2;

async function bench() {
  const { monitor } = await createBench();
  const client = new FakeClient(monitor);
  const run = async (prefix: string, args: object = {}, input = "") => {
    const cmd = [JSON.stringify({ prefix, ...args })];
    client.send(MMonCommand, { version: 0, fsid: FSID, cmd, data: Buffer.from(input) });
    await settle();
    const ack = client.take(MMonCommandAck).at(-1);
    return {
      r: ack?.r,
      status: textOf(ack?.rs ?? ""),
      out: Buffer.from(ack?.data ?? []).toString("utf8"),
    };
  };
  return { auth: monitor.state.auth, run };
}

const entity = "client.north";
const caps = ["mon", "allow r", "osd", "allow rw"];

describe("types of keys", () => {
  test("a new key is of type aes, or of the one that is asked for", async () => {
    const { auth, run } = await bench();
    for (const [key_type, type] of [
      [undefined, AES],
      ["preferred", AES],
      ["aes", AES],
      ["aes256k", AES256K],
    ] as const) {
      for (const prefix of ["auth get-or-create", "auth get-or-create-key", "auth add"]) {
        expect(await run(prefix, { entity, caps, key_type })).toMatchObject({ r: 0 });
        expect(auth.get(NORTH)?.key.type, `${prefix} ${key_type}`).toBe(type);
        await run("auth rm", { entity });
      }
    }
  });

  test("a type that does not exist is refused, and makes nothing", async () => {
    const { auth, run } = await bench();
    for (const prefix of ["auth get-or-create", "auth get-or-create-key", "auth add"]) {
      expect(await run(prefix, { entity, caps, key_type: "des" })).toMatchObject({
        r: -22,
        status: "invalid key type: des",
      });
    }
    expect(auth.get(NORTH)).toBeUndefined();
  });

  test("who is there already keeps its key, whatever is asked for", async () => {
    const { auth, run } = await bench();
    await run("auth get-or-create", { entity, caps });
    const before = auth.get(NORTH);
    await run("auth get-or-create", { entity, caps, key_type: "aes256k" });
    expect(auth.get(NORTH)).toEqual(before);
  });

  test("an aes256k key comes out as it went in, by import, get, print-key and add", async () => {
    const { run } = await bench();
    const keyring = (await run("auth get-or-create", { entity, caps, key_type: "aes256k" })).out;
    const { out } = await run("auth get", { entity });
    await run("auth rm", { entity });
    expect(await run("auth import", {}, out)).toMatchObject({ r: 0 });
    expect((await run("auth get", { entity })).out).toBe(out);
    const key = (await run("auth print-key", { entity })).out;
    expect(keyring).toContain(`key = ${key}\n`);
    expect(parseKey(key)).toMatchObject({ type: AES256K });
    await run("auth rm", { entity });
    expect(await run("auth add", { entity }, out)).toMatchObject({ r: 0 });
    expect((await run("auth get", { entity })).out).toBe(out);
  });
});

describe("auth rotate", () => {
  test("gives a new key of the type that is asked for, keeps the caps and prints both", async () => {
    const { auth, run } = await bench();
    await run("auth get-or-create", { entity, caps });
    for (const [key_type, type] of [
      [undefined, AES],
      ["aes256k", AES256K],
      ["aes", AES],
    ] as const) {
      const before = auth.get(NORTH)!;
      const { r, out } = await run("auth rotate", { entity, key_type });
      const after = auth.get(NORTH)!;
      expect(r).toBe(0);
      expect(after.key.type).toBe(type);
      expect(after.key.secret).not.toEqual(before.key.secret);
      expect(after.caps).toEqual(before.caps);
      expect(parseKeyring(out)).toEqual([{ entity: NORTH, auth: after }]);
    }
    const json = await run("auth rotate", { entity, format: "json" });
    expect(JSON.parse(json.out)).toMatchObject([
      { entity, caps: { mon: "allow r", osd: "allow rw" } },
    ]);
  });

  test("leaves tickets of before as they are, as they are not when the entity is removed", async () => {
    const { auth, run } = await bench();
    await run("auth get-or-create", { entity, caps });
    await run("auth rotate", { entity });
    expect(auth.secrets.isRevoked(NORTH, 1)).toBe(false);
    await run("auth rm", { entity });
    expect(auth.secrets.isRevoked(NORTH, 1)).toBe(true);
  });

  test("is refused for who is not there and for a type that does not exist", async () => {
    const { auth, run } = await bench();
    expect(await run("auth rotate", { entity })).toMatchObject({
      r: -2,
      status: "entity does not exist",
    });
    expect(await run("auth rotate", { entity: "north" })).toMatchObject({
      r: -22,
      status: "bad entity name",
    });
    await run("auth get-or-create", { entity, caps });
    const before = auth.get(NORTH);
    expect(await run("auth rotate", { entity, key_type: "des" })).toMatchObject({ r: -22 });
    expect(auth.get(NORTH)).toEqual(before);
  });
});

describe("two at once", () => {
  async function two() {
    const { monitor, store } = await createBench();
    const asks = [askerOf(monitor), askerOf(monitor)] as const;
    /** Both while nothing becomes durable. */
    const atOnce = async (first: [string, object?], second: [string, object?]) => {
      store.hold();
      const both = [asks[0](...first), asks[1](...second)];
      await settle();
      store.release();
      return await Promise.all(both);
    };
    return { auth: monitor.state.auth, atOnce };
  }

  test("who asks for the same new user is told of the same key, the one that is stored", async () => {
    const { auth, atOnce } = await two();
    const make: [string, object] = ["auth get-or-create-key", { entity, caps }];
    const [first, second] = await atOnce(make, make);
    expect(first?.data).toBe(`${formatKey(auth.get(NORTH)!.key)}\n`);
    expect(second?.data).toBe(first?.data);
  });

  test("a user whose caps are changed while it is removed is gone", async () => {
    const { auth, atOnce } = await two();
    await atOnce(["auth get-or-create", { entity, caps }], ["fsid"]);
    await atOnce(["auth caps", { entity, caps: ["mon", "allow *"] }], ["auth rm", { entity }]);
    expect(auth.get(NORTH)).toBeUndefined();
  });
});

// As 16.2.15 has it: the texts are written one behind the other, and the first is read.
test("of several caps for one service the first counts", async () => {
  const { auth, run } = await bench();
  const entity = "client.north";
  await run("auth get-or-create", { entity, caps });
  const twice = ["mon", "allow r", "mon", "allow *"];
  expect(await run("auth caps", { entity, caps: twice })).toMatchObject({ r: 0 });
  expect(auth.get(NORTH)?.caps).toEqual({ mon: "allow r" });
});
