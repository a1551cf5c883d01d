import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Strategy } from "./define-strategy.ts";
import type { ModelPrice } from "./price-table.ts";
import type { CompiledTarget } from "./target.ts";

/** Targets that stand together as one, ordered by a strategy of their own. */
export interface TargetGroup {
  readonly name: string;
  readonly weight: number;
  readonly strategy: Strategy;
  /** All of them, at least one. */
  readonly members: readonly CompiledTarget[];
}

/**
 * A strategy over groups: `outer` orders them, and the targets of no group, as if each were one target called by the
 * group's name; within a group its own strategy does. What fails within a group falls over within it first. Only what is
 * open is offered to either.
 */
export function groupStrategy(outer: Strategy, groups: readonly TargetGroup[]): Strategy {
  const standIns = new Map(groups.map((group) => [standInOf(group), group]));
  const places = new Map<string, { readonly standIn: CompiledTarget; readonly group: TargetGroup }>();
  for (const [standIn, group] of standIns) for (const { id } of group.members) places.set(id, { standIn, group });

  return {
    choose(targets, exchange, operation) {
      const offered = [...new Set(targets.map((target) => places.get(target.id)?.standIn ?? target))];
      const within = (chosen: CompiledTarget): MaybePromise<readonly CompiledTarget[]> => {
        const group = standIns.get(chosen);
        if (group === undefined) return [chosen];
        const open = targets.filter(({ id }) => places.get(id)?.group === group);
        return open.length === 1 ? open : group.strategy.choose(open, exchange, operation);
      };
      const spread = (chosen: readonly CompiledTarget[]) => joined(chosen.map(within));
      const chosen = offered.length === 1 ? offered : outer.choose(offered, exchange, operation);
      return chosen instanceof Promise ? chosen.then(spread) : spread(chosen);
    },
    tried(target) {
      const place = places.get(target.id);
      outer.tried?.(place?.standIn ?? target);
      place?.group.strategy.tried?.(target);
    },
    ended(target, end) {
      const place = places.get(target.id);
      outer.ended?.(place?.standIn ?? target, end);
      place?.group.strategy.ended?.(target, end);
    },
  };
}

function joined(lists: readonly MaybePromise<readonly CompiledTarget[]>[]): MaybePromise<readonly CompiledTarget[]> {
  const isLate = lists.some((list) => list instanceof Promise);
  if (isLate) return Promise.all(lists.map(async (list) => list)).then((all) => all.flat());
  return lists.flatMap((list) => (list instanceof Promise ? [] : list));
}

/** A group as the outer strategy sees it. Nobody calls it. */
function standInOf({ name, weight, members }: TargetGroup): CompiledTarget {
  return {
    id: name,
    providerName: name,
    endpoint: undefined,
    weight,
    model: undefined,
    serves: (model) => members.some((member) => member.serves(model)),
    priceOf: (model) => cheapest(members.map((member) => member.priceOf?.(member.model ?? model))),
  };
}

function cheapest(prices: readonly (ModelPrice | undefined)[]): ModelPrice | undefined {
  const known = prices.filter((price) => price !== undefined);
  return known.toSorted((left, right) => left.input + left.output - right.input - right.output)[0];
}
