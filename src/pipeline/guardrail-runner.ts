import type { BlockSpec } from "../core/guardrail-options.ts";
import type { FaultManner } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { GuardedCall, GuardrailPhase, SpanEdit, TextSpan, Verdict } from "./define-guardrail.ts";
import type { PolicyDecision } from "./event.ts";
import type { Exchange, Frame, Operation } from "./exchange.ts";
import type { Deny } from "./outcome.ts";
import { deny } from "./outcome.ts";
import { editsOfAll } from "./select-spans.ts";
import type { Attachment } from "./snapshot.ts";

/**
 * Runs one attached guardrail over an operation's request; its edits are in `operation.body` when this answers, so the
 * next guardrail sees them. A message without text passes unasked. The caller has asked `attachment.applies`.
 *
 * Throws `policy.failed` when the guardrail breaks and its `onError` is `deny`.
 */
export function guardRequest(
  exchange: Exchange,
  operation: Operation,
  attachment: Attachment,
): MaybePromise<Deny | undefined> {
  if (!guards(attachment, "request")) return undefined;
  const { adapter } = exchange.api;
  const all = adapter.requestSpans(operation);
  const spans = attachment.selection?.request?.(all, () => adapter.texts?.document(operation)) ?? all;
  if (spans.length === 0) return undefined;
  return after(judgeSpans(exchange, operation, attachment, spans, "request"), (judgement) => {
    if (isDeny(judgement)) return judgement;
    if (judgement.length > 0) adapter.editRequest(operation, all, editsOfAll(judgement, spans, all));
    return undefined;
  });
}

/**
 * Runs one attached guardrail over an answer that came whole: the same frame when nothing was changed, another with
 * the edits, or a refusal. Throws as `guardRequest` does.
 */
export function guardAnswer(
  exchange: Exchange,
  operation: Operation,
  attachment: Attachment,
  frame: Frame,
): MaybePromise<Deny | Frame> {
  if (!guards(attachment, "response")) return frame;
  const { adapter } = exchange.api;
  const all = answerSpans(exchange, operation, attachment, frame);
  const spans = attachment.selection?.response?.(all, () => frame.message()) ?? all;
  if (spans.length === 0) return frame;
  return after(judgeSpans(exchange, operation, attachment, spans, "response"), (judgement) => {
    if (isDeny(judgement)) return judgement;
    if (judgement.length === 0) return frame;
    return adapter.editFrame(operation, frame, all, editsOfAll(judgement, spans, all));
  });
}

/**
 * The texts of a frame of an answer. Throws the adapter's `upstream.…` where the frame cannot be read for sure; in
 * `monitor` mode that is noted, and there is no text then.
 */
export function answerSpans(
  exchange: Exchange,
  operation: Operation,
  attachment: Attachment,
  frame: Frame,
): readonly TextSpan[] {
  try {
    return exchange.api.adapter.frameSpans(operation, frame);
  } catch (error) {
    if (attachment.mode !== "monitor") throw error;
    failed(exchange, attachment, "response", error);
    return [];
  }
}

/** Whether the attachment is a guardrail that looks at this phase. */
export function guards(attachment: Attachment, phase: GuardrailPhase): boolean {
  return attachment.guardrail?.phases.includes(phase) === true;
}

/** Whether the attachment has a say in the operation's answer. */
export function appliesToAnswer(exchange: Exchange, operation: Operation, attachment: Attachment): boolean {
  const isAnyones = operation.answersOthers === true && attachment.guardrail !== undefined;
  return isAnyones || attachment.applies(exchange, operation);
}

/** What is to be done with a text: refuse it, or make these edits; none is a pass. */
export type Judgement = Deny | readonly SpanEdit[];

export function isDeny(judgement: Deny | readonly SpanEdit[]): judgement is Deny {
  return "type" in judgement;
}

/**
 * The guardrail's verdict as its mode and `onError` have it. Whatever it found is noted in `exchange.decisions`, once
 * per kind of finding; in `monitor` mode the judgement is always a pass. Edits come sorted by span and place.
 */
export function judgeSpans(
  exchange: Exchange,
  operation: Operation,
  attachment: Attachment,
  spans: readonly TextSpan[],
  phase: GuardrailPhase,
): MaybePromise<Judgement> {
  if (attachment.guardrail === undefined) return [];
  const settle = (verdict: Verdict): Judgement => enforce(exchange, attachment, phase, verdict, spans);
  const broken = (error: unknown): Judgement => failed(exchange, attachment, phase, error);
  try {
    const verdict = attachment.guardrail.inspect(spans, phase, guardedCall(exchange, operation, attachment));
    if (verdict instanceof Promise) return verdict.then(settle).catch(broken);
    return settle(verdict);
  } catch (error) {
    return broken(error);
  }
}

