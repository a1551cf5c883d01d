import { z } from "zod";
import { secretName } from "../../core/api-spec.ts";
import type { ApprovalDecision } from "../../core/approval-question.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { signWebhook } from "../../kernel/sign-webhook.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";
import type { HoldConfig } from "./hold-config.ts";

/** Tells a webhook of calls that wait. */
export interface WebhookTeller {
  /** Tries until somebody takes it, four times at most; then calls `decided` if the answer was a decision. */
  tell(id: string, data: Readonly<Record<string, unknown>>, decided: (decision: ApprovalDecision) => void): void;
  /** Tries no more. */
  dispose(): void;
}

/** Milliseconds before the second, third and fourth try. */
const pausesMs = [1_000, 5_000, 30_000];
const timeoutMs = 10_000;
const longestAnswerBytes = 65_536;

/** Signs as Standard Webhooks do. A redirect is no success and is not followed. */
export function createWebhookTeller(
  { url, secret }: NonNullable<HoldConfig["webhook"]>,
  { clock, fetch, log, secrets }: Pick<PluginTools, "clock" | "fetch" | "log" | "secrets">,
): WebhookTeller {
  const timers = new Set<() => void>();
  let isDisposed = false;

  const send = async (id: string, body: string): Promise<ApprovalDecision | undefined> => {
    const key = await secrets.read(secretName(secret));
    const answer = await fetch(url, {
      chosenBy: "operator",
      method: "POST",
      body,
      timeoutMs,
      maxBytes: longestAnswerBytes,
      headers: { "content-type": "application/json", ...signWebhook(id, body, key, clock.now()) },
    });
    if (answer.status < 200 || answer.status > 299) throw new Error(`it answered ${answer.status}`);
    return decisionSchema.safeParse(parsed(answer.text())).data;
  };

  const attempt = async (
    tried: number,
    id: string,
    body: string,
    decided: (decision: ApprovalDecision) => void,
  ): Promise<void> => {
    try {
      const decision = await send(id, body);
      if (decision !== undefined) decided(decision);
    } catch (error) {
      const pauseMs = pausesMs[tried];
      log.warn({ err: error, approval: id, again: pauseMs !== undefined }, "the webhook of an approval was not taken");
      if (pauseMs === undefined || isDisposed) return;
      const cancel = clock.after(pauseMs, () => {
        timers.delete(cancel);
        void attempt(tried + 1, id, body, decided);
      });
      timers.add(cancel);
    }
  };

  return {
    tell(id, data, decided) {
      const timestamp = new Date(clock.now()).toISOString();
      void attempt(0, id, JSON.stringify({ type: "approval.requested", timestamp, data }), decided);
    },
    dispose() {
      isDisposed = true;
      for (const cancel of timers) cancel();
      timers.clear();
    },
  };
}

const decisionSchema = z.looseObject({
  decision: z.enum(["approve", "deny"]),
  reason: z.string().max(500).optional(),
});

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined; // whoever takes it need say nothing
  }
}
