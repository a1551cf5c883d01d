import { createRequire } from "node:module";
import { formats } from "./formats.ts";
import type { RulesetNames } from "./to-definition.ts";

const load: (name: string) => unknown = createRequire(import.meta.url);

/** Where each ruleset that ships with the product comes from; loaded at the first use. */
const packages: Readonly<Record<string, () => unknown>> = {
  "spectral:oas": () => member(load("@stoplight/spectral-rulesets"), "oas"),
  "spectral:asyncapi": () => member(load("@stoplight/spectral-rulesets"), "asyncapi"),
  "spectral:arazzo": () => member(load("@stoplight/spectral-rulesets"), "arazzo"),
  "@stoplight/spectral-owasp-ruleset": () => member(load("@stoplight/spectral-owasp-ruleset"), "default"),
  "@ibm-cloud/openapi-ruleset": () => load("@ibm-cloud/openapi-ruleset"),
};

/** The names of the rulesets of others that a ruleset may extend. */
export const packagedRulesets: readonly string[] = Object.keys(packages);

/** What every ruleset may name. Loads Spectral's functions. */
export function rulesetNames(): RulesetNames {
  return {
    functions: load("@stoplight/spectral-functions") as Readonly<Record<string, unknown>>, // a module of functions
    formats: formats(),
    builtIn: (name) => (Object.hasOwn(packages, name) ? packages[name]?.() : undefined),
  };
}

function member(module: unknown, name: string): unknown {
  const found = (module as Readonly<Record<string, unknown>>)[name]; // a package that we have chosen
  return found ?? module;
}
