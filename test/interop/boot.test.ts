/**
 * Rows 7 and 9 of the walk-through, and the booting part of row 11: Debian's QEMU boots Linux from an
 * image, in every cache mode; a file written in the guest is there, and gone after `snapshot -a`; a clone
 * boots. The guest is our own (test/harness/guest.ts), emulated in software.
 */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildGuest, fsckGuest, PARTITION_OFFSET } from "../harness/guest.ts";
import { GuestConsole } from "../harness/guest-console.ts";
import { clientEnv, must } from "../harness/run.ts";
import { startTarget, type Target } from "../harness/target.ts";
import { type TempDir, tempDir } from "../harness/temp.ts";

let work: TempDir;
let server: Target;
let guest: string;
let machine: GuestConsole | undefined;

beforeAll(async () => {
  guest = await buildGuest();
  work = await tempDir("boot");
  server = await startTarget(work.path);
  await client(`qemu-img convert -f qcow2 -O raw ${guest} rbd:rbd/fedora`);
});

afterEach(() => {
  machine?.kill();
  machine = undefined;
});

afterAll(async () => {
  await server?.stop();
  await work?.remove();
});

function client(command: string): Promise<string> {
  return must(command, { env: clientEnv(server.confPath), cwd: work.path });
}

/** Checks the file system inside an image, without a guest. */
async function fsckOf(image: string): Promise<string> {
  await client(`rm -f ${image}.raw && rbd export --no-progress ${image} ${image}.raw`);
  return fsckGuest(join(work.path, `${image}.raw`));
}

/** A file inside an image that `fsckOf` exported. */
function readGuestFile(image: string, path: string): Promise<string> {
  return client(`debugfs -R 'cat ${path}' '${image}.raw?offset=${PARTITION_OFFSET}' 2>/dev/null`);
}

async function boot(drive: string): Promise<GuestConsole> {
  machine = await GuestConsole.boot({ confPath: server.confPath, drive });
  return machine;
}

describe("row 7: a virtual machine boots from the image", () => {
  const drives = [
    "format=raw,file=rbd:rbd/fedora",
    "format=raw,file=rbd:rbd/fedora,cache=writeback",
    "format=raw,file=rbd:rbd/fedora,cache=none",
    "format=raw,file=rbd:rbd/fedora,cache=writethrough",
    "format=raw,file=rbd:rbd/fedora:rbd_cache=true",
  ];
  for (const drive of drives) {
    test(`-drive ${drive}`, async () => {
      const vm = await boot(drive);
      expect(await vm.type("uname -s")).toBe("Linux\n");
      const mounts = await vm.type("mount | grep ' / '");
      expect(mounts).toMatch(/^\/dev\/(sda1|vda1) on \/ type ext4 \(rw/);
      expect(await vm.halt()).toBe(0);
      expect(vm.stderr).toBe("");
    });
  }
});

describe("row 9: what the guest writes is there until the snapshot comes back", () => {
  test("a file written, synced by the halt, is in the image", async () => {
    await client(`qemu-img convert -n -f qcow2 -O raw ${guest} rbd:rbd/fedora`);
    await client("qemu-img snapshot -c sp0 rbd:rbd/fedora");
    const vm = await boot("format=raw,file=rbd:rbd/fedora");
    await vm.type('echo "hello world" >> /root/hello.txt');
    expect(await vm.type("cat /root/hello.txt")).toBe("hello world\n");
    await vm.type("dd if=/dev/urandom of=/root/noise bs=1M count=8 && sync");
    expect(await vm.halt()).toBe(0);
    await fsckOf("fedora");
    expect(await readGuestFile("fedora", "/root/hello.txt")).toBe("hello world\n");
  });

  test("after qemu-img snapshot -a the file is gone and the file system is clean", async () => {
    await client("qemu-img snapshot -a sp0 rbd:rbd/fedora");
    const vm = await boot("format=raw,file=rbd:rbd/fedora");
    expect(await vm.type("cat /root/hello.txt")).toContain("No such file or directory");
    expect(await vm.halt()).toBe(0);
    expect(await fsckOf("fedora")).toContain("guest:");
  });

  test("the space of the deleted snapshot comes back", async () => {
    await client("qemu-img snapshot -d sp0 rbd:rbd/fedora");
    expect(await client("rbd snap ls fedora")).toBe("");
    const du = JSON.parse(await client("rbd du fedora --format json")) as {
      images: { used_size: number }[];
    };
    expect(du.images).toHaveLength(1);
  });
});

describe("row 11: a clone boots", () => {
  test("from a protected snapshot, and has what it wrote after flatten", async () => {
    await client("rbd snap create --no-progress fedora@base && rbd snap protect fedora@base");
    await client("rbd clone fedora@base clone");
    const vm = await boot("format=raw,file=rbd:rbd/clone");
    expect(await vm.type("echo clone > /root/who && cat /root/who")).toBe("clone\n");
    expect(await vm.halt()).toBe(0);
    await client("rbd flatten --no-progress clone");
    await client("rbd snap unprotect fedora@base && rbd snap rm --no-progress fedora@base");
    await client("rbd rm --no-progress fedora");
    await fsckOf("clone");
    expect(await readGuestFile("clone", "/root/who")).toBe("clone\n");
  });
});
