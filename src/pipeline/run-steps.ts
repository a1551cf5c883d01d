import type { Clock } from "../kernel/clock.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import { createFirstTextHold } from "./first-text-hold.ts";
import { guardFrames } from "./guard-frames.ts";
import { appliesToAnswer, guardAnswer, guardRequest } from "./guardrail-runner.ts";
import { answerIsGuarded, refuseHidden, withoutHidden } from "./hidden-text.ts";
import type { Outcome, StepResult } from "./outcome.ts";
import { passedOver, policyFailed, policyFailure } from "./policy-failure.ts";
import type { LimitGate } from "./run-limits.ts";
import type { Attachment, CompiledChain } from "./snapshot.ts";
import { guardStream } from "./window-runner.ts";

type Step = "admit" | "request" | "response";

interface StepTools {
  readonly clock: Clock;
  readonly log: Log;
}

interface AdmitTools extends StepTools {
  readonly limits: LimitGate;
}

/**
 * The admit step: the API's chain, then the plan's; then all limits at once, for what none of those has stopped. The
 * outcome that ends the operation, or undefined to go on.
 */
export function runAdmit(
  exchange: Exchange,
  operation: Operation,
  tools: AdmitTools,
): MaybePromise<Outcome | undefined> {
  const admit = joined(exchange.api.chain.admit, planChain(exchange)?.admit);
  if (admit.length === 0) return tools.limits.admit(exchange, operation);
  const stopped = runEach("admit", admit, exchange, operation, tools, (attachment) =>
    attachment.policy?.admit?.(exchange, operation),
  );
  return stopped instanceof Promise
    ? stopped.then((later) => later ?? tools.limits.admit(exchange, operation))
    : (stopped ?? tools.limits.admit(exchange, operation));
}

/**
 * The request step: policies and guardrails in list order, each on what the former left. What none of them could read,
 * in the request or in the answer that it asks for, is refused before.
 */
export function runRequest(
  exchange: Exchange,
  operation: Operation,
  tools: StepTools,
): MaybePromise<Outcome | undefined> {
  const { chain } = exchange.api;
  const plan = planChain(exchange);
  const all = { request: joined(chain.request, plan?.request), response: joined(chain.response, plan?.response) };
  if (all.request.length === 0 && all.response.length === 0) return undefined;
  const hidden = refuseHidden(exchange, operation, all);
  if (hidden !== undefined) return hidden;
  return runEach("request", all.request, exchange, operation, tools, (attachment) =>
    attachment.guardrail === undefined
      ? attachment.policy?.request?.(exchange, operation)
      : guardRequest(exchange, operation, attachment),
  );
}

/** Whether any policy or guardrail may look at the answer of this exchange, or its texts are kept. */
export function hasResponseSteps(exchange: Exchange): boolean {
  if (exchange.api.capture?.response === true) return true;
  return joined(exchange.api.chain.response, planChain(exchange)?.response).length > 0;
}

/** The response step: the answer as policies and guardrails leave it. A stream is judged while it runs. */
export function runResponse(
  exchange: Exchange,
  operation: Operation,
  answer: Answer,
  tools: StepTools,
): MaybePromise<Outcome> {
  const all = joined(exchange.api.chain.response, planChain(exchange)?.response);
  return all.length === 0 ? { type: "answer", answer } : judgeAnswer(exchange, operation, answer, all, tools);
}

async function judgeAnswer(
  exchange: Exchange,
  operation: Operation,
  answer: Answer,
  all: readonly Attachment[],
  tools: StepTools,
): Promise<Outcome> {
  const attachments = all.filter((attachment) => appliesToAnswer(exchange, operation, attachment));
  const byFrame = answer.body.type === "stream" && !exchange.api.adapter.cutsText ? all.filter(isGuardrail) : [];
  if (attachments.length === 0 && byFrame.length === 0) return { type: "answer", answer };
  const visible = answerIsGuarded(attachments) ? withoutHidden(exchange.api, answer) : answer;
  let current: Answer = visible;
  const { body } = answer;
  const stopped = await runEach("response", attachments, exchange, operation, tools, async (attachment) => {
    if (attachment.guardrail === undefined) return attachment.policy?.response?.(exchange, operation, current);
    if (current.body.type === "stream") return undefined; // judged while it runs, below
    const judged = await guardAnswer(exchange, operation, attachment, current.body.frame);
    if ("type" in judged) return judged;
    current = { ...current, body: { type: "whole", frame: judged } };
    return undefined;
  });
  if (body.type === "whole") return stopped ?? { type: "answer", answer: current };
  if (stopped !== undefined) {
    body.discard?.();
    await body.frames[Symbol.asyncIterator]().return?.(); // nobody will read it: lets go of the upstream
    return stopped;
  }
  const { frames } = visible.body.type === "stream" ? visible.body : body;
  const hold = createFirstTextHold(operation, tools.clock);
  const guarded = exchange.api.adapter.cutsText
    ? guardStream(frames, { exchange, operation, attachments, hold })
    : guardFrames(frames, { exchange, operation, attachments: byFrame, hold });
  return { type: "answer", answer: { ...answer, body: { ...body, frames: guarded } } };
}

