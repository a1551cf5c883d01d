import { Command, Option } from "commander";
import { gatehouseVersion } from "../version.ts";
import { addAlertCommands } from "./alert-commands.ts";
import { addAuditCommands, addKeyManagerCommands } from "./audit-commands.ts";
import { addBillCommands } from "./bill-commands.ts";
import { addBudgetCommands } from "./budget-commands.ts";
import { addCacheCommands } from "./cache-commands.ts";
import { addGovernanceCommands } from "./governance-commands.ts";
import { addLintCommand } from "./lint-command.ts";
import { addApprovalCommands, addMcpCommands } from "./mcp-commands.ts";
import { addOauthClientCommands } from "./oauth-client-commands.ts";
import { addPeopleCommands } from "./people-commands.ts";
import { addRoutingCommands } from "./routing-commands.ts";
import type { Shell } from "./shell.ts";

/**
 * The command line. Each command's own code is loaded when the command runs, so that none pays for another's parts.
 * What a command throws rises out of `parseAsync`. `onResult` hears the exit code of a command that has one of its own.
 */
export function createProgram(shell: Shell, onResult: (code: number) => void = () => {}): Command {
  const program = new Command("gatehouse")
    .description("Gateway and governance engine for AI traffic.")
    .version(gatehouseVersion)
    .showSuggestionAfterError()
    .showHelpAfterError("(--help shows what there is)")
    .exitOverride()
    .configureOutput({ writeOut: (text) => shell.out(text.trimEnd()), writeErr: (text) => shell.note(text.trimEnd()) })
    .addHelpText("after", exitCodes);
  addRunning(program, shell);
  addResources(program, shell);
  addKeys(program, shell);
  addOauthClientCommands(program, shell, controlCommand);
  addGateways(program, shell);
  addPeopleCommands(program, shell, controlCommand);
  addKeyManagerCommands(program, shell, controlCommand);
  addMcpCommands(program, shell, controlCommand);
  addApprovalCommands(program, shell, controlCommand);
  addAlertCommands(program, shell, controlCommand);
  addGovernanceCommands(program, shell, controlCommand);
  addLintCommand(program, shell, onResult);
  addSecrets(program, shell);
  addAuditCommands(program, shell, controlCommand);
  addBudgetCommands(program, shell, controlCommand);
  addCacheCommands(program, shell, controlCommand);
  addBillCommands(program, shell, controlCommand);
  addFiles(program, shell);
  addAnalytics(program, shell);
  addEmbeddings(program, shell);
  addRoutingCommands(program, shell, { command, controlCommand });
  addConfig(program, shell);
  return program;
}

const exitCodes = `
Exit codes:
  0  done
  1  refused or failed; one line on the standard error says why and what to do
  2  wrong usage, or a configuration that is not valid
  130, 143  ended by a second SIGINT or SIGTERM while draining`;

// The settings' flags stand on every command, so that the order on the command line does not matter.
function command(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option("--data <dir>", "data directory")
    .option("--port <port>", "port of the gateway; 0 takes any")
    .option("--control-port <port>", "port of the control plane; 0 takes any")
    .option("--config <file>", "configuration file")
    .option("--verbose", "on a fault, the operator's details and the stack too");
}

function controlCommand(parent: Command, name: string, description: string): Command {
  return command(parent, name, description)
    .option("--control-url <url>", "address of the control plane; that of the running process when absent")
    .option("--token <token>", "access token or admin token; better in GATEHOUSE_TOKEN, or by `gatehouse login`")
    .option("--offline", "open the data directory for this command, when no process holds it");
}

function addRunning(program: Command, shell: Shell): void {
  command(program, "start", "run the gateway and the control plane")
    .option(
      "--planes <list>",
      "control,gateway when absent; gateway pulls what it serves from another process; control serves no APIs",
    )
    .option("--control-url <url>", "address of the control plane")
    .option("--gateway-token-file <file>", "file with the token of a gateway that runs alone")
    .action(async (options) => (await import("./start.ts")).start(options, shell));
  command(program, "doctor", "say what is on, what is missing, and what to do").action(async (options) =>
    (await import("./doctor.ts")).doctor(options, shell),
  );
  command(program, "tail", "print the recorded events, one JSON object a line")
    .option("-f, --follow", "go on with what comes")
    .action(async (options) => (await import("./tail.ts")).tail(options, shell));
}

function addResources(program: Command, shell: Shell): void {
  controlCommand(program, "apply", "create and change resources from files, all or none")
    .addOption(
      new Option("-f, --file <path...>", "files or directories; - is the standard input").makeOptionMandatory(),
    )
    .option("--dry-run", "say what would happen, and change nothing")
    .option("--draft", "leave APIs unpublished")
    .action(async (options) => (await import("./apply.ts")).apply(options, shell));
  controlCommand(
    program,
    "undeploy <kind/name...>",
    "take APIs off the gateways; their revisions and keys stay",
  ).action(async (apis, options) => (await import("./undeploy.ts")).undeploy(apis, options, shell));
}

