/**
 * Is there an order in which everything that clients saw of one object makes sense?
 *
 * Linearizability, checked as answers come (Lowe, "Testing for linearizability", 2017: just in time). A
 * configuration is one way things may have gone: the state now, and which requests without an answer have
 * already happened. An answer must be right in some configuration, after letting happen some of the
 * requests that are still out; configurations in which it can not be are dropped. None left: no order
 * explains what was seen. So a lost acknowledgement, a stale read, a write done twice and a snapshot that
 * changes all show as the answer that nothing explains.
 *
 * Two promises of RADOS are used besides: one client's requests to an object happen in the order it sent
 * them, and the version that a write is answered with rises from write to write, and is the one that a read
 * of its state is answered with. To make use of the second, an answer is looked at only when those of all
 * requests that were out with it are known, too: then the order of writes is no search. Only requests of
 * clients that died are: they may have happened at any moment, or never.
 * A request that changes nothing (a read, a write that fails) fits at any moment while it was out.
 */
import { apply, NEW_OBJECT, type ObjectState, type Request, stateKey } from "./model.ts";

/** Configurations kept; more means that the workload is too wild to check. */
const CONFIGS_MAX = 2000;
/** Events of an object kept for the report. */
const EVENTS_KEPT = 40;

export interface Answer {
  readonly outcome: string;
  /** Of the object, by the answer. */
  readonly version: number;
}

/** A request that is out. */
export class Call {
  readonly client: string;
  /** Of its client: the order in which it was sent. */
  readonly tid: number;
  readonly request: Request;
  /** Once it is there. */
  answer: Answer | undefined;
  /** Its client has died: there will be no answer. */
  isOrphan = false;
  /** Number of the event. */
  sentAt = 0;

  constructor(client: string, tid: number, request: Request) {
    this.client = client;
    this.tid = tid;
    this.request = request;
  }

  get name(): string {
    return `${this.client} #${this.tid}`;
  }
}

type Event =
  | { readonly what: "sent"; readonly call: Call }
  | { readonly what: "answered"; readonly call: Call; readonly answer: Answer }
  | { readonly what: "given up"; readonly calls: ReadonlySet<Call> };

/** A state, the one before, and what led from there. */
interface Node {
  readonly state: ObjectState;
  readonly at: number;
  readonly by: Call | undefined;
  /** Of the write that made it, or the least that it can be where nobody has said. */
  readonly version: number;
  readonly isVersionKnown: boolean;
  prev: Node | undefined;
}

interface Config {
  readonly node: Node;
  /** What has happened and is still out. */
  readonly done: ReadonlySet<Call>;
}

export class ConsistencyError extends Error {
  constructor(why: string) {
    super(why);
    this.name = "ConsistencyError";
  }
}

export class ObjectChecker {
  readonly #oid: string;
  /** Events that have not been looked at. */
  readonly #events: Event[] = [];
  #eventsDone = 0;
  /** Requests that are out at the event under the eye. */
  readonly #out = new Set<Call>();
  #configs: Config[];
  #clock = 0;
  readonly #told: string[] = [];

  constructor(oid: string) {
    this.#oid = oid;
    const node = {
      state: NEW_OBJECT,
      prev: undefined,
      at: 0,
      by: undefined,
      version: 0,
      isVersionKnown: true,
    };
    this.#configs = [{ node, done: new Set() }];
  }

  /** A request is about to be sent. */
  sent(call: Call): void {
    this.#events.push({ what: "sent", call });
    this.#look();
  }

  /** Its answer has come. @throws ConsistencyError, about this or an earlier one */
  answered(call: Call, answer: Answer): void {
    call.answer = answer;
    this.#events.push({ what: "answered", call, answer });
    this.#look();
  }

  /**
   * These orphans have happened by now, or never will.
   * @throws ConsistencyError
   */
  giveUp(calls: ReadonlySet<Call>): void {
    this.#events.push({ what: "given up", calls });
    this.#look();
  }

  /** Answers that wait for others to be looked at. */
  get waiting(): number {
    return this.#events.length - this.#eventsDone;
  }

