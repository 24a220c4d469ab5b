/**
 * Builds the guest that the boot tests boot: a small Linux that starts from the disk image itself, by
 * the PC's own firmware, with no kernel handed in from outside.
 *
 * Parts: Debian's cloud kernel (fetched by apt and unpacked into the cache, never installed),
 * `busybox-static`, `mke2fs -d`, and a boot sector of ours.
 *
 * Disk layout: sector 0 the boot sector with the partition table; from sector 64 the kernel's setup code
 * with its command line, the kernel, the initial root file system, each from a sector of its own; at
 * 32 MiB one ext4 partition to the end. The result is a compressed qcow2, cached under a digest of its
 * inputs.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { BOOT_SECTOR, LOAD_TABLE_OFFSET } from "./boot-sector.ts";
import { type CpioEntry, cpio, MODE_CHAR, MODE_DIR, MODE_EXE, MODE_FILE } from "./cpio.ts";
import { must } from "./run.ts";

export const GUEST_DISK_BYTES = 512 * 1024 * 1024;
export const PARTITION_OFFSET = 32 * 1024 * 1024;
const SECTOR_BYTES = 512;
/** Where the loaded parts begin, in sectors. */
const PARTS_SECTOR = 64;
/** Addresses the parts are loaded at; the setup code's own window is 64 KiB less the firmware's data. */
const SETUP_ADDRESS = 0x90000;
const CMDLINE_OFFSET = 0xe000;
const KERNEL_ADDRESS = 0x100000;
const INITRD_ADDRESS = 0x8000000;
const CMDLINE = "console=ttyS0,115200 quiet loglevel=3 mitigations=off nokaslr tsc=reliable";
/** Loaded in this order: each needs the ones before it. Missing ones are built into the kernel. */
const MODULES = [
  "scsi_common",
  "scsi_mod",
  "sd_mod",
  "libata",
  "ata_piix",
  "virtio_ring",
  "virtio",
  "virtio_pci_legacy_dev",
  "virtio_pci_modern_dev",
  "virtio_pci",
  "virtio_blk",
];
/** Text the guest's shell prints before it waits for input. */
export const GUEST_PROMPT = "root@guest:~# ";

