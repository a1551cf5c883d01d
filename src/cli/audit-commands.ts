import type { Command } from "commander";
import type { Shell } from "./shell.ts";

/** Makes a command with the options of all that talk to the control plane. */
export type AddControlCommand = (parent: Command, name: string, description: string) => Command;

/** `gatehouse audit …`. */
export function addAuditCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const audit = program.command("audit").description("who did what, and that nobody changed it since");
  const load = async () => import("./audit.ts");
  controlCommand(audit, "tail", "print the audit, one JSON object a line, the oldest first")
    .option("-f, --follow", "go on with what comes")
    .option("--after <row>", "only what is behind that row")
    .option("--actor <id>", "only what one actor did")
    .option("--action <action>", "only one action, or all of one subject: plan.*")
    .option("--kind <kind>", "only what was done to one kind of resource")
    .action(async (options) => (await load()).tailAudit(options, shell));
  controlCommand(audit, "verify", "check that no row was changed, removed, inserted or moved")
    .option("--checkpoint <file>", "a file of checkpoints; shows also that nothing was cut off since they were made")
    .action(async (options) => (await load()).verifyAudit(options, shell));
  controlCommand(audit, "checkpoint", "print a signed line that stands for all rows so far, to be kept elsewhere")
    .option("--file <file>", "add it to a file instead")
    .action(async (options) => (await load()).checkpointAudit(options, shell));
  audit
    .command("actions")
    .description("print what the audit may say was done, in Markdown")
    .action(async () => shell.out((await import("./audit-actions-reference.ts")).printAuditActions().trimEnd()));
}

/** `gatehouse key-managers …`. */
export function addKeyManagerCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const managers = program.command("key-managers").description("who issues tokens");
  const load = async () => import("./key-managers.ts");
  controlCommand(managers, "test <name>", "try a key manager's connection; changes nothing there").action(
    async (name, options) => (await load()).testKeyManager(name, options, shell),
  );
  controlCommand(
    managers,
    "rotate-keys",
    "make a new signing key of the resident key manager; tokens of the old one stay valid",
  )
    .option("--overlap <time>", "how long it is only published before it signs, such as 1h; 0s signs at once")
    .action(async (options) => (await load()).rotateSigningKeys(options, shell));
}
