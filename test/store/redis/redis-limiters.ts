import type { Clock } from "../../../src/kernel/clock.ts";
import type { Limiter, Reservation } from "../../../src/pipeline/limiter.ts";
import { createRedisLimiter } from "../../../src/store/redis/limiter.ts";
import type { RedisConnection } from "../../../src/store/redis/redis-connection.ts";

let opened = 0;

/** Two limiters, each on a connection of its own, that count together and apart from all other pairs. */
export function twoLimiters(
  connections: readonly RedisConnection[],
  clock?: Pick<Clock, "now" | "monotonic">,
): readonly [Limiter, Limiter] {
  opened += 1;
  const keyPrefix = `test-${opened}:`;
  const clocks = clock && (() => ({ monotonicMs: clock.monotonic(), wallMs: clock.now() }));
  const [one, two] = connections.map((redis) => {
    const run: RedisConnection["run"] = (call) => redis.run(call);
    return createRedisLimiter({ redis: { keyPrefix, run }, ...(clocks && { clocks }) });
  });
  if (one === undefined || two === undefined) throw new Error("two connections are wanted");
  return [one, two];
}

/** The two as one: calls go to them by turns, and a reservation back to the one that made it. */
export function twoLimitersAsOne(
  connections: readonly RedisConnection[],
  clock?: Pick<Clock, "now" | "monotonic">,
): Limiter {
  const limiters = twoLimiters(connections, clock);
  const makers = new WeakMap<Reservation, Limiter>();
  let turn = 0;
  const next = (): Limiter => {
    turn += 1;
    const limiter = limiters[turn % limiters.length];
    if (limiter === undefined) throw new Error("no limiter");
    return limiter;
  };
  return {
    async take(charges) {
      const limiter = next();
      const taken = await limiter.take(charges);
      if (taken.allowed) makers.set(taken.reservation, limiter);
      return taken;
    },
    settle: (reservation, amounts) => makers.get(reservation)?.settle(reservation, amounts),
    async renew(reservations) {
      for (const reservation of reservations) await makers.get(reservation)?.renew([reservation]);
    },
    clear: (charges) => next().clear(charges),
    look: (charges) => next().look(charges),
  };
}
