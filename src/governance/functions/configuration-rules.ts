import type { RuleFunction } from "./rule-function.ts";
import { isObject, objectsOf } from "./rule-function.ts";

/** Functions that look at how a resource is configured: what is attached to it and where it leads. */
export const configurationRules: Readonly<Record<string, RuleFunction>> = {
  /**
   * Of a `spec`: some policy of a list is attached. Options: `policies`, their ids; `orPlans`, whether asking for
   * subscriptions will do, whose plans have policies of their own.
   */
  attaches(spec, options, { path }) {
    if (!isObject(spec) || !isObject(options)) return [];
    const { policies, orPlans } = options;
    const wanted: readonly unknown[] = Array.isArray(policies) ? policies : [];
    if (objectsOf(spec["policies"]).some(({ item: { use } }) => wanted.includes(use))) return [];
    if (orPlans === true && isObject(spec["security"]) && spec["security"]["subscription"] === "required") return [];
    return [{ message: `none of ${wanted.join(", ")} is attached`, path: [...path, "policies"] }];
  },

  /** Of a list with two objects or more: they do not all have the same value. Option: `member`, whose. */
  severalValues(value, options, { path }) {
    const member = isObject(options) && typeof options["member"] === "string" ? options["member"] : "";
    const values = objectsOf(value).map(({ item }) => item[member]);
    if (values.length < 2 || new Set(values).size > 1) return [];
    return [{ message: `all ${values.length} have the ${member} ${String(values[0])}`, path }];
  },
};
