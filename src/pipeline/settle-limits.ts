import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Demand } from "./limit-demands.ts";
import { addDemands, mayBeCharged } from "./limit-demands.ts";
import type { Limiter, Taken } from "./limiter.ts";
import type { Outcome } from "./outcome.ts";

export interface LimitGateOptions {
  readonly limiter: Limiter;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the limiter may take for one answer, a second where nothing is said; then it has failed. */
  readonly timeoutMs?: number | undefined;
}

const defaultTimeoutMs = 1_000;

/**
 * Charges what was used before and is told now, wherever use is counted: the operation's usage is that from now on. It
 * cannot be refused any more, so a limit may be passed by it. Never rejects; what fails is logged.
 */
export async function chargeLater(
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  options: LimitGateOptions,
): Promise<void> {
  const { limiter, log } = options;
  try {
    const later = await operation.laterUsage;
    if (later === undefined) return;
    operation.usage = later.usage;
    operation.isLater = true;
    exchange.attempts.push(later.attempt);
    const demands = mayBeCharged(exchange) ? usersOf(exchange, operation, log) : [];
    if (demands.length === 0) return;
    const charges = demands.flatMap((demand) => demand.charges);
    const taken = await inTime(Promise.resolve(limiter.take(charges)), options, (late) => giveBack(late, options));
    if (!taken.allowed) return;
    const amounts = demands.flatMap((demand) => amountsOf(exchange, operation, outcome, demand, log));
    await inTime(Promise.resolve(limiter.settle(taken.reservation, amounts)), options);
  } catch (error) {
    log.warn({ exchange: exchange.id, err: error }, "what is told of earlier use was not charged");
  }
}

/** What those charge who count use, none of it enforced. */
function usersOf(exchange: Exchange, operation: Operation, log: Log): readonly Demand[] {
  const all: Demand[] = [];
  addDemands(exchange, operation, log, all);
  return all
    .filter(({ policy }) => policy.countsUse === true)
    .map((demand) => ({ ...demand, charges: demand.charges.map((charge) => ({ ...charge, enforce: false })) }));
}

/** What each charge of a policy has really used; NaN, which is no amount, leaves what was reserved. */
export function amountsOf(
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  { policy, place, charges }: Demand,
  log: Log,
): readonly number[] {
  let amounts: readonly number[] | undefined;
  try {
    amounts = policy.settle?.(exchange, operation, outcome, charges);
  } catch (error) {
    log.error({ exchange: exchange.id, policy: place, err: error }, "a policy failed to settle its limit");
  }
  return charges.map((_charge, index) => amounts?.[index] ?? Number.NaN);
}

/** The answer, or a fault when it has not come in time; what comes later goes to `late`. */
export function inTime<Value>(
  answer: Promise<Value>,
  { clock, timeoutMs = defaultTimeoutMs }: LimitGateOptions,
  late?: (value: Value) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const cancel = clock.after(timeoutMs, () => {
      isLate = true;
      reject(new GatewayError("limit.unavailable", `The limiter did not answer within ${timeoutMs} ms.`));
    });
    answer.then(
      (value) => {
        cancel();
        if (isLate) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** Nobody waits for it any more: what it took is not used. */
export function giveBack(taken: Taken, { limiter, log }: LimitGateOptions): void {
  if (!taken.allowed) return;
  const failed = (error: unknown): void => log.warn({ err: error }, "a late reservation was not given back");
  try {
    const settled = limiter.settle(
      taken.reservation,
      taken.reservation.charges.map(() => 0),
    );
    if (settled instanceof Promise) settled.catch(failed);
  } catch (error) {
    failed(error);
  }
}
