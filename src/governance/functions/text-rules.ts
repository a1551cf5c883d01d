import type { TextChecks } from "../text-checks.ts";
import type { RuleFunction, RuleResult } from "./rule-function.ts";
import { isObject, numberOption, objectsOf, textOption } from "./rule-function.ts";
import { textsIn } from "./texts-in.ts";

/** Functions that look at every text in a value. */
export function textRules(checks: TextChecks): Readonly<Record<string, RuleFunction>> {
  return {
    /** No text gives orders to the model that reads it. */
    noInstructions: everyText((text) => told(checks.instructions(text), "reads like an order to the model")),
    /** No text has characters that people do not see. */
    noHiddenText: everyText((text) => told(checks.hidden(text), "has characters that nobody sees")),
    /** No text holds a credential. */
    noSecrets: everyText((text) => told(checks.secrets(text), "holds what looks like a credential")),
    /** No two names of a list look the same, and none mixes scripts. */
    noDeceptiveNames(value, _, { path }) {
      const names = objectsOf(value).flatMap(({ item: { name } }) => (typeof name === "string" ? [name] : []));
      const what = checks.deceptive(names);
      return what === undefined ? [] : [{ message: `there are ${what}`, path }];
    },
    everyText: checkedTexts,
  };
}

/** Options: `notMatch`, a pattern that no text may match; `maxLength`, in characters. Names of members are not looked at. */
const checkedTexts: RuleFunction = (value, options, { path }) => {
  const notMatch = textOption(options, "notMatch");
  // As Spectral's own patterns: in a process that is ended when one does not end, and the rule is told as the fault.
  // oxlint-disable-next-line gatehouse/linear-patterns
  const pattern = notMatch === undefined ? undefined : new RegExp(notMatch, "iu");
  const maxLength = numberOption(options, "maxLength", Number.POSITIVE_INFINITY);
  const found: RuleResult[] = [];
  for (const { text, path: below, isName } of textsIn(value)) {
    if (isName) continue;
    if (pattern?.test(text) === true)
      found.push({ message: "has what may not stand there", path: [...path, ...below] });
    if (text.length > maxLength)
      found.push({ message: `has ${text.length} characters, more than ${maxLength}`, path: [...path, ...below] });
  }
  return found;
};

function everyText(check: (text: string) => string | undefined): RuleFunction {
  return (value, _, { path }) => {
    if (typeof value !== "string" && !Array.isArray(value) && !isObject(value)) return [];
    const found: RuleResult[] = [];
    for (const { text, path: below } of textsIn(value)) {
      const message = check(text);
      if (message !== undefined) found.push({ message, path: [...path, ...below] });
    }
    return found;
  };
}

function told(kinds: readonly string[], what: string): string | undefined {
  return kinds.length === 0 ? undefined : `${what}: ${kinds.join(", ")}`;
}
