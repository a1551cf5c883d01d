import type { FailoverSpec, FailureClass } from "../core/failover.ts";
import { failoverSchema } from "../core/failover.ts";
import { globMatcher } from "../kernel/glob.ts";
import type { CompiledTarget } from "./target.ts";

/** Where a request goes after a failure. */
export interface FailoverRules {
  mayFollow(failure: FailureClass): boolean;
  /** The offered targets to try after it, in their order; undefined where the strategy's order goes on. */
  targetsAfter(failure: FailureClass, offered: readonly CompiledTarget[]): readonly CompiledTarget[] | undefined;
}

/** Compiles the rules; pure. */
export function compileFailover({ on, to }: FailoverSpec): FailoverRules {
  const followed: ReadonlySet<FailureClass> = new Set(on);
  const orders = new Map(
    Object.entries(to).map(([failure, globs]) => [failure, globs.map((glob) => globMatcher([glob]))]),
  );
  return {
    mayFollow: (failure) => followed.has(failure),
    targetsAfter(failure, offered) {
      const matchers = orders.get(failure);
      return matchers && [...new Set(matchers.flatMap((matches) => offered.filter(({ id }) => matches(id))))];
    },
  };
}

/** What holds where nothing is said. */
export const defaultFailover = compileFailover(failoverSchema.parse({}));