  /** Looks at events for as long as enough is known. */
  #look(): void {
    for (;;) {
      const event = this.#events[this.#eventsDone];
      if (event === undefined) break;
      if (event.what !== "sent" && !this.#isAllKnown()) break;
      this.#eventsDone++;
      this.#clock++;
      if (event.what === "sent") {
        event.call.sentAt = this.#clock;
        this.#out.add(event.call);
        this.#tell(`${event.call.name} sends ${describeRequest(event.call.request)}`);
      } else if (event.what === "answered") {
        this.#check(event.call, event.answer);
      } else {
        this.#forgetOrphans(event.calls);
      }
    }
    if (this.#eventsDone > 1000 || this.waiting === 0) {
      this.#events.splice(0, this.#eventsDone);
      this.#eventsDone = 0;
    }
  }

  #isAllKnown(): boolean {
    for (const call of this.#out) if (call.answer === undefined && !call.isOrphan) return false;
    return true;
  }

  #check(call: Call, answer: Answer): void {
    this.#tell(`${call.name} gets ${answer.outcome} @${answer.version}`);
    const next: Config[] = [];
    for (const config of this.#configs) this.#explain(config, call, answer, next);
    this.#out.delete(call);
    if (next.length === 0) throw new ConsistencyError(this.#report(call, answer));
    this.#configs = this.#merged(next);
    this.#forgetOld();
  }

  /** Puts into `next` every way on from `config` in which the answer is right. */
  #explain(config: Config, call: Call, answer: Answer, next: Config[]): void {
    if (next.length > CONFIGS_MAX) throw new Error(`${this.#oid}: too many ways to check`);
    if (config.done.has(call)) {
      next.push({ ...config, done: without(config.done, call) });
      return;
    }
    if (this.#fitsUnchanged(config, call, answer)) {
      next.push(config);
      // Whatever else has happened may as well have happened after it.
      return;
    }
    for (const further of this.#oneMore(config)) this.#explain(further, call, answer, next);
  }

  /** Every way on by one more change: the next by version, or an orphan's. */
  *#oneMore(config: Config): Iterable<Config> {
    const known: Call[] = [];
    for (const call of this.#out) {
      if (!call.request.isWrite || config.done.has(call) || !this.#isItsTurn(config, call))
        continue;
      if (call.isOrphan) {
        const step = apply(config.node.state, call.request);
        if (step.state !== config.node.state) yield this.#happen(config, call, step.state);
      } else if (call.answer!.outcome === "0" && call.answer!.version > config.node.version) {
        known.push(call);
      }
    }
    known.sort((a, b) => a.answer!.version - b.answer!.version);
    // One that changes nothing has the version of the one it came after: either may be the change.
    let version: number | undefined;
    for (const call of known) {
      if (version !== undefined && call.answer!.version > version) return;
      const step = apply(config.node.state, call.request);
      if (step.state === config.node.state) continue;
      version = call.answer!.version;
      if (step.outcome === "0") yield this.#happen(config, call, step.state);
    }
  }

  #happen(config: Config, call: Call, state: ObjectState): Config {
    const { node } = config;
    const known = call.answer?.version;
    return {
      node: {
        state,
        prev: node,
        at: this.#clock,
        by: call,
        version: known ?? node.version + 1,
        isVersionKnown: known !== undefined,
      },
      done: new Set([...config.done, call]),
    };
  }

