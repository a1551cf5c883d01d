import type { CompiledGuardrail, GuardrailPhase, TextSpan, Verdict } from "./define-guardrail.ts";

/** What a guardrail is to judge in another thread: by its id and configuration it is compiled there. */
export interface LongTextQuestion {
  readonly use: string;
  /** As the attachment has it. */
  readonly config: unknown;
  readonly spans: readonly TextSpan[];
  readonly phase: GuardrailPhase;
  readonly operation: { readonly kind: string; readonly name: string };
}

/** Judges in another thread. Rejects when that breaks, takes too long or has too much to do already. */
export interface LongTextJudge extends AsyncDisposable {
  judge(question: LongTextQuestion, signal: AbortSignal): Promise<Verdict>;
  /** What the guardrail's `search` finds, for its `inspect`. */
  search(question: LongTextQuestion, signal: AbortSignal): Promise<unknown>;
}

/** Texts of a message up to which its guardrails judge in the turn of its request, in UTF-16 units. */
export const longestHereUnits = 65_536;

/**
 * The guardrail, which has messages of more text judged by `judge`, or searched where it has a search, so that no other
 * request waits for them. Only for one that says of itself that it is pure, or that has a search; `parts` says whether parts
 * of streams go there too, for who remembers nothing of the parts before.
 */
export function judgingLongTexts(
  compiled: CompiledGuardrail,
  { use, config, parts }: Pick<LongTextQuestion, "use" | "config"> & { readonly parts: boolean },
  judge: LongTextJudge,
): CompiledGuardrail {
  const { search } = compiled;
  const inspect: CompiledGuardrail["inspect"] = (spans, phase, call) => {
    const isApart = isLong(spans) && (parts || areWhole(spans)) && search?.phases.includes(phase) !== false;
    if (!isApart) return compiled.inspect(spans, phase, call);
    const { kind, name } = call.operation;
    const question = { use, config, spans: spans.map(plain), phase, operation: { kind, name } };
    if (search === undefined) return judge.judge(question, call.signal);
    return judge.search(question, call.signal).then((searched) => compiled.inspect(spans, phase, call, searched));
  };
  return { ...compiled, inspect };
}

function areWhole(spans: readonly TextSpan[]): boolean {
  return spans.every(({ part }) => part === undefined);
}

function isLong(spans: readonly TextSpan[]): boolean {
  let units = 0;
  for (const { text } of spans) units += text.length;
  return units > longestHereUnits;
}

/** Without what an adapter keeps in its spans. */
function plain({ place, text, author, part }: TextSpan): TextSpan {
  return { place, text, author, ...(part !== undefined && { part }) };
}
