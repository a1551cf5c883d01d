import { GatewayError } from "../kernel/errors.ts";
import { loadYaml } from "../kernel/load-yaml.ts";
import { invalidRuleset } from "./create-ruleset-evaluator.ts";
import type { RulesetBundle } from "./ruleset-evaluator.ts";

/** A ruleset's text, read. */
export interface ReadRuleset {
  readonly ruleset: Readonly<Record<string, unknown>>;
  /** What it extends, by name: built-in rulesets and others of this installation. */
  readonly extended: readonly string[];
  /** The line of a member, from 1; undefined where it has none. */
  lineOf(path: readonly (string | number)[]): number | undefined;
}

/** UTF-16 units of a ruleset's text. */
export const mostRulesetUnits = 1_000_000;

/**
 * Reads a ruleset, YAML or JSON. Throws `resource.invalid`, with the line, for what is no document (a name twice, an alias
 * that stands for too much), for what is no ruleset, and for one with functions of its own: code of people is not run.
 */
export function readRuleset(name: string, text: string): ReadRuleset {
  if (text.length > mostRulesetUnits)
    throw invalidRuleset(name, [{ path: [], message: `it is longer than ${mostRulesetUnits} characters` }]);
  const { LineCounter, parseDocument, isNode } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    customTags: [],
    strict: true,
    merge: true,
  });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const line = broken.linePos?.[0].line;
    throw invalidRuleset(name, [{ path: [], message: `line ${line ?? 1}: ${firstLine(broken.message)}` }]);
  }
  const lineOf = (path: readonly (string | number)[]): number | undefined => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      const at = isNode(node) ? node.range?.[0] : undefined;
      if (at !== undefined) return lines.linePos(at).line;
    }
    return undefined;
  };
  const value = plainOf(name, () => document.toJS({ maxAliasCount: 100 }));
  for (const member of ["functions", "functionsDir"]) {
    if (!(member in value) || isEmpty(value[member])) continue;
    const line = lineOf([member]);
    throw invalidRuleset(name, [
      {
        path: [member],
        message: `line ${line ?? 1}: a ruleset cannot bring functions of its own; use Spectral's core functions`,
      },
    ]);
  }
  return { ruleset: value, extended: namesIn(value), lineOf };
}

/** Finds the text of a stored ruleset; undefined where there is none. Names of built-in ones are not asked for. */
export type FindRuleset = (name: string) => Promise<string | undefined>;

/**
 * A ruleset with all that it extends. Throws `resource.invalid` for a circle, naming it, and for a name that nobody knows.
 */
export async function bundleRuleset(
  name: string,
  text: string,
  { find, builtIn }: { readonly find: FindRuleset; readonly builtIn: ReadonlySet<string> },
): Promise<RulesetBundle> {
  const extended: Record<string, Readonly<Record<string, unknown>>> = {};
  const collect = async ({ extended: names }: ReadRuleset, above: readonly string[]): Promise<void> => {
    for (const each of names) {
      if (builtIn.has(each)) continue;
      if (above.includes(each)) {
        throw invalidRuleset(name, [
          { path: ["extends"], message: `goes in a circle: ${[...above, each].join(" → ")}` },
        ]);
      }
      if (each in extended) continue;
      const own = await find(each);
      if (own === undefined) {
        const known = [...builtIn].toSorted().join(", ");
        throw invalidRuleset(name, [
          {
            path: ["extends"],
            message: `there is no ruleset "${each}"; built in are ${known}, and nothing is fetched`,
          },
        ]);
      }
      const read = readRuleset(each, own);
      extended[each] = read.ruleset;
      await collect(read, [...above, each]);
    }
  };
  const root = readRuleset(name, text);
  await collect(root, [name]);
  return { name, ruleset: root.ruleset, extended };
}

function plainOf(name: string, read: () => unknown): Readonly<Record<string, unknown>> {
  try {
    const value = read();
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw new GatewayError("resource.invalid", `The ruleset ${name} is not valid: its aliases stand for too much.`, {
      cause: error,
    });
  }
  throw invalidRuleset(name, [{ path: [], message: "it is no object with rules" }]);
}

/** What `extends` names, here and in `overrides`. */
function namesIn({ extends: own, overrides }: Readonly<Record<string, unknown>>): readonly string[] {
  const inOverrides = Array.isArray(overrides)
    ? overrides.flatMap((each: unknown) =>
        typeof each === "object" && each !== null && "extends" in each ? [each.extends] : [],
      )
    : [];
  return [...new Set([own, ...inOverrides].flatMap(namesOf))];
}

function namesOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => (Array.isArray(each) ? namesOf(each[0]) : namesOf(each)));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
