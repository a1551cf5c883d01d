import { createRequire } from "node:module";
import { defaultRulesets, readDefaultRuleset } from "../default-rulesets.ts";
import { ruleFunctions } from "../functions/rule-functions.ts";
import type { TextChecks } from "../text-checks.ts";
import { formats } from "./formats.ts";
import type { RulesetNames } from "./to-definition.ts";
import { withInheritedRules } from "./with-inherited-rules.ts";

const load: (name: string) => unknown = createRequire(import.meta.url);

/**
 * Where each ruleset of others that ships with the product comes from; loaded at the first use. Spectral's own one by one: all
 * at once bring every schema of AsyncAPI along, which takes longer than most documents.
 */
const packages: Readonly<Record<string, () => unknown>> = {
  "spectral:oas": () => member(load("@stoplight/spectral-rulesets/dist/oas/index.js"), "default"),
  "spectral:asyncapi": () => member(load("@stoplight/spectral-rulesets/dist/asyncapi/index.js"), "default"),
  "spectral:arazzo": () => member(load("@stoplight/spectral-rulesets/dist/arazzo/index.js"), "default"),
  "@stoplight/spectral-owasp-ruleset": () => member(load("@stoplight/spectral-owasp-ruleset"), "default"),
  "@ibm-cloud/openapi-ruleset": () => load("@ibm-cloud/openapi-ruleset"),
};

/** The names of the rulesets that a ruleset may extend without anybody having stored them: ours and those of others. */
export const packagedRulesets: readonly string[] = [...Object.keys(defaultRulesets), ...Object.keys(packages)];

/** What every ruleset may name. Loads Spectral's functions. */
export function rulesetNames(checks: TextChecks): RulesetNames {
  const core = load("@stoplight/spectral-functions") as Readonly<Record<string, unknown>>; // a module of functions
  return {
    functions: { ...ruleFunctions(checks), ...core },
    formats: formats(),
    written: (name) => {
      const known = Object.hasOwn(defaultRulesets, name) ? defaultRulesets[name] : undefined;
      return known && withInheritedRules(readDefaultRuleset(known), builtIn);
    },
    builtIn,
  };
}

function builtIn(name: string): unknown {
  return Object.hasOwn(packages, name) ? packages[name]?.() : undefined;
}

function member(module: unknown, name: string): unknown {
  const found = (module as Readonly<Record<string, unknown>>)[name]; // a package that we have chosen
  return found ?? module;
}