function addKeys(program: Command, shell: Shell): void {
  const keys = program.command("keys").description("API keys");
  controlCommand(keys, "list", "list the keys, masked")
    .option("--json", "as JSON")
    .action(async (options) => (await import("./keys.ts")).listKeys(options, shell));
  controlCommand(keys, "generate", "make a key for one API and print it, this once")
    .requiredOption("--api <kind/name>", "the API that it opens; LlmApi when only a name is given")
    .option("--name <name>", "name of the key; made up when absent")
    .option("--team <team>", "owning team")
    .option("--display-name <text>", "what people call it")
    .addOption(
      new Option("--environment <which>", "upstream that it leads to")
        .choices(["production", "sandbox"])
        .default("production"),
    )
    .option("--application <name>", "whose plan it counts for")
    .option("--validity <time>", "such as 30d, 12h or 90m; for ever when absent")
    .option("--ip <range...>", "client addresses that may use it")
    .option("--referrer <pattern...>", "referrers that may use it")
    .option("--allow <glob...>", "models or tools that it may call")
    .action(async (options) => (await import("./keys.ts")).generateKey(options, shell));
  controlCommand(keys, "regenerate <name>", "give a key a new value and print it; the old one is dead at once")
    .option("--overlap <time>", "how long the old value goes on beside it, such as 24h")
    .action(async (name, options) => (await import("./keys.ts")).regenerateKey(name, options, shell));
  controlCommand(keys, "revoke <name>", "end a key").action(async (name, options) =>
    (await import("./keys.ts")).revokeKey(name, options, shell),
  );
}

function addGateways(program: Command, shell: Shell): void {
  const gateways = program.command("gateways").description("gateways that run alone");
  const tokens = gateways.command("tokens").description("the tokens by which they know their control plane");
  const tokenCommand = (name: string, description: string): Command =>
    controlCommand(tokens, name, description).option("--gateway <name>", "the Gateway resource", "default");
  tokenCommand("add", "make a token and print it, this once; a gateway has two at most").action(async (options) =>
    (await import("./gateways.ts")).addGatewayToken(options, shell),
  );
  tokenCommand("list", "list the live tokens").action(async (options) =>
    (await import("./gateways.ts")).listGatewayTokens(options, shell),
  );
  tokenCommand("revoke <id>", "end a token").action(async (id, options) =>
    (await import("./gateways.ts")).revokeGatewayToken(id, options, shell),
  );
}

function addSecrets(program: Command, shell: Shell): void {
  const secrets = program.command("secrets").description("secrets of the vault");
  controlCommand(secrets, "set <name>", "set a secret; the value comes from the standard input or is asked for")
    .option("--team <team>", "owning team")
    .action(async (name, options) => (await import("./secrets.ts")).setSecret(name, options, shell));
  controlCommand(secrets, "list", "list the secrets, without their values")
    .option("--json", "as JSON")
    .action(async (options) => (await import("./secrets.ts")).listSecrets(options, shell));
  controlCommand(secrets, "rm <name>", "delete a secret").action(async (name, options) =>
    (await import("./secrets.ts")).removeSecret(name, options, shell),
  );
  controlCommand(
    secrets,
    "rotate",
    "seal everything with the current encryption key, while serving; goes on where it stopped",
  )
    .option("--new-key", "make a new key first, in the key file of the data directory")
    .option("--drop-old", "then take keys that seal nothing any more out of that file")
    .action(async (options) => (await import("./encryption.ts")).rotateSecrets(options, shell));
  controlCommand(secrets, "encrypt", "print a value, from the standard input, as it may stand in a file").action(
    async (options) => (await import("./encryption.ts")).encryptSecret(options, shell),
  );
  controlCommand(
    secrets,
    "import-legacy <file>",
    "set secrets from ALIAS=VALUE lines that WSO2 API Manager has encrypted",
  )
    .option("--keystore-pem <file>", "private key of the old keystore, for RSA-OAEP")
    .option("--symmetric-key-file <file>", "file with the old symmetric key, for AES-GCM")
    .option("--team <team>", "owning team of the secrets")
    .option("--replace", "replace secrets that are there")
    .option("--dry-run", "say what would be set, and set nothing")
    .action(async (file, options) => (await import("./import-legacy.ts")).importLegacy(file, options, shell));
}

function addFiles(program: Command, shell: Shell): void {
  command(program, "backup <file>", "copy the catalog to a new file, also while running").action(
    async (file, options) => (await import("./backup.ts")).backup(file, options, shell),
  );
  command(program, "restore <file>", "put a backup in the catalog's place")
    .option("--force", "replace a catalog that is there")
    .action(async (file, options) => (await import("./restore.ts")).restore(file, options, shell));
}

