import type { PolicyHandlers } from "../../src/pipeline/define-policy.ts";
import type { Exchange, Operation } from "../../src/pipeline/exchange.ts";
import type { Deny, Outcome } from "../../src/pipeline/outcome.ts";
import type { LimitGate } from "../../src/pipeline/run-limits.ts";
import { createLimitGate } from "../../src/pipeline/run-limits.ts";
import type { Attachment, CompiledChain } from "../../src/pipeline/snapshot.ts";
import { attach, buildOperation, type TestTools } from "./exchange.ts";

/** A policy as it stands in a chain: enforced, and refusing when it breaks. */
export function attachPolicy(policy: PolicyHandlers, parts: Partial<Attachment> = {}): Attachment {
  const attached = attach({ phases: [], inspect: () => ({ type: "pass" }) }, parts);
  return { ...attached, use: parts.use ?? "test", guardrail: undefined, policy };
}

/** A chain of policies that limit and do nothing else. */
export function limitsChain(...charges: readonly Attachment[]): CompiledChain {
  return { identify: [], admit: [], charges, request: [], recall: [], response: [], record: [] };
}

/** One limiting policy behind a real gate: the refusal of an operation, or undefined; and the end of one. */
export interface LimitOfOne {
  admit(exchange: Exchange, operation?: Operation): Promise<Deny | undefined>;
  settle(exchange: Exchange, operation: Operation, outcome?: Outcome): Promise<void>;
}

/** The policy of these handlers, before the tools' limiter. */
export function limitOfOne(tools: TestTools, handlers: PolicyHandlers, gate: LimitGate = gateOf(tools)): LimitOfOne {
  const chain = limitsChain(attachPolicy(handlers));
  const within = (exchange: Exchange): Exchange => ({ ...exchange, api: { ...exchange.api, chain } });
  return {
    async admit(exchange, operation = buildOperation()) {
      const outcome = await gate.admit(within(exchange), operation);
      return outcome?.type === "denied" ? outcome.deny : undefined;
    },
    settle: async (exchange, operation, outcome = answered) => gate.settle(within(exchange), operation, outcome),
  };
}

/** A gate before the tools' limiter. */
export function gateOf({ limiter, clock, log }: TestTools): LimitGate {
  return createLimitGate({ limiter, clock, log });
}

/** An end like any other. */
export const answered: Outcome = {
  type: "answer",
  answer: {
    status: 200,
    headers: {},
    body: { type: "whole", frame: { bytes: Buffer.alloc(0), message: () => undefined } },
  },
};
