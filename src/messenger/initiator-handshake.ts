/**
 * The initiating end of a handshake: lossy sessions, as librados opens them.
 *
 *     banner → hello → auth → signature → ident → established
 *
 * Whatever the peer refuses ends the handshake; who wants another try connects again.
 * ceph: src/msg/async/ProtocolV2.cc (client side)
 */

import type { AuthInitiator } from "../auth/index.ts";
import { CephError, ERRNO, must } from "../base/index.ts";
import { decodeFromBytes } from "../encoding/index.ts";
import {
  type AddrVec,
  CLIENT_FEATURES,
  type EntityAddr,
  entityTypeName,
  formatAddr,
} from "../types/index.ts";
import { sameAddr } from "./acceptor-handshake.ts";
import { type BannerFeatures, checkBanner, makeBanner } from "./banner.ts";
import {
  AuthBadMethod,
  AuthDone,
  AuthReplyMore,
  AuthSignature,
  FLAG_LOSSY,
  Hello,
  IdentMissingFeatures,
  ServerIdent,
} from "./control.ts";
import { checkSignature, type Handshake, type HandshakeLink, Transcript } from "./handshake.ts";
import { AUTH_ROUNDS_MAX } from "./limits.ts";
import { TAG, tagName } from "./preamble.ts";
import { FeatureError, ProtocolError } from "./protocol-error.ts";

export interface InitiatorOptions {
  /** Our entity type. */
  entityType: number;
  /** Entity type the peer must have. */
  peerType: number;
  /** The address we dialled. */
  target: EntityAddr;
  auth: AuthInitiator;
  /** Our number in the ident: -1 towards monitors, else the global id. */
  gid: bigint;
  requiredFeatures: bigint;
  nextGlobalSeq: () => bigint;
  /** Takes our address as the peer sees it and returns the addresses we go by. */
  learnAddr: (seen: EntityAddr) => AddrVec;
}

type State = "banner" | "hello" | "auth" | "signature" | "ident" | "established";
type Handler = (payload: Buffer) => void;

export class InitiatorHandshake implements Handshake {
  readonly #link: HandshakeLink;
  readonly #options: InitiatorOptions;
  readonly #table: Readonly<Record<State, Readonly<Record<number, Handler>>>>;
  #state: State = "banner";
  readonly #received = new Transcript();
  readonly #sent = new Transcript();
  #addrs: AddrVec = [];
  #rounds = 0;
  #expected: Buffer | undefined;

  constructor(link: HandshakeLink, options: InitiatorOptions) {
    this.#link = link;
    this.#options = options;
    this.#table = {
      banner: {},
      hello: { [TAG.HELLO]: (p) => this.#onHello(p) },
      auth: {
        [TAG.AUTH_BAD_METHOD]: (p) => this.#onBadMethod(p),
        [TAG.AUTH_REPLY_MORE]: (p) => this.#onReplyMore(p),
        [TAG.AUTH_DONE]: (p) => this.#onDone(p),
      },
      signature: { [TAG.AUTH_SIGNATURE]: (p) => this.#onSignature(p) },
      ident: {
        [TAG.SERVER_IDENT]: (p) => this.#onServerIdent(p),
        [TAG.IDENT_MISSING_FEATURES]: (p) => this.#onMissingFeatures(p),
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
        entityType: this.#options.entityType,
        peerAddr: this.#options.target,
      }),
    );
  }

  onControl(tag: number, payload: Buffer, raw: Uint8Array): void {
    const handler = this.#table[this.#state][tag];
    if (handler === undefined) {
      throw new ProtocolError(`${tagName(tag)} in handshake state ${this.#state}`);
    }
    if (this.#state === "hello" || this.#state === "auth") this.#received.record(raw);
    handler(payload);
  }

  #onHello(payload: Buffer): void {
    const { auth, peerType } = this.#options;
    const hello = decodeFromBytes(Hello, payload);
    if (hello.entityType !== peerType) {
      const [is, wanted] = [entityTypeName(hello.entityType), entityTypeName(peerType)];
      throw new ProtocolError(`peer is a ${is}, wanted a ${wanted}`);
    }
    this.#addrs = this.#options.learnAddr(hello.peerAddr);
    this.#state = "auth";
    this.#sent.record(
      this.#link.sendControl(TAG.AUTH_REQUEST, {
        method: auth.method,
        preferredModes: [...auth.modes],
        payload: auth.begin(),
      }),
    );
  }

  #onBadMethod(payload: Buffer): void {
    const { result, allowedMethods } = decodeFromBytes(AuthBadMethod, payload);
    const target = `${formatAddr(this.#options.target)} (it takes methods ${allowedMethods.join(", ")})`;
    throw new CephError(result === 0 ? -ERRNO.EACCES : result, { op: "authenticate to", target });
  }

  #onReplyMore(payload: Buffer): void {
    if (++this.#rounds > AUTH_ROUNDS_MAX) throw new ProtocolError("too many rounds");
    const answer = this.#options.auth.more(decodeFromBytes(AuthReplyMore, payload).payload);
    this.#sent.record(this.#link.sendControl(TAG.AUTH_REQUEST_MORE, { payload: answer }));
  }

  #onDone(payload: Buffer): void {
    const { auth } = this.#options;
    const done = decodeFromBytes(AuthDone, payload);
    if (!auth.modes.includes(done.mode)) {
      throw new ProtocolError(`peer chose connection mode ${done.mode}, which was not offered`);
    }
    const secrets = auth.done(done.payload, done.globalId, done.mode);
    this.#link.useMode(done.mode, secrets);
    this.#link.sendControl(TAG.AUTH_SIGNATURE, {
      signature: this.#received.sign(secrets.sessionKey),
    });
    this.#expected = this.#sent.sign(secrets.sessionKey);
    this.#state = "signature";
  }

  #onSignature(payload: Buffer): void {
    const { signature } = decodeFromBytes(AuthSignature, payload);
    checkSignature(must(this.#expected, "expected signature"), signature);
    this.#state = "ident";
    this.#link.sendControl(TAG.CLIENT_IDENT, {
      addrs: this.#addrs,
      target: this.#options.target,
      gid: this.#options.gid,
      globalSeq: this.#options.nextGlobalSeq(),
      supported: CLIENT_FEATURES,
      required: this.#options.requiredFeatures,
      flags: FLAG_LOSSY,
      cookie: 0n,
    });
  }

  #onMissingFeatures(payload: Buffer): void {
    const { features } = decodeFromBytes(IdentMissingFeatures, payload);
    const what = `features ${features.toString(16)} of its clients, which this one does not know`;
    throw new FeatureError(`the cluster is newer: it requires ${what}`);
  }

  #onServerIdent(payload: Buffer): void {
    const { target, peerType, requiredFeatures } = this.#options;
    const ident = decodeFromBytes(ServerIdent, payload);
    if (!ident.addrs.some((addr) => sameAddr(addr, target))) {
      throw new ProtocolError(`peer is not ${formatAddr(target)}`);
    }
    const missing = requiredFeatures & ~ident.supported;
    if (missing !== 0n) throw new FeatureError(`peer lacks features ${missing.toString(16)}`);
    this.#state = "established";
    this.#link.established({
      peerName: { type: peerType, num: ident.gid },
      peerAddrs: ident.addrs,
      peerAddr: target,
      features: CLIENT_FEATURES & ident.supported,
      identity: undefined,
      acksWanted: (ident.flags & FLAG_LOSSY) === 0n,
    });
  }
}