/** Path of the guest's qcow2, built on first use. Takes half a minute then, nothing later. */
export async function buildGuest(cacheDir = resolve(".cache")): Promise<string> {
  const kernelDir = await unpackKernel(cacheDir);
  const digest = createHash("sha256")
    .update(kernelDir)
    .update(BOOT_SECTOR)
    .update(JSON.stringify([INIT, INITTAB, PROFILE, CMDLINE, MODULES, GUEST_DISK_BYTES]))
    .digest("hex");
  const target = join(cacheDir, `guest-${digest.slice(0, 12)}.qcow2`);
  if (existsSync(target)) return target;
  const work = await mkdtemp(join(tmpdir(), "spirula-guest-"));
  try {
    const raw = await makeDisk(work, kernelDir);
    await must(`qemu-img convert -c -f raw -O qcow2 ${raw} ${target}.part`);
    await rename(`${target}.part`, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
}

/** The ext4 file system inside a raw disk, checked without changing it. Throws when it is not clean. */
export async function fsckGuest(rawDisk: string): Promise<string> {
  return must(`e2fsck -fn '${rawDisk}?offset=${PARTITION_OFFSET}'`);
}

/** Fetches the kernel package by apt into the cache and unpacks it there; returns that directory. */
async function unpackKernel(cacheDir: string): Promise<string> {
  const base = resolve(cacheDir, "kernel");
  const stamp = join(base, "unpacked");
  if (existsSync(stamp)) return (await readFile(stamp, "utf8")).trim();
  await mkdir(base, { recursive: true });
  const depends = await must("apt-cache depends linux-image-cloud-amd64");
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error("apt knows no linux-image-cloud-amd64: apt-get update");
  await must(`apt-get download ${name}`, { cwd: base });
  const target = join(base, name);
  await must(`dpkg -x ${name}_*.deb ${target} && rm ${name}_*.deb`, { cwd: base });
  await writeFile(stamp, `${target}\n`);
  return target;
}

async function makeDisk(work: string, kernelDir: string): Promise<string> {
  const root = join(work, "root");
  await makeRoot(root);
  const raw = join(work, "disk.raw");
  const part = join(work, "part.raw");
  await writeFile(part, "");
  await truncate(part, GUEST_DISK_BYTES - PARTITION_OFFSET);
  await must(
    `mke2fs -q -t ext4 -b 4096 -L guest -U 5b1c1a00-0000-4000-8000-000000000001 -O ^has_journal,^metadata_csum_seed -m 0 -d ${root} ${part}`,
  );
  await must(
    `tune2fs -O has_journal -J size=4 ${part} >/dev/null && e2fsck -fy ${part} || [ $? = 1 ]`,
  );
  await writeFile(raw, "");
  await truncate(raw, GUEST_DISK_BYTES);
  await writeBootArea(raw, kernelDir);
  await must(`dd if=${part} of=${raw} bs=1M seek=32 conv=notrunc,sparse status=none`);
  return raw;
}

/** Boot sector, then kernel setup, kernel and initrd one after the other. */
async function writeBootArea(raw: string, kernelDir: string): Promise<void> {
  const initrd = await makeInitramfs(kernelDir);
  const { setup, kernel } = splitKernel(await readKernel(kernelDir), initrd.length);
  const sector = bootSector();
  const disk = await open(raw, "r+");
  try {
    let at = PARTS_SECTOR;
    let entry = LOAD_TABLE_OFFSET;
    for (const [part, address] of [
      [setup, SETUP_ADDRESS],
      [kernel, KERNEL_ADDRESS],
      [initrd, INITRD_ADDRESS],
    ] as const) {
      const sectors = Math.ceil(part.length / SECTOR_BYTES);
      for (const [i, value] of [at, sectors, address].entries()) {
        sector.writeUInt32LE(value, entry + 4 * i);
      }
      await disk.write(part, 0, part.length, at * SECTOR_BYTES);
      at += sectors;
      entry += 12;
    }
    if (at * SECTOR_BYTES > PARTITION_OFFSET) throw new Error("the kernel does not fit");
    await disk.write(sector, 0, SECTOR_BYTES, 0);
  } finally {
    await disk.close();
  }
}

/**
 * Splits a bzImage into its setup code, with the loader's fields and the command line filled in, and the
 * protected-mode kernel.  linux: Documentation/x86/boot.rst
 */
function splitKernel(image: Buffer, initrdBytes: number): { setup: Buffer; kernel: Buffer } {
  if (image.toString("latin1", 0x202, 0x206) !== "HdrS") throw new Error("not a bzImage");
  const setupBytes = (image.readUInt8(0x1f1) + 1) * SECTOR_BYTES;
  const setup = Buffer.alloc(CMDLINE_OFFSET + SECTOR_BYTES);
  image.copy(setup, 0, 0, setupBytes);
  setup.writeUInt8(0xff, 0x210); // type_of_loader: none of the known ones
  setup.writeUInt8(setup.readUInt8(0x211) | 0x80, 0x211); // loadflags: heap_end_ptr is set
  setup.writeUInt32LE(INITRD_ADDRESS, 0x218);
  setup.writeUInt32LE(initrdBytes, 0x21c);
  setup.writeUInt16LE(CMDLINE_OFFSET - 0x200, 0x224); // heap_end_ptr
  setup.writeUInt32LE(SETUP_ADDRESS + CMDLINE_OFFSET, 0x228);
  setup.write(`${CMDLINE}\0`, CMDLINE_OFFSET, "latin1");
  return { setup, kernel: image.subarray(setupBytes) };
}

/** Our boot code with one active Linux partition in its table (four 16-byte entries at 446). */
function bootSector(): Buffer {
  const sector = Buffer.alloc(SECTOR_BYTES);
  BOOT_SECTOR.copy(sector);
  sector.writeUInt32LE(0x51a1a001, 440);
  sector.writeUInt8(0x80, 446);
  sector.writeUInt8(0x83, 450);
  sector.writeUInt32LE(PARTITION_OFFSET / SECTOR_BYTES, 454);
  sector.writeUInt32LE((GUEST_DISK_BYTES - PARTITION_OFFSET) / SECTOR_BYTES, 458);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

async function readKernel(kernelDir: string): Promise<Buffer> {
  const boot = await readdir(join(kernelDir, "boot"));
  const vmlinuz = boot.find((name) => name.startsWith("vmlinuz-"));
  if (vmlinuz === undefined) throw new Error(`no kernel in ${kernelDir}`);
  return readFile(join(kernelDir, "boot", vmlinuz));
}

async function makeRoot(root: string): Promise<void> {
  for (const dir of ["bin", "sbin", "dev", "etc", "proc", "sys", "root", "tmp"]) {
    await mkdir(join(root, dir), { recursive: true });
  }
  await copyFile("/bin/busybox", join(root, "bin/busybox"));
  await chmod(join(root, "bin/busybox"), 0o755);
  const applets = (await must("busybox --list")).trim().split("\n");
  for (const name of applets.filter((n) => n !== "busybox")) {
    await symlink("/bin/busybox", join(root, "bin", name));
  }
  await symlink("/bin/busybox", join(root, "sbin/init"));
  await writeFile(join(root, "etc/inittab"), INITTAB);
  await writeFile(join(root, "etc/profile"), PROFILE);
  await writeFile(join(root, "etc/passwd"), "root::0:0:root:/root:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\n");
}

async function makeInitramfs(kernelDir: string): Promise<Buffer> {
  const entries: CpioEntry[] = [
    ...["bin", "dev", "lib", "proc", "root"].map((path) => ({ path, mode: MODE_DIR })),
    { path: "dev/console", mode: MODE_CHAR, rdev: [5, 1] },
    { path: "bin/busybox", mode: MODE_EXE, data: await readFile("/bin/busybox") },
    { path: "init", mode: MODE_EXE, data: Buffer.from(INIT) },
  ];
  const found = await must("find lib/modules -name '*.ko'", { cwd: kernelDir });
  const paths = found.trim().split("\n");
  for (const name of MODULES) {
    const path = paths.find((p) => p.endsWith(`/${name}.ko`));
    if (path === undefined) continue;
    const data = await readFile(join(kernelDir, path));
    entries.push({ path: `lib/${name}.ko`, mode: MODE_FILE, data });
  }
  return gzipSync(cpio(entries), { level: 9 });
}

const INIT = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
for m in ${MODULES.join(" ")}; do [ -e /lib/$m.ko ] && $b insmod /lib/$m.ko; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  for d in /dev/sda1 /dev/vda1; do
    if [ -b $d ] && $b mount -t ext4 $d /root; then
      $b umount /proc
      $b mount --move /dev /root/dev
      exec $b switch_root /root /sbin/init
    fi
  done
  $b sleep 0.2
done
echo "no root file system"
exec $b poweroff -f
`;

const INITTAB = `::sysinit:/bin/mount -t proc proc /proc
::sysinit:/bin/mount -t sysfs sys /sys
::sysinit:/bin/hostname guest
ttyS0::respawn:-/bin/sh
::ctrlaltdel:/bin/reboot
::shutdown:/bin/sync
::shutdown:/bin/umount /sys
::shutdown:/bin/mount -o remount,ro /
`;

// A user types `halt` and expects the machine to go away, as with any init of today; busybox's own
// would stop the processor and leave QEMU running.
const PROFILE = `alias halt=poweroff
export PATH=/bin:/sbin HOME=/root
export PS1='${GUEST_PROMPT}'
cd /root
`;
