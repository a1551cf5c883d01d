import type { LimitDecision, LimitRule, LimitStanding } from "../../pipeline/limiter.ts";
import type { Counter, Lease, Moment, Part } from "./counter.ts";
import { wholeFrom } from "./gcra.ts";
import type { Figures } from "./journal-record.ts";

/** Nobody knows when a place will be free. */
const retryAfterMs = 1_000;

/** Counts places that are held, each until it is given back or its lease runs out. */
export class SlotCounter implements Counter {
  readonly type = "concurrent";
  readonly key: string;
  readonly mayBeForgotten = false;
  freeAtMs = 0;
  place = -1;
  readonly isDurable = false; // whoever held a place has died with the process
  journalId = 0;
  journalFile = 0;
  rule: LimitRule | undefined;
  limit = 0;
  leaseMs = 1;
  held = 0;
  /** In the order in which they were taken or renewed last. */
  readonly leases = new Set<Lease>();

  constructor(key: string) {
    this.key = key;
  }

  bring(rule: LimitRule, now: Moment): void {
    this.#letGoOfDead(now);
    if (this.rule === rule || rule.type !== "concurrent") return;
    this.rule = rule;
    this.limit = wholeFrom(Math.floor(rule.limit), 0);
    this.leaseMs = wholeFrom(Math.ceil(rule.leaseMs), 1);
  }

  add(units: number, { monotonicMs }: Moment): Part | undefined {
    if (!(units <= this.limit - this.held)) return undefined;
    const { leaseMs } = this;
    const lease: Lease = { units, leaseMs, untilMs: monotonicMs + leaseMs };
    this.#hold(lease);
    return { counter: this, units, mark: 0, lease };
  }

  undo({ lease }: Part): void {
    if (lease !== undefined) this.#letGo(lease);
  }

  settle({ lease }: Part): void {
    if (lease !== undefined) this.#letGo(lease);
  }

  renew({ lease }: Part, { monotonicMs }: Moment): void {
    if (lease === undefined) return;
    this.#letGo(lease);
    lease.untilMs = monotonicMs + lease.leaseMs;
    this.#hold(lease);
  }

  clear(): void {
    // who holds a place still runs
  }

  decide(_units: number, allowed: boolean, now: Moment): LimitDecision {
    const { remaining, resetMs } = this.standing(now);
    return { allowed, remaining, resetMs, retryAfterMs: allowed ? 0 : retryAfterMs };
  }

  standing(now: Moment): LimitStanding {
    const resetMs = this.freeAt(now) - now.monotonicMs;
    return { used: 0, reserved: this.held, remaining: Math.max(this.limit - this.held, 0), resetMs };
  }

  freeAt(now: Moment): number {
    this.#letGoOfDead(now);
    return this.leases.size === 0 ? now.monotonicMs : now.monotonicMs + this.leaseMs;
  }

  figures(): Figures {
    return [0, 0, 0, 0];
  }

  restore(): void {
    // there is nothing to go on from
  }

  // One that was taken for longer, before the rule was changed, may hold up others behind it for so long.
  #letGoOfDead({ monotonicMs }: Moment): void {
    for (const lease of this.leases) {
      if (lease.untilMs > monotonicMs) break;
      this.#letGo(lease);
    }
  }

  #hold(lease: Lease): void {
    this.leases.add(lease);
    this.held += lease.units;
  }

  #letGo(lease: Lease): void {
    if (this.leases.delete(lease)) this.held -= lease.units;
  }
}
