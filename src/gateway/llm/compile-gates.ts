import type { ModelFacts } from "../../core/model-facts.ts";
import { globMatcher } from "../../kernel/glob.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { FactsOf } from "../../pipeline/model-table.ts";
import type { GateName } from "../../pipeline/route-decision.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { requestNeeds } from "./request-needs.ts";

export interface GateInput {
  /** The model that the target asks for; undefined where that is the client's. */
  readonly model: string | undefined;
  readonly factsOf: FactsOf;
  /** What the target itself says of its model. */
  readonly facts: ModelFacts | undefined;
  readonly region: string | undefined;
  /** Globs of the regions that may serve; all may when absent. */
  readonly regions: readonly string[] | undefined;
  /** The share of the caller's tightest limit that has to be left. */
  readonly budgetLeft: number | undefined;
}

/** Text of any language has at least one token for so many bytes; what is longer by this measure is too long by any. */
const mostBytesPerToken = 6;

/** The gates of one target. Undefined where nothing is known that could close one. */
export function compileGates(input: GateInput): CompiledTarget["closedBy"] {
  const { model, factsOf, facts, region, regions, budgetLeft } = input;
  if (regions !== undefined && (region === undefined || !globMatcher(regions)(region))) return elsewhere;
  const fixed = model === undefined ? undefined : merged(factsOf(model), facts);
  if (model !== undefined && fixed === undefined && budgetLeft === undefined) return undefined;
  return (exchange, operation) => {
    if (isTooDear(exchange, budgetLeft)) return "budget";
    const known = model === undefined ? merged(factsOf(operation.name), facts) : fixed;
    return known === undefined ? undefined : closedByFacts(known, operation);
  };
}

const elsewhere = (): GateName => "region";

/** Whether the gate is that of a target which no request may go to. */
export function isElsewhere(closedBy: CompiledTarget["closedBy"]): boolean {
  return closedBy === elsewhere;
}

function merged(builtIn: ModelFacts | undefined, own: ModelFacts | undefined): ModelFacts | undefined {
  return own === undefined ? builtIn : { ...builtIn, ...own };
}

function isTooDear({ limitLeft }: Exchange, budgetLeft: number | undefined): boolean {
  return budgetLeft !== undefined && limitLeft !== undefined && limitLeft < budgetLeft;
}

function closedByFacts({ context, output, input, tools }: ModelFacts, operation: Operation): GateName | undefined {
  const needs = requestNeeds(operation);
  if (needs === undefined) return undefined;
  if (tools === false && needs.tools) return "tools";
  if (input !== undefined && needs.media.some((kind) => !input.includes(kind))) return "modality";
  if (output !== undefined && needs.output > output) return "output";
  if (context !== undefined && needs.textBytes / mostBytesPerToken > context) return "context-window";
  return undefined;
}
