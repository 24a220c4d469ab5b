import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { until } from "../../../test/harness/manual-clock.ts";
import { tcpTransport } from "./tcp.ts";
import type { Link, Receiver } from "./transport.ts";

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
