/**
 * The walk-through as `npm run quickstart` shows it: what a person would type in an afternoon with a disk
 * image and a virtual machine, on a running cluster, each command printed with its output.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { GuestConsole } from "./guest-console.ts";
import { clientEnv, ownGroup } from "./run.ts";

/** Commands before the virtual machine, between its two boots, and after. */
const BEFORE = [
  "ceph -s",
  "ceph osd pool create vms",
  "rbd pool init vms",
  "ceph osd pool ls detail",
  "ceph osd tree",
  "ceph auth get-or-create client.glance mon 'profile rbd' osd 'profile rbd pool=vms'",
  "qemu-img create -f raw rbd:rbd/vmdisk1 4G",
  "rbd ls -l",
  "rbd info vmdisk1",
  "qemu-img resize -f raw --shrink rbd:rbd/vmdisk1 2G",
  "qemu-img resize rbd:rbd/vmdisk1 4G",
  "qemu-img info rbd:rbd/vmdisk1",
  "qemu-img convert -f qcow2 -O raw guest.qcow2 rbd:rbd/fedora",
  "qemu-img compare guest.qcow2 rbd:rbd/fedora",
  "rbd du fedora",
  "qemu-img snapshot -c sp0 rbd:rbd/fedora",
  "rbd snap ls rbd/fedora",
];
const BETWEEN = ["qemu-img snapshot -a sp0 rbd:rbd/fedora"];
const AFTER = [
  "qemu-img snapshot -d sp0 rbd:rbd/fedora",
  "rbd snap create fedora@base",
  "rbd snap protect fedora@base",
  "rbd clone fedora@base clone",
  "rbd children fedora@base",
  "rbd flatten clone",
  "rbd snap unprotect fedora@base",
  "rbd snap rm fedora@base",
  "rbd rm clone",
  "rados -p rbd bench 5 write --no-cleanup",
  "rados -p rbd bench 5 seq",
  "rados -p rbd cleanup",
  "rbd create --size 256M fiotest",
  "fio --name=verify --ioengine=rbd --clientname=admin --pool=rbd --rbdname=fiotest --rw=randwrite --bs=16k --iodepth=16 --size=64M --verify=crc32c",
  "rbd rm fiotest",
  "ceph df",
];
const BOOT = "qemu-system-x86_64 -nographic -m 1G -drive format=raw,file=rbd:rbd/fedora";

/** Runs it all in `workDir` (which holds `guest.qcow2`). Throws at the first command that fails. */
export async function walkThrough(confPath: string, workDir: string): Promise<void> {
  const show = (command: string): Promise<void> => showCommand(command, confPath, workDir);
  for (const command of BEFORE) await show(command);
  await atConsole(confPath, ['echo "hello world" >> /root/hello.txt', "cat /root/hello.txt"]);
  for (const command of BETWEEN) await show(command);
  await atConsole(confPath, ["cat /root/hello.txt"]);
  for (const command of AFTER) await show(command);
}

async function showCommand(command: string, confPath: string, cwd: string): Promise<void> {
  console.log(`\n$ ${command}`);
  const env = clientEnv(confPath);
  const child = spawn("bash", ["-c", command], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", 1, 2],
  });
  ownGroup(child);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command}: exit ${code}`);
}

async function atConsole(confPath: string, commands: string[]): Promise<void> {
  console.log(`\n$ ${BOOT}\n(boots in software emulation: some seconds)`);
  const vm = await GuestConsole.boot({ confPath, drive: "format=raw,file=rbd:rbd/fedora" });
  try {
    for (const command of commands) {
      console.log(`root@guest:~# ${command}`);
      process.stdout.write(await vm.type(command));
    }
    console.log("root@guest:~# halt");
    await vm.halt();
  } finally {
    vm.kill();
  }
}
