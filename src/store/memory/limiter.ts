import type { Clock } from "../../kernel/clock.ts";
import type { Charge, LimitDecision, Limiter, LimitStanding, Reservation, Taken } from "../../pipeline/limiter.ts";
import type { Counter, Moment, Part } from "./counter.ts";
import type { CounterStore } from "./counter-store.ts";
import { createCounter, createCounterStore, noRoom } from "./counter-store.ts";
import type { LimitJournal } from "./limit-journal.ts";

export interface MemoryLimiterOptions {
  readonly clock: Clock;
  /**
   * Counters remembered at most. Beyond it a rate is forgotten for another counter, the one first that would be wholly
   * free again the soonest. Quotas whose window is open and places that are held are never forgotten: where nothing
   * else is left, `take` throws `limit.unavailable` for a new key, and counts on for those that it knows.
   */
  readonly maxKeys: number;
  /** Where counters of more than a minute are kept over a restart; none are when absent. It is the limiter's from now. */
  readonly journal?: LimitJournal | undefined;
}

/** A limiter of one process. It answers at once, so check and count cannot be torn apart. */
export interface MemoryLimiter extends Limiter {
  take(charges: readonly Charge[]): Taken;
  settle(reservation: Reservation, amounts: readonly number[]): void;
  renew(reservations: readonly Reservation[]): void;
  clear(charges: readonly Pick<Charge, "key" | "rule">[]): void;
  look(charges: readonly Pick<Charge, "key" | "rule">[]): readonly LimitStanding[];
  /** Counters remembered now. Those that are wholly free again are forgotten as charges come in. */
  readonly size: number;
}

/** A limiter that goes on from its journal; without one it has counted nothing yet. */
export function createMemoryLimiter({ clock, maxKeys, journal }: MemoryLimiterOptions): MemoryLimiter {
  const store = createCounterStore(maxKeys);
  let lastId = 0;
  const present = (): Moment => ({ monotonicMs: Math.floor(clock.monotonic()), wallMs: clock.now() });
  if (journal !== undefined) goOn(store, journal, present());

  return {
    take(charges) {
      const now = present();
      store.forgetFree(now);
      const { counters, parts, isRefused } = addAll(charges, store, now);
      if (isRefused) undoAll(parts);
      else keepAll(parts, store, now);
      if (journal !== undefined && !isRefused)
        writeDown(
          counters.filter((_counter, place) => parts[place]),
          journal,
          now,
        );
      const decisions = decideAll(charges, counters, parts, now);
      if (isRefused) return { allowed: false, decisions };
      lastId += 1;
      return { allowed: true, decisions, reservation: new OpenReservation(store, String(lastId), charges, parts) };
    },
    settle(reservation, amounts) {
      const parts = openParts(reservation, store);
      if (parts === undefined) return;
      const now = present();
      if (reservation instanceof OpenReservation) reservation.parts = undefined;
      const changed: Counter[] = [];
      for (const [place, part] of parts.entries()) {
        const counter = part && settlePart(part, amounts[place], store, now);
        if (counter !== undefined) changed.push(counter);
      }
      if (journal !== undefined) writeDown(changed, journal, now);
    },
    renew(reservations) {
      const now = present();
      for (const reservation of reservations) {
        for (const part of openParts(reservation, store) ?? []) {
          if (part?.lease !== undefined) keptCounter(part.counter, store, now)?.renew(part, now);
        }
      }
    },
    clear(charges) {
      const now = present();
      const cleared: Counter[] = [];
      for (const { key, rule } of charges) {
        const counter = store.find(rule.type, key);
        if (counter === undefined) continue;
        counter.bring(rule, now);
        counter.clear(rule);
        store.changed(counter, now);
        cleared.push(counter);
      }
      if (journal !== undefined) writeDown(cleared, journal, now);
    },
    look(charges) {
      const now = present();
      return charges.map(({ key, rule }) => {
        const counter = store.find(rule.type, key) ?? createCounter(rule.type, key);
        counter.bring(rule, now);
        return counter.standing(now);
      });
    },
    get size() {
      return store.size;
    },
  };
}

function goOn(store: CounterStore, journal: LimitJournal, now: Moment): void {
  for (const { type, key, figures } of journal.restore()) {
    const counter = createCounter(type, key);
    counter.restore(figures, now);
    if (counter.freeAt(now) > now.monotonicMs && store.makeRoom(1, now)) store.remember(counter, now);
  }
  journal.begin(() => store.durable(), now);
}

