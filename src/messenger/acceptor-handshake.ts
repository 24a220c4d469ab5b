/**
 * The accepting end of a handshake.
 *
 *     banner → hello → auth ⇄ auth-more → signature → ident → established
 *                       │       └→ refused
 *
 * A peer whose method is not taken may try another on the same link, as Ceph's clients do; one that
 * failed to prove itself may not. Every session is answered as lossy: clients that ask for a lossless one
 * (their short-lived bootstrap sessions) accept that, and one that comes back for a session we do not
 * have is told to start afresh.
 * ceph: src/msg/async/ProtocolV2.cc (server side)
 */

import {
  AUTH_METHOD,
  type AuthAcceptor,
  type AuthIdentity,
  type AuthServer,
  CON_MODE,
} from "../auth/index.ts";
import { ERRNO, must } from "../base/index.ts";
import { decodeFromBytes } from "../encoding/index.ts";
import {
  type AddrVec,
  ENTITY_TYPE,
  type EntityAddr,
  type EntityName,
  entityTypeName,
  FEATURES_SUPPORTED,
  formatAddr,
} from "../types/index.ts";
import { type BannerFeatures, checkBanner, makeBanner } from "./banner.ts";
import {
  AuthRequest,
  AuthRequestMore,
  AuthSignature,
  ClientIdent,
  FLAG_LOSSY,
  Hello,
  SessionReconnect,
} from "./control.ts";
import { checkSignature, type Handshake, type HandshakeLink, Transcript } from "./handshake.ts";
import { AUTH_ATTEMPTS_MAX, AUTH_ROUNDS_MAX } from "./limits.ts";
import { TAG, tagName } from "./preamble.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface AcceptorOptions {
  name: EntityName;
  /** Our addresses at the time of the ident. */
  addrs: () => AddrVec;
  auth: AuthServer;
  requiredFeatures: bigint;
  nextGlobalSeq: () => bigint;
}

type State =
  | "banner"
  | "hello"
  | "auth"
  | "auth-more"
  | "refused"
  | "signature"
  | "ident"
  | "established";

type Handler = (payload: Buffer) => void;

export class AcceptorHandshake implements Handshake {
  readonly #link: HandshakeLink;
  readonly #options: AcceptorOptions;
  readonly #table: Readonly<Record<State, Readonly<Record<number, Handler>>>>;
  #state: State = "banner";
  readonly #received = new Transcript();
  readonly #sent = new Transcript();
  #peerType = 0;
  #attempts = 0;
  #rounds = 0;
  #method = 0;
  #mode = 0;
  #conversation: AuthAcceptor | undefined;
  #identity: AuthIdentity | undefined;
  /** Signature of what we sent, which the peer must give. */
  #expected: Buffer | undefined;

  constructor(link: HandshakeLink, options: AcceptorOptions) {
    this.#link = link;
    this.#options = options;
    this.#table = {
      banner: {},
      hello: { [TAG.HELLO]: (p) => this.#onHello(p) },
      auth: { [TAG.AUTH_REQUEST]: (p) => this.#onAuthRequest(p) },
      "auth-more": { [TAG.AUTH_REQUEST_MORE]: (p) => this.#onAuthRequestMore(p) },
      refused: {},
      signature: { [TAG.AUTH_SIGNATURE]: (p) => this.#onSignature(p) },
      ident: {
        [TAG.CLIENT_IDENT]: (p) => this.#onClientIdent(p),
        [TAG.SESSION_RECONNECT]: (p) => this.#onReconnect(p),
      },
      established: {},
    };
  }

  start(): void {
    const banner = makeBanner();
    this.#sent.record(banner);
    this.#link.sendBytes(banner);
  }

  onBanner(features: BannerFeatures, raw: Uint8Array): void {
    checkBanner(features);
    this.#received.record(raw);
    this.#state = "hello";
    this.#sent.record(
      this.#link.sendControl(TAG.HELLO, {
        entityType: this.#options.name.type,
        peerAddr: this.#link.remote,
      }),
    );
  }

  onControl(tag: number, payload: Buffer, raw: Uint8Array): void {
    const handler = this.#table[this.#state][tag];
    if (handler === undefined) {
      throw new ProtocolError(`${tagName(tag)} in handshake state ${this.#state}`);
    }
    const isSigned = tag === TAG.HELLO || tag === TAG.AUTH_REQUEST || tag === TAG.AUTH_REQUEST_MORE;
    if (isSigned) this.#received.record(raw);
    handler(payload);
  }

