import { z } from "zod";
import { definePolicy } from "../pipeline/define-policy.ts";
import { goDuration, tellLimit } from "../pipeline/limit-headers.ts";
import { limitSubjectSchema, limitSubjects, subjectName } from "../pipeline/limit-subject.ts";
import { deny } from "../pipeline/outcome.ts";

const config = z.strictObject({
  requests: z.int().min(1).max(1_000_000_000).default(100).meta({
    title: "Requests",
    description: "Let through at once per subject; they come back evenly over the window.",
  }),
  windowMs: z
    .int()
    .min(100)
    .max(2_678_400_000)
    .default(60_000)
    .meta({ title: "Window", description: "Milliseconds; at most 31 days." }),
  per: limitSubjectSchema,
});

/**
 * So many requests at once per subject, which come back evenly over the window (GCRA): over a long time never more than
 * the limit in each window, and right after a pause at most twice that in one. Tells the caller where it stands in OpenAI's `x-ratelimit-*-requests`
 * headers, of the limit that is nearest to its end where several apply.
 * @see https://platform.openai.com/docs/guides/rate-limits
 */
export const rateLimit = definePolicy({
  id: "rate-limit",
  title: "Rate limit",
  summary: "Lets through so many requests in any window of time, counted per application, key, address or API.",
  config,
  examples: [{ requests: 100, windowMs: 60_000 }, { requests: 5, windowMs: 1_000, per: "ip" }, {}],
  onError: "deny",
  isLimit: true,
  compile({ requests, windowMs, per }, _tools, { place }) {
    const subjectOf = limitSubjects(per);
    const rule = { type: "rate", limit: requests, windowMs } as const;
    return {
      charges: (exchange, operation) => [{ key: `${place}/${subjectOf(exchange, operation)}`, rule, amount: 1 }],
      refused(exchange, _operation, _charge, decision) {
        tellLimit(exchange.responseHeaders, "requests", requests, decision);
        return deny("limit.exceeded", `The limit of ${requests} requests in ${goDuration(windowMs)} is used up.`, {
          detail: `${place} per ${subjectName(per)}`,
          retryAfterMs: decision.retryAfterMs,
        });
      },
      charged(exchange, _operation, _charges, decisions) {
        for (const decision of decisions) tellLimit(exchange.responseHeaders, "requests", requests, decision);
      },
    };
  },
});
