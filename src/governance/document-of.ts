import type { CatalogTransaction } from "../core/catalog.ts";
import type { GovernedSubject } from "../core/governance-gate.ts";
import { maskInline } from "../core/inline-secrets.ts";
import type { PinKind } from "../core/mcp-definition.ts";
import { apiVersion } from "../core/resource.ts";
import type { RulesetSpec } from "../core/ruleset.ts";
import type { GovernedDocument } from "./ruleset-evaluator.ts";

/** What rulesets of a type see of a resource; undefined where there is nothing of that type. */
export async function documentOf(
  read: CatalogTransaction,
  subject: GovernedSubject,
  type: RulesetSpec["type"],
): Promise<GovernedDocument | undefined> {
  const { kind, name, labels } = subject;
  const spec = maskInline(subject.spec);
  const isDescribed = kind === "RestApi" || kind === "AsyncApi";
  if (type === "definition" && isDescribed) return json(kind, name, memberOf(spec, "definition"));
  const offered = kind === "McpServer" ? await offerOf(read, name) : {};
  return json(kind, name, { apiVersion, kind, metadata: { name, labels }, spec, ...offered });
}

function json(kind: string, name: string, value: unknown): GovernedDocument | undefined {
  if (value === undefined) return undefined;
  return { text: JSON.stringify(value, undefined, 2), source: `${kind}/${name}.json` };
}

/** What a server was seen to offer in production, by the lists that MCP has. */
async function offerOf(read: CatalogTransaction, name: string): Promise<Readonly<Record<string, unknown>>> {
  const resource = await read.resources.find("McpServer", name);
  const pins = resource === undefined ? [] : await read.mcpPins.ofApi(resource.id);
  const seen = (kind: PinKind) =>
    pins.flatMap((pin) => (pin.kind === kind && pin.environment === "production" ? [pin.seen] : []));
  const [instructions] = seen("instructions");
  return {
    tools: seen("tool"),
    prompts: seen("prompt"),
    resources: seen("resource"),
    resourceTemplates: seen("template"),
    ...instructions,
  };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
