import { z } from "zod";
import { definePolicy } from "../pipeline/define-policy.ts";
import type { Operation } from "../pipeline/exchange.ts";
import { limitSubject, limitSubjectSchema } from "../pipeline/limit-subject.ts";
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

/**
 * So many operations at one time, per subject, from admission to their end, however they end. Counts in this process
 * and begins anew when a revision is published: what runs then belongs to the revision that it started with.
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
    const underWay = new Map<string, number>();
    const counted = new Map<Operation, string>();
    return {
      admit(exchange, operation) {
        if (streamsOnly && !operation.stream) return undefined;
        const subject = limitSubject(exchange, per);
        const now = underWay.get(subject) ?? 0;
        if (now >= requests) {
          return deny("limit.concurrency", `At most ${requests} requests may be under way at one time.`, {
            detail: `${place} per ${per}`,
            retryAfterMs: 1_000,
          });
        }
        underWay.set(subject, now + 1);
        counted.set(operation, subject);
        return undefined;
      },
      record(_exchange, operation) {
        const subject = counted.get(operation);
        if (subject === undefined) return; // refused here, or by a policy before
        counted.delete(operation);
        const left = (underWay.get(subject) ?? 1) - 1;
        if (left === 0) underWay.delete(subject);
        else underWay.set(subject, left);
      },
    };
  },
});
