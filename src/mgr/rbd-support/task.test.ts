import { expect, test } from "vitest";
import { refsMatch, Task, type TaskRefs } from "./task.ts";

const REFS: TaskRefs = {
  action: "remove",
  pool_name: "rbd",
  pool_namespace: "",
  image_name: "a",
  image_id: "1234",
};

test("a task is stored as a real manager stores it, and read again", () => {
  const task = new Task(18, "d9428888-122b-4e5e-8d1e-000000000000", "Removing image rbd/a", REFS);
  expect(task.key).toBe("0000000000000012");
  const text =
    '{"sequence": 18, "id": "d9428888-122b-4e5e-8d1e-000000000000", "message": "Removing image rbd/a", ' +
    '"refs": {"action": "remove", "pool_name": "rbd", "pool_namespace": "", "image_name": "a", "image_id": "1234"}}';
  expect(task.toText()).toBe(text);
  const read = Task.parse(text);
  expect(read).toBeInstanceOf(Task);
  expect((read as Task).toText()).toBe(text);
});

test("while it runs it says how far it is; after a failure, when it is tried again", () => {
  const task = new Task(1, "i", "m", REFS);
  task.isInProgress = true;
  expect(task.toJson()).toMatchObject({ in_progress: true });
  task.isInProgress = false;
  task.retryAttempts = 2;
  task.retryMessage = "[errno 16] RBD image is busy (error removing image)";
  task.retryTime = 0.5;
  expect(task.toJson()).toMatchObject({ retry_attempts: 2, retry_message: task.retryMessage });
  expect(task.toText()).toMatch(/"retry_time": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000500"/);
});

test.each([
  ["no JSON", "{", "Invalid JSON"],
  ["another action", '{"refs": {"action": "explode"}}', "Invalid task action: explode"],
  ["no action", "{}", "Invalid task action"],
  ["nothing", "null", "Invalid task action"],
  ["no sequence", '{"refs": {"action": "remove"}}', "Invalid task format"],
])("what is stored with %s is not taken for a task", (_, text, why) => {
  expect(Task.parse(text)).toEqual(expect.stringContaining(why));
});

test("a question without an image id is about the same image; with another it is not", () => {
  const { image_id: _, ...unnamed } = REFS;
  expect(refsMatch(REFS, REFS)).toBe(true);
  expect(refsMatch(REFS, unnamed)).toBe(true);
  expect(refsMatch(REFS, { ...REFS, image_id: "other" })).toBe(false);
  expect(refsMatch(unnamed, REFS)).toBe(false);
  expect(refsMatch(REFS, { ...REFS, action: "flatten" })).toBe(false);
  expect(refsMatch(REFS, { ...REFS, pool_namespace: "ns" })).toBe(false);
});
