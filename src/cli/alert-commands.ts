import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse alerts …`. */
export function addAlertCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const alerts = program.command("alerts").description("what watches recorded traffic, and what it has told");
  const load = async () => import("./alerts.ts");
  controlCommand(alerts, "list", "list alerts and how they stand")
    .option("--json", "as JSON")
    .action(async (options) => (await load()).listAlerts(options, shell));
  controlCommand(alerts, "history [name]", "when alerts fired and were over, the newest first")
    .option("--limit <rows>", "rows at most", wholeRows, 100)
    .option("--json", "as JSON")
    .action(async (name, options) => (await load()).alertHistory(name, options, shell));
  controlCommand(alerts, "deliveries", "what webhooks are told, or were, the newest first")
    .option("--state <state>", "pending, delivered or dead")
    .option("--limit <rows>", "rows at most", wholeRows, 100)
    .option("--json", "as JSON")
    .action(async (options) => (await load()).listDeliveries(options, shell));
  controlCommand(alerts, "retry <id>", "tell a webhook again what it has not taken, by the id of the delivery")
    .option("--json", "as JSON")
    .action(async (id, options) => (await load()).retryDelivery(id, options, shell));
}

function wholeRows(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 1 && rows <= 100_000) return rows;
  throw new InvalidArgumentError("a whole number, 1 to 100000");
}
