import type { TaskOwners } from "../../mcp/task-owners.ts";
import type { JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { listRights } from "./authorize-mcp.ts";
import { mcpRequest } from "./mcp-request.ts";

/**
 * The refusal of a message about a task that is not this caller's, or was started by a tool that it may not call: the
 * same as of one that is not there. A key that may call some tools only reaches no task that this gateway has not seen
 * begin, for nobody knows which tool that was.
 */
export function refuseTask(exchange: Exchange, operation: Operation, tasks: TaskOwners): Deny | undefined {
  const hidden = namedTasks(operation).find((id) => !mayReachTask(exchange, id, tasks));
  return hidden === undefined ? undefined : deny("request.not_offered", `Task ${hidden} not found`);
}

/** Whether the task is this caller's, as far as is known. */
export function mayReachTask(exchange: Exchange, taskId: string, tasks: TaskOwners): boolean {
  const mayUse = listRights(exchange);
  const mayCall = mayUse && ((tool: string) => mayUse("tool", tool));
  const reach = tasks.reach(exchange.api.id, taskId, taskOwner(exchange), mayCall);
  return reach === "own" || (reach === "unknown" && mayCall === undefined);
}

/** A call's answer has named the task that it started. */
export function noteTask(exchange: Exchange, operation: Operation, tasks: TaskOwners): void {
  const { taskId } = mcpRequest(operation).seen;
  if (taskId === undefined || operation.kind !== "tools/call") return;
  tasks.began(exchange.api.id, taskId, taskOwner(exchange), operation.name);
}

// Of an application all keys are its own: a task outlives the change of a key. A token may speak for one user of many.
function taskOwner({ principal }: Exchange): string {
  const { environment = "production", applicationId, keyId, caller, type = "anonymous" } = principal ?? {};
  return `${environment} ${caller ?? applicationId ?? keyId ?? type}`;
}

function namedTasks(operation: Operation): readonly string[] {
  const { kind } = operation;
  if (!kind.startsWith("tasks/") && kind !== "subscriptions/listen") return [];
  const { message } = mcpRequest(operation);
  const params = paramsOf(message);
  const filter = params["notifications"];
  const lists = [params["taskId"], params["taskIds"], isObject(filter) ? filter["taskIds"] : undefined];
  return lists.flat().filter((id) => typeof id === "string");
}

function paramsOf(message: JsonRpcMessage | undefined): Readonly<Record<string, unknown>> {
  return message === undefined || message.type === "response" ? {} : message.params;
}
