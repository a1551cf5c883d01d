import type { BudgetBoard, BudgetHolder, BudgetStanding } from "../core/budget-board.ts";
import type { CredentialRecord } from "../core/plane-message.ts";
import type { Clock } from "../kernel/clock.ts";
import type { NamedCounter, OwnBudget } from "./define-policy.ts";
import type { Limiter, LimitRule, LimitStanding } from "./limiter.ts";
import type { Snapshot } from "./snapshot.ts";

export interface BudgetBoardOptions {
  readonly clock: Clock;
  readonly limiter: Limiter;
  /** Limits of teams and applications as they are now; undefined before the first snapshot. */
  holders(): Snapshot["holders"];
  budgetsOf(record: CredentialRecord): readonly OwnBudget[] | undefined;
}

/** A board that asks the limiter how the counters of a holder stand; it changes none of them. */
export function createBudgetBoard({ clock, limiter, holders, budgetsOf }: BudgetBoardOptions): BudgetBoard {
  const countersOf = (holder: BudgetHolder): readonly NamedCounter[] => {
    if (holder.kind === "ApiKey") {
      const { id } = holder.record;
      return (budgetsOf(holder.record) ?? []).flatMap(({ policy }) => policy.counters?.("key", id) ?? []);
    }
    const per = holder.kind === "Team" ? "team" : "application";
    const charging = holders()?.get(holder.id)?.charges ?? [];
    return charging.flatMap(({ policy }) => policy?.counters?.(per, holder.id) ?? []);
  };
  return {
    look(holder) {
      const counters = countersOf(holder);
      if (counters.length === 0) return [];
      const shown = (standings: readonly LimitStanding[]): readonly BudgetStanding[] =>
        counters.flatMap(({ measure, title, counter }, index) => {
          const standing = standings[index];
          if (standing === undefined) return [];
          const { used, reserved, remaining, resetMs } = standing;
          const nowMs = clock.now();
          const { rule } = counter;
          const stand = { limit: rule.limit, used, reserved, remaining, resetsAtMs: nowMs + resetMs };
          return [{ measure, title, ...stand, projected: projectedUse(rule, used + reserved, nowMs) }];
        });
      const found = limiter.look(counters.map(({ counter }) => counter));
      return found instanceof Promise ? found.then(shown) : shown(found);
    },
    clear: (holder) => limiter.clear(countersOf(holder).map(({ counter }) => counter)),
  };
}

function projectedUse(rule: LimitRule, used: number, nowMs: number): number | undefined {
  if (rule.type !== "quota") return undefined;
  const share = (nowMs - rule.startsAtMs) / rule.windowMs;
  return share >= 0.01 && share <= 1 ? Math.min(Math.round(used / share), Number.MAX_SAFE_INTEGER) : undefined;
}
