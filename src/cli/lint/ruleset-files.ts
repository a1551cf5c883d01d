import { dirname, relative, resolve } from "node:path";
import { ruleset as rulesetKind } from "../../core/ruleset.ts";
import { invalidRuleset } from "../../governance/create-ruleset-evaluator.ts";
import type { ReadRuleset } from "../../governance/read-ruleset.ts";
import { readRuleset } from "../../governance/read-ruleset.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { didYouMean } from "../../kernel/nearest-name.ts";
import { readTextFile } from "./read-text.ts";

/** A ruleset in a file. */
export interface RulesetFile {
  readonly path: string;
  /** It, with whole paths where `extends` names files beside it. */
  readonly json: string;
  /** What it looks at; `any` where it does not say. */
  readonly of: "definition" | "metadata" | "any";
  /** The kinds of resource that it is for; undefined where it does not say. */
  readonly artifacts: readonly string[] | undefined;
  /** The line of a member of the ruleset, from 1. */
  readonly lineOf: ReadRuleset["lineOf"];
}

/**
 * Reads a ruleset's file, Spectral's own form or a resource `Ruleset`, and all that it extends, into `files`, what is
 * extended first. Nothing is fetched. Throws as `chooseRulesets` does.
 */
export async function readRulesetFiles(
  name: string,
  cwd: string,
  builtIn: ReadonlySet<string>,
  files: Map<string, RulesetFile>,
): Promise<RulesetFile> {
  const read = async (path: string, from: string | undefined, above: readonly string[]): Promise<RulesetFile> => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const shown = relative(cwd, path) || path;
    if (above.includes(path)) {
      const circle = [...above, path].map((each) => relative(cwd, each));
      throw invalidRuleset(shown, [{ path: ["extends"], message: `goes in a circle: ${circle.join(" → ")}` }]);
    }
    const own = contentOf(shown, await textOf(path, shown, from, builtIn));
    const folder = dirname(path);
    const extended = (value: unknown): unknown => withPaths(value, folder, builtIn);
    const ruleset = mapExtends(own.ruleset, extended);
    for (const each of namesIn(ruleset)) if (!builtIn.has(each)) await read(each, shown, [...above, path]);
    const file = { path, json: JSON.stringify(ruleset), of: own.of, artifacts: own.artifacts, lineOf: own.lineOf };
    files.set(path, file);
    return file;
  };
  return read(resolve(cwd, name), undefined, []);
}

async function textOf(
  path: string,
  shown: string,
  from: string | undefined,
  builtIn: ReadonlySet<string>,
): Promise<string> {
  try {
    return await readTextFile(path);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code !== "resource.not_found") throw invalidRuleset(shown, [{ path: [], message: error.message }]);
    const why = from === undefined ? "" : `, which ${from} extends`;
    const known = `built in are ${[...builtIn].toSorted().join(", ")}; nothing is fetched`;
    const text = `There is no ruleset ${shown}${why}${didYouMean(shown, builtIn)}; ${known}.`;
    throw new GatewayError("resource.not_found", text, { cause: error });
  }
}

function contentOf(
  shown: string,
  text: string,
): Pick<RulesetFile, "of" | "artifacts" | "lineOf"> & Pick<ReadRuleset, "ruleset"> {
  const read = readRuleset(shown, text);
  if (read.ruleset["kind"] !== rulesetKind.kind) return { ...read, of: "any", artifacts: undefined };
  const spec = rulesetKind.spec.safeParse(read.ruleset["spec"]);
  if (!spec.success) {
    const issues = spec.error.issues.map(({ path, message }) => {
      const steps = ["spec", ...path.map(String)];
      return { path: steps, message: `line ${read.lineOf(steps) ?? 1}: ${message}` };
    });
    throw invalidRuleset(shown, issues);
  }
  const { type, artifacts, ruleset } = spec.data;
  const lineOf: ReadRuleset["lineOf"] = (path) => read.lineOf(["spec", "ruleset", ...path]);
  return { ruleset, of: type === "definition" ? "definition" : "metadata", artifacts, lineOf };
}

function mapExtends(ruleset: ReadRuleset["ruleset"], change: (value: unknown) => unknown): ReadRuleset["ruleset"] {
  const { overrides } = ruleset;
  return {
    ...ruleset,
    ...("extends" in ruleset && { extends: change(ruleset["extends"]) }),
    ...(Array.isArray(overrides) && {
      overrides: overrides.map((each: unknown) =>
        typeof each === "object" && each !== null && "extends" in each
          ? { ...each, extends: change(each.extends) }
          : each,
      ),
    }),
  };
}

/** `extends`, its names of files as whole paths. */
function withPaths(value: unknown, folder: string, builtIn: ReadonlySet<string>): unknown {
  const whole = (name: string): string => (builtIn.has(name) ? name : resolve(folder, name));
  if (typeof value === "string") return whole(value);
  if (!Array.isArray(value)) return value;
  return value.map((each: unknown) => {
    if (typeof each === "string") return whole(each);
    if (!Array.isArray(each)) return each;
    const [name, ...more] = each as readonly unknown[]; // `[name, "all"]`
    return [typeof name === "string" ? whole(name) : name, ...more];
  });
}

function namesIn({ extends: own, overrides }: ReadRuleset["ruleset"]): readonly string[] {
  const nested = Array.isArray(overrides)
    ? overrides.flatMap((each: unknown) => (hasExtends(each) ? [each.extends] : []))
    : [];
  return [...new Set([own, ...nested].flatMap(namesOf))];
}

function hasExtends(value: unknown): value is { readonly extends: unknown } {
  return typeof value === "object" && value !== null && "extends" in value;
}

function namesOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => (Array.isArray(each) ? namesOf(each[0]) : namesOf(each)));
}
