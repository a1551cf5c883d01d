import { toGatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";

const outcomesOf = new WeakMap<Exchange, readonly Outcome[]>();

/**
 * Runs all operations of an exchange side by side, each through its own steps, and joins their outcomes to the one that
 * the client gets. What breaks for one of them breaks for that one only.
 */
export async function runSiblings(
  exchange: Exchange,
  run: (operation: Operation) => MaybePromise<Outcome>,
): Promise<Outcome> {
  const outcomes = await Promise.all(
    exchange.operations.map(async (operation): Promise<Outcome> => {
      try {
        return await run(operation);
      } catch (error) {
        return { type: "failed", error: toGatewayError(exchange.cancellation.reason ?? error) };
      }
    }),
  );
  const { join } = exchange.api.adapter;
  const [first] = outcomes;
  if (join === undefined && first !== undefined) return first;
  outcomesOf.set(exchange, outcomes);
  return join?.(exchange, outcomes) ?? nothing;
}

/** How the operation at that place among its siblings has ended; undefined where there was no batch. */
export function siblingOutcome(exchange: Exchange, place: number): Outcome | undefined {
  return outcomesOf.get(exchange)?.[place];
}

const nothing: Outcome = {
  type: "denied",
  deny: { type: "deny", code: "request.invalid", message: "The request holds nothing to do." },
  by: "decode",
};
