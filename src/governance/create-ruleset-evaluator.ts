import type { Clock } from "../kernel/clock.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { findFaultyRules } from "./find-faulty-rules.ts";
import type { EvaluateRequest, Evaluation, RulesetEvaluator } from "./ruleset-evaluator.ts";
import type { RulesetIssue } from "./spectral/child-messages.ts";
import type { ChildOutcome, SpectralChild } from "./spectral-child.ts";

export interface RulesetEvaluatorParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Makes a process; one is kept, another is made while a rule is looked for that does not end. */
  startChild(): SpectralChild;
  /** Requests that may wait. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly request: EvaluateRequest;
  resolve(evaluation: Promise<Evaluation>): void;
  reject(error: unknown): void;
}

/**
 * One process that holds documents against rulesets, one after another, with a queue before it: urgent requests first,
 * each kind in its order. A process that ends by itself is started again and asked once more, so that its end loses
 * nothing. A rule that does not end is looked for in a process of its own, and nobody waits for that but who asked.
 */
export function createRulesetEvaluator(parts: RulesetEvaluatorParts): RulesetEvaluator {
  const { startChild, maxWaiting = 10_000 } = parts;
  const child = startChild();
  const queue: { urgent: Waiting[]; later: Waiting[] } = { urgent: [], later: [] };
  const looking = new Set<SpectralChild>();
  let isBusy = false;
  let isDisposed = false;

  const evaluate = async (
    request: EvaluateRequest,
  ): Promise<{ readonly outcome: ChildOutcome; readonly timeoutMs: number }> => {
    const { bundle, document, timeoutMs = usualTimeoutMs } = request;
    let outcome = await child.ask({ bundle, document }, timeoutMs);
    if (outcome.type === "lost" && !isDisposed) {
      parts.log.warn({ reason: outcome.reason }, "the process for rulesets has ended, and is started again");
      outcome = await child.ask({ bundle, document }, timeoutMs);
    }
    return { outcome, timeoutMs };
  };

  const work = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    for (
      let next = queue.urgent.shift() ?? queue.later.shift();
      next !== undefined;
      next = queue.urgent.shift() ?? queue.later.shift()
    ) {
      const { request } = next;
      if (request.signal?.aborted === true) {
        next.reject(request.signal.reason);
        continue;
      }
      const { outcome } = await evaluate(request);
      next.resolve(settle(outcome, request));
    }
    isBusy = false;
  };

  const settle = async (outcome: ChildOutcome, request: EvaluateRequest): Promise<Evaluation> => {
    switch (outcome.type) {
      case "done":
        return { findings: outcome.findings, rules: outcome.rules, faults: [] };
      case "invalid":
        throw invalidRuleset(request.bundle.name, outcome.issues);
      case "failed":
      case "cut-off": {
        const own = startChild();
        looking.add(own);
        try {
          return await findFaultyRules(request, own);
        } finally {
          looking.delete(own);
          await own[Symbol.asyncDispose]();
        }
      }
      case "lost":
        throw unavailable(outcome.reason);
    }
  };

  return {
    evaluate(request) {
      if (isDisposed) return Promise.reject(unavailable("it is being stopped"));
      if (queue.urgent.length + queue.later.length >= maxWaiting)
        return Promise.reject(unavailable("too much waits already"));
      const { promise, resolve, reject } = Promise.withResolvers<Evaluation>();
      (request.isUrgent === true ? queue.urgent : queue.later).push({ request, resolve, reject });
      void work();
      return promise;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      for (const { reject } of [...queue.urgent.splice(0), ...queue.later.splice(0)])
        reject(unavailable("it is being stopped"));
      await Promise.all([child, ...looking].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

const usualTimeoutMs = 20_000;

/** A ruleset that is none, with its faults by their place in it. */
export function invalidRuleset(name: string, issues: readonly RulesetIssue[]): GatewayError {
  const told = issues.map(({ path, message }): FieldIssue => ({ path: path.join("."), message }));
  const [first] = told;
  const what = first === undefined ? "" : ` ${first.path}: ${first.message}.`;
  return new GatewayError("resource.invalid", `The ruleset ${name} is not valid.${what}`, { issues: told });
}

function unavailable(detail: string): GatewayError {
  return new GatewayError("governance.unavailable", "Rulesets cannot be evaluated now.", { detail });
}
