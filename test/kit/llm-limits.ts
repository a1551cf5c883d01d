import type { TokenDemand } from "../../src/pipeline/adapter.ts";
import type { PolicyHandlers } from "../../src/pipeline/define-policy.ts";
import type { Exchange, Operation, Usage } from "../../src/pipeline/exchange.ts";
import type { Limiter } from "../../src/pipeline/limiter.ts";
import type { Deny } from "../../src/pipeline/outcome.ts";
import type { ModelPrice } from "../../src/pipeline/price-table.ts";
import type { ExchangeParts } from "./exchange.ts";
import { buildExchange, buildOperation } from "./exchange.ts";
import { textAdapter } from "./text-adapter.ts";

/** What a test says of a call of a model. */
export interface CallParts extends ExchangeParts {
  readonly demand?: Partial<TokenDemand> | undefined;
  readonly prices?: readonly (ModelPrice | undefined)[];
  readonly operation?: Partial<Operation>;
}

/** An exchange with one operation on its way to targets `t0`, `t1`, … at these prices. */
export function buildCall({ demand, prices = [], operation = {}, ...parts }: CallParts = {}) {
  const adapter = {
    ...textAdapter,
    tokenDemand: () => ({ textBytes: 0, mediaTokens: 0, outputCap: undefined, ...demand }),
  };
  const exchange = buildExchange({ adapter, ...parts });
  const targets = prices.map((price, index) => ({
    id: `t${index}`,
    providerName: `t${index}`,
    endpoint: undefined,
    weight: 1,
    model: undefined,
    serves: () => true,
    priceOf: () => price,
  }));
  const { production } = exchange.api.protocol.upstreams;
  const upstream = { ...production, targets };
  const protocol = { upstreams: { production: upstream, sandbox: upstream }, own: undefined };
  return { exchange: { ...exchange, api: { ...exchange.api, protocol } }, operation: buildOperation(operation) };
}

/** What an upstream tells. */
export function usageOf(inputTokens: number, outputTokens: number, more: Partial<Usage> = {}): Usage {
  return { inputTokens, outputTokens, cachedInputTokens: 0, reasoningTokens: 0, source: "actual", ...more };
}

/** Takes what the policy charges, as the runner does, and gives how to end the call; or the refusal. */
export async function admitCall(
  policy: PolicyHandlers,
  limiter: Limiter,
  { exchange, operation }: { readonly exchange: Exchange; readonly operation: Operation },
): Promise<{ end(usage?: Usage, target?: string): Promise<void> } | Deny> {
  const charges = policy.charges?.(exchange, operation) ?? [];
  const taken = await limiter.take(charges);
  if (!taken.allowed) {
    const at = taken.decisions.findIndex(({ allowed }) => !allowed);
    const [charge, decision] = [charges[at], taken.decisions[at]];
    const refusal = charge && decision && policy.refused?.(exchange, operation, charge, decision);
    if (refusal === undefined) throw new Error("a refusal says why");
    return refusal;
  }
  policy.charged?.(exchange, operation, charges, taken.decisions);
  return {
    async end(usage, target = "t0") {
      if (usage !== undefined) exchange.attempts.push(attemptAt(operation, target));
      operation.usage = usage;
      const amounts = policy.settle?.(exchange, operation, answered, charges);
      await limiter.settle(
        taken.reservation,
        charges.map((_charge, index) => amounts?.[index] ?? Number.NaN),
      );
    },
  };
}

const answered = {
  type: "answer",
  answer: {
    status: 200,
    headers: {},
    body: { type: "whole", frame: { bytes: new Uint8Array(), message: () => undefined } },
  },
} as const;

function attemptAt(operation: Operation, target: string): Exchange["attempts"][number] {
  return {
    operationId: operation.id,
    target,
    provider: target,
    model: undefined,
    startedAtMs: 0,
    status: 200,
    errorCode: undefined,
    firstByteMs: 1,
    durationMs: 1,
  };
}