  /** Has everything happened that its client sent before? */
  #isItsTurn(config: Config, call: Call): boolean {
    for (const other of this.#out) {
      if (other.client !== call.client || other.tid >= call.tid) continue;
      if (!other.request.isWrite || config.done.has(other)) continue;
      // One that changed nothing, or would, may have happened long ago.
      if (other.answer === undefined) {
        if (apply(config.node.state, other.request).state !== config.node.state) return false;
      } else if (other.answer.outcome === "0" && other.answer.version > config.node.version) {
        return false;
      }
    }
    return true;
  }

  /** Was there a moment, while the request was out, at which it changes nothing and gets this answer? */
  #fitsUnchanged(config: Config, call: Call, { outcome, version }: Answer): boolean {
    const { request } = call;
    if (!this.#isItsTurn(config, call)) return false;
    // Success on the head says which version it has found, or none: of what is not there, of a resent write.
    const isVersioned = request.snap === undefined && outcome.startsWith("0");
    for (let node: Node | undefined = config.node; node !== undefined; node = node.prev) {
      if (!isVersioned || version === 0 || hasVersion(node, version)) {
        const step = apply(node.state, request);
        if (step.state === node.state && step.outcome === outcome) return true;
      }
      if (node.at <= call.sentAt) return false;
      // Its client's own earlier writes were before it.
      if (node.by?.client === call.client && node.by.tid < call.tid) return false;
    }
    return false;
  }

  /** Splits every configuration by which of the orphans have happened, and drops them. */
  #forgetOrphans(calls: ReadonlySet<Call>): void {
    const given = [...calls].filter((call) => this.#out.has(call));
    if (given.length === 0) return;
    for (const call of given) this.#tell(`${call.name} is given up`);
    const next: Config[] = [];
    const visit = (config: Config) => {
      const done = new Set(config.done);
      for (const call of given) done.delete(call);
      next.push({ ...config, done });
      for (const further of this.#oneMore(config)) visit(further);
    };
    for (const config of this.#configs) visit(config);
    for (const call of given) this.#out.delete(call);
    this.#configs = this.#merged(next);
    this.#forgetOld();
  }

  /** Configurations that can not be told apart any more are one. */
  #merged(configs: Config[]): Config[] {
    if (configs.length < 2) return configs;
    const oldest = this.#oldestSeen();
    const seen = new Map<string, Config>();
    for (const config of configs) {
      const parts = [...config.done].map((call) => call.name);
      for (let node: Node | undefined = config.node; node !== undefined; node = node.prev) {
        parts.push(`${stateKey(node.state)} ${node.version} ${node.isVersionKnown}`);
        if (node.at <= oldest) break;
      }
      seen.set(parts.join("|"), config);
    }
    return [...seen.values()];
  }

  /** Since when states may yet turn out to have been seen: an orphan tells nobody what it saw. */
  #oldestSeen(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const call of this.#out) if (!call.isOrphan) oldest = Math.min(oldest, call.sentAt);
    return oldest;
  }

  /** Lets go of states that no request still out can have seen. */
  #forgetOld(): void {
    const oldest = Math.min(this.#clock, this.#oldestSeen());
    for (const { node } of this.#configs) {
      let at: Node = node;
      while (at.at > oldest && at.prev !== undefined) at = at.prev;
      at.prev = undefined;
    }
  }

  #tell(line: string): void {
    this.#told.push(`  ${this.#clock} ${line}`);
    if (this.#told.length > 2 * EVENTS_KEPT) this.#told.splice(0, EVENTS_KEPT);
  }

  #report(call: Call, { outcome, version }: Answer): string {
    const now = new Set<string>();
    for (const { node } of this.#configs) {
      now.add(`${apply(node.state, call.request).outcome} @${node.version}`);
    }
    const lines = [
      `${this.#oid}: no order explains that ${call.name}, ${describeRequest(call.request)}, ` +
        `got "${outcome}" @${version}`,
      `before it would have been: ${[...now].join(" or ")}`,
      `out with it: ${[...this.#out].map((other) => `${other.name} @${other.answer?.version}`).join()}`,
      `its last events:`,
      ...this.#told.slice(-EVENTS_KEPT),
    ];
    return lines.join("\n");
  }
}

function without<T>(set: ReadonlySet<T>, element: T): Set<T> {
  const out = new Set(set);
  out.delete(element);
  return out;
}

function hasVersion(node: Node, version: number): boolean {
  return node.isVersionKnown ? node.version === version : node.version <= version;
}

function describeRequest(request: Request): string {
  const ops = request.ops.map((op) => {
    const rest = Object.entries(op)
      .filter(([name]) => name !== "op")
      .map(([, value]) => describeValue(value));
    return [op.op, ...rest].join(" ");
  });
  const snap = request.snap === undefined ? "" : ` at ${request.snap}`;
  const context =
    request.snapContext === undefined ? "" : ` knowing ${request.snapContext.snaps.join()}`;
  return `${ops.join(" + ")}${snap}${context}`;
}

function describeValue(value: unknown): string {
  if (Buffer.isBuffer(value)) {
    return `${value.length} bytes of ${value.toString("latin1", 0, 16)}`;
  }
  if (value instanceof Map) return [...value].map(([k, v]) => `${k}=${v}`).join();
  return String(value);
}
