import type { Clock } from "../kernel/clock.ts";
import type { Operation } from "./exchange.ts";

/** Times how long guardrails keep back the first text of a stream. */
export interface FirstTextHold {
  /** Text has come. The first time counts. */
  came(): void;
  /** One guardrail after another lets its first text go. The last one's counts. */
  went(): void;
}

/** Tells `operation.heldMs`. Where the first text is refused, nothing has gone and nothing is told. */
export function createFirstTextHold(operation: Operation, clock: Clock): FirstTextHold {
  let cameMs: number | undefined;
  return {
    came() {
      cameMs ??= clock.monotonic();
    },
    went() {
      if (cameMs !== undefined) operation.heldMs = clock.monotonic() - cameMs;
    },
  };
}
