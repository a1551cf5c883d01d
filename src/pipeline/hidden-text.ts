import type { ProtocolAdapter } from "./adapter.ts";
import type { GuardrailPhase } from "./define-guardrail.ts";
import type { Answer, Exchange, Frame, Operation } from "./exchange.ts";
import { guards, mannerOf } from "./guardrail-runner.ts";
import type { Outcome } from "./outcome.ts";
import type { Attachment } from "./snapshot.ts";

/**
 * The refusal of a request whose text, or whose answer's, would pass a guardrail unread: it stands there in a form that
 * none can judge. Only where a guardrail of that phase holds (`enforce`) and applies; the decision is noted as its own.
 */
export function refuseHidden(
  exchange: Exchange,
  operation: Operation,
  attachments: Readonly<Record<GuardrailPhase, readonly Attachment[]>>,
): Outcome | undefined {
  const { adapter } = exchange.api;
  if (adapter.hiddenText === undefined) return undefined;
  for (const phase of phases) {
    const guard = attachments[phase].find((each) => holds(each, phase) && each.applies(exchange, operation));
    const refusal = guard && adapter.hiddenText(operation, phase);
    if (guard === undefined || refusal === undefined) continue;
    const { use, place, mode, block } = guard;
    exchange.decisions.push({ policy: use, place, step: "request", action: "deny", mode, code: refusal.code });
    const isBlocked = block !== undefined && refusal.code === "guardrail.denied";
    return { type: "denied", deny: isBlocked ? { ...refusal, manner: mannerOf(block) } : refusal, by: use };
  }
  return undefined;
}

const phases = ["request", "response"] as const;

/** Whether one of these attachments, which apply, may keep a part of the answer from the client. */
export function answerIsGuarded(attachments: readonly Attachment[]): boolean {
  return attachments.some((each) => holds(each, "response"));
}

/** The answer without what the adapter cannot show to guardrails, were the upstream to send it unasked. */
export function withoutHidden({ adapter }: { readonly adapter: ProtocolAdapter }, answer: Answer): Answer {
  if (adapter.withoutHidden === undefined) return answer;
  const drop = adapter.withoutHidden.bind(adapter);
  const { body } = answer;
  if (body.type === "whole") return { ...answer, body: { ...body, frame: drop(body.frame) } };
  return { ...answer, body: { ...body, frames: mapFrames(body.frames, drop) } };
}

async function* mapFrames(frames: AsyncIterable<Frame>, change: (frame: Frame) => Frame): AsyncGenerator<Frame> {
  for await (const frame of frames) yield change(frame);
}

function holds(attachment: Attachment, phase: GuardrailPhase): boolean {
  return attachment.mode === "enforce" && guards(attachment, phase);
}
