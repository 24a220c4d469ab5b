/**
 * Bounds on what a client may ask of an OSD, by the names and values of upstream's options.
 * ceph: src/common/options.cc
 */

/** osd_max_object_size: no byte of an object may lie at or past this offset. */
export const OBJECT_SIZE_MAX = 128 * 1024 * 1024;
/** osd_max_write_size: data of one request. */
export const WRITE_SIZE_MAX = 90 * 1024 * 1024;
/** Bytes of one write of `bench`, which is held in memory. */
export const BENCH_BLOCK_MAX = 64 * 1024 * 1024;
/** osd_max_object_name_len, for names and locator keys. */
export const OBJECT_NAME_MAX = 2048;
/** osd_max_object_namespace_len */
export const NAMESPACE_MAX = 256;
/** Upstream sets no bound (osd_max_attr_size is 0), and `rados bench --write-xattr` writes 4 MiB; an object is
 * read with all of its attributes, so ours is what that may cost. */
export const XATTR_SIZE_MAX = 16 * 1024 * 1024;
/** osd_max_attr_name_len */
export const XATTR_NAME_MAX = 100;
/** osd_max_omap_entries_per_request */
export const OMAP_ENTRIES_MAX = 1024;
/** osd_max_omap_bytes_per_request is 1 GiB upstream; a client that gets less asks again, and memory is what ours bounds. */
export const OMAP_BYTES_MAX = 32 * 1024 * 1024;
/** Upstream answers with a checksum of every byte of the largest object, if it has to; ours is what that may cost. */
export const CHECKSUM_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes that the ops of one request may read, or give, before the last of them: upstream has no bound. */
export const REQUEST_READ_MAX = 256 * 1024 * 1024;
/** osd_max_pgls */
export const PGLS_MAX = 1024;
/** osd_max_write_op_reply_len: output of one op of a write that asked for results. */
export const WRITE_REPLY_MAX = 64;
/** Ops of one write whose results the log remembers, and of those with an output, 64 bytes each: upstream has no bound. */
export const REMEMBERED_RESULTS_MAX = 1024;
export const REMEMBERED_OUTPUTS_MAX = 64;
/** osd_client_watch_timeout, seconds. */
export const WATCH_TIMEOUT_SECONDS = 30;
/** osd_default_notify_timeout, seconds. */
export const NOTIFY_TIMEOUT_SECONDS = 30;
/** osd_client_message_size_cap is 500 MiB; ours is what a small process can hold. Bytes in flight per session. */
export const SESSION_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes in flight of all sessions together. */
export const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes that bulk reads may have in flight together. */
export const BULK_READ_BYTES_MAX = 12 * 1024 * 1024;
/** A read of less than this is not bulk. */
export const BULK_READ_MIN = 64 * 1024;
