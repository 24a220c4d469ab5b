/**
 * The queue of background tasks: kept in the object rbd_task of each pool and namespace, done one at a time in
 * the order they came, tried again later when they fail.
 * ceph: src/pybind/mgr/rbd_support/task.py class TaskHandler
 */

import {
  CephError,
  ERRNO,
  type ErrnoName,
  PRETTY,
  type PyJson,
  pythonJson,
} from "../../base/index.ts";
import { byteString, byteStringOf, textOf } from "../../encoding/index.ts";
import { opOmapRmKeys, opOmapSetVals } from "../../messages/index.ts";
import type { IoCtx } from "../../rados/index.ts";
import {
  abortMigration,
  commitMigration,
  executeMigration,
  findMigration,
  flattenImage,
  getTrash,
  Image,
  isErrno,
  isExecutable,
  isExecuted,
  listNamespaces,
  type Migration,
  type MigrationEnd,
  type Progress,
  removeImage,
  removeTrash,
  unless,
} from "../../rbd/index.ts";
import { uuidFromBytes } from "../../types/index.ts";
import { failureText, isRefusal, ModuleError, rbdError } from "./errors.ts";
import { type Authorized, authorize, type ModuleHost, rbdPools } from "./host.ts";
import { readOmap } from "./omap.ts";
import { refsMatch, Task, type TaskRefs } from "./task.ts";

const RBD_TASK = "rbd_task";
const RETRY_MS = 30_000;
const RETRY_MAX_MS = 300_000;
/** How often the queue is looked at. */
const TICK_MS = 5_000;
/** How often a running task's progress is told. */
const PROGRESS_MS = 1_000;
/** Tasks that are done and still known, for a command that is sent again. */
const COMPLETED_MAX = 50;

export type MigrationStep = "execute" | "commit" | "abort";

/** `[pool/[namespace/]]image` */
interface ImageSpec {
  readonly pool: string;
  readonly nspace: string;
  readonly image: string;
}

function parseSpec(text: string, defaultPool: string): ImageSpec {
  const match = /^(?:([^/]+)\/(?:([^/]+)\/)?)?([^/@]+)$/.exec(text);
  if (match === null) throw new ModuleError("EINVAL", `Invalid image spec: ${text}`);
  return { pool: match[1] ?? defaultPool, nspace: match[2] ?? "", image: match[3] ?? "" };
}

function formatSpec({ pool, nspace, image }: ImageSpec): string {
  return [pool, nspace, image].filter((part) => part !== "").join("/");
}

