import type { Exchange } from "../../pipeline/exchange.ts";
import type { Outcome } from "../../pipeline/outcome.ts";

/**
 * How far a message came that was not answered well, in one of few words: `accept`, `auth`, `decode`, `authz`, `admit`,
 * `request`, `upstream` or `response`. Undefined for one that was.
 */
export function outcomeStage(exchange: Exchange, outcome: Outcome, isUpstreamError: boolean): string | undefined {
  if (outcome.type === "answer") return isUpstreamError || outcome.answer.status >= 400 ? "upstream" : undefined;
  if (outcome.type === "denied") return deniedAt(exchange, outcome.by);
  const { code } = outcome.error;
  if (code.startsWith("upstream.")) return "upstream";
  if (code.startsWith("guardrail.") || code.startsWith("policy.")) return lastRefusal(exchange)?.step ?? "response";
  if (exchange.firstByteMs !== undefined) return "response";
  return exchange.attempts.length > 0 ? "upstream" : "decode";
}

const ownSteps: Readonly<Record<string, string>> = {
  accept: "accept",
  identify: "auth",
  subscription: "auth",
  decode: "decode",
  authorize: "authz",
  route: "authz",
};

function deniedAt(exchange: Exchange, by: string): string {
  if (ownSteps[by] !== undefined) return ownSteps[by];
  if (exchange.principal === undefined) return "auth";
  return lastRefusal(exchange, by)?.step ?? "request";
}

function lastRefusal({ decisions }: Exchange, by?: string): Exchange["decisions"][number] | undefined {
  return decisions.findLast(
    ({ policy, action, mode }) =>
      mode === "enforce" && (action === "deny" || action === "error") && (by === undefined || policy === by),
  );
}
