import type { Clock } from "./clock.ts";
import { GatewayError } from "./errors.ts";
import type { MaybePromise } from "./maybe-promise.ts";

/** The value, or a rejection with `upstream.timeout` after so many milliseconds; what was waited for goes on. */
export function inTime<Value>(
  value: MaybePromise<Value>,
  deadlineMs: number,
  clock: Pick<Clock, "after">,
): MaybePromise<Value> {
  if (!(value instanceof Promise)) return value;
  return new Promise((resolve, reject) => {
    const late = (): void =>
      reject(new GatewayError("upstream.timeout", "It took too long.", { detail: `more than ${deadlineMs} ms` }));
    value.then(resolve, reject).finally(clock.after(deadlineMs, late));
  });
}
