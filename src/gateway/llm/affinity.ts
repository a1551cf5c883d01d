import { hash } from "node:crypto";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { TargetBinding } from "../../pipeline/adapter.ts";
import type { AffinityOwner, AffinityStore } from "../../pipeline/affinity-store.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { endpointOf } from "./compile-llm.ts";
import type { LlmAffinity } from "./llm-request.ts";
import { llmRequest } from "./llm-request.ts";
import { noteOwed } from "./owed-usage.ts";

type Scope = Pick<Exchange, "api" | "principal" | "inbound">;

/** Names the caller that something was made for; another one's is not there for it. */
export function callerOf({ principal }: Pick<Exchange, "principal">): string {
  return principal?.keyId ?? principal?.caller ?? "anonymous";
}

/** The key of what a provider calls by an id: a response, a conversation. */
export function stateKey({ api, principal }: Scope, id: string): string {
  return `${api.id}/${principal?.environment ?? "production"}/state/${id.length > 200 ? digest(id) : id}`;
}

// By caller, so that nobody can find out what others have sent, or steer it.
function ownKey(scope: Scope, kind: "sealed" | "cached", text: string): string {
  return `${scope.api.id}/${scope.principal?.environment ?? "production"}/${kind}/${digest(`${callerOf(scope)}\n${text}`)}`;
}

function digest(text: string): string {
  return hash("sha256", text, "base64url");
}

/** Looks for what the request refers to; a refusal where that is another caller's. Undefined for most requests. */
export function findAffinity(
  exchange: Exchange,
  json: Readonly<Record<string, unknown>>,
  store: AffinityStore,
): MaybePromise<LlmAffinity | Deny | undefined> {
  const stateId = stateIdOf(json);
  const sealed = lastSealed(json["input"]);
  const cacheKey = json["prompt_cache_key"];
  const hasCacheKey = typeof cacheKey === "string" && cacheKey !== "";
  if (stateId === undefined && sealed === undefined && !hasCacheKey) return undefined;
  const found = [
    stateId === undefined ? undefined : store.find(stateKey(exchange, stateId.id)),
    sealed === undefined ? undefined : store.find(ownKey(exchange, "sealed", sealed)),
    hasCacheKey ? store.find(ownKey(exchange, "cached", cacheKey)) : undefined,
  ] as const;
  const settle = (owners: readonly (AffinityOwner | undefined)[]): LlmAffinity | Deny => {
    const [state, seal, cached] = owners;
    if (stateId !== undefined && state !== undefined && state.caller !== callerOf(exchange))
      return notKept(stateId.id, stateId.param);
    return {
      ...(stateId === undefined ? {} : { state: state ?? "unknown" }),
      ...(seal === undefined ? {} : { sealed: seal }),
      ...(cached === undefined ? {} : { cached }),
    };
  };
  const waits = found.some((each) => each instanceof Promise);
  return waits
    ? Promise.all(found.map(async (each) => each)).then(settle)
    : settle(found as readonly (AffinityOwner | undefined)[]); // none is a promise
}

/** The refusal of a response that is not there for this caller: one text for never made, another's and forgotten. */
export function notKept(id: string, param?: string): Deny {
  const message = `There is no response or conversation \`${id.slice(0, 100)}\`. Its provider may keep none, or it may be too old.`;
  return deny("resource.not_found", message, param === undefined ? {} : { param });
}

/** Where an operation has to go, and where it had better go. */
export function bindingOf(operation: Operation): TargetBinding | undefined {
  const { affinity, dialect, passThrough } = llmRequest(operation);
  if (passThrough !== undefined) return passThroughBinding(passThrough.owner);
  if (affinity === undefined) return undefined;
  const { state, sealed, cached } = affinity;
  const hard = state === "unknown" ? sealed : (state ?? sealed);
  return {
    prefers: hard?.target ?? cached?.target,
    permits(target, all) {
      // Where nobody keeps state, the provider's own dialect says what it cannot carry.
      if (state !== undefined && all.some(keepsState)) {
        if (!keepsState(target)) return false;
        if (state !== "unknown") return isOf(state, target, all);
      }
      return sealed === undefined || dialect !== "openai-responses" || isOf(sealed, target, all);
    },
  };
}

/** Only who has such endpoints; what was made before is known to the account that made it. */
function passThroughBinding(owner: AffinityOwner | undefined): TargetBinding {
  return {
    prefers: owner?.target,
    permits: (target, all) =>
      endpointOf(target).provider.passThrough !== undefined && (owner === undefined || isOf(owner, target, all)),
  };
}

// The target itself; where it is no longer there, another one with the same credential. With none left, nobody can.
function isOf(owner: AffinityOwner, target: CompiledTarget, all: readonly CompiledTarget[]): boolean {
  if (all.some(({ id }) => id === owner.target)) return target.id === owner.target;
  return target.providerName === owner.provider;
}

function keepsState(target: CompiledTarget): boolean {
  return endpointOf(target).provider.dialects?.includes("openai-responses") === true;
}

/** Events that tell something new; a whole answer has no type. */
const telling: ReadonlySet<unknown> = new Set([undefined, "response.created", "response.output_item.done"]);

/** Remembers who made what an answer, or an event of its stream, tells of. */
export function noteMade(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  message: unknown,
  store: AffinityStore,
): void {
  if (!isObject(message) || !telling.has(message["type"])) return;
  const owner = ownerOf(exchange, operation, target);
  const response = isObject(message["response"]) ? message["response"] : message;
  if (typeof response["id"] === "string" && response["object"] === "response") {
    store.put(stateKey(exchange, response["id"]), owner);
    noteOwed(operation, stateKey(exchange, response["id"]), owner, response);
    const conversation = idOf(response["conversation"]);
    if (conversation !== undefined) store.put(stateKey(exchange, conversation), owner);
  }
  const items = Array.isArray(response["output"]) ? response["output"] : [message["item"]];
  const sealed = lastSealed(items);
  if (sealed !== undefined) store.put(ownKey(exchange, "sealed", sealed), owner);
}

/** Remembers where a prompt's beginning is in a cache now. */
export function noteCached(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  store: AffinityStore,
): void {
  const { json, affinity } = llmRequest(operation);
  const key = json["prompt_cache_key"];
  if (typeof key !== "string" || key === "" || affinity?.cached?.target === target.id) return;
  store.put(ownKey(exchange, "cached", key), ownerOf(exchange, operation, target));
}

function ownerOf(exchange: Exchange, operation: Operation, target: CompiledTarget): AffinityOwner {
  return {
    target: target.id,
    provider: target.providerName,
    caller: callerOf(exchange),
    model: operation.name,
  };
}

function stateIdOf(
  json: Readonly<Record<string, unknown>>,
): { readonly id: string; readonly param: string } | undefined {
  for (const param of ["previous_response_id", "conversation"]) {
    const id = idOf(json[param]);
    if (id !== undefined) return { id, param };
  }
  return undefined;
}

function idOf(value: unknown): string | undefined {
  const id = isObject(value) ? value["id"] : value;
  return typeof id === "string" && id !== "" ? id : undefined;
}

/** The last encrypted reasoning of a list of items: of a conversation that moved, the newest tells where it is. */
function lastSealed(items: unknown): string | undefined {
  if (!Array.isArray(items)) return undefined;
  for (const item of items.toReversed() as readonly unknown[]) {
    if (!isObject(item) || item["type"] !== "reasoning") continue;
    const content = item["encrypted_content"];
    if (typeof content === "string" && content !== "") return content;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
