import type { TextChecks } from "../text-checks.ts";
import { asyncRules } from "./async-rules.ts";
import { configurationRules } from "./configuration-rules.ts";
import { restRules } from "./rest-rules.ts";
import type { RuleFunction } from "./rule-function.ts";
import { schemaRules } from "./schema-rules.ts";
import { textRules } from "./text-rules.ts";
import { toolBehaviourRules } from "./tool-behaviour-rules.ts";
import { toolListRules } from "./tool-list-rules.ts";

/** The functions that rules may name beside Spectral's own. They run where rulesets run, and see what those see. */
export function ruleFunctions(checks: TextChecks): Readonly<Record<string, RuleFunction>> {
  return {
    ...textRules(checks),
    ...toolListRules,
    ...toolBehaviourRules,
    ...schemaRules,
    ...configurationRules,
    ...restRules,
    ...asyncRules,
  };
}
