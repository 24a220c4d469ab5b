/**
 * What bounds a peer: every size, count and time the messenger allows it. Sizes are bytes.
 * A peer that has not authenticated can make us hold one control frame and one handshake transcript.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Payload of HELLO, the idents and the session frames; real ones stay below 1 KiB. */
export const CONTROL_BYTES_MAX = 64 * KIB;
/** An authentication blob. Real tickets are a few hundred bytes, a few KiB with long caps. */
export const AUTH_BLOB_BYTES_MAX = 16 * KIB;
/** An authentication frame: a blob with a method, a global id and a list of modes beside it. */
export const AUTH_FRAME_BYTES_MAX = AUTH_BLOB_BYTES_MAX + 256;
/** A message's front. Full maps of large clusters are a few MiB. */
export const FRONT_BYTES_MAX = 16 * MIB;
export const MIDDLE_BYTES_MAX = 16 * MIB;
/** A message's data: `osd_max_write_size` (90 MiB) and a little. */
export const DATA_BYTES_MAX = 96 * MIB;
/** The feature words of the banner are 16 bytes; a later release may append some. */
export const BANNER_PAYLOAD_BYTES_MAX = 256;

/** Bytes one side may send before the signatures: they are kept until then, to be signed. */
export const TRANSCRIPT_BYTES_MAX = 256 * KIB;
/** Methods a peer may try on one link. */
export const AUTH_ATTEMPTS_MAX = 8;
/** Rounds of one authentication conversation; cephx takes one. */
export const AUTH_ROUNDS_MAX = 8;
/** From the link's first moment to an established session, milliseconds. */
export const HANDSHAKE_DEADLINE_MS = 30_000;
/** Accepted links without a session. A further one costs the oldest of them its link. */
export const HANDSHAKES_MAX = 256;
/**
 * A link that has been silent for this long, milliseconds, has its peer asked by the kernel for a sign of life: one
 * whose machine is gone would keep its place for ever.  ceph: ms_connection_idle_timeout is 15 minutes
 */
export const SILENCE_MS = 300_000;
/** Accepted links altogether. */
export const LINKS_MAX = 4096;

/** A part of a frame this long or longer is received straight into a buffer of its own. */
export const BULK_BYTES_MIN = 64 * KIB;
/** A frame up to this long after its head is parsed in place, in the receive ring. */
export const WHOLE_BYTES_MAX = 128 * KIB;
/** The receive ring starts small, as most links are idle, and grows with what comes. */
export const RING_BYTES_MIN = 4 * KIB;
export const RING_BYTES_MAX = 256 * KIB;

/** Answers queued for a peer that does not read: beyond this we stop reading from it. */
export const QUEUE_BYTES_PAUSE = 64 * MIB;
/** Beyond this its link is closed. */
export const QUEUE_BYTES_MAX = 1024 * MIB;

/** A request to an admin socket, with its end. ceph: AdminSocket::do_accept */
export const ADMIN_REQUEST_BYTES_MAX = 1024;
/** For a request to come in whole, and for its answer to be taken, milliseconds. */
export const ADMIN_DEADLINE_MS = 5000;
/** Links to one admin socket at a time. */
export const ADMIN_LINKS_MAX = 16;
