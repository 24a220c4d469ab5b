/** A directory that lives as long as one test file: made under the system's temporary directory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir {
  path: string;
  remove: () => Promise<void>;
}

export async function tempDir(name: string): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `spirula-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
