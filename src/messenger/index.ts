/** The messenger room: msgr2.1 connections over any transport. */
export { type AdminAnswer, AdminSocket, type AdminSocketOptions } from "./admin-socket.ts";
export type { Connection, Dispatcher, OpenedConnection } from "./api.ts";
export type { DataMemory } from "./frame.ts";
export { BULK_BYTES_MIN } from "./limits.ts";
export { Messenger, type MessengerOptions } from "./messenger.ts";
export { FeatureError, ProtocolError } from "./protocol-error.ts";
export { askAdminSocket } from "./transport/admin-request.ts";
export { type Resolver, type ServiceHost, systemResolver } from "./transport/dns.ts";
export { MemoryNetwork, type MemoryNetworkHooks } from "./transport/memory.ts";
export { tcpTransport } from "./transport/tcp.ts";
export type { Endpoint, Link, Listener, Receiver, Transport } from "./transport/transport.ts";
export { listenUnix, SOCKET_PATH_BYTES_MAX } from "./transport/unix.ts";
