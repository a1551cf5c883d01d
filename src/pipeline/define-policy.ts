import type { z } from "zod";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Answer, Exchange, Operation, Principal } from "./exchange.ts";
import type { Deny, Outcome, StepResult } from "./outcome.ts";
import type { OnError, PluginDescription, PluginTools } from "./plugin.ts";

/** What `identify` found: somebody, a refusal, or nothing that it knows how to read (the next policy may). */
export type Identified = { readonly type: "principal"; readonly principal: Principal } | Deny | undefined;

/** What a policy does at each step that it takes part in. A step that is absent costs nothing. */
export interface PolicyHandlers {
  /** Sees headers only. */
  identify?(exchange: Exchange): MaybePromise<Identified>;
  /**
   * The challenge for a caller who was refused with this (401, or 403 for want of scopes): a value of
   * `WWW-Authenticate`. Asked of every policy that identifies callers, whichever refused.
   */
  challenge?(exchange: Exchange, refusal: Deny): string | undefined;
  admit?(exchange: Exchange, operation: Operation): MaybePromise<StepResult>;
  request?(exchange: Exchange, operation: Operation): MaybePromise<StepResult>;
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
}

/** A traffic policy. `compile` runs at publish: regexes, schemas and tables are made there and never per request. */
export interface PolicyPlugin<Config extends z.ZodType = z.ZodType> extends PluginDescription<Config> {
  readonly kind: "policy";
  readonly onError: OnError;
  /** It limits how much is used and does nothing else, so that it may stand on teams and applications as well. */
  readonly isLimit?: boolean;
  compile(config: z.output<Config>, tools: PluginTools, place: PolicyPlace): PolicyHandlers;
}

/** Declares a policy; pure. Put it in its own file and in the list of `policies/index.ts`. */
export function definePolicy<Config extends z.ZodType>(
  plugin: Omit<PolicyPlugin<Config>, "kind">,
): PolicyPlugin<Config> {
  return { ...plugin, kind: "policy" };
}
