import type { RulesetIssue } from "./child-messages.ts";

/**
 * Spectral says of a member that it does not know where it stands, and not which it is: each such issue as one for every
 * unknown member of that place, with its name in the path.
 */
export function namedMembers(
  issues: readonly RulesetIssue[],
  ruleset: Readonly<Record<string, unknown>>,
): readonly RulesetIssue[] {
  return issues.flatMap((each) => {
    const issue = { ...each, path: each.path.filter((step) => step !== "") }; // of the whole it says `[""]`
    if (!/must NOT have additional properties/i.test(issue.message)) return [issue];
    const known = knownAt(issue.path);
    const value = valueAt(ruleset, issue.path);
    const unknown =
      known === undefined || !isObject(value) ? [] : Object.keys(value).filter((name) => !known.test(name));
    if (unknown.length === 0) return [issue];
    return unknown.map((name) => ({ path: [...issue.path, name], message: "there is no such member" }));
  });
}

/** The members that Spectral's own schema of rulesets has. */
const members = {
  ruleset:
    /^(?:documentationUrl|description|rules|functions|functionsDir|formats|extends|except|parserOptions|overrides|aliases)$/,
  rule: /^(?:description|documentationUrl|recommended|given|resolved|severity|message|tags|formats|then|type|extensions|x-.*)$/,
  action: /^(?:field|function|functionOptions)$/,
};

function knownAt(path: RulesetIssue["path"]): RegExp | undefined {
  if (path.length === 0) return members.ruleset;
  if (path[0] !== "rules") return undefined;
  if (path.length === 2) return members.rule;
  return path[2] === "then" ? members.action : undefined;
}

function valueAt(value: unknown, path: RulesetIssue["path"]): unknown {
  return path.reduce<unknown>((at, step) => {
    if (Array.isArray(at)) return at[Number(step)];
    return isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }, value);
}

function isObject(value: unknown): value is Readonly<Record<string | number, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
