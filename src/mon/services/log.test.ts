import { expect, test } from "vitest";
import { silentLogger, systemClock } from "../../base/index.ts";
import { CLOG } from "../../messages/index.ts";
import { MemStore, NoSpaceError } from "../../store/index.ts";
import { MonStore } from "../mon-store.ts";
import { LogService, monLogSource } from "./log.ts";

/** As many as are kept. */
const LINES = 1000;
const SOURCE = monLogSource("a", []);

test("lines that find no room leave nothing behind, and no version is given out twice", async () => {
  const store = new MemStore();
  const submit = store.submit.bind(store);
  let isFull = false;
  store.submit = (transaction) => {
    if (isFull) throw new NoSpaceError();
    return submit(transaction);
  };
  const open = () => new LogService(new MonStore(store), systemClock, silentLogger);
  const say = async (log: LogService, prio: number, count: number) => {
    for (let i = 0; i < count; i++) log.say(SOURCE, prio, `line ${i}`);
    await new Promise<void>((resolve) => systemClock.defer(resolve));
  };
  const stored = () => [...new MonStore(store).entries("logm")].length;
  const log = open();
  await say(log, CLOG.INFO, LINES);
  isFull = true;
  // Among them the one with which versions are set aside.
  await say(log, CLOG.INFO, 50);
  isFull = false;
  await say(log, CLOG.DEBUG, 50);
  await say(log, CLOG.INFO, 10);
  await say(log, CLOG.DEBUG, 50);
  expect(open().version).toBeGreaterThanOrEqual(log.version);
  // Until those that were lost would be removed themselves.
  await say(log, CLOG.INFO, LINES + 100);
  const again = open();
  await say(again, CLOG.INFO, 1);
  expect(stored()).toBe(LINES);
});
