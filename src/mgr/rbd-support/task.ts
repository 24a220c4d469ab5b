/**
 * One background task on an image: what it is to do, and how it goes.
 * ceph: src/pybind/mgr/rbd_support/task.py class Task
 */

import { PyFloat, type PyJson, pythonJson } from "../../base/index.ts";
import { localIso } from "./local-time.ts";

/** What a task does to its image, as `refs` names it. */
export const TASK_ACTIONS = [
  "flatten",
  "remove",
  "trash remove",
  "migrate execute",
  "migrate commit",
  "migrate abort",
] as const;
export type TaskAction = (typeof TASK_ACTIONS)[number];

/** What a task is about. Texts, not byte strings: they are JSON on the disk and in answers. */
export interface TaskRefs {
  readonly action: TaskAction;
  readonly pool_name: string;
  readonly pool_namespace: string;
  readonly image_name?: string;
  readonly image_id?: string;
}

export class Task {
  readonly sequence: number;
  readonly id: string;
  readonly message: string;
  readonly refs: TaskRefs;
  retryMessage: string | undefined;
  retryAttempts = 0;
  /** Milliseconds since 1970. */
  retryTime: number | undefined;
  isInProgress = false;
  /** Zero to one. */
  progress = 0;
  isCanceled = false;
  /** Why it failed, if it has. */
  failure: string | undefined;
  isProgressPosted = false;

  constructor(sequence: number, id: string, message: string, refs: TaskRefs) {
    this.sequence = sequence;
    this.id = id;
    this.message = message;
    this.refs = refs;
  }

  /** Key in the pool's rbd_task. */
  get key(): string {
    return this.sequence.toString(16).toUpperCase().padStart(16, "0");
  }

  cancel(): void {
    this.isCanceled = true;
    this.failure = "Operation canceled";
  }

  toJson(): PyJson {
    return {
      sequence: this.sequence,
      id: this.id,
      message: this.message,
      refs: { ...this.refs },
      ...(this.retryMessage === undefined ? {} : { retry_message: this.retryMessage }),
      ...(this.retryAttempts === 0 ? {} : { retry_attempts: this.retryAttempts }),
      ...(this.retryTime === undefined ? {} : { retry_time: localIso(this.retryTime) }),
      ...(this.isInProgress ? { in_progress: true, progress: new PyFloat(this.progress) } : {}),
      ...(this.isCanceled ? { canceled: true } : {}),
    };
  }

  /** On one line, as it is stored and as `task add` answers. */
  toText(): string {
    return pythonJson(this.toJson());
  }

  /** Reads what is stored; a text says what is wrong with it. */
  static parse(text: string): Task | string {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return `Invalid JSON (${(error as Error).message})`;
    }
    const { sequence, id, message, refs } = (value ?? {}) as Record<string, unknown>;
    const action = ((refs ?? {}) as Record<string, unknown>)["action"];
    if (!TASK_ACTIONS.includes(action as TaskAction)) {
      return `Invalid task action: ${String(action)}`;
    }
    const isComplete =
      typeof sequence === "number" && typeof id === "string" && typeof message === "string";
    return isComplete ? new Task(sequence, id, message, refs as TaskRefs) : "Invalid task format";
  }
}

/** About the same? A stored image id does not count where the question has none. */
export function refsMatch(refs: TaskRefs, wanted: TaskRefs): boolean {
  return (
    refs.action === wanted.action &&
    refs.pool_name === wanted.pool_name &&
    refs.pool_namespace === wanted.pool_namespace &&
    refs.image_name === wanted.image_name &&
    (wanted.image_id === undefined || refs.image_id === wanted.image_id)
  );
}
