import type { McpObject } from "../backend.ts";
import { isObject } from "../wire/json-rpc.ts";

/** Names of servers have none. */
const separator = "~";
const related = "io.modelcontextprotocol/related-task";

/** A server's task as clients of several servers know it. */
export function publicTask(member: string, taskId: string): string {
  return member + separator + taskId;
}

/** Whose task an id names, and the id there; undefined for one that was not made here. */
export function taskOf(id: string): { readonly member: string; readonly taskId: string } | undefined {
  const at = id.indexOf(separator);
  return at <= 0 ? undefined : { member: id.slice(0, at), taskId: id.slice(at + 1) };
}

/** A result or the params of a notification with the ids of its tasks made public; the same object where it has none. */
export function withPublicTasks(member: string, value: McpObject): McpObject {
  const edits: Record<string, unknown> = {};
  const { taskId, task, tasks, _meta: meta } = value;
  if (typeof taskId === "string") edits["taskId"] = publicTask(member, taskId);
  if (isTask(task)) edits["task"] = renamed(member, task);
  if (Array.isArray(tasks))
    edits["tasks"] = tasks.map((each: unknown) => (isTask(each) ? renamed(member, each) : each));
  const link = isObject(meta) ? meta[related] : undefined;
  if (isObject(meta) && isTask(link)) edits["_meta"] = { ...meta, [related]: renamed(member, link) };
  return Object.keys(edits).length === 0 ? value : { ...value, ...edits };
}

type Task = McpObject & { readonly taskId: string };

function isTask(value: unknown): value is Task {
  return isObject(value) && typeof value["taskId"] === "string";
}

function renamed(member: string, task: Task): Task {
  return { ...task, taskId: publicTask(member, task.taskId) };
}
