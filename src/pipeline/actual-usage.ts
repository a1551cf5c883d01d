import type { Exchange, Operation, Usage } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import type { ModelPrice } from "./price-table.ts";
import type { CompiledTarget } from "./target.ts";

/** Tokens that an operation is to be billed for. */
export type BilledUsage = Omit<Usage, "source">;

/** More than any model reads and writes at once: an upstream that tells of more is not believed. */
const mostTokens = 50_000_000;

const nothing: BilledUsage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0 };

/** Faults under which the upstream may have been at work, so that it bills what it has read. */
const atWork: ReadonlySet<string> = new Set(["client.closed", "exchange.deadline", "upstream.timeout"]);

/**
 * What an operation has used, when it is over: what the upstream said or what was estimated from what was sent; the
 * expected prompt where the upstream was at work and nobody heard how far it got; nothing where nothing went upstream or
 * it refused. Undefined when what was said cannot be true, so that the reservation stands.
 */
export function billedUsage(
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  expectedPrompt: number,
): BilledUsage | undefined {
  const { usage } = operation;
  if (usage !== undefined) return isBelievable(usage) ? usage : undefined;
  const wasSent = exchange.attempts.some(({ operationId }) => operationId === operation.id);
  if (!wasSent || outcome.type !== "failed" || !atWork.has(outcome.error.code)) return nothing;
  return { ...nothing, inputTokens: expectedPrompt };
}

function isBelievable({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens }: Usage): boolean {
  return [inputTokens, outputTokens, cachedInputTokens, reasoningTokens].every(
    (count) => Number.isSafeInteger(count) && count >= 0 && count <= mostTokens,
  );
}

/** Prices of all targets that may serve the operation; undefined for one that has none. */
export function possiblePrices(exchange: Exchange, operation: Operation): readonly (ModelPrice | undefined)[] {
  return targetsOf(exchange)
    .filter((target) => target.serves(operation.name))
    .map((target) => priceAt(target, operation));
}

/** The price at the target that has served the operation, or that was tried last. */
export function priceThere(exchange: Exchange, operation: Operation): ModelPrice | undefined {
  const attempt = exchange.attempts.findLast(({ operationId }) => operationId === operation.id);
  const target = attempt && targetsOf(exchange).find(({ id }) => id === attempt.target);
  return target && priceAt(target, operation);
}

function priceAt(target: CompiledTarget, operation: Operation): ModelPrice | undefined {
  return target.priceOf?.(target.model ?? operation.name);
}

function targetsOf({ api, principal }: Exchange): readonly CompiledTarget[] {
  return api.protocol.upstreams[principal?.environment ?? "production"].targets;
}
