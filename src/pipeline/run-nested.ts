import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import { runRecord } from "./run-steps.ts";
import type { RunnerOptions } from "./runner.ts";
import { runOperation } from "./runner.ts";

/** Runs an operation within another one's: an API that is called on behalf of a call of another API. */
export interface NestedRunner {
  /** From admission to the answer, by the chain of `exchange.api`. The caller is known already. Rejects with faults. */
  run(exchange: Exchange, operation: Operation): MaybePromise<Outcome>;
  /** Settles what was charged and what policies hold; call it once, however `run` ended. Writes no row. */
  end(exchange: Exchange, operation: Operation, outcome: Outcome): MaybePromise<void>;
}

/** Nested operations with the parts of the runner itself. */
export function createNestedRunner(options: RunnerOptions): NestedRunner {
  return {
    run: (exchange, operation) => runOperation(exchange, operation, options),
    end(exchange, operation, outcome) {
      const waits = [
        runRecord(exchange, operation, outcome, options),
        options.limits.settle(exchange, operation, outcome),
      ].filter((each) => each instanceof Promise);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
  };
}
