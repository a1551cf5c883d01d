import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Recalled } from "./define-policy.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import { policyFailure } from "./policy-failure.ts";
import type { Attachment } from "./snapshot.ts";

/** An answer from before, a refusal, or who wants to hear of the answer that is now to be got. */
export type Recollection =
  | { readonly type: "recalled"; readonly answer: Answer }
  | { readonly type: "stopped"; readonly outcome: Outcome }
  | { readonly type: "unknown"; readonly heard: (answer: Answer) => Answer };

/**
 * Asks those policies for an answer that remember some, the API's before the plan's; the first that has one ends it.
 * In `monitor` mode what is found is noted, and not given.
 */
export function runRecall(
  exchange: Exchange,
  operation: Operation,
  { log }: { readonly log: Log },
): MaybePromise<Recollection> {
  const own = exchange.api.chain.recall;
  const planId = exchange.principal?.planId;
  const plan = planId === undefined ? undefined : exchange.snapshot.plans.get(planId)?.recall;
  const all = plan === undefined || plan.length === 0 ? own : [...own, ...plan];
  return all.length === 0 ? nothing : ask(all, exchange, operation, log);
}

const unheard = (answer: Answer): Answer => answer;
const nothing: Recollection = { type: "unknown", heard: unheard };

async function ask(
  attachments: readonly Attachment[],
  exchange: Exchange,
  operation: Operation,
  log: Log,
): Promise<Recollection> {
  let heard = unheard;
  for (const attachment of attachments) {
    if (!attachment.applies(exchange, operation)) continue;
    let recalled: Recalled;
    try {
      recalled = await attachment.policy?.recall?.(exchange, operation);
    } catch (error) {
      const outcome = policyFailure(exchange, "recall", attachment, error, log);
      if (outcome !== undefined) return { type: "stopped", outcome };
      continue;
    }
    if (recalled?.type === "respond") {
      const { use, place, mode } = attachment;
      exchange.decisions.push({ policy: use, place, step: "recall", action: "respond", mode });
      if (mode === "enforce") return { type: "recalled", answer: recalled.answer };
    } else if (recalled !== undefined) {
      const [before, { heard: own }] = [heard, recalled];
      heard = (answer) => own(before(answer));
    }
  }
  return { type: "unknown", heard };
}
