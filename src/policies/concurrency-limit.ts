import { z } from "zod";
import { definePolicy } from "../pipeline/define-policy.ts";
import { limitSubjectSchema, limitSubjects, subjectName } from "../pipeline/limit-subject.ts";
import { deny } from "../pipeline/outcome.ts";

const config = z.strictObject({
  requests: z
    .int()
    .min(1)
    .max(100_000)
    .default(10)
    .meta({ title: "Requests", description: "How many may be under way at one time, per subject." }),
  streamsOnly: z
    .boolean()
    .default(false)
    .meta({ title: "Streams only", description: "Counts streamed operations and lets the others pass." }),
  per: limitSubjectSchema,
});

/** How long a place stays taken when the gateway that holds it has died. A living one renews it. */
const leaseMs = 60_000;

/**
 * So many operations at one time, per subject, from admission to their end, however they end. Counts over all gateways
 * that share a limit store, and goes on counting when a revision is published.
 */
export const concurrencyLimit = definePolicy({
  id: "concurrency-limit",
  title: "Concurrency limit",
  summary: "Lets so many requests or streams be under way at one time.",
  config,
  examples: [{ requests: 4, streamsOnly: true }, { requests: 100, per: "api" }, {}],
  onError: "deny",
  isLimit: true,
  compile({ requests, streamsOnly, per }, _tools, { place }) {
    const subjectOf = limitSubjects(per);
    const rule = { type: "concurrent", limit: requests, leaseMs } as const;
    return {
      charges(exchange, operation) {
        if (streamsOnly && !operation.stream) return undefined;
        return [{ key: `${place}/${subjectOf(exchange, operation)}`, rule, amount: 1 }];
      },
      refused: (_exchange, _operation, _charge, { retryAfterMs }) =>
        deny("limit.concurrency", `At most ${requests} requests may be under way at one time.`, {
          detail: `${place} per ${subjectName(per)}`,
          retryAfterMs,
        }),
    };
  },
});
