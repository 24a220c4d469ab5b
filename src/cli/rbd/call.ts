/**
 * One call of a verb: the words and options that it was given, the cluster that it speaks with, and what it
 * prints.
 */

import process from "node:process";
import { CephError, ERRNO } from "../../base/index.ts";
import type { CephArguments } from "../../config/index.ts";
import type { Json, XmlNames } from "../../encoding/index.ts";
import type { Cluster, IoCtx } from "../../librados/index.ts";
import { featureNames, type Image, type NewImageOptions, Rbd } from "../../librbd/index.ts";
import {
  CommandFailure,
  ConnectFailure,
  connectCluster,
  cppStrerror,
  Output,
  Progress,
  renderFormat,
} from "../client/index.ts";
import { failed, orFail, saying } from "./failure.ts";
import type { OptionValue, Side } from "./options.ts";
import { checkSpec, invalid, readSpec, type Spec, type SpecRules } from "./spec.ts";

/** ceph: RBD_FEATURES_SINGLE_CLIENT */
const SINGLE_CLIENT = ["exclusive-lock", "object-map", "fast-diff", "journaling"];
const DEFAULT_SPARSE_BYTES = 4096;

export interface SpecOptions extends Partial<SpecRules> {
  /** Which of two things. @default the only one, or the first */
  readonly side?: Side;
  /** Options that name it. @default those of images */
  readonly keys?: { readonly pool: string; readonly name: string };
  /** What holds unless it is said otherwise. */
  readonly start?: Partial<Spec>;
  /** Taken from the words, too. @default true */
  readonly fromWords?: boolean;
}

/**
 * What an image is opened for; for its data: as fast as the options have it that limit rates, and through a cache where
 * that counts, if the options have one.
 */
export type Mode = "read" | "write" | "readData" | "writeData" | "cachedData";

export class Call {
  /** Words that are no options, without the verb. */
  readonly words: readonly string[];
  readonly out = new Output();
  readonly #options: ReadonlyMap<string, OptionValue>;
  readonly #args: CephArguments;
  #next = 0;
  #cluster: Promise<Cluster> | undefined;

  constructor(
    args: CephArguments,
    words: readonly string[],
    options: ReadonlyMap<string, OptionValue>,
  ) {
    this.#args = args;
    this.words = words;
    this.#options = options;
  }

  // --- Words and options ------------------------------------------------------------------------

  has(name: string): boolean {
    return this.#options.has(name);
  }