/** Runs the record step of every attachment; one that throws is logged and holds up no other. */
export function runRecord(
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  tools: StepTools,
): MaybePromise<void> {
  const all = joined(exchange.api.chain.record, planChain(exchange)?.record);
  return all.length === 0 ? undefined : recordEach(all, exchange, operation, outcome, tools);
}

async function recordEach(
  all: readonly Attachment[],
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  tools: StepTools,
): Promise<void> {
  for (const attachment of all) {
    if (!attachment.applies(exchange, operation)) continue;
    try {
      await attachment.policy?.record?.(exchange, operation, outcome);
    } catch (error) {
      tools.log.error({ exchange: exchange.id, policy: attachment.place, err: error }, "a policy failed to record");
    }
  }
}

function isGuardrail({ guardrail }: Attachment): boolean {
  return guardrail !== undefined;
}

type Handler = (attachment: Attachment) => MaybePromise<StepResult>;

// Goes on synchronously for as long as the handlers answer at once: most do, and each await would cost a turn.
function runEach(
  step: Step,
  attachments: readonly Attachment[],
  exchange: Exchange,
  operation: Operation,
  tools: StepTools,
  handler: Handler,
  from = 0,
): MaybePromise<Outcome | undefined> {
  for (let at = from; at < attachments.length; at += 1) {
    const attachment = attachments[at];
    if (attachment === undefined || !isAsked(step, attachment, exchange, operation)) continue;
    let stopped: Outcome | undefined;
    try {
      const result = handler(attachment);
      if (result instanceof Promise) {
        return result
          .then(
            (later) => toOutcome(step, attachment, exchange, later),
            (error: unknown) => failure(step, attachment, exchange, error, tools),
          )
          .then((later) => later ?? runEach(step, attachments, exchange, operation, tools, handler, at + 1));
      }
      stopped = toOutcome(step, attachment, exchange, result);
    } catch (error) {
      stopped = failure(step, attachment, exchange, error, tools);
    }
    if (stopped !== undefined) return stopped;
  }
  return undefined;
}

function isAsked(step: Step, attachment: Attachment, exchange: Exchange, operation: Operation): boolean {
  if (step === "response") return appliesToAnswer(exchange, operation, attachment);
  return attachment.applies(exchange, operation);
}

/** What a result means under the attachment's mode; what was decided is noted in the exchange. */
function toOutcome(step: Step, attachment: Attachment, exchange: Exchange, result: StepResult): Outcome | undefined {
  if (result === undefined) return undefined;
  const { mode, use, place } = attachment;
  const isGuardrail = attachment.guardrail !== undefined; // its runner has noted the decision already
  if (!isGuardrail) {
    const code = result.type === "deny" ? { code: result.code } : {};
    exchange.decisions.push({ policy: use, place, step, action: result.type, mode, ...code });
  }
  if (mode === "monitor") return undefined;
  return result.type === "deny" ? { type: "denied", deny: result, by: use } : { type: "answer", answer: result.answer };
}

/** What it means that a policy or guardrail threw. */
function failure(
  step: Step,
  attachment: Attachment,
  exchange: Exchange,
  error: unknown,
  tools: StepTools,
): Outcome | undefined {
  const { mode, guardrail } = attachment;
  if (guardrail === undefined) return policyFailure(exchange, step, attachment, error, tools.log);
  const fault = toGatewayError(error);
  // An answer that no guardrail can read for sure is the upstream's fault, and none may pass it over.
  if (mode === "enforce" && fault.code.startsWith("upstream.")) throw fault;
  tools.log.error({ exchange: exchange.id, policy: attachment.place, err: error }, "a policy failed");
  const refusal = policyFailed(attachment);
  if (fault.code !== "policy.failed") return passedOver(exchange, step, attachment, fault.code, refusal);
  // else the guardrails' own runner has noted it
  if (mode === "monitor" || attachment.onError === "continue") return undefined;
  return { type: "denied", deny: refusal, by: attachment.use };
}

function joined(own: readonly Attachment[], plan: readonly Attachment[] | undefined): readonly Attachment[] {
  return plan === undefined || plan.length === 0 ? own : [...own, ...plan];
}

function planChain(exchange: Exchange): CompiledChain | undefined {
  const planId = exchange.principal?.planId;
  return planId === undefined ? undefined : exchange.snapshot.plans.get(planId);
}