function addAnalytics(program: Command, shell: Shell): void {
  controlCommand(program, "explain <exchange>", "tell every step's verdict for one request, by its x-request-id")
    .option("--json", "as JSON")
    .action(async (exchange, options) => (await import("./explain.ts")).explain(exchange, options, shell));
  const analytics = program.command("analytics").description("recorded traffic");
  controlCommand(analytics, "tail", "print the latest recorded operations, one JSON object a line")
    .option("-f, --follow", "go on with what comes")
    .option("-n, --lines <number>", "how many to begin with", "20")
    .option("--api <name>", "only those of one API")
    .option("--application <id>", "only those of one application")
    .option("--key <id>", "only those with one API key")
    .option("--model <name>", "only those for one model")
    .option("--tool <name>", "only calls of one MCP tool")
    .option("--outcome <outcome>", "only ok, denied, failed, upstream_error or cancelled")
    .action(async (options) => (await import("./analytics.ts")).tailAnalytics(options, shell));
  controlCommand(analytics, "query <statement>", "run one SELECT of your own; `-` reads it from the input")
    .option("--format <format>", "table, json, csv, ndjson or parquet", "table")
    .option("--out <file>", "write the answer to a new file")
    .action(async (statement, options) =>
      (await import("./analytics-query.ts")).queryAnalytics(statement, options, shell),
    );
  controlCommand(analytics, "ask <question> [parameters...]", "ask a question, with parameters as name=value")
    .option("--format <format>", "table, json, csv, ndjson or parquet", "table")
    .option("--out <file>", "write the answer to a new file")
    .action(async (question, parameters, options) =>
      (await import("./ask-analytics.ts")).askAnalytics(question, parameters, options, shell),
    );
  controlCommand(analytics, "export", "write the recorded rows to files, one an hour; run it again to go on")
    .requiredOption("--from <time>", "the first hour, by a time in it")
    .option("--to <time>", "the hour to end before; the last whole one when absent")
    .requiredOption("--out <directory>", "where the files go")
    .option("--format <format>", "parquet, csv or ndjson", "parquet")
    .option("--table <table>", "exchanges or attempts", "exchanges")
    .option("--api <name>", "only those of one API")
    .action(async (options) => (await import("./export-analytics.ts")).exportAnalytics(options, shell));
  controlCommand(analytics, "texts <exchange>", "print the captured texts of one request, by its x-request-id")
    .option("--json", "as JSON")
    .action(async (exchange, options) => (await import("./captured-texts.ts")).capturedTexts(exchange, options, shell));
  controlCommand(analytics, "prune", "take whole months of recorded rows away, for good")
    .requiredOption("--before <time>", "months that end before it go, such as 2026-06-01T00:00:00Z")
    .option("--yes", "do it; what would go is printed without")
    .action(async (options) => (await import("./prune-analytics.ts")).pruneAnalytics(options, shell));
  controlCommand(analytics, "questions", "print the questions that have an answer").action(async (options) =>
    (await import("./ask-analytics.ts")).printQuestions(options, shell),
  );
  analytics
    .command("columns")
    .description("print what each column of the analytics tables means, as Markdown")
    .action(async () => {
      shell.out((await import("./analytics-columns-reference.ts")).printAnalyticsColumns().trimEnd());
    });
  controlCommand(analytics, "tables", "print the tables that a statement may name, and their columns").action(
    async (options) => (await import("./analytics-query.ts")).printAnalyticsTables(options, shell),
  );
}

function addEmbeddings(program: Command, shell: Shell): void {
  const embeddings = program.command("embeddings").description("what texts mean to an embedder");
  const embedderCommand = (name: string, description: string): Command =>
    command(embeddings, name, description)
      .option("--use <id>", "another embedder than the configured one")
      .option("--with <json>", "its configuration");
  embedderCommand("try <text...>", "score the first text against each of the others").action(async (texts, options) =>
    (await import("./embeddings.ts")).tryEmbeddings(texts, options, shell),
  );
  embedderCommand("calibrate [file]", "fit score to probability, from lines of {a, b, match} or from what was learnt")
    .option("--uses <file>", "what an index has learnt from use, in place of pairs")
    .option("--index <name>", "what the pairs are of, such as tools", "default")
    .option("--dry-run", "print the fit, and store nothing")
    .action(async (file, options) => (await import("./embeddings.ts")).calibrateEmbeddings(file, options, shell));
}

function addConfig(program: Command, shell: Shell): void {
  program
    .command("plugins")
    .description("list the plug-ins: what may stand in `use`")
    .option("--json", "as JSON")
    .option("--verbose", "on a fault, the stack too")
    .action(async (options) => (await import("./plugins.ts")).plugins(options, shell));
  const config = program.command("config").description("the configuration");
  config
    .command("reference")
    .description("print the reference page of all settings, in Markdown")
    .action(async () => shell.out((await import("./config-reference.ts")).printReference().trimEnd()));
}
