import { z } from "zod";
import type { LimitWindow } from "../core/limit-window.ts";
import type { ChargeHandlers } from "./define-policy.ts";
import type { Operation } from "./exchange.ts";
import type { Charge } from "./limiter.ts";
import { deny } from "./outcome.ts";

/** When windows begin. */
export const alignSchema = z.enum(["calendar", "rolling"]).default("calendar").meta({
  title: "Align",
  description:
    "`calendar` begins anew with each minute, day or month; under `rolling` what was used comes back evenly over the window, a month being 30 days.",
});

/** How tokens and money are reserved, of all limits that count them. */
export const reservationFields = {
  reserveOutput: z.int().min(1).max(1_000_000).default(1_000).meta({
    title: "Reserve for the answer",
    description:
      "Tokens reserved where neither the request nor the API bounds the answer, until ten answers of the model have told how long they are.",
  }),
  reservePrompt: z.enum(["estimate", "bound"]).default("estimate").meta({
    title: "Reserve for the prompt",
    description:
      "`estimate` reckons tokens from the prompt's length and what was learnt of the model; `bound` reserves one for each byte, which no text passes.",
  }),
  longAnswer: z.enum(["charge", "cut"]).default("charge").meta({
    title: "Long answers",
    description:
      "An answer longer than what was reserved is charged in full, or its stream is cut with an error. Answers that come whole are always charged.",
  }),
};

/** The window in words: `a day`, `in 5000 ms`. */
export function windowWords(window: LimitWindow): string {
  return typeof window === "object" ? `in ${window.milliseconds} ms` : `${window === "hour" ? "an" : "a"} ${window}`;
}

/** Several limits as the handlers of one policy; each looks after its own charges, whose keys differ. */
export function joinLimits(limits: readonly ChargeHandlers[]): ChargeHandlers {
  const [only] = limits;
  if (only !== undefined && limits.length === 1) return only;
  const takers = new WeakMap<Operation, Map<string, ChargeHandlers>>();
  const takerOf = (operation: Operation, { key }: Charge): ChargeHandlers | undefined =>
    takers.get(operation)?.get(key);
  return {
    counters: (per, id) => limits.flatMap((limit) => limit.counters?.(per, id) ?? []),
    charges(exchange, operation) {
      const own = new Map<string, ChargeHandlers>();
      const all = limits.flatMap((limit) => {
        const charges = limit.charges(exchange, operation) ?? [];
        for (const { key } of charges) own.set(key, limit);
        return charges;
      });
      takers.set(operation, own);
      return all;
    },
    refused(exchange, operation, charge, decision) {
      const refusal = takerOf(operation, charge)?.refused?.(exchange, operation, charge, decision);
      return refusal ?? deny("limit.exceeded", "A limit is used up.", { retryAfterMs: decision.retryAfterMs });
    },
    charged(exchange, operation, charges, decisions) {
      charges.forEach((charge, at) => {
        const decision = decisions[at];
        if (decision === undefined) return;
        takerOf(operation, charge)?.charged?.(exchange, operation, [charge], [decision]);
      });
    },
    settle(exchange, operation, outcome, charges) {
      return charges.map((charge) => {
        const used = takerOf(operation, charge)?.settle?.(exchange, operation, outcome, [charge]);
        return used?.[0] ?? charge.amount;
      });
    },
  };
}
