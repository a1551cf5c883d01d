import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface RoleOptions extends ControlOptions {
  readonly role?: readonly string[];
  /** `team=role`. */
  readonly teamRole?: readonly string[];
}

export interface AddUserOptions extends RoleOptions {
  readonly displayName?: string;
  readonly email?: string;
  /** False for a user that nobody signs in as. */
  readonly password?: boolean;
}

/** Makes a user. The password is never an argument, which other users of the machine could read. */
export async function addUser(name: string, options: AddUserOptions, shell: Shell): Promise<void> {
  const password = options.password === false ? undefined : await readPassword(name, "add", shell);
  await using control = await openControlClient(options, shell);
  const spec = {
    ...(options.displayName !== undefined && { displayName: options.displayName }),
    ...(options.email !== undefined && { email: options.email }),
    ...rolesOf(options),
  };
  await control.call("POST", collection, { metadata: { name }, spec, ...(password !== undefined && { password }) });
  shell.out(`created User/${name}`);
}

/** Gives a user these roles in place of all before. */
export async function setRoles(name: string, options: RoleOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { metadata, spec } = userSchema.parse(await control.call("GET", pathOf(name)));
  const body = { spec: { ...spec, ...rolesOf(options) } };
  await control.call("PUT", pathOf(name), body, `"${metadata.version}"`);
  shell.out(`changed the roles of User/${name}`);
}

/** Gives a user a password, in place of any before. */
export async function setPassword(name: string, options: ControlOptions, shell: Shell): Promise<void> {
  const password = await readPassword(name, "passwd", shell);
  await using control = await openControlClient(options, shell);
  await control.call("POST", `${pathOf(name)}/password`, { password });
  shell.out(`changed the password of User/${name}`);
}

/** Prints the users. */
export async function listUsers(options: ControlOptions & { readonly json?: boolean }, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const views = await Array.fromAsync(control.list(collection));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { metadata, spec, status } = userSchema.parse(view);
    const state = spec.disabled ? "disabled" : status.hasPassword ? "active" : "no password";
    const ofTeams = spec.teams.map(({ team, roles }) => `${team}=${roles.join("+")}`);
    return [metadata.name, spec.displayName ?? "", spec.email ?? "", [...spec.roles, ...ofTeams].join(", "), state];
  });
  for (const line of printTable(["NAME", "DISPLAY NAME", "E-MAIL", "ROLES", "STATE"], rows)) shell.out(line);
}

/** Deletes a user; gateways refuse their tokens within a second. */
export async function removeUser(name: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", pathOf(name), undefined, "*");
  shell.out(`deleted User/${name}`);
}

const collection = "/api/v1/users";

const userSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), version: z.int() }),
  spec: z.looseObject({
    displayName: z.string().optional(),
    email: z.string().optional(),
    disabled: z.boolean(),
    roles: z.array(z.string()),
    teams: z.array(z.looseObject({ team: z.string(), roles: z.array(z.string()) })),
  }),
  status: z.looseObject({ hasPassword: z.boolean() }),
});

function pathOf(name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}

function rolesOf({ role = [], teamRole = [] }: RoleOptions) {
  const teams = new Map<string, string[]>();
  for (const text of teamRole) {
    const [, team, name] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
    if (team === undefined || name === undefined) {
      throw new GatewayError(
        "request.invalid",
        `--team-role ${text}: write TEAM=ROLE, such as payments=api-publisher.`,
      );
    }
    teams.set(team, [...(teams.get(team) ?? []), name]);
  }
  return { roles: role, teams: [...teams].map(([team, roles]) => ({ team, roles })) };
}

async function readPassword(name: string, command: string, shell: Shell): Promise<string> {
  const password = (await shell.readSecret(`Password of ${name}: `)).replace(/\r?\n$/, "");
  if (password !== "") return password;
  throw new GatewayError(
    "request.invalid",
    `There is no password. Pipe it in: printf %s "$PASSWORD" | gatehouse users ${command} ${name}`,
  );
}
