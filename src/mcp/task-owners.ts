import { LRUCache } from "lru-cache";
import { entryLimit } from "../kernel/entry-limit.ts";

/** Who started a task, and with which tool. */
interface Task {
  readonly owner: string;
  readonly tool: string;
}

/**
 * Whose tasks are whose: the server knows the gateway only, and would tell anybody of any task. Tasks that this process
 * has not seen begin are `unknown`.
 */
export interface TaskOwners {
  /** `owner` has started a task by calling `tool` at that API. */
  began(apiId: string, taskId: string, owner: string, tool: string): void;
  /** Whether the task is the owner's; `mayCall` is what the caller may call now, everything where it is undefined. */
  reach(
    apiId: string,
    taskId: string,
    owner: string,
    mayCall: ((tool: string) => boolean) | undefined,
  ): "own" | "hidden" | "unknown";
}

const maxTasks = 100_000;
const maxIdLength = 512;

/** Remembers the 100,000 tasks that began or were asked for last. Ids of more than 512 characters stay unknown. */
export function createTaskOwners(): TaskOwners {
  const tasks = new LRUCache<string, Task>(entryLimit(maxTasks));
  return {
    began(apiId, taskId, owner, tool) {
      if (taskId.length <= maxIdLength) tasks.set(`${apiId} ${taskId}`, { owner, tool });
    },
    reach(apiId, taskId, owner, mayCall) {
      const task = tasks.get(`${apiId} ${taskId}`);
      if (task === undefined) return "unknown";
      return task.owner === owner && (mayCall === undefined || mayCall(task.tool)) ? "own" : "hidden";
    },
  };
}