  /** "" if it was not given. */
  text(name: string): string {
    return String(this.#options.get(name) ?? "");
  }

  number(name: string): number | undefined {
    const value = this.#options.get(name);
    return value === undefined ? undefined : Number(value);
  }

  id(name: string): bigint | undefined {
    const value = this.#options.get(name);
    return typeof value === "bigint" ? value : undefined;
  }

  /** The next word; "" if there is none. */
  word(): string {
    const word = this.words[this.#next] ?? "";
    if (word !== "") this.#next++;
    return word;
  }

  /** @throws CommandFailure if there is no next word */
  mustWord(missing: string): string {
    const word = this.word();
    if (word === "") throw invalid(missing);
    return word;
  }

  /** What is left of the words. */
  rest(): string[] {
    return this.words.slice(this.#next);
  }

  /** The file that is read or written. @throws CommandFailure */
  path(): string {
    const path = this.text("path") || this.word();
    if (path === "") throw invalid("path was not specified");
    return path;
  }

  get sparseSize(): number {
    return this.number("sparse-size") ?? DEFAULT_SPARSE_BYTES;
  }

  /** An image, a snapshot or another named thing. @throws CommandFailure */
  spec(options: SpecOptions = {}): Spec {
    const { side = "", keys, start, fromWords = true } = options;
    const check = options.check ?? "none";
    const key = keys ?? { pool: `${side}pool`, name: side === "" ? "image" : "dest" };
    const isImage = key.name === "image" || key.name === "dest";
    const spec: Spec = { pool: "", namespace: "", name: "", snapshot: "", ...start };
    spec.pool = this.text(key.pool) || spec.pool;
    spec.namespace = this.text(`${side}namespace`) || spec.namespace;
    spec.name = this.text(key.name);
    spec.snapshot = this.text(side === "" ? "snap" : "dest-snap") || spec.snapshot;
    // An image's option may say all of it.
    if (isImage && spec.name !== "") readSpec(spec.name, spec, check);
    if (spec.name === "" && fromWords) {
      const word = this.word();
      if (word !== "") readSpec(word, spec, check);
    }
    checkSpec(spec, {
      noun: options.noun ?? "image",
      prefix: side === "" ? "" : "destination ",
      isOptional: options.isOptional ?? false,
      snapshot: options.snapshot ?? "none",
      check,
    });
    return spec;
  }

  /** An image by its name, or by its id. */
  imageOrId(options: SpecOptions = {}): Spec & { readonly id: string } {
    const id = this.text("image-id");
    const spec = this.spec({ ...options, isOptional: id !== "" });
    if (id !== "" && spec.name !== "") {
      throw invalid("trying to access image using both name and id. ");
    }
    return { ...spec, id };
  }

  /** A pool, and a namespace where the verb knows of such. @throws CommandFailure */
  pool(options: { readonly hasNamespace?: boolean } = {}): Spec {
    const { hasNamespace = true } = options;
    const spec: Spec = { pool: "", namespace: "", name: "", snapshot: "" };
    if (hasNamespace) spec.namespace = this.text("namespace");
    if (this.has("pool")) {
      spec.pool = this.text("pool");
    } else {
      const word = this.word();
      const slash = hasNamespace ? word.lastIndexOf("/") : -1;
      spec.pool = slash < 0 ? word : word.slice(0, slash);
      if (slash >= 0) spec.namespace = word.slice(slash + 1);
    }
    if (/[@/]/.test(spec.namespace)) throw invalid(`invalid namespace '${spec.namespace}'`);
    return spec;
  }

  /** How an image is to be made. @throws CommandFailure */
  createOptions(): NewImageOptions {
    if (this.has("mirror-image-mode")) {
      // Passed over it would leave an image that only seems to be mirrored.
      throw new CommandFailure(
        "rbd: --mirror-image-mode is not supported yet: make the image, then rbd mirror image enable IMAGE snapshot",
      );
    }
    const order = this.number("order");
    const objectSize = order === undefined ? this.number("object-size") : 2 ** order;
    const isOld = !this.has("new-format") && this.number("image-format") === 1;
    const features = this.#features();
    if (isOld) {
      this.warn("rbd: image format 1 is deprecated");
      const wants = [
        [this.has("image-feature") && features !== undefined && features.length > 0, "features"],
        [this.has("stripe-unit") || this.has("stripe-count"), "non-default striping"],
        [this.has("data-pool"), "data pool"],
      ] as const;
      for (const [isWanted, what] of wants) {
        if (isWanted) throw invalid(`${what} not allowed with format 1; use --image-format 2`);
      }
    }
    const stripeUnit = this.number("stripe-unit");
    const stripeCount = this.number("stripe-count");
    const dataPool = this.text("data-pool");
    return {
      ...(isOld ? { format: 1 } : {}),
      ...(objectSize === undefined ? {} : { objectSize: 2 ** Math.round(Math.log2(objectSize)) }),
      ...(features === undefined ? {} : { features }),
      ...(stripeUnit === undefined ? {} : { stripeUnit }),
      ...(stripeCount === undefined ? {} : { stripeCount }),
      ...(dataPool === "" ? {} : { dataPool }),
    };
  }

  #features(): string[] | undefined {
    const bits = this.id("image-feature");
    const isShared = this.has("image-shared");
    if (bits === undefined) return isShared ? ["layering", "deep-flatten"] : undefined;
    const names = featureNames(bits);
    return isShared ? names.filter((name) => !SINGLE_CLIENT.includes(name)) : names;
  }

  // --- The cluster ------------------------------------------------------------------------------

  /** @throws CommandFailure */
  async cluster(): Promise<Cluster> {
    this.#cluster ??= connectCluster(this.#args).catch((error: unknown) => {
      if (!(error instanceof ConnectFailure)) throw error;
      const message = `rbd: couldn't connect to the cluster!\nrbd: ${error.message}`;
      throw new CommandFailure(message, Math.abs(error.errno), error);
    });
    return await this.#cluster;
  }