// In one write for all of them.
function writeDown(counters: readonly Counter[], journal: LimitJournal, now: Moment): void {
  let isAny = false;
  for (const counter of counters) {
    if (counter.place < 0 || !counter.isDurable) continue;
    journal.note(counter, now);
    isAny = true;
  }
  if (isAny) journal.write(now);
}

class OpenReservation implements Reservation {
  readonly store: CounterStore;
  readonly id: string;
  readonly charges: readonly Charge[];
  /** One per charge, undefined of those that were not counted; undefined as a whole once they are settled. */
  parts: readonly (Part | undefined)[] | undefined;

  constructor(store: CounterStore, id: string, charges: readonly Charge[], parts: readonly (Part | undefined)[]) {
    this.store = store;
    this.id = id;
    this.charges = charges;
    this.parts = parts;
  }
}

function openParts(reservation: Reservation, store: CounterStore): OpenReservation["parts"] {
  return reservation instanceof OpenReservation && reservation.store === store ? reservation.parts : undefined;
}

interface Added {
  readonly counters: readonly Counter[];
  readonly parts: readonly (Part | undefined)[];
  readonly isRefused: boolean;
}

// Each is added before the next one is looked at: so two charges on one counter add up.
function addAll(charges: readonly Charge[], store: CounterStore, now: Moment): Added {
  const counters: Counter[] = [];
  const parts: (Part | undefined)[] = [];
  let isRefused = false;
  for (const { key, rule, amount, enforce } of charges) {
    const counter = store.find(rule.type, key) ?? findNew(counters, rule.type, key) ?? createCounter(rule.type, key);
    counter.bring(rule, now);
    const part = counter.add(unitsOf(amount), now);
    if (part === undefined && enforce !== false) isRefused = true;
    counters.push(counter);
    parts.push(part);
  }
  return { counters, parts, isRefused };
}

function findNew(counters: readonly Counter[], type: Counter["type"], key: string): Counter | undefined {
  for (const counter of counters) if (counter.key === key && counter.type === type) return counter;
  return undefined;
}

// Backwards, as a counter that was added to twice wants it.
function undoAll(parts: readonly (Part | undefined)[]): void {
  for (let place = parts.length - 1; place >= 0; place -= 1) {
    const part = parts[place];
    part?.counter.undo(part);
  }
}

function keepAll(parts: readonly (Part | undefined)[], store: CounterStore, now: Moment): void {
  let wanted = 0;
  for (const part of parts) if (part !== undefined && part.units > 0 && part.counter.place < 0) wanted += 1;
  if (wanted > 0 && !store.makeRoom(wanted, now)) {
    undoAll(parts);
    throw noRoom();
  }
  for (const part of parts) {
    if (part === undefined || part.units === 0) continue;
    if (part.counter.place < 0) store.remember(part.counter, now);
    else store.changed(part.counter, now);
  }
}

function decideAll(
  charges: readonly Charge[],
  counters: readonly Counter[],
  parts: readonly (Part | undefined)[],
  now: Moment,
): readonly LimitDecision[] {
  return charges.map(({ rule, amount }, place) => {
    const counter = counters[place];
    if (counter === undefined) throw new RangeError("there is one counter per charge");
    if (counter.rule !== rule) counter.bring(rule, now); // two charges on one key
    return counter.decide(unitsOf(amount), parts[place] !== undefined, now);
  });
}

/** The counter whose count has changed by it, if one has. */
function settlePart(part: Part, amount: number | undefined, store: CounterStore, now: Moment): Counter | undefined {
  const isAmount = amount !== undefined && amount >= 0;
  const actual = isAmount ? Math.min(Math.ceil(amount), Number.MAX_SAFE_INTEGER) : part.units;
  const { place, type, key } = part.counter;
  const kept = place >= 0 || actual > 0 ? keptCounter(part.counter, store, now) : store.find(type, key);
  const counter = kept ?? part.counter;
  if (counter.rule !== undefined) counter.bring(counter.rule, now);
  counter.settle(part, actual, now);
  store.changed(counter, now);
  return actual === part.units ? undefined : counter;
}

/** The counter of that key which is remembered now; undefined where no more can be remembered. */
function keptCounter(counter: Counter, store: CounterStore, now: Moment): Counter | undefined {
  if (counter.place >= 0) return counter;
  const known = store.find(counter.type, counter.key);
  if (known !== undefined || !store.makeRoom(1, now)) return known;
  store.remember(counter, now);
  return counter;
}

/** Whole units; endless for what is no amount, which never fits. */
function unitsOf(amount: number): number {
  return amount >= 0 ? Math.ceil(amount) : Infinity;
}
