import type { ProtocolAdapter } from "./adapter.ts";
import type { GuardrailPlugin } from "./define-guardrail.ts";
import type { PolicyPlugin } from "./define-policy.ts";
import type { ProviderPlugin } from "./define-provider.ts";
import type { StrategyPlugin } from "./define-strategy.ts";
import type { LongTextJudge } from "./long-texts.ts";

/** All plug-ins of this build, by id. The lists stand in each folder's `index.ts`; `main.ts` puts them together. */
export interface PluginRegistry {
  readonly policies: ReadonlyMap<string, PolicyPlugin>;
  readonly guardrails: ReadonlyMap<string, GuardrailPlugin>;
  readonly providers: ReadonlyMap<string, ProviderPlugin>;
  readonly strategies: ReadonlyMap<string, StrategyPlugin>;
  /** By API kind. A kind without an adapter is a catalogue entry: it is stored and published but not served. */
  readonly adapters: ReadonlyMap<string, ProtocolAdapter>;
  /** Judges long texts in a thread of its own; where there is none, they are judged like others. */
  readonly longTexts?: LongTextJudge | undefined;
}

export interface PluginLists {
  readonly policies: readonly PolicyPlugin[];
  readonly guardrails: readonly GuardrailPlugin[];
  readonly providers: readonly ProviderPlugin[];
  readonly strategies: readonly StrategyPlugin[];
  readonly adapters: readonly ProtocolAdapter[];
  readonly longTexts?: LongTextJudge;
}

/** A registry of the lists. Throws on an id that occurs twice; policies and guardrails share one list, so one name. */
export function createRegistry(lists: PluginLists): PluginRegistry {
  byId([...lists.policies, ...lists.guardrails]);
  return {
    policies: byId(lists.policies),
    guardrails: byId(lists.guardrails),
    providers: byId(lists.providers),
    strategies: byId(lists.strategies),
    longTexts: lists.longTexts,
    adapters: new Map(lists.adapters.map((adapter) => [adapter.kind, adapter])),
  };
}

function byId<Plugin extends { readonly id: string }>(plugins: readonly Plugin[]): ReadonlyMap<string, Plugin> {
  const found = new Map<string, Plugin>();
  for (const plugin of plugins) {
    if (found.has(plugin.id)) throw new TypeError(`two plug-ins are called ${plugin.id}`);
    found.set(plugin.id, plugin);
  }
  return found;
}
