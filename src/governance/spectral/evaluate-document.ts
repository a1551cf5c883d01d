import { createRequire } from "node:module";
import type * as Core from "@stoplight/spectral-core";
import type * as Parsers from "@stoplight/spectral-parsers";
import type * as RefResolver from "@stoplight/spectral-ref-resolver";
import type { Finding } from "../finding.ts";
import { severities } from "../finding.ts";
import type { TextChecks } from "../text-checks.ts";
import type { ChildAnswer, ChildQuestion, RulesetIssue } from "./child-messages.ts";
import { isResource } from "./formats.ts";
import { namedMembers } from "./named-members.ts";
import { rulesetNames } from "./ruleset-names.ts";
import { toDefinition } from "./to-definition.ts";

/** Answers questions; it keeps the last few rulesets ready. */
export interface DocumentEvaluator {
  answer(question: ChildQuestion): Promise<ChildAnswer>;
}

const keptRulesets = 8;

/**
 * Loads Spectral. References within an API's description are followed, and no other: there is no reader for files or
 * addresses. In a resource they stay as they are: the schemas in it have roots of their own.
 */
export function createDocumentEvaluator(checks: TextChecks): DocumentEvaluator {
  const load = createRequire(import.meta.url);
  const core = load("@stoplight/spectral-core") as typeof Core; // each the package of that name
  const parsers = load("@stoplight/spectral-parsers") as typeof Parsers;
  const { Resolver } = load("@stoplight/spectral-ref-resolver") as typeof RefResolver;
  const names = rulesetNames(checks);
  const rulesets = new Map<string, Core.Ruleset>();

  const rulesetOf = ({ bundle, document, only }: ChildQuestion): Core.Ruleset => {
    const key = JSON.stringify([bundle, only, document.source]);
    const known = rulesets.get(key);
    rulesets.delete(key);
    const ruleset = known ?? makeRuleset(core, bundle, names, only);
    rulesets.set(key, ruleset);
    const [oldest] = rulesets.keys();
    if (rulesets.size > keptRulesets && oldest !== undefined) rulesets.delete(oldest);
    return ruleset;
  };

  return {
    async answer(question) {
      const { id, document } = question;
      let ruleset: Core.Ruleset;
      try {
        ruleset = rulesetOf(question);
      } catch (error) {
        return { type: "invalid", id, issues: namedMembers(issuesOf(error), question.bundle.ruleset) };
      }
      if (question.lists === true) return { type: "done", id, findings: [], rules: namesOf(ruleset) };
      try {
        const source = document.source === undefined ? undefined : `/${document.source}`; // beside the ruleset
        // JSON is read as YAML too, as Spectral's own command does, so that places are the same.
        const parsed = new core.Document(document.text, parsers.Yaml, source);
        const dereferenceInline = !isResource(parsed.data);
        const spectral = new core.Spectral({ resolver: new Resolver({ resolvers: {}, dereferenceInline }) });
        spectral.setRuleset(ruleset);
        const results = await spectral.run(parsed, { ignoreUnknownFormat: true });
        return {
          type: "done",
          id,
          findings: results.map((result) => findingOf(result, ruleset)),
          rules: rulesFor(ruleset, parsed),
        };
      } catch (error) {
        return { type: "failed", id, message: messagesOf(error).join("; ") };
      }
    },
  };
}

function makeRuleset(
  core: typeof Core,
  bundle: ChildQuestion["bundle"],
  names: ReturnType<typeof rulesetNames>,
  only: readonly string[] | undefined,
): Core.Ruleset {
  const ruleset = new core.Ruleset(toDefinition(bundle, names), { source: "/ruleset.yaml", severity: "recommended" });
  if (only === undefined) return ruleset;
  const chosen = new Set(only);
  for (const rule of Object.values(ruleset.rules)) if (!chosen.has(rule.name)) rule.enabled = false;
  return ruleset;
}

function namesOf(ruleset: Core.Ruleset): readonly string[] {
  return Object.values(ruleset.rules).flatMap(({ enabled, name }) => (enabled ? [name] : []));
}

/** The rules that are on and are for a document of this format. */
function rulesFor(ruleset: Core.Ruleset, document: { readonly formats?: ReadonlySet<unknown> | null }): string[] {
  const own = document.formats ?? new Set<unknown>();
  return Object.values(ruleset.rules)
    .filter(({ enabled, formats }) => enabled && (formats === null || [...formats].some((format) => own.has(format))))
    .map(({ name }) => name);
}

function findingOf(result: Core.IRuleResult, ruleset: Core.Ruleset): Finding {
  const { code, severity, message, path, range } = result;
  const rule = ruleset.rules[String(code)];
  const howToFix = rule?.extensions?.["howToFix"];
  return {
    rule: String(code),
    severity: severities[severity] ?? "warn",
    message,
    path: [...path],
    range,
    ...(typeof howToFix === "string" && { howToFix }),
    ...(result.documentationUrl !== undefined && { documentationUrl: result.documentationUrl }),
  };
}

function issuesOf(error: unknown): readonly RulesetIssue[] {
  if (hasErrors(error)) return error.errors.flatMap(issuesOf);
  const path: unknown = typeof error === "object" && error !== null && "path" in error ? error.path : [];
  return [
    {
      path: Array.isArray(path) ? path.map(String) : [],
      message: error instanceof Error ? error.message : String(error),
    },
  ];
}

function hasErrors(error: unknown): error is { readonly errors: readonly unknown[] } {
  return typeof error === "object" && error !== null && "errors" in error && Array.isArray(error.errors);
}

function messagesOf(error: unknown): readonly string[] {
  return issuesOf(error).map(({ message }) => message);
}
