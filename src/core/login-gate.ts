import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";

/** Slows down whoever guesses passwords, and bounds the memory that checking them takes. */
export interface LoginGate {
  /**
   * Lets one check of a name in. Throws `limit.exceeded`, with the time to wait, when too many have failed for it or
   * too many wait already, whether there is such a user or not.
   */
  check(name: string, verify: () => Promise<boolean>): Promise<boolean>;
}

const defaultFreeFailures = 5;
/** The first wait; each failure after doubles it. */
const firstWaitMs = 1_000;
const longestWaitMs = 900_000;
/** A name with no failure for this long begins anew. */
const forgetAfterMs = 3_600_000;
const maxNames = 10_000;
const maxRunning = 2;
const maxWaiting = 100;

/**
 * A gate that nobody has failed at yet. Its memory is this process's, and bounded.
 * @param freeFailures failures that a name has before it has to wait
 */
export function createLoginGate(clock: Clock, freeFailures = defaultFreeFailures): LoginGate {
  const failures = new Map<string, { count: number; lastMs: number }>();
  const turns = createTurns();

  const refuseWhileWaiting = (name: string): void => {
    const failed = failures.get(name);
    if (failed === undefined || failed.count < freeFailures) return;
    const waitMs = Math.min(firstWaitMs * 2 ** (failed.count - freeFailures), longestWaitMs);
    const retryAfterMs = failed.lastMs + waitMs - clock.now();
    if (retryAfterMs > 0) throw tooMany(retryAfterMs);
  };
  const noteFailure = (name: string): void => {
    const nowMs = clock.now();
    const before = failures.get(name);
    const isRecent = before !== undefined && nowMs - before.lastMs < forgetAfterMs;
    failures.delete(name); // put at the end again: the first in the map failed longest ago
    failures.set(name, { count: isRecent ? before.count + 1 : 1, lastMs: nowMs });
    const [oldest] = failures.size > maxNames ? failures.keys() : [];
    if (oldest !== undefined) failures.delete(oldest);
  };

  return {
    async check(name, verify) {
      refuseWhileWaiting(name);
      return turns.run(async () => {
        refuseWhileWaiting(name); // others may have failed for it meanwhile
        const isRight = await verify();
        if (isRight) failures.delete(name);
        else noteFailure(name);
        return isRight;
      });
    },
  };
}

interface Turns {
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      if (running >= maxRunning) {
        if (waiting.length >= maxWaiting) throw tooMany(1_000);
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.push(resolve);
        await promise; // whoever ends hands its place over, so `running` stays as it is
      } else {
        running += 1;
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}

function tooMany(retryAfterMs: number): GatewayError {
  return new GatewayError("limit.exceeded", "Too many attempts to log in. Wait, then try again.", { retryAfterMs });
}
