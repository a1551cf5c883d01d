import type { LlmUpstreamSpec } from "../../core/llm-api.ts";
import { globMatcher } from "../../kernel/glob.ts";
import type { ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { Strategy } from "../../pipeline/define-strategy.ts";
import type { TargetGroup } from "../../pipeline/group-strategy.ts";
import { groupStrategy } from "../../pipeline/group-strategy.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

/** A strategy and the groups that it orders as one. */
type RouterSpec = Pick<LlmUpstreamSpec, "strategy" | "groups">;

/** The strategy of a block, or of its shadow, over its groups where it has any. Undefined where a fault was reported. */
export function compileStrategy(
  block: RouterSpec,
  targets: readonly CompiledTarget[],
  at: string,
  input: ProtocolCompileInput,
): Strategy | undefined {
  const outer = compileOne(block.strategy, `${at}.strategy`, input);
  const groups = block.groups.map((group, index) => compileGroup(group, targets, `${at}.groups[${index}]`, input));
  const found = groups.filter((group) => group !== undefined);
  if (outer === undefined || found.length < groups.length) return undefined;
  if (found.length === 0) return outer;
  refuseAmbiguous(found, targets, at, input);
  return groupStrategy(outer, found);
}

type GroupSpec = RouterSpec["groups"][number];

function compileGroup(
  { name, targets: globs, strategy: spec, weight }: GroupSpec,
  targets: readonly CompiledTarget[],
  at: string,
  input: ProtocolCompileInput,
): TargetGroup | undefined {
  const strategy = compileOne(spec, `${at}.strategy`, input);
  const isMember = globMatcher(globs);
  const members = targets.filter(({ id }) => isMember(id));
  if (members.length === 0)
    input.fault({ path: `${at}.targets`, message: `no target is called so: ${globs.join(", ")}` });
  return strategy === undefined || members.length === 0 ? undefined : { name, weight, strategy, members };
}

/** A name must lead to one thing, and a target must stand in one place. */
function refuseAmbiguous(
  groups: readonly TargetGroup[],
  targets: readonly CompiledTarget[],
  at: string,
  { fault }: ProtocolCompileInput,
): void {
  const names = new Set(targets.map(({ id }) => id));
  const held = new Map<string, string>();
  for (const [index, { name, members }] of groups.entries()) {
    if (names.has(name))
      fault({ path: `${at}.groups[${index}].name`, message: `"${name}" is another one's name already` });
    names.add(name);
    for (const { id } of members) {
      const other = held.get(id);
      if (other !== undefined)
        fault({ path: `${at}.groups[${index}].targets`, message: `"${id}" is in "${other}" already` });
      held.set(id, name);
    }
  }
}

function compileOne(spec: RouterSpec["strategy"], at: string, input: ProtocolCompileInput): Strategy | undefined {
  const plugin = input.registry.strategies.get(spec.use);
  if (plugin === undefined) {
    const known = [...input.registry.strategies.keys()].join(", ");
    input.fault({ path: `${at}.use`, message: `there is no strategy "${spec.use}"; there are: ${known}` });
    return undefined;
  }
  const config = plugin.config.safeParse(spec.with);
  if (!config.success) {
    for (const issue of config.error.issues)
      input.fault({ path: [at, "with", ...issue.path].map(String).join("."), message: issue.message });
    return undefined;
  }
  const strategy = plugin.compile(config.data, input.tools);
  if (strategy.dispose !== undefined) input.onDispose(at, strategy.dispose.bind(strategy));
  return strategy;
}
