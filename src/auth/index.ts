/** The auth room: who a peer is, and what it may do. */
export {
  type AcceptorStep,
  AUTH_METHOD,
  type AuthAcceptor,
  type AuthIdentity,
  type AuthInitiator,
  type AuthSecrets,
  type AuthServer,
  CON_MODE,
} from "./auth-method.ts";
export type { CommandArgs } from "./caps/command-grants.ts";
export { MgrCap, type MgrCapQuery, parseMgrCap } from "./caps/mgr-cap.ts";
export { MonCap, type MonCapQuery, parseMonCap } from "./caps/mon-cap.ts";
export {
  type AppMetadata,
  type ClassCall,
  OsdCap,
  type OsdCapQuery,
  parseOsdCap,
} from "./caps/osd-cap.ts";
export { type EntityCaps, isValidCap } from "./caps.ts";
export { CephxClient, type CephxClientOptions, CLIENT_KEYS } from "./cephx/initiator.ts";
export type { AuthReply } from "./cephx/renewal.ts";
export {
  AUTH_TICKET_TTL_MS,
  RotatingSecrets,
  type RotatingSecretsOptions,
  SERVICE_TICKET_TTL_MS,
  type SecretLookup,
} from "./cephx/rotating-secrets.ts";
export { type ClientAuth, NoneClient } from "./client.ts";
export {
  CryptoKey,
  DEFAULT_KEY_TYPE,
  formatKey,
  generateKey,
  KEY_TYPES,
  keyTypeName,
  keyTypeOf,
  parseKey,
  secretsEqual,
} from "./crypto-key.ts";
export {
  ALLOW_ALL_CAPS,
  type EntityAuth,
  type GlobalIds,
  type KeyLookup,
} from "./identity.ts";
export { formatKeyring, type KeyringEntry, parseKeyring } from "./keyring.ts";
export { createNoneInitiator } from "./none.ts";
export {
  createMonAuthServer,
  createServiceAuthServer,
  type MonAuthServer,
  type MonAuthServerOptions,
  type ServiceAuthServerOptions,
} from "./server.ts";
