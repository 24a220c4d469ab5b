import { readFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { until } from "../../../test/harness/manual-clock.ts";
import { tempDir } from "../../../test/harness/temp.ts";
import { tcpTransport } from "./tcp.ts";
import type { Link, Receiver } from "./transport.ts";
import { listenUnix } from "./unix.ts";

const receiver = (): Receiver => {
  const bytes = new Uint8Array(16);
  return {
    target: () => bytes,
    received: () => true,
    closed: () => undefined,
    drained: () => undefined,
  };
};

/** Kinds of the timers that the kernel has for established connections from a local port.  man 5 proc */
function timers(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) === true && state === "01")
    .map(([, , , , , timer = ""]) => timer.slice(0, 2));
}
const KEEPALIVE = "02";

test.runIf(process.platform === "linux")(
  "the kernel asks a silent peer for a sign of life, on both ends of a link",
  async () => {
    const accepted: Link[] = [];
    const listener = await tcpTransport.listen({ host: "127.0.0.1", port: 0 }, (link) => {
      accepted.push(link);
    });
    const link = await tcpTransport.connect(listener.endpoint);
    await until(() => accepted.length === 1);
    for (const end of [link, accepted[0]!]) end.start(receiver());
    expect(timers(listener.endpoint.port)).toEqual([KEEPALIVE]);
    expect(timers(link.local.port)).toEqual([KEEPALIVE]);
    for (const end of [link, accepted[0]!]) end.destroy("enough");
    await listener.close();
  },
);

test("peers that the system cannot accept are not the end of who listens", async () => {
  const made = vi.spyOn(net, "createServer");
  const directory = await tempDir("listen");
  const listener = await tcpTransport.listen({ host: "127.0.0.1", port: 0 }, () => undefined);
  const close = await listenUnix(join(directory.path, "asok"), () => undefined);
  const servers = made.mock.results.map(({ value }) => value as net.Server);
  made.mockRestore();
  expect(servers.length).toBe(2);
  for (const server of servers) {
    for (let i = 0; i < 3; i++) server.emit("error", new Error("accept ENFILE"));
    expect(server.listening).toBe(true);
  }
  close();
  await listener.close();
  await directory.remove();
});
