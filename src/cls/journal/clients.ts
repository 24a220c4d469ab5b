/**
 * Who reads a journal, and how far each has come. What the slowest has not committed is kept.
 * ceph: src/cls/journal/cls_journal.cc
 */

import { fail, isFailure, type Result } from "../../base/index.ts";
import { type Infer, str, u8 } from "../../encoding/index.ts";
import { type ClassContext, type ClassMethod, method, none } from "../objclass.ts";
import { decodeStored, isMissing, listKeys, removeKey, writeKey } from "../omap.ts";
import {
  ClientCommitArgs,
  ClientDataArgs,
  ClientListArgs,
  ClientListReply,
  ClientStateArgs,
} from "./ops.ts";
import { CLIENT_PREFIX, clientKey, KEY, readField } from "./stored.ts";
import { expireTags } from "./tags.ts";
import { CLIENT_STATE, Client, type ObjectSetPosition, samePosition } from "./types.ts";

export const clientMethods = {
  get_client: method("r", str, Client, readClient),
  client_register: method("rw", ClientDataArgs, none, register),
  /** ENOENT: no such client. */
  client_update_data: method("rw", ClientDataArgs, none, (context, { id, data }) =>
    changeClient(context, id, (client) => ({ ...client, data })),
  ),
  client_update_state: method("rw", ClientStateArgs, none, (context, { id, state }) =>
    changeClient(context, id, (client) => ({ ...client, state })),
  ),
  client_unregister: method("rw", str, none, unregister),
  client_commit: method("rw", ClientCommitArgs, none, commit),
  client_list: method("r", ClientListArgs, ClientListReply, list),
} satisfies Record<string, ClassMethod>;

/** ENOENT: no such client. */
function readClient(context: ClassContext, id: string): Result<Client> {
  return readField(context, clientKey(id), Client);
}

function changeClient(
  context: ClassContext,
  id: string,
  change: (client: Client) => Client,
): Result<void> {
  const client = readClient(context, id);
  if (isFailure(client)) return client;
  return writeKey(context, clientKey(id), Client, change(client));
}

/** ENOENT: no journal; EEXIST: registered already; EIO: a registered client does not decode. */
function register(context: ClassContext, { id, data }: Infer<typeof ClientDataArgs>): Result<void> {
  const order = readField(context, KEY.ORDER, u8);
  if (isFailure(order)) return order;
  const old = context.omapGet(clientKey(id));
  if (!isFailure(old)) return fail("EEXIST");
  if (!isMissing(old)) return old;
  const commitPosition = slowestPosition(context);
  if (isFailure(commitPosition)) return commitPosition;
  const client = { id, data, commitPosition, state: CLIENT_STATE.CONNECTED };
  return writeKey(context, clientKey(id), Client, client);
}

/** Where the slowest client that is connected is; nowhere if one has committed nothing. */
function slowestPosition(context: ClassContext): Result<ObjectSetPosition> {
  // From the prefix itself on: the image's own writer is the client whose name is empty.
  const clients = listKeys(context, CLIENT_PREFIX, "", Number.POSITIVE_INFINITY);
  if (isFailure(clients)) return clients;
  let slowest: ObjectSetPosition | undefined;
  for (const [, bytes] of clients) {
    const client = decodeStored(Client, bytes);
    if (isFailure(client)) return client;
    const { commitPosition, state } = client;
    if (state === CLIENT_STATE.DISCONNECTED) continue;
    if (commitPosition.objectPositions.length === 0) return commitPosition;
    if (slowest === undefined || isBehind(commitPosition, slowest)) slowest = commitPosition;
  }
  return slowest ?? { objectPositions: [] };
}

function isBehind(a: ObjectSetPosition, b: ObjectSetPosition): boolean {
  const [x, y] = [a.objectPositions[0], b.objectPositions[0]];
  if (x === undefined || y === undefined) return false;
  return x.tagTid < y.tagTid || (x.tagTid === y.tagTid && x.entryTid < y.entryTid);
}

/** ENOENT: no such client. The tags that only it held back go. */
function unregister(context: ClassContext, id: string): Result<void> {
  const client = context.omapGet(clientKey(id));
  if (isFailure(client)) return client;
  const removed = removeKey(context, clientKey(id));
  if (isFailure(removed)) return removed;
  return expireTags(context, id);
}

/** ENOENT: no journal or no such client; EINVAL: more positions than data objects in turn. */
function commit(
  context: ClassContext,
  { id, commitPosition }: Infer<typeof ClientCommitArgs>,
): Result<void> {
  const splayWidth = readField(context, KEY.SPLAY_WIDTH, u8);
  if (isFailure(splayWidth)) return splayWidth;
  if (commitPosition.objectPositions.length > splayWidth) return fail("EINVAL");
  const client = readClient(context, id);
  if (isFailure(client)) return client;
  if (samePosition(client.commitPosition, commitPosition)) return;
  return writeKey(context, clientKey(id), Client, { ...client, commitPosition });
}

/** EIO: one that does not decode. */
function list(
  context: ClassContext,
  { startAfter, maxReturn }: Infer<typeof ClientListArgs>,
): Result<Client[]> {
  const after = startAfter === "" ? "" : clientKey(startAfter);
  const page = context.omapList(after, CLIENT_PREFIX, Number(maxReturn));
  if (isFailure(page)) return page;
  const out: Client[] = [];
  for (const [, bytes] of page.entries) {
    const client = decodeStored(Client, bytes);
    if (isFailure(client)) return client;
    out.push(client);
  }
  return out;
}