export class TaskQueue {
  readonly #host: ModuleHost;
  readonly #bySequence = new Map<number, Task>();
  #completed: Task[] = [];
  #inProgress: Task | undefined;
  #sequence = 0;
  #isClosed = false;
  #wake: () => void = () => undefined;
  /** Commands one after the other: between a question and its change nothing may happen. */
  #turn: Promise<unknown> = Promise.resolve();
  #isLoaded: () => void = () => undefined;
  readonly #loaded = new Promise<void>((resolve) => {
    this.#isLoaded = resolve;
  });

  constructor(host: ModuleHost) {
    this.#host = host;
  }

  /** Reads what is queued, then works until closed. */
  async run(): Promise<void> {
    await this.#loadAtLast();
    this.#isLoaded();
    while (!this.#isClosed) {
      const now = this.#host.clock.now();
      const due = [...this.#bySequence.values()]
        .filter((task) => (task.retryTime ?? 0) <= now)
        .sort((a, b) => a.sequence - b.sequence);
      for (const task of due) {
        if (this.#isClosed) return;
        if (this.#bySequence.get(task.sequence) === task) await this.#execute(task);
      }
      await this.#wait();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#host.clock.after(TICK_MS, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#isClosed) this.#wake();
    });
  }

  // --- Commands ---------------------------------------------------------------------------------

  /** Runs a command when those before it are done and the queue is known. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(async () => {
      await this.#loaded;
      return await work();
    });
    this.#turn = run.catch(() => undefined);
    return run;
  }

  /** Queues the flattening of a clone. Answers with the task. */
  addFlatten(text: string, authorized: Authorized): Promise<string> {
    return this.#addForImage("flatten", text, authorized, (spec, image) => {
      const name = formatSpec(spec);
      if (image.parent?.overlap === undefined)
        throw rbdError("ENOENT", `Image ${name} does not have a parent`);
      return `Flattening image ${name}`;
    });
  }

  addRemove(text: string, authorized: Authorized): Promise<string> {
    return this.#addForImage("remove", text, authorized, (spec, image) => {
      const name = formatSpec(spec);
      if (image.snapshots.length > 0) throw rbdError("EBUSY", `Image ${name} has snapshots`);
      return `Removing image ${name}`;
    });
  }

  addTrashRemove(text: string, authorized: Authorized): Promise<string> {
    return this.#inTurn(async () => {
      const spec = this.#parseSpec(text);
      authorize(authorized, spec.pool, spec.nspace);
      const refs: TaskRefs = {
        action: "trash remove",
        pool_name: spec.pool,
        pool_namespace: spec.nspace,
        image_id: spec.image,
      };
      const known = this.#find(refs);
      if (known !== undefined) return known.toText();
      const io = await this.#host.openPool(spec.pool, spec.nspace);
      await renamed(getTrash(io, byteString(spec.image)), "error retrieving image from trash");
      return await this.#add(io, `Removing image ${formatSpec(spec)} from trash`, refs);
    });
  }

  /**
   * Queues a step of a live migration, named by either end. Answers with the task.
   * @throws ModuleError EINVAL: the image is not migrating, or this is not its next step
   */
  addMigration(step: MigrationStep, text: string, authorized: Authorized): Promise<string> {
    return this.#inTurn(async () => {
      const spec = this.#parseSpec(text);
      authorize(authorized, spec.pool, spec.nspace);
      const io = await this.#host.openPool(spec.pool, spec.nspace);
      const migration = await migrationOf(io, spec.image);
      const refs: TaskRefs = {
        action: `migrate ${step}`,
        pool_name: spec.pool,
        pool_namespace: spec.nspace,
        image_name: spec.image,
        ...(migration === undefined ? {} : { image_id: textOf(migration.destination.id) }),
      };
      const known = this.#find(refs);
      if (known !== undefined) return known.toText();
      const name = formatSpec(spec);
      const refuse = (why: string) => rbdError("EINVAL", `Image ${name} ${why}`);
      if (migration === undefined) throw refuse("is not migrating");
      if (step === "execute" && !isExecutable(migration)) throw refuse("is not in ready state");
      if (step === "commit" && !isExecuted(migration)) throw refuse("has not completed migration");
      return await this.#add(io, migrationMessage(step, name, migration), refs);
    });
  }

  /** @throws ModuleError ENOENT */
  list(id: string | undefined, authorized: Authorized): Promise<string> {
    return this.#inTurn(async () => {
      if (id !== undefined && id !== "") {
        return pythonJson(this.#visible(id, authorized).toJson(), PRETTY);
      }
      const tasks: PyJson[] = [...this.#bySequence.values()]
        .sort((a, b) => a.sequence - b.sequence)
        .filter(({ refs }) => authorized(refs.pool_name, refs.pool_namespace))
        .map((task) => task.toJson());
      return pythonJson(tasks, PRETTY);
    });
  }

  /** @throws ModuleError ENOENT */
  cancel(id: string, authorized: Authorized): Promise<void> {
    return this.#inTurn(async () => {
      const task = this.#visible(id, authorized);
      task.cancel();
      const isRunning = this.#inProgress === task;
      this.#completeProgress(task);
      const io = await this.#host.openPool(task.refs.pool_name, task.refs.pool_namespace);
      await this.#remove(io, task, !isRunning);
    });
  }

  #parseSpec(text: string): ImageSpec {
    return parseSpec(text, this.#host.option("rbd_default_pool") ?? "rbd");
  }

  #visible(id: string, authorized: Authorized): Task {
    const task = this.#byId(id);
    if (task === undefined || !authorized(task.refs.pool_name, task.refs.pool_namespace)) {
      throw new ModuleError("ENOENT", `No such task ${id}`);
    }
    return task;
  }

  #byId(id: string): Task | undefined {
    return [...this.#bySequence.values()].find((task) => task.id === id);
  }

  #addForImage(
    action: "flatten" | "remove",
    text: string,
    authorized: Authorized,
    check: (spec: ImageSpec, image: Image) => string,
  ): Promise<string> {
    return this.#inTurn(async () => {
      const spec = this.#parseSpec(text);
      authorize(authorized, spec.pool, spec.nspace);
      const io = await this.#host.openPool(spec.pool, spec.nspace);
      const image = await this.#peek(io, spec);
      const refs: TaskRefs = {
        action,
        pool_name: spec.pool,
        pool_namespace: spec.nspace,
        image_name: spec.image,
        ...(image === undefined ? {} : { image_id: textOf(image.id) }),
      };
      const known = this.#find(refs);
      if (known !== undefined) return known.toText();
      if (image === undefined) throw rbdError("ENOENT", `Image ${formatSpec(spec)} does not exist`);
      return await this.#add(io, check(spec, image), refs);
    });
  }

  /** The image as it is now; undefined if there is none. */
  async #peek(io: IoCtx, { image: name }: ImageSpec): Promise<Image | undefined> {
    const context = await this.#host.rbd();
    try {
      const image = await Image.open(context, io, { name: byteString(name) }, { readOnly: true });
      await image.close();
      return image;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      if (!(error instanceof CephError)) throw error;
      throw asModuleError(error, `error opening image ${name} at snapshot None`);
    }
  }

  /** A task about the same, queued or done a moment ago; the answer to a command that is sent again. */
  #find(refs: TaskRefs): Task | undefined {
    const queued = [...this.#bySequence.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    return (
      queued.find((task) => refsMatch(task.refs, refs)) ??
      this.#completed.findLast((task) => refsMatch(task.refs, refs))
    );
  }

  async #add(io: IoCtx, message: string, refs: TaskRefs): Promise<string> {
    const id = uuidFromBytes(this.#host.random.bytes(16));
    const task = new Task(++this.#sequence, id, message, refs);
    const text = task.toText();
    const value = Buffer.from(text, "utf8");
    await io.write(RBD_TASK, [opOmapSetVals(new Map([[task.key, value]]))]);
    this.#bySequence.set(task.sequence, task);
    this.#wake();
    return text;
  }

  async #remove(io: IoCtx, task: Task, inMemory = true): Promise<void> {
    try {
      await io.write(RBD_TASK, [opOmapRmKeys([task.key])]);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    if (!inMemory || !this.#bySequence.delete(task.sequence)) return;
    if (task.failure !== undefined) return;
    this.#completed.push(task);
    this.#completed = this.#completed.slice(-COMPLETED_MAX);
  }

  // --- Loading ----------------------------------------------------------------------------------

  async #loadAtLast(): Promise<void> {
    for (;;) {
      try {
        return await this.#load();
      } catch (error) {
        if (this.#isClosed || !(error instanceof CephError)) throw error;
        this.#host.log.warn("tasks not read", { why: error.message });
        await this.#wait();
      }
    }
  }

  async #load(): Promise<void> {
    const { rados } = await this.#host.rbd();
    for (const [id, name] of rbdPools(await rados.latestMap())) {
      try {
        const io = await rados.openPool(id);
        for (const nspace of ["", ...(await listNamespaces(io))]) {
          await this.#loadFrom(io.inNamespace(nspace));
        }
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#host.log.error("tasks of a pool not read", { pool: name, why: error.message });
      }
    }
    this.#sequence = Math.max(0, ...this.#bySequence.keys());
  }

  async #loadFrom(io: IoCtx): Promise<void> {
    for (const [key, value] of await readOmap(io, RBD_TASK)) {
      const task = Task.parse(textOf(byteStringOf(value)));
      if (typeof task === "string") this.#host.log.error("task not understood", { key, why: task });
      else this.#bySequence.set(task.sequence, task);
    }
  }

  // --- Execution --------------------------------------------------------------------------------

  async #execute(task: Task): Promise<void> {
    const { refs } = task;
    const { clock } = this.#host;
    try {
      const io = await this.#poolOf(refs);
      if (io === undefined) {
        // The pool is gone, and what was queued in it: so is the object it was kept in.
        this.#completeProgress(task);
        this.#bySequence.delete(task.sequence);
        return;
      }
      task.isInProgress = true;
      this.#inProgress = task;
      try {
        await this.#perform(io, task);
      } finally {
        task.isInProgress = false;
        this.#inProgress = undefined;
      }
      this.#completeProgress(task);
      await this.#remove(io, task);
    } catch (error) {
      if (!(error instanceof CephError)) throw error;
      task.retryMessage = failureText(error, operationText(task));
      if (task.isProgressPosted) this.#tellProgress(task, 0);
      this.#host.log.warn("task failed", { task: task.message, why: error.message });
    } finally {
      task.isInProgress = false;
      task.retryAttempts++;
      task.retryTime = clock.now() + Math.min(RETRY_MS * task.retryAttempts, RETRY_MAX_MS);
    }
  }

  async #poolOf({ pool_name, pool_namespace }: TaskRefs): Promise<IoCtx | undefined> {
    try {
      return await this.#host.openPool(pool_name, pool_namespace);
    } catch (error) {
      if (error instanceof ModuleError && error.errno === "ENOENT") return undefined;
      throw error;
    }
  }

  /**
   * Does the work. What can never succeed is noted in the task; what may is thrown.
   * compat: upstream takes whatever image has the name by now.
   */
  async #perform(io: IoCtx, task: Task): Promise<void> {
    const context = await this.#host.rbd();
    const progress = this.#progressOf(task);
    // One that was cancelled, and not forgotten at once.
    if (task.isCanceled) return;
    const { action, image_name, image_id } = task.refs;
    const name = byteString(image_name ?? "");
    const id = image_id === undefined ? undefined : byteString(image_id);
    try {
      switch (action) {
        case "remove":
          return await removeImage(context, io, name, progress, { id });
        case "flatten":
          return await flattenImage(context, io, name, progress, { id });
        case "trash remove":
          return await removeTrash(context, io, id ?? "", { force: false, progress });
        case "migrate execute":
          await checkMigration(io, name, id);
          return await executeMigration(context, io, name, progress);
        case "migrate commit":
          await checkMigration(io, name, id);
          return await commitMigration(context, io, name, progress);
        case "migrate abort":
          await checkMigration(io, name, id);
          return await abortMigration(context, io, name, progress);
      }
    } catch (error) {
      if (isErrno(error, "ECANCELED")) return;
      // Whatever one that was cancelled has failed with is the end of it.
      if (task.isCanceled && error instanceof CephError) return;
      const failure = finalFailure(action, error);
      if (failure === undefined) throw error;
      task.failure = failure;
    }
  }

  #progressOf(task: Task): Progress {
    const { clock } = this.#host;
    let toldAt = Number.NEGATIVE_INFINITY;
    return (done, total) => {
      if (task.isCanceled) {
        throw new CephError(-ERRNO.ECANCELED, { op: "go on with", target: task.message });
      }
      task.progress = total === 0 ? 1 : done / total;
      const now = clock.now();
      if (task.isProgressPosted && now - toldAt < PROGRESS_MS) return;
      toldAt = now;
      task.isProgressPosted = true;
      this.#tellProgress(task, task.progress);
    };
  }

  #tellProgress(task: Task, progress: number): void {
    const refs = { origin: "rbd_support", ...task.refs };
    this.#host.progress.update(task.id, task.message, progress, refs);
  }

  #completeProgress(task: Task): void {
    if (!task.isProgressPosted) {
      // So that there is something to complete.
      this.#tellProgress(task, 0);
      task.isProgressPosted = true;
    }
    if (task.failure === undefined) this.#host.progress.complete(task.id);
    else this.#host.progress.fail(task.id, task.failure);
  }
}

