import type { CatalogTransaction } from "../core/catalog.ts";
import type { GovernedSubject } from "../core/governance-gate.ts";
import { maskInline } from "../core/inline-secrets.ts";
import { apiVersion } from "../core/resource.ts";
import type { RulesetSpec } from "../core/ruleset.ts";
import { artifactForms } from "./artifacts/artifact-forms.ts";
import type { GovernedDocument } from "./ruleset-evaluator.ts";

/**
 * What rulesets of a type see of a resource: the description in it, or the resource in the form of its kind. Undefined where
 * there is nothing of that type.
 */
export async function documentOf(
  read: CatalogTransaction,
  subject: GovernedSubject,
  type: RulesetSpec["type"],
): Promise<GovernedDocument | undefined> {
  const { kind, name, labels } = subject;
  const spec = maskInline(subject.spec);
  const isDescribed = kind === "RestApi" || kind === "AsyncApi";
  if (type === "definition" && isDescribed) return json(kind, name, memberOf(spec, "definition"));
  const form = artifactForms.find((each) => each.kind === kind);
  const more = (await form?.more(read, subject)) ?? {};
  return json(kind, name, { apiVersion, kind, metadata: { name, labels }, spec, ...more });
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
