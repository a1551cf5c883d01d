import { z } from "zod";
import { limitWindowSchema, timeZoneSchema } from "../core/limit-window.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import { alignSchema, reservationFields, windowWords } from "../pipeline/limit-config.ts";
import { limitSubjectSchema, limitSubjects, subjectName } from "../pipeline/limit-subject.ts";
import { createUsageLimit } from "../pipeline/usage-limit.ts";

const measures = { prompt: "promptTokens", completion: "completionTokens", total: "totalTokens" } as const;

const config = z.strictObject({
  tokens: z
    .int()
    .min(0)
    .max(1_000_000_000_000)
    .default(100_000)
    .meta({ title: "Tokens", description: "So many in each window and per subject; 0 lets nothing through." }),
  count: z
    .enum(["prompt", "completion", "total"])
    .default("total")
    .meta({ title: "Count", description: "Tokens of prompts, of answers, or both together." }),
  window: limitWindowSchema.default("minute"),
  timeZone: timeZoneSchema,
  align: alignSchema,
  per: limitSubjectSchema,
  ...reservationFields,
});

/**
 * So many tokens in each window. They are reserved before a call and settled to what it has used; where `max_tokens` or
 * the API bounds the answer, nothing passes the limit.
 */
export const tokenLimit = definePolicy({
  id: "token-limit",
  title: "Token limit",
  summary: "Lets through so many tokens a minute, day or month.",
  config,
  examples: [
    { tokens: 60_000, window: "minute", per: "key" },
    { tokens: 1_000_000, count: "completion", window: "month", per: "team", longAnswer: "cut" },
    {},
  ],
  onError: "deny",
  isLimit: true,
  compile({ tokens, count, window, per, ...more }, tools, { place }) {
    const counted = count === "total" ? "tokens" : `${count} tokens`;
    return createUsageLimit(
      {
        ...more,
        place,
        measure: measures[count],
        limit: tokens,
        window,
        words: `${tokens} ${counted} ${windowWords(window)}`,
        per: subjectName(per),
        subject: limitSubjects(per),
        unpriced: "free",
      },
      tools,
    );
  },
});