/** Why trying again is no use; undefined: it may be. */
function finalFailure(action: TaskRefs["action"], error: unknown): string | undefined {
  if (isErrno(error, "ENOENT")) return "Image does not exist";
  if (!isErrno(error, "EINVAL")) return undefined;
  switch (action) {
    case "flatten":
      return "Image does not have parent";
    case "migrate execute":
    case "migrate abort":
      return "Image is not migrating";
    case "migrate commit":
      return "Image is not migrating or migration not executed";
    default:
      return undefined;
  }
}

/** What the bindings call the operation in a failure. */
function operationText({ refs }: Task): string {
  switch (refs.action) {
    case "remove":
      return "error removing image";
    case "trash remove":
      return "error deleting image from trash";
    case "flatten":
      return `error flattening ${refs.image_name}`;
    // compat: the bindings say so of every step.
    default:
      return "error aborting migration";
  }
}

/** What either end says of the migration; undefined: there is none, or no such image. */
async function migrationOf(io: IoCtx, name: string): Promise<Migration | undefined> {
  try {
    return await findMigration(io, byteString(name));
  } catch (error) {
    if (isErrno(error, "EINVAL", "ENOENT")) return undefined;
    if (!(error instanceof CephError)) throw error;
    throw asModuleError(error, "error getting migration status");
  }
}

