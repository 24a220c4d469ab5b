import { existsSync } from "node:fs";
import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../../base/index.ts";
import type { Link } from "./transport.ts";
import { listenUnix, SOCKET_PATH_BYTES_MAX } from "./unix.ts";

let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "spirula-unix-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

/** Sends back what comes, and closes. */
function echo(link: Link): void {
  const buffer = new Uint8Array(100);
  link.start({
    target: () => buffer,
    received: (count) => {
      link.write([buffer.slice(0, count)], () => link.destroy("done"));
      return false;
    },
    closed: () => undefined,
    drained: () => undefined,
  });
}

function ask(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = net.connect(path, () => socket.write(text));
    socket.on("data", (chunk) => (said += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(said));
  });
}

test("a socket is its owner's alone, in a directory of its own, and gone when it is closed", async () => {
  const path = join(work, "run", "a.asok");
  const stop = await listenUnix(path, echo);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(work, "run"))).mode & 0o777).toBe(0o700);
  expect(await ask(path, "hello")).toBe("hello");
  stop();
  expect(existsSync(path)).toBe(false);
});

test("a socket that was left behind is replaced; another file is not", async () => {
  const path = join(work, "a.asok");
  const dead = net.createServer();
  await new Promise<void>((resolve) => dead.listen(path, resolve));
  // As a killed process leaves it: closing it finds no file to remove.
  await rename(path, `${path}.kept`);
  await new Promise((resolve) => dead.close(resolve));
  await rename(`${path}.kept`, path);
  await expect(ask(path, "hello")).rejects.toThrow("ECONNREFUSED");
  const stop = await listenUnix(path, echo);
  expect(await ask(path, "hello")).toBe("hello");
  stop();
  await writeFile(path, "mine");
  await expect(listenUnix(path, echo)).rejects.toThrow(
    new ConfigError(`${path}: something that is no socket is in the way`),
  );
  expect((await stat(path)).size).toBe(4);
});

test("a path may be as long as Linux takes, and no longer", async () => {
  const fits = join(work, "x".repeat(SOCKET_PATH_BYTES_MAX - work.length - 1));
  const stop = await listenUnix(fits, echo);
  expect(await ask(fits, "hello")).toBe("hello");
  stop();
  const long = `${fits}x`;
  await expect(listenUnix(long, echo)).rejects.toThrow(
    `${long}: too long a path for a socket (108; 107 bytes are the most)`,
  );
  expect(existsSync(long)).toBe(false);
});
