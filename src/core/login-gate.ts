import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";

/** Slows down whoever guesses passwords, and bounds the memory that checking them takes. */
export interface LoginGate {
  /**
   * Lets one check of a name in. Throws `limit.exceeded`, with the time to wait, when too many have failed for it or
   * too many wait already, whether there is such a user or not.
   *
   * With an address, failures count for the name from there, and ten times as many for the name from everywhere: who
   * guesses waits, and the name's owner elsewhere does not. An address from which the name has come in waits for nobody
   * else's failures.
   */
  check(name: string, verify: () => Promise<boolean>, address?: string): Promise<boolean>;
}

const defaultFreeFailures = 5;
/** The first wait; each failure after doubles it. */
const firstWaitMs = 1_000;
const longestWaitMs = 900_000;
/** A name with no failure for this long begins anew. */
const forgetAfterMs = 3_600_000;
const maxNames = 10_000;
/** Failures of a name from everywhere, for one of those that it has from one address. */
const everywhereFactor = 10;
const maxRunning = 2;
const maxWaiting = 100;

/**
 * A gate that nobody has failed at yet. Its memory is this process's, and bounded.
 * @param freeFailures failures that a name has before it has to wait
 */
export function createLoginGate(clock: Clock, freeFailures = defaultFreeFailures): LoginGate {
  const failures = new Map<string, { count: number; lastMs: number }>();
  const welcome = new Set<string>();
  const turns = createTurns();

  const refuseWhileWaiting = ({ key, free }: Counted): void => {
    const failed = failures.get(key);
    if (failed === undefined || failed.count < free) return;
    const waitMs = Math.min(firstWaitMs * 2 ** (failed.count - free), longestWaitMs);
    const retryAfterMs = failed.lastMs + waitMs - clock.now();
    if (retryAfterMs > 0) throw tooMany(retryAfterMs);
  };
  const noteFailure = ({ key }: Counted): void => {
    const nowMs = clock.now();
    const before = failures.get(key);
    const isRecent = before !== undefined && nowMs - before.lastMs < forgetAfterMs;
    failures.delete(key); // put at the end again: the first in the map failed longest ago
    failures.set(key, { count: isRecent ? before.count + 1 : 1, lastMs: nowMs });
    forgetOldest(failures);
  };
  const countersOf = (name: string, address: string | undefined): readonly Counted[] => {
    if (address === undefined) return [{ key: name, free: freeFailures }];
    const here = { key: `${name} ${address}`, free: freeFailures };
    return welcome.has(here.key) ? [here] : [here, { key: name, free: freeFailures * everywhereFactor }];
  };

  return {
    async check(name, verify, address) {
      const counters = countersOf(name, address);
      counters.forEach(refuseWhileWaiting);
      return turns.run(async () => {
        counters.forEach(refuseWhileWaiting); // others may have failed for it meanwhile
        const isRight = await verify();
        if (!isRight) counters.forEach(noteFailure);
        else {
          const [{ key } = { key: name }] = counters;
          failures.delete(key);
          welcome.delete(key);
          welcome.add(key);
          forgetOldest(welcome);
        }
        return isRight;
      });
    },
  };
}

/** What failures are counted by, and how many are free. */
interface Counted {
  readonly key: string;
  readonly free: number;
}

/** The first of a map or a set is what was touched longest ago. */
function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  if (kept.size <= maxNames) return;
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
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
