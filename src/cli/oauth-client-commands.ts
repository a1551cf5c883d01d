import type { Command } from "commander";
import { Option } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

/** `gatehouse oauth-clients …`. */
export function addOauthClientCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const clients = program.command("oauth-clients").description("OAuth clients of applications, and their secrets");
  const load = async () => import("./oauth-clients.ts");
  controlCommand(clients, "list [application]", "list an application's clients; all clients when none is named")
    .addOption(
      new Option("--source <which>", "of all clients, only those that were made so").choices([
        "admin",
        "dynamic",
        "metadata-document",
      ]),
    )
    .option("--json", "as JSON")
    .action(async (application, options) =>
      application === undefined
        ? (await import("./all-oauth-clients.ts")).listAllOauthClients(options, shell)
        : (await load()).listOauthClients(application, options, shell),
    );
  controlCommand(clients, "add <application>", "make a client and print its id and its first secret, this once")
    .option("--name <name>", "name of the client; made up when absent")
    .addOption(
      new Option("--environment <which>", "upstream that its tokens lead to")
        .choices(["production", "sandbox"])
        .default("production"),
    )
    .option("--key-manager <name>", "who issues its tokens; the resident one when absent")
    .option("--client-id <id>", "of a client that is there already at a key manager elsewhere")
    .option("--grant <type...>", "grants that it may use; client_credentials when absent")
    .option("--redirect-uri <uri...>", "where browsers are sent back to")
    .option("--scope <scope...>", "scopes that it may ask for; everything when absent")
    .option("--native", "an application on people's own devices (RFC 8252)")
    .option("--public", "a client without a secret")
    .option("--validity <time>", "of its first secret, such as 90d; for ever when absent")
    .action(async (application, options) => (await load()).addOauthClient(application, options, shell));
  controlCommand(
    clients,
    "rm <application> <client-id>",
    "delete a client; its tokens are refused from then on",
  ).action(async (application, clientId, options) =>
    (await load()).removeOauthClient(application, clientId, options, shell),
  );
  addAnyClient(clients, shell, controlCommand);
  addSecrets(clients, shell, controlCommand);
}

/** What is done to a client whatever it belongs to: `<client>` is its id or its `client_id`. */
function addAnyClient(clients: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const load = async () => import("./all-oauth-clients.ts");
  controlCommand(
    clients,
    "disable <client>",
    "disable a client, also one that registered itself; its tokens end",
  ).action(async (client, options) => (await load()).setOauthClientState(client, "disable", options, shell));
  controlCommand(clients, "enable <client>", "enable a disabled client").action(async (client, options) =>
    (await load()).setOauthClientState(client, "enable", options, shell),
  );
  controlCommand(
    clients,
    "associate <client> <application>",
    "give a client that registered itself to an application",
  ).action(async (client, application, options) =>
    (await load()).assignOauthClient(client, application, options, shell),
  );
  controlCommand(clients, "dissociate <client>", "take a client that registered itself from its application").action(
    async (client, options) => (await load()).assignOauthClient(client, undefined, options, shell),
  );
  controlCommand(clients, "delete <client>", "delete a client, also one that registered itself").action(
    async (client, options) => (await load()).deleteOauthClient(client, options, shell),
  );
}

function addSecrets(clients: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const load = async () => import("./oauth-clients.ts");
  controlCommand(clients, "secrets <application> <client-id>", "list a client's secrets, masked")
    .option("--json", "as JSON")
    .action(async (application, clientId, options) =>
      (await load()).listClientSecrets(application, clientId, options, shell),
    );
  controlCommand(clients, "add-secret <application> <client-id>", "give a client another secret and print it")
    .option("--description <text>", "what it is for")
    .option("--validity <time>", "such as 90d; for ever when absent")
    .option("--overlap <time>", "rotates: how long the ones before go on, such as 24h; 0s ends them at once")
    .action(async (application, clientId, options) =>
      (await load()).addClientSecret(application, clientId, options, shell),
    );
  controlCommand(clients, "revoke-secret <application> <client-id> <secret-id>", "end a secret")
    .option("--tokens", "and the tokens that were got with it")
    .option("--force", "also when it is the newest that works")
    .action(async (application: string, clientId: string, secretId: string, options) =>
      (await load()).revokeClientSecret({ application, clientId, secretId }, options, shell),
    );
}
