import { expect, test } from "vitest";
import { RotatingSecrets } from "../../auth/index.ts";
import { seededRandom } from "../../base/index.ts";
import { MemStore, NoSpaceError } from "../../store/index.ts";
import { ENTITY_TYPE } from "../../types/index.ts";
import { MonStore } from "../mon-store.ts";
import { StillClock } from "../testing/bench.ts";
import { AuthService } from "./auth.ts";

const ALICE = { type: ENTITY_TYPE.CLIENT, id: "alice" };

test("there is no moment at which the key is gone from the disk and tickets of before are good", async () => {
  const clock = new StillClock();
  const random = seededRandom(1);
  const store = new MemStore();
  const auth = await AuthService.open(new MonStore(store), {
    clock,
    random,
    ttlMs: () => 3_600_000,
  });
  await auth.set([{ entity: ALICE, auth: { key: auth.newKey(), caps: { mon: "allow r" } } }]);

  // After each transaction: what a server would find that starts then.
  const found: { hasKey: boolean; isRevoked: boolean }[] = [];
  const submit = store.submit.bind(store);
  store.submit = (transaction) => {
    const seq = submit(transaction);
    const disk = new MonStore(store);
    const state = disk.get("monitor", "rotating-secrets")!;
    found.push({
      hasKey: [...disk.entries("auth")].length > 0,
      isRevoked: new RotatingSecrets({ clock, random, state }).isRevoked(ALICE, clock.now()),
    });
    return seq;
  };
  await auth.remove(ALICE);
  expect(found).toEqual([
    { hasKey: true, isRevoked: true },
    { hasKey: false, isRevoked: true },
  ]);
  auth.close();
});

test("global ids go on once there is space again, and until then a server without any is no worse off", async () => {
  const options = { clock: new StillClock(), random: seededRandom(1), ttlMs: () => 3_600_000 };
  const store = new MemStore();
  const auth = await AuthService.open(new MonStore(store), options);
  const { globalIds } = auth;
  const submit = store.submit.bind(store);
  store.submit = () => {
    throw new NoSpaceError();
  };
  const ids: bigint[] = [];
  const takeAll = async () => {
    for (let id = globalIds.allocate(); id !== undefined; id = globalIds.allocate()) ids.push(id);
    await new Promise(setImmediate);
    return ids.length;
  };
  const before = await takeAll();
  expect(await takeAll()).toBe(before);
  store.submit = submit;
  // The first that comes now has none set aside for it, but has some set aside for the next.
  expect(await takeAll()).toBe(before);
  expect(await takeAll()).toBeGreaterThan(before);
  expect(new Set(ids).size).toBe(ids.length);
  const next = await AuthService.open(new MonStore(store), options);
  expect(next.globalIds.allocate()).toBeGreaterThan(ids.at(-1)!);
  auth.close();
  next.close();
});
