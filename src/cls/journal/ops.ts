/** Arguments and answers of the journal methods. ceph: src/cls/journal/cls_journal_client.cc */

import { blob, list, optional, record, s64n, str, u8, u64, u64n } from "../../encoding/index.ts";
import { Client, ObjectSetPosition, Tag } from "./types.ts";

export const CreateArgs = record("journal_create", {
  /** Log2 of a data object's bytes. */
  order: u8,
  /** Data objects that are written in turn. */
  splayWidth: u8,
  /** Pool of the data objects; -1: that of the header. */
  poolId: s64n,
});

/** client_register and client_update_data. */
export const ClientDataArgs = record("journal_client_data", { id: str, data: blob });
export const ClientStateArgs = record("journal_client_update_state", { id: str, state: u8 });
export const ClientCommitArgs = record("journal_client_commit", {
  id: str,
  commitPosition: ObjectSetPosition,
});
export const ClientListArgs = record("journal_client_list", { startAfter: str, maxReturn: u64 });
export const ClientListReply = list(Client);

export const TagCreateArgs = record("journal_tag_create", {
  tid: u64,
  tagClass: u64,
  data: blob,
});
export const TagListArgs = record("journal_tag_list", {
  /** 0: from the first. */
  startAfter: u64,
  maxReturn: u64,
  clientId: str,
  /** Undefined: of all classes. */
  tagClass: optional(u64),
});
export const TagListReply = list(Tag);

/** Bytes from which on a data object counts as full. */
export const GuardAppendArgs = u64n;
export const AppendArgs = record("journal_append", { softMaxSize: u64n, data: blob });
