import { z } from "zod";
import { globMatcher } from "../../kernel/glob.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

/** Targets by globs of their ids. */
export const targetGlobs = z.array(z.string().min(1).max(513)).min(1).max(100).meta({
  title: "Targets",
  description: "Globs of target ids (`provider` or `provider/model`), tried in their order.",
});

export type GlobOrder = (offered: readonly CompiledTarget[]) => readonly CompiledTarget[];

/** Picks and orders targets by the first glob that names them. */
export function globOrder(globs: readonly string[]): GlobOrder {
  const matchers = globs.map((glob) => globMatcher([glob]));
  return (offered) => {
    const found = matchers.flatMap((matches) => offered.filter(({ id }) => matches(id)));
    return [...new Set(found)];
  };
}

/**
 * What is chosen first, the default's behind it for when it fails. Rather any target that serves the model than none:
 * what the configuration has forgotten is not the caller's fault.
 */
export function withDefault(
  chosen: readonly CompiledTarget[],
  byDefault: readonly CompiledTarget[],
  offered: readonly CompiledTarget[],
): readonly CompiledTarget[] {
  const rest = byDefault.filter((target) => !chosen.includes(target));
  return chosen.length + rest.length === 0 ? offered : [...chosen, ...rest];
}
