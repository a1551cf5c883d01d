import type { JsonRpcNotification, JsonRpcRequest } from "./json-rpc.ts";
import { isObject } from "./json-rpc.ts";

/** What a client's message is done to. */
export interface MessageTarget {
  readonly type: "tool" | "prompt" | "resource" | undefined;
  /** Names of tools and prompts, URIs of resources. A caller must be permitted every one of them. */
  readonly names: readonly string[];
}

/** A message that does not say what it is done to, though its method asks for it. */
export interface TargetFault {
  readonly fault: string;
}

/**
 * The target by the member that the server will read for that method, and by no other: a message may carry further
 * members of the like, and permission for one of those would be permission for nothing that happens. A method that is
 * not known here is taken to act on whatever it names.
 */
export function messageTarget({ method, params }: JsonRpcRequest | JsonRpcNotification): MessageTarget | TargetFault {
  const by = targets.get(method);
  // The stateless era has none of these, and a server must be let say so: without an address they act on nothing.
  if (isSubscription(method) && params["uri"] === undefined) return nothing;
  if (by !== undefined) return named(by.type, params, by.member, `params.${by.member}`);
  if (method === "completion/complete") return completionTarget(params["ref"]);
  if (method === "subscriptions/listen") return subscriptionTarget(params);
  if (targetless.has(method) || method.startsWith("notifications/") || method.startsWith("tasks/")) return nothing;
  return { type: undefined, names: [params["name"], params["uri"]].filter((name) => typeof name === "string") };
}

/** Methods of the protocol. Any other name is the sender's invention, of which there may be any number. */
export function isKnownMethod(method: string): boolean {
  return targets.has(method) || targetless.has(method) || others.has(method);
}

function isSubscription(method: string): boolean {
  return method === "resources/subscribe" || method === "resources/unsubscribe";
}

const targets: ReadonlyMap<string, { readonly type: "tool" | "prompt" | "resource"; readonly member: "name" | "uri" }> =
  new Map([
    ["tools/call", { type: "tool", member: "name" }],
    ["prompts/get", { type: "prompt", member: "name" }],
    ["resources/read", { type: "resource", member: "uri" }],
    ["resources/directory/read", { type: "resource", member: "uri" }],
    ["resources/subscribe", { type: "resource", member: "uri" }],
    ["resources/unsubscribe", { type: "resource", member: "uri" }],
  ]);

const targetless: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "server/discover",
  "logging/setLevel",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "roots/list",
  "sampling/createMessage",
  "elicitation/create",
]);

const others: ReadonlySet<string> = new Set([
  "completion/complete",
  "subscriptions/listen",
  "tasks/get",
  "tasks/update",
  "tasks/cancel",
  "tasks/list",
  "tasks/result",
  "notifications/cancelled",
  "notifications/elicitation/complete",
  "notifications/initialized",
  "notifications/message",
  "notifications/progress",
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
  "notifications/resources/updated",
  "notifications/roots/list_changed",
  "notifications/subscriptions/acknowledged",
  "notifications/tasks/status",
  "notifications/tools/list_changed",
]);

const nothing: MessageTarget = { type: undefined, names: [] };

function named(
  type: MessageTarget["type"],
  owner: Readonly<Record<string, unknown>>,
  member: string,
  place: string,
): MessageTarget | TargetFault {
  const name = owner[member];
  if (typeof name === "string" && name !== "") return { type, names: [name] };
  return { fault: `\`${place}\` must be a non-empty string` };
}

function completionTarget(ref: unknown): MessageTarget | TargetFault {
  if (!isObject(ref)) return { fault: "`params.ref` must be an object" };
  if (ref["type"] === "ref/prompt") return named("prompt", ref, "name", "params.ref.name");
  if (ref["type"] === "ref/resource") return named("resource", ref, "uri", "params.ref.uri");
  return { fault: "`params.ref.type` must be ref/prompt or ref/resource" };
}

// The filter stands in `notifications`; what reads it from `params` itself is judged alike.
function subscriptionTarget(params: Readonly<Record<string, unknown>>): MessageTarget | TargetFault {
  const filter = params["notifications"];
  const lists = [params["resourceSubscriptions"], isObject(filter) ? filter["resourceSubscriptions"] : undefined];
  const uris: unknown[] = lists.flatMap((list: unknown) => list ?? []);
  if (!uris.every((uri) => typeof uri === "string" && uri !== "")) {
    return { fault: "`resourceSubscriptions` must be a list of URIs" };
  }
  return { type: "resource", names: uris as string[] }; // just looked at
}
