/**
 * What kind of disk a directory lies on, asked of the kernel by other means than the server's own: both a real
 * cluster and ours must say the same of it.
 */
import { sh } from "./run.ts";

/** "hdd" if the kernel says that it rotates, else "ssd". */
export async function deviceClassBelow(dir: string): Promise<"hdd" | "ssd"> {
  // A partition has no queue of its own; its disk is one level up. A disk without either is none that turns.
  const result = await sh(
    `d=/sys/dev/block/$(stat -c %Hd:%Ld '${dir}'); cat $d/queue/rotational || cat $d/../queue/rotational`,
  );
  return result.stdout.trim() === "1" ? "hdd" : "ssd";
}
