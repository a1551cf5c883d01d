import { relative, resolve } from "node:path";
import { governedKinds } from "../../core/governed-kinds.ts";
import { invalidRuleset } from "../../governance/create-ruleset-evaluator.ts";
import { defaultRulesets } from "../../governance/default-rulesets.ts";
import { bundleRuleset } from "../../governance/read-ruleset.ts";
import type { RulesetBundle, RulesetEvaluator } from "../../governance/ruleset-evaluator.ts";
import { packagedRulesets } from "../../governance/spectral/ruleset-names.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { isForDefinitions } from "./default-rules.ts";
import type { LintPart } from "./lint-subject.ts";
import type { RulesetFile } from "./ruleset-files.ts";
import { readRulesetFiles } from "./ruleset-files.ts";

/** What documents are held against. */
export interface ChosenRulesets {
  /** Undefined where nothing is for such a part. */
  for(part: LintPart): { readonly names: readonly string[]; readonly bundle: RulesetBundle } | undefined;
  /** The folder that the patterns of `overrides` begin at. */
  readonly folder: string;
  /** The fault of a ruleset, with the file and the line where it stands. */
  explain(error: GatewayError, evaluator: RulesetEvaluator): Promise<string>;
}

const builtIn: ReadonlySet<string> = new Set(packagedRulesets);

/**
 * The rulesets that somebody has chosen, built-in ones by name and files; without any, each part's own. Throws
 * `resource.not_found` for a name of nothing, and `resource.invalid` with file and line for what is no ruleset.
 */
export async function chooseRulesets(chosen: readonly string[], cwd: string): Promise<ChosenRulesets> {
  const files = new Map<string, RulesetFile>();
  const rulesets: Chosen[] = [];
  for (const name of chosen) {
    if (builtIn.has(name)) {
      const of = isForDefinitions(name) ? "definition" : "metadata";
      rulesets.push({ name, key: name, of, artifacts: artifactsOf(name) });
    } else {
      const { path, of, artifacts } = await readRulesetFiles(name, cwd, builtIn, files);
      rulesets.push({ name, key: path, of, artifacts });
    }
  }
  const find = async (key: string): Promise<string | undefined> => files.get(key)?.json;
  const bundles = new Map<string, RulesetBundle>();
  for (const part of everyPart) {
    const keys = rulesets.filter((each) => isFor(each, part)).map(({ key }) => key);
    const [first] = keys;
    const id = JSON.stringify(keys);
    if (first === undefined || bundles.has(id)) continue;
    const text = keys.length === 1 ? files.get(first)?.json : undefined;
    bundles.set(id, await bundleRuleset(first, text ?? JSON.stringify({ extends: keys }), { find, builtIn }));
  }
  const [first] = files.keys();
  return {
    folder: first === undefined ? cwd : resolve(first, ".."),
    for(part) {
      if (chosen.length === 0)
        return part.rulesets.length === 0 ? undefined : { names: part.rulesets, bundle: usual(part) };
      const own = rulesets.filter((each) => isFor(each, part));
      const bundle = bundles.get(JSON.stringify(own.map(({ key }) => key)));
      return bundle && { names: own.map(({ name }) => name), bundle };
    },
    explain: (error, evaluator) => explain(error, evaluator, { files, cwd, find }),
  };
}

interface Chosen {
  readonly name: string;
  readonly key: string;
  /** `any`: it does not say, and is for whatever it is held against. */
  readonly of: "definition" | "metadata" | "any";
  /** The kinds of resource that it is for; undefined: all. */
  readonly artifacts: readonly string[] | undefined;
}

const types = ["definition", "metadata"] as const;
const everyPart: readonly Pick<LintPart, "of" | "kind">[] = types.flatMap((of) => [
  { of },
  ...[...governedKinds, "another"].map((kind) => ({ of, kind })),
]);

/** Whether the product would hold such a part against it too. */
function isFor({ of, artifacts }: Chosen, part: Pick<LintPart, "of" | "kind">): boolean {
  if (part.kind !== undefined && artifacts !== undefined && !artifacts.includes(part.kind)) return false;
  return of === "any" || of === part.of;
}

function artifactsOf(name: string): readonly string[] {
  return (
    (Object.hasOwn(defaultRulesets, name) ? defaultRulesets[name]?.artifacts : undefined) ?? ["RestApi", "AsyncApi"]
  );
}

function usual({ rulesets }: LintPart): RulesetBundle {
  return { name: rulesets.join(", "), ruleset: { extends: rulesets }, extended: {} };
}

/** Spectral tells a member and not whose: each file is tried by itself, those first that others extend. */
async function explain(
  error: GatewayError,
  evaluator: RulesetEvaluator,
  {
    files,
    cwd,
    find,
  }: {
    readonly files: ReadonlyMap<string, RulesetFile>;
    readonly cwd: string;
    readonly find: (key: string) => Promise<string | undefined>;
  },
): Promise<string> {
  for (const [path, file] of files) {
    const name = relative(cwd, path);
    try {
      const bundle = await bundleRuleset(name, file.json, { find, builtIn });
      await evaluator.evaluate({ bundle, document: { text: "{}" }, isUrgent: true });
    } catch (own) {
      if (!(own instanceof GatewayError) || own.code !== "resource.invalid") throw own;
      const issues = own.issues.map((issue) => {
        const line = file.lineOf(issue.path.split("."));
        return { path: [issue.path], message: line === undefined ? issue.message : `line ${line}: ${issue.message}` };
      });
      return invalidRuleset(name, issues).message;
    }
  }
  return error.message;
}
