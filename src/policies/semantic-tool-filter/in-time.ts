import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";

/** The value, or a rejection with `upstream.timeout` after so many milliseconds; what it waits for goes on. */
export function inTime<Value>(value: MaybePromise<Value>, deadlineMs: number, clock: Clock): MaybePromise<Value> {
  if (!(value instanceof Promise)) return value;
  return new Promise((resolve, reject) => {
    const late = (): void =>
      reject(
        new GatewayError("upstream.timeout", "The tools could not be compared in time.", {
          detail: `${deadlineMs} ms`,
        }),
      );
    const cancel = clock.after(deadlineMs, late);
    value.then(resolve, reject).finally(cancel);
  });
}
