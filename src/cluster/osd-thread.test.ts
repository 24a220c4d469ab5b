import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConfigError, silentLogger } from "../base/index.ts";
import type { OsdConfig } from "./osd-runner.ts";
import { startOsdThread } from "./osd-thread.ts";

let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "spirula-thread-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

const config: OsdConfig = {
  id: 4,
  directory: "/nowhere",
  create: false,
  firstObjects: [],
  listen: "127.0.0.1",
  adminSocket: "/nowhere/osd.4.asok",
  auth: { auth: "none", requireSecure: false },
  memoryBytes: 0,
  poolBytes: 0,
  map: new Uint8Array(0),
  secrets: new Uint8Array(0),
};

/** Starts a thread that runs `code` instead of an OSD, with `port` to the cluster. */
async function thread(code: string) {
  const file = join(work, "worker.mjs");
  await writeFile(file, `import { parentPort as port } from "node:worker_threads";\n${code}`);
  const events = {
    report: vi.fn(),
    ask: vi.fn(),
    snapsPurged: vi.fn(),
    corruption: vi.fn(),
    fatal: vi.fn(),
  };
  const data = { config, logLevel: "warn" };
  return { events, osd: startOsdThread(data, events, silentLogger, pathToFileURL(file)) };
}

const READY = `port.postMessage({ type: "ready", addrs: [] });`;

test("a thread that closes is closed, without alarm", async () => {
  const { events, osd } = await thread(`${READY}
    port.on("message", (m) => {
      if (m.type === "close") { port.postMessage({ type: "closed" }); port.close(); }
    });`);
  await (await osd).close();
  expect(events.fatal).not.toHaveBeenCalled();
});

test("a thread that can not start is the user's news: one line, no stack", async () => {
  const { osd } = await thread(`throw new Error("store is damaged")`);
  await expect(osd).rejects.toThrow(new ConfigError("osd.4: store is damaged"));
});

test("a thread that throws later is told of once, and closing it does not wait for it", async () => {
  const { events, osd } = await thread(`${READY}
    setTimeout(() => { throw new Error("disk gone"); }, 100);`);
  const handle = await osd;
  await vi.waitFor(() => expect(events.fatal).toHaveBeenCalled());
  await handle.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(events.fatal.mock.calls).toEqual([[new Error("disk gone")]]);
});

test("a thread that just leaves is told of", async () => {
  const { events, osd } = await thread(`${READY} setTimeout(() => process.exit(3), 100);`);
  const handle = await osd;
  await vi.waitFor(() =>
    expect(events.fatal.mock.calls).toEqual([[new Error("osd.4 left with 3")]]),
  );
  await handle.close();
});

test("a close that fails is not taken for one that went well", async () => {
  const { events, osd } = await thread(`${READY}
    port.on("message", () => { throw new Error("cannot flush"); });`);
  await expect((await osd).close()).rejects.toThrow("cannot flush");
  expect(events.fatal).not.toHaveBeenCalled();
});
