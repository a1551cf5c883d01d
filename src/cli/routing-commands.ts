import type { Command } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse routing …`. */
export function addRoutingCommands(
  program: Command,
  shell: Shell,
  { command, controlCommand }: Readonly<Record<"command" | "controlCommand", AddControlCommand>>,
): void {
  const routing = program.command("routing").description("which model has a request, and why");
  controlCommand(routing, "test <api>", "route a request to an LLM API by what is deployed; it is sent nowhere")
    .option("--message <text>", "what the user says")
    .option("--model <name>", "the model that is asked for", "auto")
    .option("--request <file>", "a whole request as JSON, in place of the two")
    .option("--endpoint <path>", "below /v1/: chat/completions, responses, messages or embeddings", "chat/completions")
    .option("--environment <name>", "whose targets: production or sandbox", "production")
    .option("--header <line...>", "headers of the client, such as 'x-tier: gold'")
    .option("--json", "as JSON")
    .action(async (api, options) => (await import("./route-test.ts")).testRoute(api, options, shell));
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
