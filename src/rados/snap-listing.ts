/** What LIST_SNAPS answers. ceph: src/include/rados/rados_types.hpp obj_list_snap_response_t */

import { type Infer, list, record, since, struct, u64, u64n } from "../encoding/index.ts";

const Clone = struct(
  "clone_info",
  { v: 1 },
  {
    /** NOSNAP: the head, which comes last. */
    id: u64,
    /** That it stands for, ascending. */
    snaps: list(u64),
    /** Bytes it has in common with the next newer one. */
    overlap: list(record("extent", { offset: u64n, length: u64n })),
    size: u64n,
  },
);

/** The revisions of an object that there are, oldest first. */
export const SnapListing = struct(
  "obj_list_snap_response_t",
  { v: 2 },
  { clones: list(Clone), seq: since(2, u64, 0n) },
);
export type SnapListing = Infer<typeof SnapListing>;
