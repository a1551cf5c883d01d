import { hash } from "node:crypto";
import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

const config = z.strictObject({
  by: z.enum(["conversation", "caller", "header"]).default("conversation").meta({
    title: "By",
    description:
      "`conversation`: the caller and the first thing that the user has said; `caller`: the key, or client and user of a token; `header`: what `header` says.",
  }),
  header: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a header's name")
    .default("x-session-id")
    .meta({ title: "Header", description: "For `by: header`. Requests without it go by their caller." }),
});

/**
 * What belongs together goes to the same target, as long as it is there, so that a provider's prompt cache is of use. By
 * rendezvous hashing with weights: when a target comes or goes, only its own share moves. Keeps nothing, so all gateways
 * agree.
 * @see https://www.snia.org/sites/default/files/SDC15_presentations/dist_sys/Jason_Resch_New_Consistent_Hashings_Rev.pdf
 */
export const sticky = defineStrategy({
  id: "sticky",
  title: "Sticky",
  summary: "Keeps a conversation, a caller or a session at one target.",
  config,
  examples: [{}, { by: "header", header: "x-conversation" }, { by: "caller" }],
  compile({ by, header }) {
    const name = header.toLowerCase();
    return {
      choose(targets, exchange, operation) {
        if (targets.length < 2) return targets;
        const key = keyOf(exchange, operation, by, name);
        const scores = new Map(targets.map((target) => [target, scoreOf(key, target)]));
        return targets.toSorted((left, right) => (scores.get(right) ?? 0) - (scores.get(left) ?? 0));
      },
    };
  },
});

function keyOf(exchange: Exchange, operation: Operation, by: z.output<typeof config>["by"], header: string): string {
  const { principal, inbound, api } = exchange;
  const caller = principal?.keyId ?? principal?.caller ?? inbound.clientIp;
  if (by === "header") {
    const value = inbound.headers[header];
    return typeof value === "string" && value !== "" ? `${caller}/${value}` : caller;
  }
  if (by === "caller") return caller;
  const first = api.adapter.requestSpans(operation).find(({ author }) => author === "user");
  return `${caller}/${first?.text ?? ""}`;
}

/** The highest wins; a target of twice the weight wins twice as often, and one of weight 0 never against others. */
function scoreOf(key: string, { id, weight }: CompiledTarget): number {
  const digest = hash("sha256", `${id}\n${key}`, "hex");
  const share = (Number.parseInt(digest.slice(0, 13), 16) + 1) / 2 ** 52;
  return weight === 0 ? share - 1 : -weight / Math.log(Math.min(share, 1 - 2 ** -52));
}
