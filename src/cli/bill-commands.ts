import type { Command } from "commander";
import { Option } from "commander";
import { costSteps } from "../analytics/cost-answers.ts";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse bill …`: what models have cost, and whether their providers see it so. */
export function addBillCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const bill = program.command("bill").description("what models have cost");
  controlCommand(bill, "list", "print what was paid, by time and by whom or for what")
    .option("--by <group>", "team, api, application, key, provider, model or label:NAME", "model")
    .addOption(new Option("--step <step>", "steps of time, by the calendar of UTC").choices(costSteps).default("total"))
    .option("--from <time>", "begin of the range; a day before its end when absent")
    .option("--to <time>", "end of the range; now when absent")
    .option("--api <name>", "only of one API")
    .option("--provider <name>", "only of one provider")
    .option("--environment <name>", "production or sandbox")
    .option("--json", "as JSON")
    .action(async (options) => (await import("./costs.ts")).listCosts(options, shell));
  controlCommand(bill, "reconcile", "compare what was recorded with a provider's own usage export")
    .requiredOption("--provider <name>", "an LlmProvider")
    .requiredOption("--file <csv>", "the export; those of OpenAI and Anthropic are known by their head line")
    .option("--column <pair...>", "columns of another export: day=, model=, input=a+b, output=, cost=")
    .option("--currency <code>", "what money is compared in", "USD")
    .option("--tolerance <percent>", "how far a line may differ", "1")
    .option("--json", "as JSON")
    .action(async (options) => (await import("./reconcile-bill.ts")).reconcileBill(options, shell));
}
