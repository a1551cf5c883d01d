import { GatewayError } from "../../kernel/errors.ts";
import type { LimitRule } from "../../pipeline/limiter.ts";
import type { Counter, Moment } from "./counter.ts";
import { createExpiryHeap } from "./expiry-heap.ts";
import { QuotaCounter } from "./quota-counter.ts";
import { RateCounter } from "./rate-counter.ts";
import { SlotCounter } from "./slot-counter.ts";

/** The counters that a limiter remembers. */
export interface CounterStore {
  readonly size: number;
  find(type: LimitRule["type"], key: string): Counter | undefined;
  /** Forgets a few of those that are free again. */
  forgetFree(now: Moment): void;
  /** Whether so many more can be remembered; room is made for them. */
  makeRoom(wanted: number, now: Moment): boolean;
  /** Remembers a counter for which there is room. */
  remember(counter: Counter, now: Moment): void;
  /** Tells that a counter was counted on. */
  changed(counter: Counter, now: Moment): void;
  /** Those that may be kept over a restart. */
  durable(): Iterable<Counter>;
}

// More than one, so that forgetting outruns remembering.
const sweepsPerTake = 4;

/** An empty store of at most `maxKeys` counters; what gives way to what is told at `MemoryLimiterOptions`. */
export function createCounterStore(maxKeys: number): CounterStore {
  const byKey: Readonly<Record<LimitRule["type"], Map<string, Counter>>> = {
    rate: new Map(),
    quota: new Map(),
    concurrent: new Map(),
  };
  // A rate's time is kept exact. The others only get later than it says here, and are looked at again when it comes.
  const rates = createExpiryHeap<Counter>();
  const kept = createExpiryHeap<Counter>();

  function forgetFirst(heap: typeof rates): void {
    const counter = heap.removeFirst();
    if (counter !== undefined) byKey[counter.type].delete(counter.key);
  }

  /** Forgets the first of the heap if it is free by now; false when it is not. */
  function forgetFirstFree(heap: typeof rates, now: Moment): boolean {
    for (;;) {
      const { first } = heap;
      if (first === undefined || first.freeAtMs > now.monotonicMs) return false;
      const freeAtMs = first.freeAt(now);
      if (freeAtMs <= now.monotonicMs) break;
      first.freeAtMs = freeAtMs;
      heap.moved(first);
    }
    forgetFirst(heap);
    return true;
  }

  function forgetFree(now: Moment): void {
    for (let sweep = 0; sweep < sweepsPerTake && forgetFirstFree(rates, now); sweep += 1);
    for (let sweep = 0; sweep < sweepsPerTake && forgetFirstFree(kept, now); sweep += 1);
  }

  return {
    get size() {
      return rates.size + kept.size;
    },
    find: (type, key) => byKey[type].get(key),
    forgetFree,
    makeRoom(wanted, now) {
      while (rates.size + kept.size + wanted > maxKeys) {
        if (forgetFirstFree(kept, now)) continue;
        if (rates.size === 0) return false;
        forgetFirst(rates);
      }
      return true;
    },
    remember(counter, now) {
      counter.freeAtMs = counter.freeAt(now);
      byKey[counter.type].set(counter.key, counter);
      (counter.mayBeForgotten ? rates : kept).add(counter);
    },
    *durable() {
      yield* byKey.quota.values();
      yield* byKey.rate.values();
    },
    changed(counter, now) {
      if (!counter.mayBeForgotten || counter.place < 0) return;
      counter.freeAtMs = counter.freeAt(now);
      rates.moved(counter);
    },
  };
}

/** A counter that has counted nothing. */
export function createCounter(type: LimitRule["type"], key: string): Counter {
  switch (type) {
    case "rate":
      return new RateCounter(key);
    case "quota":
      return new QuotaCounter(key);
    case "concurrent":
      return new SlotCounter(key);
  }
}

/** What a take says that finds no room for another counter. */
export function noRoom(): GatewayError {
  return new GatewayError("limit.unavailable", "Limits cannot be counted at the moment.", {
    detail: "as many counters are in use as may be remembered, and none may be forgotten",
  });
}