/**
 * A migration that nobody finds by the name may have left something to clean up; another one is not ours.
 * @param id of the destination
 * @throws CephError EINVAL
 */
async function checkMigration(io: IoCtx, name: string, id: string | undefined): Promise<void> {
  const migration = await unless(findMigration(io, name), "EINVAL", "ENOENT");
  if (migration === undefined || migration.destination.id === (id ?? migration.destination.id)) {
    return;
  }
  throw new CephError(-ERRNO.EINVAL, { op: "go on with the migration of", target: textOf(name) });
}

function migrationMessage(step: MigrationStep, name: string, migration: Migration): string {
  switch (step) {
    case "execute": {
      const { source, destination } = migration;
      // compat: the bindings take the source's pool for the destination's, too.
      const pool = source === undefined ? "<unknown>" : textOf(source.io.poolName);
      const place = ({ io, name: image }: MigrationEnd) =>
        formatSpec({ pool, nspace: textOf(io.nspace), image: textOf(image) });
      const from = source === undefined ? pool : place(source);
      return `Migrating image ${from} to ${place(destination)}`;
    }
    case "commit":
      return `Committing image migration for ${name}`;
    case "abort":
      return `Aborting image migration for ${name}`;
  }
}

function asModuleError(error: CephError, what: string): ModuleError {
  const code = (error.code in ERRNO ? error.code : "EIO") as ErrnoName;
  return new ModuleError(code, failureText(error, what));
}

async function renamed<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CephError) throw asModuleError(error, what);
    throw error;
  }
}
