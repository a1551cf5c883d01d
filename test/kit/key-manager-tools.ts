import type { KeyManagerRecord } from "../../src/core/plane-message.ts";
import { createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";
import { createSafeFetch } from "../../src/kernel/safe-fetch.ts";
import type { CompiledKeyManager, KeyManagerPlugin, KeyManagerTools } from "../../src/pipeline/define-key-manager.ts";
import { buildTools } from "./exchange.ts";
import { memoryLog } from "./gatehouse.ts";
import type { ManualClock } from "./manual-clock.ts";

export interface TestKeyManagerTools extends KeyManagerTools, AsyncDisposable {
  readonly clock: ManualClock;
  readonly log: ReturnType<typeof memoryLog>;
}

/** What key managers get, with the real way out: the operator's hosts may be on this machine, no others. */
export function keyManagerTools(secrets: Readonly<Record<string, string>> = {}): TestKeyManagerTools {
  const fetch = createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }) });
  const { clock, secrets: reader } = buildTools(secrets);
  return { clock, secrets: reader, log: memoryLog(), fetch, [Symbol.asyncDispose]: () => fetch[Symbol.asyncDispose]() };
}

/** The plug-in with this configuration. */
export function compiled(plugin: KeyManagerPlugin, config: unknown, tools: KeyManagerTools): CompiledKeyManager {
  return plugin.compile(plugin.config.parse(config), tools, keyManagerRecord(plugin.id, config));
}

export function keyManagerRecord(use: string, config: unknown, more: Partial<KeyManagerRecord> = {}): KeyManagerRecord {
  const id = "km_000000000000000000000009" as KeyManagerRecord["id"]; // an id like any other
  return { id, name: "elsewhere", use, with: config, enabled: true, ...more };
}