  #onHello(payload: Buffer): void {
    this.#peerType = decodeFromBytes(Hello, payload).entityType;
    this.#state = "auth";
  }

  #onAuthRequest(payload: Buffer): void {
    const { auth } = this.#options;
    const request = decodeFromBytes(AuthRequest, payload);
    if (++this.#attempts > AUTH_ATTEMPTS_MAX) throw new ProtocolError("too many methods tried");
    this.#method = request.method;
    if (!auth.methods.includes(request.method)) {
      const isKnown = Object.values<number>(AUTH_METHOD).includes(request.method);
      this.#refuse(-(isKnown ? ERRNO.EOPNOTSUPP : ERRNO.EACCES));
      return;
    }
    const allowed = this.#modesFor(request.method);
    const mode = request.preferredModes.find((mode) => allowed.includes(mode));
    if (mode === undefined) {
      const offered = request.preferredModes.join(",");
      this.#link.debug("no connection mode in common", { offered, allowed: allowed.join(",") });
      this.#refuse(-ERRNO.EOPNOTSUPP);
      return;
    }
    this.#mode = mode;
    this.#conversation = auth.accept(request.method, mode);
    this.#converse(request.payload);
  }

  #onAuthRequestMore(payload: Buffer): void {
    if (++this.#rounds > AUTH_ROUNDS_MAX) throw new ProtocolError("too many rounds");
    this.#converse(decodeFromBytes(AuthRequestMore, payload).payload);
  }

  /** Modes for a method: without a key there is nothing to encrypt with. */
  #modesFor(method: number): readonly number[] {
    const { modes } = this.#options.auth;
    return method === AUTH_METHOD.NONE ? modes.filter((mode) => mode === CON_MODE.CRC) : modes;
  }

  #refuse(errno: number): void {
    this.#link.debug("authentication refused", { method: this.#method, errno });
    this.#sent.record(
      this.#link.sendControl(TAG.AUTH_BAD_METHOD, {
        method: this.#method,
        result: errno,
        allowedMethods: [...this.#options.auth.methods],
        allowedModes: [...this.#modesFor(this.#method)],
      }),
    );
    if (this.#state === "auth-more") this.#state = "refused";
  }

  #converse(blob: Uint8Array): void {
    const step = must(this.#conversation, "conversation").next(blob);
    if (step.kind === "bad") {
      this.#refuse(step.errno);
      return;
    }
    if (step.kind === "more") {
      this.#state = "auth-more";
      this.#sent.record(this.#link.sendControl(TAG.AUTH_REPLY_MORE, { payload: step.blob }));
      return;
    }
    this.#identity = step.identity;
    this.#sent.record(
      this.#link.sendControl(TAG.AUTH_DONE, {
        globalId: step.identity.globalId,
        mode: this.#mode,
        payload: step.blob,
      }),
    );
    const { sessionKey } = step.secrets;
    this.#link.useMode(this.#mode, step.secrets);
    this.#link.sendControl(TAG.AUTH_SIGNATURE, { signature: this.#received.sign(sessionKey) });
    this.#expected = this.#sent.sign(sessionKey);
    this.#state = "signature";
  }

  #onSignature(payload: Buffer): void {
    const { signature } = decodeFromBytes(AuthSignature, payload);
    checkSignature(must(this.#expected, "expected signature"), signature);
    this.#state = "ident";
  }

  #onClientIdent(payload: Buffer): void {
    const ident = decodeFromBytes(ClientIdent, payload);
    const first = ident.addrs[0];
    if (first === undefined) throw new ProtocolError("ident without an address");
    const addrs = this.#options.addrs();
    if (!addrs.some((addr) => sameAddr(addr, ident.target))) {
      throw new ProtocolError(`ident for ${formatAddr(ident.target)}, which is not ours`);
    }
    const identity = must(this.#identity, "identity");
    const isClient = this.#peerType === ENTITY_TYPE.CLIENT;
    if (!isClient && this.#peerType !== identity.entity.type) {
      const [claimed, real] = [this.#peerType, identity.entity.type].map(entityTypeName);
      throw new ProtocolError(`says it is a ${claimed}, and has the key of a ${real}`);
    }
    const missing = this.#options.requiredFeatures & ~ident.supported;
    if (missing !== 0n) {
      this.#link.debug("peer lacks features", { missing: missing.toString(16) });
      this.#link.sendControl(TAG.IDENT_MISSING_FEATURES, { features: missing });
      return;
    }
    this.#link.sendControl(TAG.SERVER_IDENT, {
      addrs,
      gid: this.#options.name.num,
      globalSeq: this.#options.nextGlobalSeq(),
      supported: FEATURES_SUPPORTED,
      required: this.#options.requiredFeatures,
      flags: FLAG_LOSSY,
      cookie: 0n,
    });
    this.#state = "established";
    // A client is who it authenticated as, whatever number it claims: request ids hang on it.
    const num = isClient ? identity.globalId : ident.gid;
    this.#link.established({
      peerName: { type: this.#peerType, num },
      peerAddrs: ident.addrs,
      peerAddr: first.ip === "" ? { ...first, ip: this.#link.remote.ip } : first,
      features: FEATURES_SUPPORTED & ident.supported,
      identity,
      acksWanted: false,
    });
  }

  /** We keep no session past its link, so every cookie is unknown. */
  #onReconnect(payload: Buffer): void {
    decodeFromBytes(SessionReconnect, payload);
    this.#link.sendControl(TAG.SESSION_RESET, { full: true });
  }
}

/** Equal in every field? */
export function sameAddr(a: EntityAddr, b: EntityAddr): boolean {
  return a.type === b.type && a.nonce === b.nonce && a.ip === b.ip && a.port === b.port;
}
