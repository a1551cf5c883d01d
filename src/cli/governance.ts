import { z } from "zod";
import type { GovernanceTarget } from "../core/governance-policy.ts";
import { governancePolicy } from "../core/governance-policy.ts";
import { governedKinds } from "../core/governed-kinds.ts";
import { fieldIssues, refusal } from "../core/parse-document.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface AttachOptions extends ControlOptions {
  readonly to: readonly string[];
  /** States, with commas: `deploy,publish`. */
  readonly at: string;
  /** What findings do, by severity: `error=block`. */
  readonly on: readonly string[];
  readonly policy?: string;
}

/** Writes the policy that holds a ruleset for resources. Throws `request.invalid` for words that are none, before anything is written. */
export async function attachRuleset(ruleset: string, options: AttachOptions, shell: Shell): Promise<void> {
  const name = options.policy ?? policyName(ruleset);
  const actions = options.on.flatMap((each) => {
    const [severity, type] = each.split("=");
    return options.at.split(",").map((state) => ({ state, severity, type }));
  });
  const parsed = governancePolicy.spec.safeParse({ rulesets: [ruleset], targets: options.to.map(targetOf), actions });
  if (!parsed.success) throw refusal("resource.invalid", "This is no policy", fieldIssues(parsed.error.issues));
  await using control = await openControlClient(options, shell);
  const body = { metadata: { name }, spec: parsed.data };
  const isThere = await control.call("GET", pathOf(name)).then(
    () => true,
    (error: unknown) => {
      if (error instanceof GatewayError && error.code === "resource.not_found") return false;
      throw error;
    },
  );
  if (isThere) await control.call("PUT", pathOf(name), body, "*");
  else await control.call("POST", collection, body);
  shell.out(`attached ${ruleset} to ${options.to.join(", ")} by GovernancePolicy/${name}`);
}

/** Deletes the policy that `attachRuleset` has written. */
export async function detachRuleset(
  ruleset: string,
  options: ControlOptions & { readonly policy?: string },
  shell: Shell,
): Promise<void> {
  const name = options.policy ?? policyName(ruleset);
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", pathOf(name), undefined, "*");
  shell.out(`detached ${ruleset}: GovernancePolicy/${name} is gone`);
}

/** Prints which policies use a ruleset, or each ruleset's. */
export async function rulesetUsage(ruleset: string | undefined, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const policies = (await Array.fromAsync(control.list(collection))).map((each) => policySchema.parse(each));
  const rows = policies.flatMap(({ metadata, spec }) =>
    spec.rulesets
      .filter((each) => ruleset === undefined || each === ruleset)
      .map((each) => [each, metadata.name, spec.targets.map(targetText).join(", ")]),
  );
  for (const line of printTable(["RULESET", "POLICY", "TARGETS"], rows)) shell.out(line);
}

/** Prints how resources stand to the rules; with a resource such as `McpServer/files`, every finding. */
export async function printCompliance(
  resource: string | undefined,
  options: ControlOptions & { readonly json?: boolean },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const base = "/api/v1/governance/artifact-compliance";
  if (resource === undefined) {
    const views = (await Array.fromAsync(control.list(base))).map((each) => complianceSchema.parse(each));
    if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
    const rows = views.map(({ kind, name, status, score }) => [
      `${kind}/${name}`,
      status,
      score === null ? "" : `${score}`,
    ]);
    for (const line of printTable(["RESOURCE", "STATUS", "SCORE"], rows)) shell.out(line);
    return;
  }
  const [kind = "", name = ""] = resource.split("/");
  const view = detailsSchema.parse(
    await control.call("GET", `${base}/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`),
  );
  if (options.json === true) return shell.out(JSON.stringify(view, undefined, 2));
  const rows = view.policies.flatMap(({ policy, rulesets }) =>
    rulesets.flatMap(({ ruleset, findings }) =>
      findings.map((each) => [policy, ruleset, each.severity, each.rule, each.path, each.message]),
    ),
  );
  shell.out(`${resource}: ${view.status}`);
  for (const line of printTable(["POLICY", "RULESET", "SEVERITY", "RULE", "PATH", "MESSAGE"], rows)) shell.out(line);
}

const collection = "/api/v1/governance-policies";

function pathOf(policy: string): string {
  return `${collection}/${encodeURIComponent(policy)}`;
}

/** A name made of the ruleset's own, whose characters a resource's name may lack. */
function policyName(ruleset: string): string {
  const words = ruleset.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return `attached-${words.join("-")}`.slice(0, 63).replace(/-$/, "");
}

const shortKinds: Readonly<Record<string, string>> = {
  mcp: "McpServer",
  llm: "LlmApi",
  rest: "RestApi",
  async: "AsyncApi",
  provider: "LlmProvider",
  application: "Application",
};

/** `global`, `label/tier`, `label/tier=gold`, `mcp/files`, `McpServer/files`. */
function targetOf(text: string): GovernanceTarget {
  if (text === "global") return text;
  const [, head = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (head === "label") {
    const [label = "", ...value] = rest.split("=");
    return { label, ...(value.length > 0 && { value: value.join("=") }) };
  }
  const kind = governedKinds.find((each) => each === (shortKinds[head] ?? head));
  if (kind !== undefined) return { kind, name: rest };
  const known = Object.keys(shortKinds).map((each) => `${each}/NAME`);
  throw new GatewayError("request.invalid", `${text}: write global, label/NAME, ${known.join(", ")}.`);
}

function targetText(target: GovernanceTarget): string {
  if (target === "global") return target;
  if ("kind" in target) return `${target.kind}/${target.name}`;
  return target.value === undefined ? `label/${target.label}` : `label/${target.label}=${target.value}`;
}

const policySchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }), spec: governancePolicy.spec });
const complianceSchema = z.looseObject({
  kind: z.string(),
  name: z.string(),
  status: z.string(),
  score: z.number().nullable(),
});
const findingSchema = z.looseObject({ severity: z.string(), rule: z.string(), path: z.string(), message: z.string() });
const detailsSchema = complianceSchema.extend({
  policies: z.array(
    z.looseObject({
      policy: z.string(),
      rulesets: z.array(z.looseObject({ ruleset: z.string(), findings: z.array(findingSchema) })),
    }),
  ),
});
