import type { FailureClass } from "../core/failover.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CompiledUpstream } from "./adapter.ts";
import type { Breaker } from "./breaker.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import { defaultFailover } from "./failover-rules.ts";
import { failureOf, harmlessClasses } from "./failure-class.ts";
import type { Outcome } from "./outcome.ts";
import { allClosed, passGates, withGates } from "./pass-gates.ts";
import type { CompiledTarget } from "./target.ts";
import { tryTarget } from "./try-target.ts";
import { targetKey } from "./upstream-watch.ts";

export interface CallTools {
  readonly clock: Clock;
  readonly breaker: Breaker;
}

/**
 * Routes and calls: targets pass their gates, the strategy orders those that are open, and tries go down that order until
 * one answers, `maxAttempts` are spent or the retry budget is. A target is tried again only when the request never reached
 * it (connection refused); a model call that may have run is repeated at another target or not at all, since it costs
 * money. Nothing is tried again once an answer has begun.
 */
export async function callUpstream(
  exchange: Exchange,
  operation: Operation,
  tools: CallTools,
): Promise<Answer | Outcome> {
  const found = chooseTargets(exchange, operation, tools);
  const choice = found instanceof Promise ? await found : found;
  if ("type" in choice) return choice;
  choice.place.upstream.retries?.arrived(isClientRetry(exchange));
  const answer = goDown(choice.place, choice.open, choice.order, tools.clock);
  // Only now that the request is on its way: it never waits for the shadow.
  if (choice.open.length > 1) choice.place.upstream.shadow?.ask(exchange, operation, choice, tools.clock);
  return answer;
}

/** The targets that are open to an operation, and the order in which they would be tried. */
export interface TargetChoice {
  readonly open: readonly CompiledTarget[];
  readonly order: readonly CompiledTarget[];
}

/**
 * Routes without calling: what `callUpstream` would try, or its refusal. Sets `exchange.route`. Throws
 * `upstream.unavailable` where all that could serve it are at rest.
 */
export function chooseTargets(
  exchange: Exchange,
  operation: Operation,
  { breaker }: Pick<CallTools, "breaker">,
): MaybePromise<(TargetChoice & { readonly place: Place }) | Outcome> {
  const { adapter, protocol } = exchange.api;
  const environment = exchange.principal?.environment ?? "production";
  const upstream = protocol.upstreams[environment];
  if (!upstream.targets.some((target) => target.serves(operation.name)))
    return { type: "denied", deny: adapter.notOffered(operation, exchange), by: "route" };

  const place: Place = { exchange, operation, upstream, breaker, environment };
  const { open, closed } = passGates(exchange, operation, upstream.targets, (target) => restMs(place, target) > 0);
  if (open.length === 0 && closed !== undefined) {
    exchange.route = withGates(exchange.route, closed, upstream.strategyId);
    const resting = closed.filter(({ gate }) => gate === "health").map(({ target }) => target);
    if (resting.length > 0) throw allResting(place, resting);
    return { type: "denied", deny: allClosed(operation, closed), by: "route" };
  }
  const ordered = (order: readonly CompiledTarget[]): TargetChoice & { readonly place: Place } => {
    exchange.route = withGates(exchange.route, closed, upstream.strategyId);
    const first = adapter.bindingOf?.(operation)?.prefers;
    return { place, open, order: first === undefined ? order : withFirst(first, open, order) };
  };
  const chosen = open.length === 1 ? open : upstream.strategy.choose(open, exchange, operation);
  return chosen instanceof Promise ? chosen.then(ordered) : ordered(chosen);
}

// What was made at a target is worth more there than any balancing.
function withFirst(
  id: string,
  open: readonly CompiledTarget[],
  order: readonly CompiledTarget[],
): readonly CompiledTarget[] {
  const first = open.find((target) => target.id === id);
  return first === undefined ? order : [first, ...order.filter((target) => target !== first)];
}