  /** A pool's images, in the namespace that the spec says. @throws CommandFailure */
  async open({ pool, namespace }: Pick<Spec, "pool" | "namespace">): Promise<Rbd> {
    const cluster = await this.cluster();
    const standard = cluster.config.get("rbd_default_pool") || "rbd";
    const name = pool || standard;
    const root = await orFail(Rbd.open(cluster, name), (error) => {
      if (error.code === "ENOENT" && name === standard) {
        return saying(
          `rbd: error opening default pool '${name}'\nEnsure that the default pool has been created or specify an alternate pool name.`,
          error,
        );
      }
      return failed(`rbd: error opening pool '${name}'`, error);
    });
    if (namespace === "") return root;
    const exists = root.namespaceExists(namespace);
    if (!(await orFail(exists, "rbd: error asserting namespace"))) {
      throw new CommandFailure(`rbd: namespace '${namespace}' does not exist.`, ERRNO.ENOENT);
    }
    return await Rbd.open(cluster, name, { namespace });
  }

  /** @throws CommandFailure */
  async openImage(rbd: Rbd, spec: Spec & { id?: string }, mode: Mode): Promise<Image> {
    const { id = "", name, snapshot } = spec;
    const how = {
      readOnly: mode.startsWith("read"),
      limits: mode.endsWith("Data"),
      cache: mode === "cachedData",
    };
    const opened = rbd.open(id === "" ? name : { id }, how);
    const what = id === "" ? name : `with id ${id}`;
    const image = await orFail(opened, `rbd: error opening image ${what}`);
    if (snapshot === "") return image;
    try {
      await orFail(image.setSnapshot(snapshot), "error setting snapshot context");
      return image;
    } catch (error) {
      await image.close();
      throw error;
    }
  }

  /** Opens an image, and closes it again. @param spec with a snapshot: as it was then */
  async withImage<T>(
    spec: Spec & { readonly id?: string },
    mode: Mode,
    work: (image: Image, rbd: Rbd) => Promise<T>,
  ): Promise<T> {
    const rbd = await this.open(spec);
    const image = await this.openImage(rbd, spec, mode);
    try {
      return await work(image, rbd);
    } finally {
      await image.close();
    }
  }

  /**
   * Makes an image. Those of format 1 only for who insists, as librbd has it.
   * @throws CephError
   * ceph: src/librbd/internal.cc create
   */
  async createImage(rbd: Rbd, name: string, size: number, options: NewImageOptions): Promise<void> {
    if (options.format === 1 && process.env["RBD_FORCE_ALLOW_V1"] === undefined) {
      throw new CephError(-ERRNO.EINVAL, { op: "create", target: name });
    }
    await rbd.create(name, size, options);
  }

  /** Where something else is, in the same cluster. */
  async openIo(spec: Spec): Promise<IoCtx> {
    return (await this.open(spec)).io;
  }

  async close(): Promise<void> {
    const cluster = await this.#cluster?.catch(() => undefined);
    await cluster?.close();
  }

  // --- What it prints ---------------------------------------------------------------------------

  /** Runs something long, and shows how far it is. */
  async withProgress<T>(
    operation: string,
    work: (update: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T> {
    const progress = new Progress(operation, !this.has("no-progress"));
    try {
      const result = await work((done, total) => progress.update(done, total));
      progress.finish();
      return result;
    } catch (error) {
      progress.fail();
      throw error;
    }
  }

  /** Whether --format asks for what programs read. @throws CommandFailure */
  get isStructured(): boolean {
    const format = this.text("format") || "plain";
    if (format === "plain" && this.has("pretty-format")) {
      throw invalid("--pretty-format only works when --format is json or xml");
    }
    return format !== "plain";
  }

  /** Says what is wrong with --format before anything is asked. @throws CommandFailure */
  checkFormat(): void {
    void this.isStructured;
  }

  /** Prints what --format asks for. */
  async show(value: () => Json, names: XmlNames, plain: () => string): Promise<void> {
    await this.out.write(this.isStructured ? this.#structured(value(), names) : plain());
    await this.out.flush();
  }

  #structured(value: Json, names: XmlNames): string {
    const format = this.text("format") === "xml" ? "xml" : "json";
    if (this.has("pretty-format")) return renderFormat(value, `${format}-pretty`, names);
    return `${renderFormat(value, format, names)}\n`;
  }

  /** A line on standard error. */
  warn(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /** What went wrong with one of several things, where the others go on. */
  warnOf(what: string, error: unknown): void {
    if (!(error instanceof CephError)) throw error;
    this.warn(`${what}: ${cppStrerror(error.errno)}`);
  }
}
