/**
 * MStatfs: how much space is there, in the cluster or for one pool?
 * ceph: src/messages/MStatfs.h
 */

import { type Infer, optional, record, s64n } from "../encoding/index.ts";
import { Uuid } from "../types/index.ts";
import { message, PAXOS_FIELDS } from "./message-type.ts";

const Head = record("MStatfs", { ...PAXOS_FIELDS, fsid: Uuid });
const DataPool = optional(s64n);

export interface MStatfs extends Infer<typeof Head> {
  /** Only this pool; undefined: the cluster. */
  dataPool: number | undefined;
}

export const MStatfs = message<MStatfs>(
  { type: 13, name: "statfs", version: 2, compatVersion: 1, oldest: 1 },
  {
    encode(w, x) {
      Head.encode(w, x);
      DataPool.encode(w, x.dataPool);
    },
    decode(r, version) {
      const { version: seen, fsid } = Head.decode(r);
      return { version: seen, fsid, dataPool: version >= 2 ? DataPool.decode(r) : undefined };
    },
  },
);
