import type { z } from "zod";
import type { CatalogTransaction } from "../core/catalog.ts";
import { contentHash } from "../core/content-hash.ts";
import type { ExemptionSpec } from "../core/exemption.ts";
import { exemption } from "../core/exemption.ts";
import type { GovernedSubject, PendingRule } from "../core/governance-gate.ts";
import type { GovernancePolicySpec } from "../core/governance-policy.ts";
import { governancePolicy } from "../core/governance-policy.ts";
import type { RulesetSpec } from "../core/ruleset.ts";
import { ruleset } from "../core/ruleset.ts";
import { defaultRulesets } from "./default-rulesets.ts";
import { bundleRuleset } from "./read-ruleset.ts";
import type { RulesetBundle } from "./ruleset-evaluator.ts";
import { packagedRulesets } from "./spectral/ruleset-names.ts";

/** All that resources are held against at one moment. */
export interface RuleBook {
  readonly policies: readonly Named<GovernancePolicySpec>[];
  readonly exemptions: readonly Named<ExemptionSpec>[];
  /** A ruleset by name, one that ships with the product too; undefined where there is none. */
  ruleset(name: string): Pick<RulesetSpec, "type" | "artifacts"> | undefined;
  /** It with all that it extends, and a hash of that. Throws `resource.invalid` where it is none. */
  bundle(name: string): Promise<{ readonly bundle: RulesetBundle; readonly hash: string }>;
}

/** A resource's spec with its name. */
export interface Named<Spec> {
  readonly name: string;
  readonly spec: Spec;
}

/** The rules of the catalog, with the pending ones in place of those of their names. */
export async function readRuleBook(read: CatalogTransaction, pending: readonly PendingRule[]): Promise<RuleBook> {
  const rowsOf = async <Schema extends z.ZodType>(kind: string, schema: Schema): Promise<Named<z.output<Schema>>[]> => {
    const stored = new Map((await read.resources.all(kind)).map(({ name, spec }) => [name, spec]));
    for (const each of pending) if (each.kind === kind) stored.set(each.name, each.spec);
    return [...stored].flatMap(([name, spec]) => {
      const parsed = schema.safeParse(spec);
      return parsed.success ? [{ name, spec: parsed.data }] : []; // of a newer version: this one cannot tell what it means
    });
  };
  const rulesets = new Map((await rowsOf("Ruleset", ruleset.spec)).map(({ name, spec }) => [name, spec]));
  const bundles = new Map<string, ReturnType<RuleBook["bundle"]>>();
  const find = async (name: string): Promise<string | undefined> => {
    const own = rulesets.get(name);
    return own && JSON.stringify(own.ruleset); // JSON is YAML
  };
  const makeBundle: RuleBook["bundle"] = async (name) => {
    const text = await find(name);
    const bundle =
      text === undefined && builtIn.has(name)
        ? { name, ruleset: { extends: [name] }, extended: {} }
        : await bundleRuleset(name, text ?? JSON.stringify({ extends: [name] }), { find, builtIn });
    return { bundle, hash: contentHash(bundle) };
  };
  return {
    policies: await rowsOf("GovernancePolicy", governancePolicy.spec),
    exemptions: await rowsOf("Exemption", exemption.spec),
    ruleset: (name) => rulesets.get(name) ?? (builtIn.has(name) ? (ownDefault(name) ?? packagedArtifacts) : undefined),
    bundle(name) {
      const made = bundles.get(name) ?? makeBundle(name);
      bundles.set(name, made);
      return made;
    },
  };
}

/** Whether a policy holds for a resource. */
export function isTarget({ targets }: GovernancePolicySpec, { kind, name, labels }: GovernedSubject): boolean {
  return targets.some((target) => {
    if (target === "global") return true;
    if ("kind" in target) return target.kind === kind && target.name === name;
    if (!Object.hasOwn(labels, target.label)) return false;
    return target.value === undefined || labels[target.label] === target.value;
  });
}

const builtIn: ReadonlySet<string> = new Set(packagedRulesets);

function ownDefault(name: string): Pick<RulesetSpec, "type" | "artifacts"> | undefined {
  return Object.hasOwn(defaultRulesets, name) ? defaultRulesets[name] : undefined;
}

/** What the packages of others have rules for. */
export const packagedArtifacts: Pick<RulesetSpec, "type" | "artifacts"> = {
  type: "definition",
  artifacts: ["RestApi", "AsyncApi"],
};
