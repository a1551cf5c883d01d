import type { Clock } from "../kernel/clock.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Strategy } from "./define-strategy.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { DecisionSpent } from "./route-decision.ts";
import type { CompiledTarget } from "./target.ts";

/** A router that is asked beside the one that leads, and leads nowhere. */
export interface Shadow {
  /** Hears of all tries, as the one that leads does. */
  readonly strategy: Strategy;
  /**
   * Asks it about an operation whose way is chosen already. Returns at once; never throws. How it went is in `shadowOf`
   * when `shadowWait` is over.
   */
  ask(exchange: Exchange, operation: Operation, led: LedChoice, clock: Clock): void;
}

/** What the router that leads was offered, and what it made of it. */
export interface LedChoice {
  readonly open: readonly CompiledTarget[];
  readonly order: readonly CompiledTarget[];
}

export interface ShadowSettings {
  readonly strategyId: string;
  /** Share of the requests that it is asked about, 0 to 1. */
  readonly sample: number;
  /** Milliseconds after which its decision is not waited for any more. */
  readonly timeoutMs: number;
}

/** What the router in the shadow would have done. */
export interface ShadowDecision {
  /** Its strategy's id. */
  readonly strategy: string;
  /** What the router that leads wanted to try first. */
  readonly ledTo: string | undefined;
  /** What it would have tried first; undefined where it did not decide. */
  readonly target: CompiledTarget | undefined;
  readonly route: string | undefined;
  /** As of a `RouteDecision`; of its own also `deadline`, `failed` and `busy`. Empty where its strategy gives none. */
  readonly reason: string;
  /** Milliseconds. */
  readonly tookMs: number;
  /** What its own model took to decide; nothing where it had not answered in time. */
  readonly spent: DecisionSpent | undefined;
}

/** Decisions of one router that may be under way at a time; beyond them it is not asked. */
const mostWaiting = 100;

/** A router in the shadow. Its strategy is not disposed with it. */
export function createShadow(strategy: Strategy, { strategyId, sample, timeoutMs }: ShadowSettings): Shadow {
  let waiting = 0;
  return {
    strategy,
    ask(exchange, operation, { open, order }, clock) {
      if (shareOf(exchange) >= sample) return;
      const startedMs = clock.monotonic();
      const own = withOwnRoute(exchange);
      const told = (target: CompiledTarget | undefined, reason: string): ShadowDecision => ({
        strategy: strategyId,
        ledTo: order[0]?.id,
        target,
        route: target && own.route?.route,
        reason,
        tookMs: clock.monotonic() - startedMs,
        spent: own.route,
      });
      const decided = ([first]: readonly CompiledTarget[]): ShadowDecision => told(first, own.route?.reason ?? "");
      if (waiting >= mostWaiting) {
        decisions.set(exchange, { decision: told(undefined, "busy") });
        return;
      }
      const chosen = chooseSafely(strategy, open, own, operation);
      if (!(chosen instanceof Promise)) {
        decisions.set(exchange, { decision: chosen === undefined ? told(undefined, "failed") : decided(chosen) });
        return;
      }
      waiting += 1;
      const found = chosen.then((targets) => (targets === undefined ? told(undefined, "failed") : decided(targets)));
      const settled = inTime(found, timeoutMs, clock).then((decision) => {
        waiting -= 1;
        decisions.set(exchange, { decision: decision ?? told(undefined, "deadline") });
      });
      decisions.set(exchange, { settled });
    },
  };
}

/** What was decided in the shadow; undefined where nobody was asked, or is still deciding. */
export function shadowOf(exchange: Exchange): ShadowDecision | undefined {
  return decisions.get(exchange)?.decision;
}

/** Resolves when the shadow has decided or its time is over; undefined where nothing is to be waited for. Never rejects. */
export function shadowWait(exchange: Exchange): Promise<void> | undefined {
  return decisions.get(exchange)?.settled;
}

const decisions = new WeakMap<Exchange, { readonly decision?: ShadowDecision; readonly settled?: Promise<void> }>();

/** The exchange, but for the reasons: what the strategy writes of them must not stand in the place of the other one's. */
function withOwnRoute(exchange: Exchange): Exchange {
  // The exchange itself is what it inherits from.
  return Object.create(exchange, { route: { value: undefined, writable: true } }) as Exchange;
}

/** A number from 0 to 1 that an exchange's id decides: its last digits are random. */
function shareOf({ id }: Exchange): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32;
}

/** Undefined for a strategy that fails: nobody's request depends on it. */
function chooseSafely(
  strategy: Strategy,
  open: readonly CompiledTarget[],
  exchange: Exchange,
  operation: Operation,
): MaybePromise<readonly CompiledTarget[] | undefined> {
  try {
    const chosen = strategy.choose(open, exchange, operation);
    return chosen instanceof Promise ? chosen.catch(() => undefined) : chosen;
  } catch {
    return undefined;
  }
}

function inTime<Value>(value: Promise<Value>, timeoutMs: number, clock: Clock): Promise<Value | undefined> {
  const { promise, resolve } = Promise.withResolvers<Value | undefined>();
  const cancel = clock.after(timeoutMs, () => resolve(undefined));
  void value.then((found) => {
    cancel();
    resolve(found);
  });
  return promise;
}
