import { expect, test } from "vitest";
import { distribution, machineMetadata } from "./machine.ts";

test("the distribution is told in os-release's words, without its quotes", () => {
  const text =
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\nVERSION_ID="12"\nID=debian\n';
  expect(distribution(text)).toEqual({
    distro: "debian",
    distro_description: "Debian GNU/Linux 12 (bookworm)",
    distro_version: "12",
  });
  // A rolling release has no version; some quote with one stroke.
  expect(distribution("ID='arch'\n")).toEqual({ distro: "arch" });
  expect(distribution("")).toEqual({});
});

test("what is told of this machine is text throughout", () => {
  const told = machineMetadata();
  expect(told["mem_total_kb"]).toMatch(/^\d+$/);
  for (const value of Object.values(told)) expect(typeof value).toBe("string");
  expect(Object.keys(told)).toEqual(
    expect.arrayContaining(["arch", "cpu", "kernel_version", "os"]),
  );
});
