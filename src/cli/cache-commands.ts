import type { Command } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { ControlOptions } from "./common-options.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse cache …`. */
export function addCacheCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const cache = program.command("cache").description("answers that semantic caches keep");
  controlCommand(cache, "purge <api>", "have every gateway drop the answers that it keeps of an LLM API").action(
    async (name: string, options: ControlOptions) => {
      const { openControlClient } = await import("./control-client.ts");
      await using control = await openControlClient(options, shell);
      await control.call("POST", `/api/v1/llm-apis/${encodeURIComponent(name)}/cache:purge`);
      shell.note(`answers of ${name} are dropped`);
    },
  );
}
