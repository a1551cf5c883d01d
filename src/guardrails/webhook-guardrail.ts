import { z } from "zod";
import { httpUrlSchema, secretName, secretReferenceSchema } from "../core/api-spec.ts";
import { GatewayError } from "../kernel/errors.ts";
import { uuidV7 } from "../kernel/ids.ts";
import { signWebhook } from "../kernel/sign-webhook.ts";
import type { Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { editTo, readAnswer } from "./remote/read-answer.ts";
import type { SentText } from "./remote/remote-members.ts";
import { isVerdict, remoteMembers, textsToSend } from "./remote/remote-members.ts";
import { createRemoteService } from "./remote/remote-service.ts";

const who = "The guardrail's webhook";

const config = z.strictObject({
  url: httpUrlSchema.meta({ title: "URL", description: "Where texts are sent; redirects are not followed." }),
  secret: secretReferenceSchema.meta({
    title: "Signing secret",
    description: "The secret by which messages are signed, as Standard Webhooks do.",
  }),
  ...remoteMembers,
});

const note = z.string().max(500).optional();
const assessment = z
  .record(z.string().max(64), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 4_096, "at most 4,096 characters of JSON")
  .optional();

const answerSchema = z.discriminatedUnion("verdict", [
  z.looseObject({ verdict: z.literal("pass"), detail: note, assessment }),
  z.looseObject({ verdict: z.literal("deny"), reason: note, detail: note, assessment }),
  z.looseObject({ verdict: z.literal("rewrite"), texts: z.array(z.string().nullable()), detail: note, assessment }),
]);

/**
 * Asks a service of one's own: `{type: "guardrail.inspect", data: {exchange, operation, phase, texts}}`, signed and with
 * a time. It answers `{verdict: "pass" | "deny" | "rewrite"}`; `rewrite` with one text, or null where nothing changes, for
 * each that was sent. Any other answer is a failure.
 */
export const webhookGuardrail = defineGuardrail({
  id: "webhook-guardrail",
  title: "Webhook",
  summary: "Lets a service of your own judge and rewrite messages.",
  config,
  examples: [{ url: "https://checks.example.com/inspect", secret: "${secret:checks-webhook}", timeoutMs: 1_000 }],
  onError: "deny",
  asksOnError: true,
  compile({ url, secret, phases, window, timeoutMs, maxCharacters }, tools) {
    const service = createRemoteService(who, timeoutMs, tools);
    return {
      phases,
      window,
      async inspect(spans, phase, { exchangeId, operation, signal }) {
        const sent = textsToSend(spans, phase, maxCharacters);
        if (isVerdict(sent)) return sent;
        const nowMs = tools.clock.now();
        const texts = sent.map(({ span, text }) => ({ place: spans[span]?.place, author: spans[span]?.author, text }));
        const { kind, name } = operation;
        const body = JSON.stringify({
          type: "guardrail.inspect",
          timestamp: new Date(nowMs).toISOString(),
          data: { exchange: exchangeId, operation: { kind, name }, phase, texts },
        });
        const key = await tools.secrets.read(secretName(secret));
        const answer = await service.post(url, body, signWebhook(uuidV7(nowMs), body, key, nowMs), signal);
        return verdictOf(readAnswer(answerSchema, answer, who), sent, phase);
      },
    };
  },
});

function verdictOf(answer: z.output<typeof answerSchema>, sent: readonly SentText[], phase: string): Verdict {
  const more = {
    ...(answer.detail !== undefined && { detail: answer.detail }),
    ...(answer.assessment !== undefined && { assessment: answer.assessment }),
  };
  switch (answer.verdict) {
    case "pass":
      return { type: "pass", ...more };
    case "deny":
      return { type: "deny", reason: answer.reason ?? `The ${phase} is not permitted here.`, ...more };
    case "rewrite": {
      const { texts } = answer;
      if (texts.length !== sent.length) {
        throw new GatewayError("upstream.invalid", `${who}'s answer cannot be read.`, {
          detail: `${texts.length} texts for ${sent.length}`,
        });
      }
      const edits = sent.flatMap(({ span, text }, index) => editTo(span, text, texts[index] ?? text));
      return edits.length === 0 ? { type: "pass", ...more } : { type: "rewrite", edits, ...more };
    }
  }
}
