/**
 * What every daemon tells of the machine it runs on, as `ceph osd metadata` shows it.
 * ceph: src/common/util.cc collect_sys_info
 */

import { readFileSync } from "node:fs";
import { arch, cpus, machine, release, totalmem, type, version } from "node:os";
import type { Metadata } from "../mon/index.ts";

/** A file's text; "" where there is none: not every system has it. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return "";
  }
}

/** The distribution's fields of os-release(5), by the names that metadata has for them. */
export function distribution(osRelease: string): Metadata {
  const value = (name: string) => {
    const line = new RegExp(`^${name}=(?:"(.*)"|'(.*)'|(.*))$`, "m").exec(osRelease);
    return line?.[1] ?? line?.[2] ?? line?.[3];
  };
  const fields = {
    distro: value("ID"),
    distro_description: value("PRETTY_NAME"),
    distro_version: value("VERSION_ID"),
  };
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

/** What there is to tell of this machine; memory in KiB. */
export function machineMetadata(): Metadata {
  const swap = /^SwapTotal:\s+(\d+) kB$/m.exec(textOf("/proc/meminfo"))?.[1];
  return {
    arch: machine() || arch(),
    cpu: cpus()[0]?.model ?? "",
    ...distribution(textOf("/etc/os-release")),
    kernel_description: version(),
    kernel_version: release(),
    ...(swap === undefined ? {} : { mem_swap_kb: swap }),
    mem_total_kb: String(Math.floor(totalmem() / 1024)),
    os: type(),
  };
}
