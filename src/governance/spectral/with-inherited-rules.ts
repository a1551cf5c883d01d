/** A ruleset, as people or packages write it. */
type Written = Readonly<Record<string, unknown>>;

/**
 * One of our rulesets, whose rules without `given` look where the rules of their names look in what it extends: the words and
 * the weight are ours, the rest is the package's. Spectral itself takes a whole rule or a severity only.
 */
export function withInheritedRules(ruleset: Written, builtIn: (name: string) => unknown): Written {
  const { rules } = ruleset;
  if (!isWritten(rules) || ruleset["extends"] === undefined) return ruleset;
  const bases = [ruleset["extends"]].flat(2).flatMap((name: unknown) => {
    const base = typeof name === "string" ? builtIn(name) : undefined;
    return isWritten(base) ? [base] : [];
  });
  const inherited = membersOf(bases.map((base) => base["rules"]));
  const aliases = membersOf([...bases, ruleset].map((each) => each["aliases"]));
  const whole = Object.entries(rules).map(([name, rule]) => {
    const base = Object.hasOwn(inherited, name) ? inherited[name] : undefined;
    return [name, isWritten(rule) && isWritten(base) ? { ...base, ...rule } : rule];
  });
  return { ...ruleset, aliases, rules: Object.fromEntries(whole) };
}

/** All their members; of those with one name the last one's. */
function membersOf(objects: readonly unknown[]): Written {
  return Object.fromEntries(objects.flatMap((each) => (isWritten(each) ? Object.entries(each) : [])));
}

function isWritten(value: unknown): value is Written {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
