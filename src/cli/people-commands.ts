import type { Command } from "commander";
import type { AddControlCommand } from "./audit-commands.ts";
import type { Shell } from "./shell.ts";

const each = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `gatehouse users …`, `login`, `logout`, `whoami`, `tokens …` and `upstream-credentials …`. */
export function addPeopleCommands(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  addUsers(program, shell, controlCommand);
  addLogin(program, shell, controlCommand);
  addTokens(program, shell, controlCommand);
  addUpstreamCredentials(program, shell, controlCommand);
}

function addUsers(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const users = program.command("users").description("people who can log in, and what they may do");
  const load = async () => import("./users.ts");
  controlCommand(users, "add <name>", "make a user; the password comes from the standard input or is asked for")
    .option("--display-name <text>", "what people call them")
    .option("--email <address>", "their e-mail address")
    .option("--role <role>", "a role in the whole installation; can be repeated", each)
    .option("--team-role <team=role>", "a role for a team; can be repeated", each)
    .option("--no-password", "nobody signs in as this user: for automation, or for a key manager's people")
    .action(async (name, options) => (await load()).addUser(name, options, shell));
  controlCommand(users, "set-roles <name>", "give a user these roles in place of all before; none takes them all")
    .option("--role <role>", "a role in the whole installation; can be repeated", each)
    .option("--team-role <team=role>", "a role for a team; can be repeated", each)
    .action(async (name, options) => (await load()).setRoles(name, options, shell));
  controlCommand(users, "list", "list the users")
    .option("--json", "as JSON")
    .action(async (options) => (await load()).listUsers(options, shell));
  controlCommand(users, "passwd <name>", "set a password; it comes from the standard input or is asked for").action(
    async (name, options) => (await load()).setPassword(name, options, shell),
  );
  controlCommand(users, "rm <name>", "delete a user and end their sessions and tokens").action(async (name, options) =>
    (await load()).removeUser(name, options, shell),
  );
  users
    .command("roles")
    .description("print what each role may do, and what each route asks for, in Markdown")
    .action(async () => shell.out((await import("./permission-reference.ts")).printPermissions().trimEnd()));
}

function addLogin(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const load = async () => import("./login.ts");
  controlCommand(program, "login [name]", "sign in; commands use the access token that this makes")
    .option("--days <days>", "how long the token lasts", "30")
    .option("--with-token", "keep a token from the standard input instead")
    .action(async (name, options) => (await load()).login(name, options, shell));
  controlCommand(program, "logout", "end the token of `login`, and forget it").action(async (options) =>
    (await load()).logout(options, shell),
  );
  controlCommand(program, "whoami", "print who the next command would be").action(async (options) =>
    (await load()).whoAmI(options, shell),
  );
}

function addTokens(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const tokens = program.command("tokens").description("access tokens for the control plane");
  const load = async () => import("./access-tokens.ts");
  controlCommand(tokens, "create <name>", "make an access token; it is printed this once")
    .option("--user <user>", "whose rights it has; for users that nobody signs in as")
    .option("--days <days>", "how long it lasts", "90")
    .option("--permission <permission>", "only this of what the user may; can be repeated", each)
    .option("--team <team>", "only for this team; can be repeated", each)
    .action(async (name, options) => (await load()).createToken(name, options, shell));
  controlCommand(tokens, "list", "list the access tokens, masked")
    .option("--user <user>", "of this user")
    .option("--json", "as JSON")
    .action(async (options) => (await load()).listTokens(options, shell));
  controlCommand(tokens, "revoke <id>", "end an access token, at once and for good").action(async (id, options) =>
    (await load()).revokeToken(id, options, shell),
  );
}

function addUpstreamCredentials(program: Command, shell: Shell, controlCommand: AddControlCommand): void {
  const credentials = program
    .command("upstream-credentials")
    .description("what users and applications have at upstream servers");
  const load = async () => import("./upstream-credentials.ts");
  controlCommand(credentials, "list", "list who has consented to what")
    .option("--api <name>", "only for the upstream of this MCP server")
    .option("--json", "as JSON")
    .action(async (options) => (await load()).listUpstreamCredentials(options, shell));
  controlCommand(credentials, "revoke <id>", "take one out of the vault, at once and at all gateways").action(
    async (id, options) => (await load()).revokeUpstreamCredential(id, options, shell),
  );
}
