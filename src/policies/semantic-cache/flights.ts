import { LRUCache } from "lru-cache";
import type { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { entryLimit } from "../../kernel/entry-limit.ts";
import type { KeptAnswer } from "../../pipeline/answer-keeping.ts";

/** A question that is being asked, for itself and for those who wait. */
export interface Flight {
  /** Gives the answer to all who wait; undefined where it may not stand for theirs, or none came. The first call counts. */
  land(answer: KeptAnswer | undefined): void;
  /** From now on an equal question is another flight: this one's answer is kept, or there is none. */
  end(): void;
}

/** What comes of waiting: an answer, or why there is none, in one word. */
export type Waited = KeptAnswer | "unshared" | "late" | "crowded";

export interface Flights {
  /** A new flight, which the caller has to land and to end; or what comes of waiting for the one that there is. */
  join(key: string, cancellation: Cancellation): Flight | Promise<Waited>;
}

export interface FlightBounds {
  /** Milliseconds that somebody waits, and after which nobody joins a flight any more. */
  readonly deadlineMs: number;
  /** Who may wait for one flight at a time; others go by themselves. */
  readonly waiters: number;
}

/** Flights at most; of more the oldest are joined no longer. */
const mostFlights = 10_000;

interface Waiting {
  readonly untilMs: number;
  readonly listeners: Set<(answer: Waited) => void>;
  landed: Waited | undefined;
}

/** Equal questions that are asked at the same time, in this process. */
export function createFlights({ deadlineMs, waiters }: FlightBounds, clock: Clock): Flights {
  const flights = new LRUCache<string, Waiting>(entryLimit(mostFlights));
  const lead = (key: string): Flight => {
    const own: Waiting = { untilMs: clock.monotonic() + deadlineMs, listeners: new Set(), landed: undefined };
    flights.set(key, own);
    return {
      land(answer) {
        own.landed ??= answer ?? "unshared";
        for (const tell of own.listeners) tell(own.landed);
      },
      end() {
        if (flights.peek(key) === own) flights.delete(key);
      },
    };
  };
  return {
    join(key, cancellation) {
      const found = flights.get(key);
      if (found === undefined || found.landed === "unshared" || found.untilMs <= clock.monotonic()) return lead(key);
      if (found.landed !== undefined) return Promise.resolve(found.landed);
      if (found.listeners.size >= waiters) return Promise.resolve("crowded");
      return waitFor(found, cancellation, deadlineMs, clock);
    },
  };
}

/** Who leaves waits no longer, and is told that it is late: nobody listens to it. */
function waitFor(
  { listeners }: Waiting,
  cancellation: Cancellation,
  deadlineMs: number,
  clock: Pick<Clock, "after">,
): Promise<Waited> {
  return new Promise((resolve) => {
    const settle = (answer: Waited): void => {
      stop();
      cancellation.ignore(listener);
      listeners.delete(settle);
      resolve(answer);
    };
    const stop = clock.after(deadlineMs, () => settle("late"));
    const listener = { onCancel: () => settle("late") };
    listeners.add(settle);
    if (cancellation.isCancelled) settle("late");
    else cancellation.listen(listener);
  });
}
