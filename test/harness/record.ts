/**
 * Records the transcripts: runs every scenario on a fresh real one-OSD Ceph and stores the filtered
 * output as `test/transcripts/NN-name.txt`. The stored files are the oracle of the walk-through test.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deviceClassBelow } from "./device-class.ts";
import { dropRealCeph, startRealCeph } from "./real-ceph.ts";
import { makeSampleDisk } from "./sample-disk.ts";
import { loadScenarios, recordStep, TRANSCRIPTS_DIR } from "./scenario.ts";

/** `only` names scenarios to write; all run, because later ones use what earlier ones left. */
export async function recordTranscripts(
  only: string[],
  say: (line: string) => void,
): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), "spirula-record-"));
  const dir = join(base, "cluster");
  try {
    const cluster = await startRealCeph({ dir });
    say(`real Ceph ready in ${Math.round(cluster.readyMs)} ms`);
    await makeSampleDisk(base);
    const context = {
      confPath: cluster.confPath,
      workDir: base,
      deviceClass: await deviceClassBelow(base),
    };
    for (const scenario of loadScenarios()) {
      const parts: string[] = [];
      for (const step of scenario.steps) {
        parts.push(await recordStep(step, context));
      }
      const wanted = only.length === 0 || only.includes(scenario.name);
      if (wanted) await writeFile(join(TRANSCRIPTS_DIR, `${scenario.name}.txt`), parts.join(""));
      say(`${scenario.name}: ${parts.length} commands${wanted ? "" : " (not written)"}`);
    }
  } finally {
    await dropRealCeph(dir);
    await rm(base, { recursive: true, force: true });
  }
}
