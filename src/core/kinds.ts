import { alert } from "./alert.ts";
import { application } from "./application.ts";
import { asyncApi } from "./async-api.ts";
import { exemption } from "./exemption.ts";
import { gateway } from "./gateway.ts";
import { governancePolicy } from "./governance-policy.ts";
import { keyManager } from "./key-manager.ts";
import { llmApi } from "./llm-api.ts";
import { llmProvider } from "./llm-provider.ts";
import { mcpServer } from "./mcp-server.ts";
import { plan } from "./plan.ts";
import type { ResourceKind } from "./resource.ts";
import { restApi } from "./rest-api.ts";
import { ruleset } from "./ruleset.ts";
import { subscription } from "./subscription.ts";
import { team } from "./team.ts";

/** Every kind of resource, each before those that may refer to it: the order in which files are applied. */
export const resourceKinds: readonly ResourceKind[] = [
  team,
  gateway,
  keyManager,
  llmProvider,
  plan,
  application,
  llmApi,
  mcpServer,
  restApi,
  asyncApi,
  subscription,
  ruleset,
  governancePolicy,
  exemption,
  alert,
] as readonly unknown[] as readonly ResourceKind[]; // `references` takes each kind's own spec, which only that kind's rows reach

const byKind = new Map(resourceKinds.map((kind) => [kind.kind, kind]));

/** The kind of that name, or undefined. */
export function findKind(kind: string): ResourceKind | undefined {
  return byKind.get(kind);
}
