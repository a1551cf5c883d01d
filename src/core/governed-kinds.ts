/** The kinds of resource that rulesets may be held against. */
export const governedKinds = ["LlmApi", "McpServer", "RestApi", "AsyncApi", "LlmProvider", "Application"] as const;

/** What weighs how much, the heaviest first. */
export const findingSeverities = ["error", "warn", "info", "hint"] as const;
export type FindingSeverity = (typeof findingSeverities)[number];

/** When a resource is looked at; `runtime` is while it is deployed, whatever changes. */
export const governedStates = ["create", "update", "deploy", "publish", "runtime"] as const;
export type GovernedState = (typeof governedStates)[number];

/** Kinds whose resources say what is governed, and how. */
export const governingKinds = ["Ruleset", "GovernancePolicy", "Exemption"] as const;

/** Whether rulesets may be held against resources of this kind. */
export function isGoverned(kind: string): boolean {
  return governedKinds.some((governed) => governed === kind);
}

/** Whether a resource of this kind changes what others are held against. */
export function isGoverning(kind: string): boolean {
  return governingKinds.some((governing) => governing === kind);
}
