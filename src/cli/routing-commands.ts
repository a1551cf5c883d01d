import type { Command } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse routing …`. */
export function addRoutingCommands(program: Command, shell: Shell, command: AddControlCommand): void {
  const routing = program.command("routing").description("routers that are learnt from outcomes");
  const own = (name: string, description: string): Command =>
    command(routing, name, description)
      .option("--use <id>", "another embedder than the configured one")
      .option("--with <json>", "its configuration");
  own("train <csv>", "learn from lines of prompt, model, score, cost which model is good enough for what")
    .option("--out <file>", "where the strategy is written, as YAML")
    .action(async (file, options) => (await import("./routing.ts")).trainRouter(file, options, shell));
  own("eval <csv>", "judge such a router by cross-validation")
    .option("--folds <number>", "parts that are held back in turn", "5")
    .action(async (file, options) => (await import("./routing.ts")).evalRouter(file, options, shell));
}