/** The call as the attached guardrail sees it. */
export function guardedCall(exchange: Exchange, operation: Operation, { place }: Attachment): GuardedCall {
  return {
    exchangeId: exchange.id,
    operation,
    get signal() {
      return exchange.signal;
    },
    memory<Kept>(make: () => Kept): Kept {
      operation.guardrailMemory ??= new Map();
      const { guardrailMemory } = operation;
      if (!guardrailMemory.has(place)) guardrailMemory.set(place, make());
      return guardrailMemory.get(place) as Kept; // one attachment, one kind of memory
    },
  };
}

function enforce(
  exchange: Exchange,
  attachment: Attachment,
  phase: GuardrailPhase,
  verdict: Verdict,
  spans: readonly TextSpan[],
): Judgement {
  if (verdict.type === "pass") return annotated(exchange, attachment, phase, verdict);
  const edits = verdict.type === "rewrite" ? checkedEdits(verdict.edits, spans) : [];
  if (verdict.type === "rewrite" && edits.length === 0) return [];
  note(exchange, {
    policy: attachment.use,
    place: attachment.place,
    step: phase,
    action: verdict.type,
    mode: attachment.mode,
    ...(verdict.type === "deny" && { code: "guardrail.denied" }),
    ...found(verdict),
  });
  if (attachment.mode === "monitor") return [];
  return verdict.type === "rewrite" ? edits : blocked(attachment, phase, verdict);
}

type Denial = Extract<Verdict, { type: "deny" }>;

/**
 * The refusal as the attachment wants it told. Its assessment has the members that WSO2's guardrails answer with.
 */
function blocked({ use, block }: Attachment, phase: GuardrailPhase, { reason, detail, assessment }: Denial): Deny {
  const shown = {
    action: "GUARDRAIL_INTERVENED",
    interveningGuardrail: use,
    direction: phase.toUpperCase(),
    actionReason: reason,
    ...(assessment !== undefined && { assessments: assessment }),
  };
  return deny("guardrail.denied", reason, {
    ...(detail !== undefined && { detail }),
    ...(block?.showAssessment === true && { data: { assessment: shown } }),
    ...(block !== undefined && { manner: mannerOf(block) }),
  });
}

/** How refusals of an attachment are told. */
export function mannerOf({ status, toolResult }: BlockSpec): FaultManner {
  return { status, asResult: toolResult };
}

function found({ detail, assessment }: Verdict): Pick<PolicyDecision, "detail" | "assessment"> {
  return { ...(detail !== undefined && { detail }), ...(assessment !== undefined && { assessment }) };
}

function annotated(
  exchange: Exchange,
  { use, place, mode }: Attachment,
  step: GuardrailPhase,
  verdict: Verdict,
): Judgement {
  if (verdict.detail === undefined && verdict.assessment === undefined) return [];
  note(exchange, { policy: use, place, step, action: "annotate", mode, ...found(verdict) });
  return [];
}

// Edits that overlap or lie outside of the text would garble it: such a guardrail is broken, and is treated so.
function checkedEdits(edits: readonly SpanEdit[], spans: readonly TextSpan[]): readonly SpanEdit[] {
  const sorted = edits.toSorted((left, right) => left.span - right.span || left.start - right.start);
  for (const [index, edit] of sorted.entries()) {
    const before = sorted[index - 1];
    const from = before?.span === edit.span ? before.end : 0;
    const length = spans[edit.span]?.text.length ?? -1;
    if (!(edit.start >= from && edit.start <= edit.end && edit.end <= length)) {
      throw new RangeError(`the edit ${edit.start}..${edit.end} does not fit span ${edit.span}`);
    }
  }
  return sorted;
}

function failed(exchange: Exchange, attachment: Attachment, phase: GuardrailPhase, error: unknown): Judgement {
  const detail = `${attachment.place}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  note(exchange, {
    policy: attachment.use,
    place: attachment.place,
    step: phase,
    action: "error",
    mode: attachment.mode,
    code: "policy.failed",
    detail,
  });
  if (attachment.mode === "monitor" || attachment.onError === "continue") return [];
  throw new GatewayError("policy.failed", "A check of the content failed, so it was not let through.", {
    detail,
    cause: error,
  });
}

// A stream asks many times; one row says that and what, not how often.
function note(exchange: Exchange, decision: PolicyDecision): void {
  const known = exchange.decisions.some(
    (other) => other.place === decision.place && other.step === decision.step && other.action === decision.action,
  );
  if (!known) exchange.decisions.push(decision);
}

function after<From, To>(value: MaybePromise<From>, then: (value: From) => To): MaybePromise<To> {
  return value instanceof Promise ? value.then(then) : then(value);
}
