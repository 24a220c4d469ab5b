/**
 * Watch, notify and their relatives. The bodies only note what should happen; the effects follow once the
 * request is durable (see pg.ts).
 * ceph: src/osd/PrimaryLogPG.cc CEPH_OSD_OP_WATCH, NOTIFY, NOTIFY_ACK, LIST_WATCHERS
 */

import { ERRNO } from "../../base/index.ts";
import { DecodeError, EMPTY, Reader, Writer } from "../../encoding/index.ts";
import { notifyCookieOf, WATCH_OP, watchOf } from "../../messages/index.ts";
import { EntityAddr, EntityName } from "../../types/index.ts";
import { NOTIFY_TIMEOUT_SECONDS, WATCH_TIMEOUT_SECONDS } from "../limits.ts";
import { watchKey } from "../object-info.ts";
import type { OpContext, OpSlot } from "../op-context.ts";
import { argumentOp, quietReadOp, readOp } from "./op.ts";

function runWatch(ctx: OpContext, slot: OpSlot): number {
  // A whiteout will do.
  if (!ctx.exists) return -ERRNO.ENOENT;
  const { cookie, op: operation, timeout } = watchOf(slot.op);
  const entity = ctx.connection.peerName;
  const key = watchKey(entity, cookie);
  const at = ctx.info.watchers.findIndex((w) => watchKey(w.entity, w.cookie) === key);
  const info = {
    entity,
    cookie,
    timeoutSeconds: timeout || WATCH_TIMEOUT_SECONDS,
    addr: ctx.connection.peerAddr,
  };
  switch (operation) {
    case WATCH_OP.WATCH:
    case WATCH_OP.LEGACY_WATCH:
      if (at < 0) {
        ctx.info.watchers.push(info);
        ctx.modify = true;
      }
      ctx.effects.watchConnects.push({ info, willPing: operation === WATCH_OP.WATCH });
      return 0;
    case WATCH_OP.RECONNECT:
      if (at < 0) return -ERRNO.ENOTCONN;
      ctx.effects.watchConnects.push({ info, willPing: true });
      return 0;
    case WATCH_OP.PING: {
      if (at < 0) return -ERRNO.ENOTCONN;
      const watch = ctx.before.watches.get(key);
      if (watch === undefined || !watch.isConnected) return -ERRNO.ETIMEDOUT;
      watch.ping();
      return 0;
    }
    case WATCH_OP.UNWATCH:
      if (at >= 0) {
        ctx.info.watchers.splice(at, 1);
        ctx.modify = true;
        ctx.effects.watchDisconnects.push({ key, sendDisconnect: false });
      }
      return 0;
    default:
      return -ERRNO.EINVAL;
  }
}
export const watch = argumentOp(runWatch);

/** Input: u32 version (unused), u32 timeout in seconds, blob payload. Output: u64 id. */
export const notify = quietReadOp((ctx, slot) => {
  let timeoutSeconds = 0;
  let payload: Uint8Array = EMPTY;
  try {
    const r = new Reader(slot.op.indata);
    r.u32();
    timeoutSeconds = r.u32();
    payload = Buffer.from(r.blob());
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    timeoutSeconds = 0; // compat: clients that send nothing get the default, as upstream gives it
  }
  const id = ctx.environment.nextNotifyId();
  ctx.effects.notifies.push({
    id,
    cookie: notifyCookieOf(slot.op),
    payload,
    timeoutSeconds: timeoutSeconds || NOTIFY_TIMEOUT_SECONDS,
  });
  const w = new Writer(8);
  w.u64(id);
  slot.out = [w.finish()];
  return 0;
});

/** Input: u64 notify id, u64 watch cookie, optional blob reply. */
export const notifyAck = quietReadOp((ctx, slot) => {
  const { indata } = slot.op;
  if (indata.length < 16) {
    // compat: the oldest clients put the notify id where the cookie lies and send no input
    const { cookie } = watchOf(slot.op);
    ctx.effects.acks.push({ notifyId: cookie, cookie: undefined, reply: EMPTY });
    return 0;
  }
  const r = new Reader(indata);
  const notifyId = r.u64();
  const cookie = r.u64();
  const reply = r.remaining > 0 ? Buffer.from(r.blob()) : EMPTY;
  ctx.effects.acks.push({ notifyId, cookie, reply });
  return 0;
});

/*
 * obj_list_watch_response_t, hdr(1,1): u32 n, n x hdr(2,1){entity_name, u64 cookie, u32 timeout, addr}
 */
export const listWatchers = readOp((ctx, slot) => {
  const w = new Writer();
  const mark = w.begin(1, 1);
  w.u32(ctx.info.watchers.length);
  for (const watcher of ctx.info.watchers) {
    const item = w.begin(2, 1);
    EntityName.encode(w, watcher.entity);
    w.u64(watcher.cookie);
    w.u32(watcher.timeoutSeconds);
    EntityAddr.encode(w, watcher.addr);
    w.end(item);
  }
  w.end(mark);
  slot.out = [w.finish()];
  ctx.countRead(0);
  return 0;
});