/** Where the tries of one operation are made. */
export interface Place {
  readonly exchange: Exchange;
  readonly operation: Operation;
  readonly upstream: CompiledUpstream;
  readonly breaker: Breaker;
  readonly environment: "production" | "sandbox";
}

async function goDown(
  place: Place,
  offered: readonly CompiledTarget[],
  chosen: readonly CompiledTarget[],
  clock: Clock,
): Promise<Answer> {
  const { exchange, operation, upstream, breaker } = place;
  const { maxAttempts, failover = defaultFailover } = upstream;
  const tried = new Set<CompiledTarget>();
  let order = chosen;
  let target = nextAdmitted(place, order, tried);
  for (let sent = 1; ; ) {
    if (target === undefined) {
      throw allResting(
        place,
        order.map(({ id }) => id),
      );
    }
    const keys = { target: keyOf(place, target), model: modelOf(place, target) };
    const result = await tryTarget(exchange, operation, target, { upstream, breaker, clock, keys });
    tried.add(target);
    const failure = failureOf(result);
    if (failure !== "not-carried") sent += 1;
    const isOver = failure === undefined || !failover.mayFollow(failure) || exchange.cancellation.isCancelled;
    if (isOver || operation.isSpent === true || sent > maxAttempts) return settle(result);
    order = failover.targetsAfter(failure, offered) ?? order;
    const next = nextAdmitted(place, order, tried) ?? (wasUnreached(result) ? target : undefined);
    if (next === undefined || !isAffordable(upstream, failure)) return settle(result);
    target = next;
  }
}

function isAffordable({ retries }: CompiledUpstream, failure: FailureClass): boolean {
  return retries === undefined || harmlessClasses.has(failure) || retries.take();
}

/**
 * The next target that has not been tried and is not at rest; rather one that is not just coming back. Asked only when its
 * turn comes: the one that is admitted after a rest is the trial.
 */
function nextAdmitted(
  place: Place,
  order: readonly CompiledTarget[],
  tried: ReadonlySet<CompiledTarget>,
): CompiledTarget | undefined {
  const { breaker, upstream } = place;
  let easing: CompiledTarget | undefined;
  for (const target of order) {
    if (tried.has(target)) continue;
    const [key, model] = [keyOf(place, target), modelOf(place, target)];
    if (!breaker.admits(key, upstream.breaker, model)) continue;
    if (order.length === 1 || !breaker.isEasing(key, upstream.breaker, model)) return target;
    easing ??= target;
  }
  return easing;
}

function keyOf({ exchange, environment }: Place, { id }: CompiledTarget): string {
  return targetKey(exchange.api.id, environment, id);
}

// One model that is down at a provider says nothing of the others there.
function modelOf({ operation }: Place, target: CompiledTarget): string | undefined {
  return target.model === undefined ? operation.name : undefined;
}

function restMs(place: Place, target: CompiledTarget): number {
  return place.breaker.restMs(keyOf(place, target), modelOf(place, target));
}

function wasUnreached(result: Answer | GatewayError): boolean {
  return result instanceof GatewayError && result.code === "upstream.unreachable";
}

function settle(result: Answer | GatewayError): Answer {
  if (result instanceof GatewayError) throw result;
  return result;
}

// The official clients count their own tries.
function isClientRetry({ inbound }: Exchange): boolean {
  const count = inbound.headers["x-stainless-retry-count"];
  return count !== undefined && count !== "0";
}

function allResting(place: Place, ids: readonly string[]): GatewayError {
  const waits = place.upstream.targets.filter(({ id }) => ids.includes(id)).map((target) => restMs(place, target));
  return new GatewayError(
    "upstream.unavailable",
    "The upstream has failed repeatedly and is given a rest; try again later.",
    { detail: `open: ${ids.join(", ")}`, retryAfterMs: Math.max(1, Math.min(...waits)) },
  );
}
