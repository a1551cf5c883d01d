import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RulesetSpec } from "../core/ruleset.ts";
import { loadYaml } from "../kernel/load-yaml.ts";

/** A ruleset that ships with the product, written for it. */
export interface DefaultRuleset extends Pick<RulesetSpec, "type" | "artifacts"> {
  readonly title: string;
  readonly summary: string;
  /** In `assets/governance`, without its ending. */
  readonly file: string;
}

/** The rulesets of our own, by the names that policies and `extends` have for them. */
export const defaultRulesets: Readonly<Record<string, DefaultRuleset>> = {
  "gatehouse:mcp": {
    title: "MCP server guidelines",
    summary: "What makes a server one that agents use well and its owners can answer for.",
    type: "metadata",
    artifacts: ["McpServer"],
    file: "mcp",
  },
  "gatehouse:mcp-safety": {
    title: "MCP safety",
    summary: "What a server hides in its tools, prompts and resources to steer the model that reads them.",
    type: "metadata",
    artifacts: ["McpServer"],
    file: "mcp-safety",
  },
  "gatehouse:llm": {
    title: "LLM API guidelines",
    summary: "Limits, guardrails, a second target, and providers that are reached safely.",
    type: "metadata",
    artifacts: ["LlmApi", "LlmProvider"],
    file: "llm",
  },
  "gatehouse:api-management": {
    title: "API management guidelines",
    summary: "A name that lasts, somebody who answers for it, and a way in that asks who is there.",
    type: "metadata",
    artifacts: ["RestApi", "AsyncApi", "LlmApi"],
    file: "api-management",
  },
  "gatehouse:rest": {
    title: "REST design",
    summary: "How an HTTP API is designed so that people, programs and agents guess right.",
    type: "definition",
    artifacts: ["RestApi"],
    file: "rest",
  },
  "gatehouse:owasp": {
    title: "OWASP API Security Top 10",
    summary: "What of the ten commonest weaknesses of 2023 can be seen in a description.",
    type: "definition",
    artifacts: ["RestApi"],
    file: "owasp",
  },
  "gatehouse:asyncapi": {
    title: "AsyncAPI design",
    summary: "How an API of messages is described so that those who send and those who receive mean the same.",
    type: "definition",
    artifacts: ["AsyncApi"],
    file: "asyncapi",
  },
};

/** The rules of one, parsed. Reads its file each time: keep what you get. */
export function readDefaultRuleset({ file }: Pick<DefaultRuleset, "file">): Readonly<Record<string, unknown>> {
  const text = readFileSync(join(defaultRulesetFolder, `${file}.yaml`), "utf8");
  return loadYaml().parse(text, { merge: true }) as Readonly<Record<string, unknown>>; // a file of ours, which tests hold against Spectral
}

/** Where their files are. */
export const defaultRulesetFolder = join(import.meta.dirname, "../../assets/governance");
