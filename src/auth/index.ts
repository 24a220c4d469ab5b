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
export type { EntityCaps } from "./caps.ts";
