import type { RulesetDefinition } from "@stoplight/spectral-core";
import type { RulesetBundle } from "../ruleset-evaluator.ts";

/** What names in a ruleset stand for. */
export interface RulesetNames {
  readonly functions: Readonly<Record<string, unknown>>;
  readonly formats: Readonly<Record<string, unknown>>;
  /** Reads a ruleset that ships with the product, as people write rulesets; undefined where there is none of that name. */
  written(name: string): Plain | undefined;
  /** Loads a ruleset of a package, whose names are things already; undefined where there is none of that name. */
  builtIn(name: string): unknown;
}

type Plain = Readonly<Record<string, unknown>>;

/**
 * A ruleset as people write it, made into what Spectral takes: names of functions, formats and rulesets become the things
 * themselves. What is no name of anything stays as it is, and Spectral's own validation says so with its place.
 */
export function toDefinition(bundle: RulesetBundle, names: RulesetNames): RulesetDefinition {
  const made = new Map<string, unknown>();
  const find = (name: string): unknown => {
    if (made.has(name)) return made.get(name);
    const ruleset = bundle.extended[name] ?? names.written(name);
    const definition = ruleset === undefined ? (names.builtIn(name) ?? name) : convert(ruleset);
    made.set(name, definition);
    return definition;
  };
  const extended = (value: unknown): unknown => {
    if (typeof value === "string") return find(value);
    if (!Array.isArray(value)) return value;
    return value.map((each: unknown) => {
      if (!Array.isArray(each)) return extended(each);
      const [name, ...more] = each as readonly unknown[]; // `[name, "all"]`
      return typeof name === "string" ? [find(name), ...more] : [name, ...more];
    });
  };
  const rulesOf = (rules: unknown): unknown =>
    mapMembers(renamed(rules), (rule) => {
      if (!isPlain(rule)) return rule;
      return mapMembers(rule, (member, name) => {
        if (name === "formats") return formatsOf(member);
        if (name !== "then") return member;
        return Array.isArray(member) ? member.map(action) : action(member);
      });
    });
  const action = (then: unknown): unknown => {
    if (!isPlain(then) || typeof then["function"] !== "string") return then;
    // A function that nobody knows is left as its name: no function, which validation tells with the rule.
    return { ...then, function: own(names.functions, then["function"]) ?? then["function"] };
  };
  const formatsOf = (formats: unknown): unknown =>
    Array.isArray(formats)
      ? [
          ...new Set(
            formats.map((name: unknown) => (typeof name === "string" ? (own(names.formats, name) ?? name) : name)),
          ),
        ]
      : formats;
  const aliasesOf = (aliases: unknown): unknown =>
    mapMembers(aliases, (alias) => {
      const targets = isPlain(alias) ? alias["targets"] : undefined;
      if (!isPlain(alias) || !Array.isArray(targets)) return alias;
      const withFormats = (target: unknown): unknown =>
        isPlain(target) && "formats" in target ? { ...target, formats: formatsOf(target["formats"]) } : target;
      return { ...alias, targets: targets.map(withFormats) };
    });
  const convert = (ruleset: Plain): Plain => ({
    ...ruleset,
    ...("extends" in ruleset && { extends: extended(ruleset["extends"]) }),
    ...("formats" in ruleset && { formats: formatsOf(ruleset["formats"]) }),
    ...("rules" in ruleset && { rules: rulesOf(ruleset["rules"]) }),
    ...("aliases" in ruleset && { aliases: aliasesOf(ruleset["aliases"]) }),
    ...overridesOf(ruleset, (each) => (isPlain(each) ? convert(each) : each)),
  });
  const { except: _, ...definition } = convert(bundle.ruleset);
  return definition as RulesetDefinition; // Spectral validates it when it takes it
}

/** `overrides`, with what `except` says in the words of older rulesets. */
function overridesOf({ overrides, except }: Plain, convert: (each: unknown) => unknown): Plain {
  const listed = Array.isArray(overrides) ? overrides.map(convert) : [];
  const excepted = Object.entries(isPlain(except) ? except : {}).map(([pattern, rules]) => ({
    files: [pattern.startsWith("#") ? `**${pattern}` : pattern],
    rules: Object.fromEntries((Array.isArray(rules) ? rules : []).map((rule: unknown) => [String(rule), "off"])),
  }));
  const all = [...listed, ...excepted];
  return all.length > 0 ? { overrides: all } : {};
}

/** Rules of Spectral's own that were given other names since; only where the old name is switched, not defined. */
const newNames: Readonly<Record<string, string>> = {
  "operation-2xx-response": "operation-default-response",
  "oas3-unused-components-schema": "oas3-unused-components",
  "oas2-valid-parameter-example": "oas2-valid-schema-example",
  "oas2-valid-response-schema-example": "oas2-valid-schema-example",
  "oas2-valid-definition-example": "oas2-valid-schema-example",
  "oas2-valid-response-example": "oas2-valid-media-example",
  "oas3-valid-oas-parameter-example": "oas3-valid-media-example",
  "oas3-valid-oas-content-example": "oas3-valid-media-example",
  "oas3-valid-oas-header-example": "oas3-valid-media-example",
  "oas3-valid-header-schema-example": "oas3-valid-schema-example",
  "oas3-valid-parameter-schema-example": "oas3-valid-schema-example",
};

function renamed(rules: unknown): unknown {
  if (!isPlain(rules)) return rules;
  const known = new Set(Object.keys(rules));
  return Object.fromEntries(
    Object.entries(rules).flatMap(([name, rule]) => {
      const other = own(newNames, name);
      if (typeof rule === "object" || other === undefined) return [[name, rule]];
      return known.has(other) ? [] : [[other, rule]];
    }),
  );
}

function mapMembers(value: unknown, change: (member: unknown, name: string) => unknown): unknown {
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member, name)]));
}

function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
