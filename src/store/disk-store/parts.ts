/**
 * What an open store is made of: put together by recovery (open.ts), used by the store and its checkpoints.
 */

import type { Clock, Logger } from "../../base/index.ts";
import type { Disk } from "../disk/disk.ts";
import type { TransactionSeq } from "../object-store.ts";
import type { CommitMode } from "./committer.ts";
import type { Journal } from "./journal.ts";
import type { RunKv } from "./kv.ts";
import type { StoreState } from "./state.ts";
import type { Manifest, Superblock } from "./superblock.ts";

export interface StoreParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Logger;
  readonly superblock: Superblock;
  readonly manifest: Manifest;
  readonly journal: Journal;
  readonly kv: RunKv;
  readonly state: StoreState;
  readonly lastSeq: TransactionSeq;
  readonly memoryBytes: number;
  readonly commit: CommitMode;
  readonly indexShare: number;
  /** Lets go of files and lock. */
  readonly release: () => void;
}
