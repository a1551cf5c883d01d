import type { z } from "zod";
import type { BudgetStanding } from "../core/budget-board.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { ProtocolAdapter } from "./adapter.ts";
import type { Answer, Exchange, Operation, Principal } from "./exchange.ts";
import type { Charge, LimitDecision } from "./limiter.ts";
import type { Deny, Outcome, Respond, StepResult } from "./outcome.ts";
import type { OnError, PluginDescription, PluginTools } from "./plugin.ts";

/** What `identify` found: somebody, a refusal, or nothing that it knows how to read (the next policy may). */
export type Identified = { readonly type: "principal"; readonly principal: Principal } | Deny | undefined;

/**
 * How a policy limits what is used. It calls no limiter: it says what an operation would take, and the runner takes all
 * charges of all policies in one atomic step, when every `admit` handler has let the operation pass.
 */
export interface ChargeHandlers {
  /**
   * What this operation would take under this policy; undefined or nothing where it takes nothing. What it throws is a
   * failure of the policy.
   */
  charges(exchange: Exchange, operation: Operation): readonly Charge[] | undefined;
  /** The refusal for the first charge of this policy that did not fit; a general text (`limit.exceeded`) without it. */
  refused?(exchange: Exchange, operation: Operation, charge: Charge, decision: LimitDecision): Deny;
  /**
   * The operation was admitted under this policy: how the charges that it named stand now, in order. For headers. Not
   * called in monitor mode, nor where the limiter failed and the policy is set to continue.
   */
  charged?(
    exchange: Exchange,
    operation: Operation,
    charges: readonly Charge[],
    decisions: readonly LimitDecision[],
  ): void;
  /**
   * Called once when an operation that was charged has ended, however it ended (`operation.usage` is what is known of
   * it): what each charge really used, in order. Undefined, or no handler, leaves what was reserved. Places of
   * `concurrent` are freed whatever is said. What it throws is logged and leaves what was reserved.
   */
  settle?(
    exchange: Exchange,
    operation: Operation,
    outcome: Outcome,
    charges: readonly Charge[],
  ): readonly number[] | undefined;
  /** What it counts is use, and not that something was asked: what is told of use later is charged here too. */
  readonly countsUse?: boolean;
  /** The counters of one holder, where this policy counts by holders of that kind: for showing how they stand. */
  counters?(per: "key" | "application" | "team", id: string): readonly NamedCounter[];
}

/** A counter that stands for one holder alone. */
export interface NamedCounter {
  readonly measure: BudgetStanding["measure"];
  /** The limit in words. */
  readonly title: string;
  readonly counter: Pick<Charge, "key" | "rule">;
}

/** A limit that stands in no list of policies: an API key's own budget. Always enforced; charged before all others. */
export interface OwnBudget {
  /** Names it in denials and decisions, as a policy's id would. */
  readonly use: string;
  readonly place: string;
  readonly onError: OnError;
  readonly policy: ChargeHandlers;
}

/** An answer from before; or a listener to the one that is got now, before the response step; or nothing to do with it. */
export type Recalled = Respond | { readonly type: "listen"; readonly heard: (answer: Answer) => Answer } | undefined;

/** What a policy does at each step that it takes part in. A step that is absent costs nothing. */
export interface PolicyHandlers extends Partial<ChargeHandlers> {
  /** Sees headers only. */
  identify?(exchange: Exchange): MaybePromise<Identified>;
  /**
   * The challenge for a caller who was refused with this (401, or 403 for want of scopes): a value of
   * `WWW-Authenticate`. Asked of every policy that identifies callers, whichever refused.
   */
  challenge?(exchange: Exchange, refusal: Deny): string | undefined;
  admit?(exchange: Exchange, operation: Operation): MaybePromise<StepResult>;
  request?(exchange: Exchange, operation: Operation): MaybePromise<StepResult>;
  /**
   * Asked when every `request` handler has let the operation pass, before anything is called: whether an answer from
   * before will do. It goes through the response step as the upstream's would.
   */
  recall?(exchange: Exchange, operation: Operation): MaybePromise<Recalled>;
  /** May give another answer in place of the upstream's. */
  response?(exchange: Exchange, operation: Operation, answer: Answer): MaybePromise<StepResult>;
  /** Always runs for an operation that reached `admit`; what it throws is logged and changes nothing. */
  record?(exchange: Exchange, operation: Operation, outcome: Outcome): MaybePromise<void>;
  /** Called once when the snapshot retires. */
  dispose?(): MaybePromise<void>;
}

/** Where a compiled policy stands. */
export interface PolicyPlace {
  /** Names the attachment in counters and decisions: `llm_…/policies[0]`. Equal over restarts and republishing. */
  readonly place: string;
  /** What is decided only counts when it is `enforce`; a policy that asks or waits does neither in `monitor`. */
  readonly mode?: "enforce" | "monitor";
  /** What a failure means; for a policy that works on after its own steps. */
  readonly onError?: OnError;
}

/** A traffic policy. `compile` runs at publish: regexes, schemas and tables are made there and never per request. */
export interface PolicyPlugin<Config extends z.ZodType = z.ZodType> extends PluginDescription<Config> {
  readonly kind: "policy";
  readonly onError: OnError;
  /** It limits how much is used and does nothing else, so that it may stand on teams and applications as well. */
  readonly isLimit?: boolean;
  /** What a protocol must be able to do for it: publish refuses it at an API whose protocol cannot, and it does nothing there. */
  readonly needs?: readonly (keyof ProtocolAdapter)[];
  compile(config: z.output<Config>, tools: PluginTools, place: PolicyPlace): PolicyHandlers;
}

/** Declares a policy; pure. Put it in its own file and in the list of `policies/index.ts`. */
export function definePolicy<Config extends z.ZodType>(
  plugin: Omit<PolicyPlugin<Config>, "kind">,
): PolicyPlugin<Config> {
  return { ...plugin, kind: "policy" };
}
