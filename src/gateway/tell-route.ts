import { formatNanos } from "../core/money.ts";
import type { EventValue } from "../pipeline/event.ts";
import type { Exchange } from "../pipeline/exchange.ts";
import type { RouteDecision } from "../pipeline/route-decision.ts";

/** For rows of operations that no strategy has looked into. */
export const noFields: Readonly<Record<string, EventValue>> = {};

/** The columns of a decision. */
export function routeFields(decision: RouteDecision): typeof noFields {
  const { strategy, route, reason, scores, tookMs, classifierTokens, classifierCost, gates } = decision;
  return {
    route_strategy: strategy,
    route_reason: reason,
    ...(route === undefined ? {} : { route_name: route }),
    ...(scores[0] === undefined ? {} : { route_score: scores[0].score }),
    route_candidates: scores.map((each) => `${each.route}=${each.score}`),
    ...(classifierTokens === undefined
      ? {}
      : {
          route_input_tokens: classifierTokens.input,
          route_output_tokens: classifierTokens.output,
          route_usage_source: classifierTokens.isEstimated ? "estimated" : "actual",
        }),
    ...(classifierCost === undefined ? {} : { route_cost: formatNanos(classifierCost.nanos) }),
    ...(gates === undefined ? {} : { route_gates: gates.map(({ target, gate }) => `${target}=${gate}`) }),
    route_ms: Math.round(tookMs * 1_000) / 1_000,
  };
}

/** Whether the caller wants to hear of it: `x-gatehouse-explain: route`. */
export function asksForRoute({ inbound }: Pick<Exchange, "inbound">): boolean {
  return inbound.headers["x-gatehouse-explain"] === "route";
}

/** The decision for the caller: which route and why, which gates were closed, and nothing of the targets. */
export function routeHeader({ strategy, route, reason, scores, gates = [] }: RouteDecision): string {
  const shut = [...new Set(gates.map(({ gate }) => gate))];
  const closed = shut.length === 0 ? [] : [`closed=${shut.join(",")}`];
  const score = scores[0] === undefined ? [] : [`score=${scores[0].score}`];
  return [`strategy=${strategy}`, `route=${route ?? "default"}`, `reason=${reason}`, ...score, ...closed].join(";");
}
