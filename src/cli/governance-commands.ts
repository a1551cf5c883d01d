import type { Command } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse governance …`. */
export function addGovernanceCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const governance = program.command("governance").description("rulesets, and how resources stand to them");
  const load = async () => import("./governance.ts");
  controlCommand(governance, "attach <ruleset>", "hold resources against a ruleset")
    .requiredOption("--to <target...>", "global, label/NAME[=VALUE], mcp/NAME, llm/NAME, rest/NAME …")
    .option("--at <states>", "create, update, deploy, publish, runtime; with commas", "deploy,publish")
    .option("--on <severity=action...>", "what a finding does, such as error=block", ["error=notify"])
    .option("--policy <name>", "name of the policy that is written; made of the ruleset's when absent")
    .action(async (ruleset, options) => (await load()).attachRuleset(ruleset, options, shell));
  controlCommand(governance, "detach <ruleset>", "end what `attach` has begun")
    .option("--policy <name>", "name of the policy")
    .action(async (ruleset, options) => (await load()).detachRuleset(ruleset, options, shell));
  controlCommand(governance, "usage [ruleset]", "print which policies use a ruleset").action(async (ruleset, options) =>
    (await load()).rulesetUsage(ruleset, options, shell),
  );
  governance
    .command("rules")
    .description("print the rules that ship with the product, as a page")
    .action(async () => shell.out((await import("./rules-reference.ts")).printRules().trimEnd()));
  governance
    .command("schema <kind>")
    .description("print the JSON Schema of the form in which rulesets see resources of a kind")
    .action(async (kind) => shell.out((await import("./artifact-schema.ts")).printArtifactSchema(kind).trimEnd()));
  controlCommand(governance, "status [kind/name]", "print how resources stand to the rules, or one's findings")
    .option("--json", "as JSON")
    .action(async (resource, options) => (await load()).printCompliance(resource, options, shell));
}
