import type { Clock } from "../../kernel/clock.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { AffinityOwner, AffinityStore } from "../../pipeline/affinity-store.ts";
import type { Exchange, LaterUsage, Operation, Usage } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { upstreamDialects } from "../../routing/dialects/index.ts";
import { llmRequest } from "./llm-request.ts";

// A response that was begun with `background: true` is answered before it is made, or its stream is left: what it took is
// told to whoever retrieves it. Until then its caller has been charged an estimate, and the store remembers how much.

/** Ends of a response: what it tells of usage stays so. */
const ends: ReadonlySet<unknown> = new Set(["completed", "incomplete", "cancelled", "failed"]);

/**
 * Notes that an answer, or an event of its stream, is of a response that goes on without its client.
 * @param key under which the store knows the response
 */
export function noteOwed(operation: Operation, key: string, owner: AffinityOwner, message: unknown): void {
  if (responseIn(message)?.["background"] === true) llmRequest(operation).owed = { key: owedKey(key), owner };
}

/** Remembers, once the answer is over, that its caller was charged by estimate. Does nothing for all other operations. */
export function keepOwed(operation: Operation | undefined, store: AffinityStore | undefined): void {
  if (operation === undefined || store === undefined) return;
  const { owed } = llmRequest(operation);
  if (owed === undefined || operation.usage?.source !== "estimated") return;
  const { inputTokens, outputTokens } = operation.usage;
  store.put(owed.key, { ...owed.owner, charged: { inputTokens, outputTokens } });
}

/**
 * What a retrieved answer, or an event of its stream, tells of use that its caller has not been charged for yet; undefined
 * where it tells of none.
 * @param key under which the store knows the response
 */
export function claimOwed(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  message: unknown,
  { key, store, clock }: { readonly key: string; readonly store: AffinityStore; readonly clock: Clock },
): MaybePromise<LaterUsage | undefined> | undefined {
  const response = responseIn(message);
  if (response?.["background"] !== true || !ends.has(response["status"])) return undefined;
  const told = upstreamDialects["openai-responses"].usage(response);
  if (told === undefined) return undefined;
  const startedAtMs = clock.now();
  const settle = (owner: AffinityOwner | undefined): LaterUsage | undefined =>
    owner?.charged && {
      usage: beyond(told, owner.charged),
      attempt: {
        operationId: operation.id,
        target: target.id,
        provider: target.providerName,
        model: target.model ?? operation.name,
        startedAtMs,
        status: 200,
        errorCode: undefined,
        firstByteMs: undefined,
        durationMs: clock.monotonic() - exchange.startedMonotonicMs,
      },
    };
  const claimed = store.claim(owedKey(key));
  return claimed instanceof Promise ? claimed.then(settle) : settle(claimed);
}

/** What stays to be charged. An estimate of the prompt that was too high stays: nothing is ever paid back. */
function beyond(told: Usage, charged: NonNullable<AffinityOwner["charged"]>): Usage {
  const inputTokens = Math.max(0, told.inputTokens - charged.inputTokens);
  const outputTokens = Math.max(0, told.outputTokens - charged.outputTokens);
  return {
    ...told,
    inputTokens,
    outputTokens,
    cachedInputTokens: Math.min(told.cachedInputTokens, inputTokens),
    reasoningTokens: Math.min(told.reasoningTokens, outputTokens),
  };
}

function owedKey(key: string): string {
  return `${key}/owed`;
}

function responseIn(message: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isObject(message)) return undefined;
  const response = isObject(message["response"]) ? message["response"] : message;
  return response["object"] === "response" ? response : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
