import { formatNanos } from "../core/money.ts";
import type { AttemptBill } from "./attempt-cost.ts";
import { costElsewhere } from "./attempt-cost.ts";
import type { EventValue } from "./event.ts";
import type { Exchange, Operation } from "./exchange.ts";
import { roundedMs } from "./rounded-ms.ts";
import { shadowOf } from "./shadow-route.ts";

/**
 * What a router in the shadow would have done, for the row of an operation; `fields` itself where none was asked. What it
 * would have cost is told where the answer's tokens are known, and in the same currency only. What it took itself to decide
 * is part of the operation's cost.
 */
export function withShadow(
  fields: Readonly<Record<string, EventValue>>,
  exchange: Exchange,
  operation: Operation | undefined,
  bills: readonly AttemptBill[],
): Readonly<Record<string, EventValue>> {
  const decision = shadowOf(exchange);
  if (operation === undefined || decision === undefined) return fields;
  const { strategy, ledTo = null, target, route, reason, tookMs, spent } = decision;
  const { classifierTokens: tokens, classifierCost } = spent ?? {};
  const bill = bills.at(-1);
  const cost = target && bill && costElsewhere(target, operation, bill);
  return {
    ...fields,
    route_target: ledTo,
    shadow_strategy: strategy,
    shadow_reason: reason,
    shadow_ms: roundedMs(tookMs),
    ...(route === undefined ? {} : { shadow_name: route }),
    ...(target === undefined ? {} : { shadow_target: target.id }),
    ...(cost === undefined ? {} : { shadow_cost: cost }),
    ...(tokens === undefined ? {} : { shadow_input_tokens: tokens.input, shadow_output_tokens: tokens.output }),
    ...(classifierCost === undefined ? {} : { shadow_route_cost: formatNanos(classifierCost.nanos) }),
  };
}
