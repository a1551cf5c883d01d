import type { Command } from "commander";
import { Option } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse budgets …`. */
export function addBudgetCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const budgets = program
    .command("budgets")
    .description("how much of their limits keys, applications and teams have used");
  const load = async () => import("./budgets.ts");
  const kind = (): Option =>
    new Option("--kind <kind>", "whose limits").choices(["ApiKey", "Application", "Team"]).default("ApiKey");
  controlCommand(budgets, "list [name]", "print what is used, left, and used up by the end of the window at this pace")
    .addOption(kind())
    .option("--json", "as JSON")
    .action(async (name, options) => (await load()).listBudgets(name, options, shell));
  controlCommand(budgets, "reset <name>", "forget what a key, an application or a team has used of its limits")
    .addOption(kind())
    .action(async (name, options) => (await load()).resetBudgets(name, options, shell));
}
