import type { AttemptRecord } from "./event.ts";
import type { Exchange, Operation, Usage } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import type { ModelPrice } from "./price-table.ts";
import type { CompiledTarget } from "./target.ts";

/** What one try of an operation has used, and what models cost where it was made. */
export interface TryUse {
  readonly attempt: AttemptRecord;
  /** `nothing` where the try is not billed; undefined where what was told cannot be true, or nothing is. */
  readonly usage: Usage | "nothing" | undefined;
  readonly price: ModelPrice | undefined;
  /** Whether tokens cost anything there at all. */
  readonly hasPrices: boolean;
}

/** More than any model reads and writes at once: an upstream that tells of more is not believed. */
const mostTokens = 50_000_000;

/** Faults under which the upstream may have been at work, so that it bills what it has read. */
const atWork: ReadonlySet<string> = new Set(["client.closed", "exchange.deadline", "upstream.timeout"]);

/**
 * What each try of an operation has used, when it is over: what the upstream said or what was estimated from what was
 * sent; the expected prompt where the upstream was at work and nobody heard how far it got, be it that another try
 * answered; nothing where it refused.
 */
export function triesOf(
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  expectedPrompt: number,
): readonly TryUse[] {
  const own = exchange.attempts.filter(({ operationId }) => operationId === operation.id);
  return own.map((attempt, index): TryUse => {
    const isLast = index === own.length - 1;
    const target = targetsOf(exchange).find(({ id }) => id === attempt.target);
    const fault = attempt.errorCode ?? (isLast && outcome.type === "failed" ? outcome.error.code : undefined);
    const told = isLast ? operation.usage : attempt.usage;
    return {
      attempt,
      usage:
        told !== undefined
          ? believed(told)
          : isLast && operation.isUnmetered === true
            ? undefined
            : unheard(fault, expectedPrompt),
      price: target && priceAt(target, operation),
      hasPrices: target?.priceOf !== undefined,
    };
  });
}

function unheard(fault: string | undefined, inputTokens: number): Usage | "nothing" {
  if (fault === undefined || !atWork.has(fault)) return "nothing";
  return { inputTokens, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0, source: "estimated" };
}

function believed(usage: Usage): Usage | undefined {
  for (const name in usage) {
    if (name === "source" || name === "serviceTier") continue;
    const count = usage[name as Exclude<keyof Usage, "source" | "serviceTier">]; // its own keys, and those are counts
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0 && count <= mostTokens)) return undefined;
  }
  return usage;
}

/** Prices of all targets that may serve the operation; undefined for one that has none. */
export function possiblePrices(exchange: Exchange, operation: Operation): readonly (ModelPrice | undefined)[] {
  return targetsOf(exchange)
    .filter((target) => target.serves(operation.name))
    .map((target) => priceAt(target, operation));
}

function priceAt(target: CompiledTarget, operation: Operation): ModelPrice | undefined {
  return target.priceOf?.(target.model ?? operation.name);
}

function targetsOf({ api, principal }: Exchange): readonly CompiledTarget[] {
  return api.protocol.upstreams[principal?.environment ?? "production"].targets;
}
