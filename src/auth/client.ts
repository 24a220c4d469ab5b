/**
 * A client's side of authentication for as long as the client lives, whatever the method.
 * ceph: src/auth/AuthClientHandler.h
 */

import { type AuthEntity, ENTITY_TYPE } from "../types/index.ts";
import { AUTH_METHOD, type AuthInitiator } from "./auth-method.ts";
import { createNoneInitiator } from "./none.ts";

export interface ClientAuth {
  readonly entity: AuthEntity;
  /** AUTH_METHOD. */
  readonly method: number;
  /** Given by the first monitor session; 0 before. */
  readonly globalId: bigint;
  /** The same entity with the same key, as a client of its own: for a session beside the first one. */
  another(): ClientAuth;
  monInitiator(): AuthInitiator;
  /** Throws CephError EACCES where there is nothing to show to the service. */
  serviceInitiator(service: number): AuthInitiator;
  /** Forgets what was shown to a service and refused. */
  dropTicket(service: number): void;
  /** MAuth's blob that renews what is running out; undefined if nothing is. */
  buildRenewal(): Uint8Array | undefined;
  /** Takes MAuthReply's result and blob. Throws CephError if the monitor refused. */
  takeRenewal(errno: number, blob: Uint8Array): void;
}

/** Method none: a name is all there is. */
export class NoneClient implements ClientAuth {
  readonly entity: AuthEntity;
  readonly method = AUTH_METHOD.NONE;
  #globalId = 0n;

  constructor(entity: AuthEntity) {
    this.entity = entity;
  }

  get globalId(): bigint {
    return this.#globalId;
  }

  another(): NoneClient {
    return new NoneClient(this.entity);
  }

  monInitiator(): AuthInitiator {
    const inner = createNoneInitiator(this.entity, { peer: "mon", globalId: this.#globalId });
    return {
      ...inner,
      done: (blob, globalId, mode) => {
        this.#globalId = globalId;
        return inner.done(blob, globalId, mode);
      },
    };
  }

  serviceInitiator(service: number): AuthInitiator {
    const peer = service === ENTITY_TYPE.MON ? "mon" : "service";
    return createNoneInitiator(this.entity, { peer, globalId: this.#globalId });
  }

  dropTicket(): void {}

  buildRenewal(): undefined {
    return undefined;
  }

  takeRenewal(): void {}
}
