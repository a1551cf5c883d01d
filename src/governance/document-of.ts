import type { CatalogTransaction } from "../core/catalog.ts";
import type { GovernedSubject } from "../core/governance-gate.ts";
import { maskInline } from "../core/inline-secrets.ts";
import { apiVersion } from "../core/resource.ts";
import type { RulesetSpec } from "../core/ruleset.ts";
import { artifactForms } from "./artifacts/artifact-forms.ts";
import type { GovernedDocument } from "./ruleset-evaluator.ts";

/**
 * What rulesets of a type see of a resource: the description in it, or the resource in the form of its kind. Undefined where
 * there is nothing of that type. Without a catalog, what only it knows is empty.
 */
export async function documentOf(
  read: CatalogTransaction | undefined,
  subject: GovernedSubject,
  type: RulesetSpec["type"],
): Promise<GovernedDocument | undefined> {
  const { kind, name, labels } = subject;
  const spec = maskInline(subject.spec);
  if (type === "definition" && isDescribed(kind)) return json(kind, name, memberOf(spec, "definition"));
  const form = artifactForms.find((each) => each.kind === kind);
  const more = (await form?.more(read, subject)) ?? {};
  return json(kind, name, { apiVersion, kind, metadata: { name, labels }, spec, ...more });
}

/** Whether resources of a kind have a description of their API in them, which rulesets of the type `definition` see. */
export function isDescribed(kind: string): boolean {
  return kind === "RestApi" || kind === "AsyncApi";
}

function json(kind: string, name: string, value: unknown): GovernedDocument | undefined {
  if (value === undefined) return undefined;
  return { text: JSON.stringify(value, undefined, 2), source: `${kind}/${name}.json` };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
