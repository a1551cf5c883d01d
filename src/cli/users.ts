import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface AddUserOptions extends ControlOptions {
  readonly displayName?: string;
  readonly email?: string;
}

/** Makes a user. The password is never an argument, which other users of the machine could read. */
export async function addUser(name: string, options: AddUserOptions, shell: Shell): Promise<void> {
  const password = await readPassword(name, "add", shell);
  await using control = await openControlClient(options, shell);
  const spec = {
    ...(options.displayName !== undefined && { displayName: options.displayName }),
    ...(options.email !== undefined && { email: options.email }),
  };
  await control.call("POST", collection, { metadata: { name }, spec, password });
  shell.out(`created User/${name}`);
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
    return [metadata.name, spec.displayName ?? "", spec.email ?? "", state];
  });
  for (const line of printTable(["NAME", "DISPLAY NAME", "E-MAIL", "STATE"], rows)) shell.out(line);
}

/** Deletes a user; gateways refuse their tokens within a second. */
export async function removeUser(name: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", pathOf(name), undefined, "*");
  shell.out(`deleted User/${name}`);
}

const collection = "/api/v1/users";

const userSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ displayName: z.string().optional(), email: z.string().optional(), disabled: z.boolean() }),
  status: z.looseObject({ hasPassword: z.boolean() }),
});

function pathOf(name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}

async function readPassword(name: string, command: string, shell: Shell): Promise<string> {
  const password = (await shell.readSecret(`Password of ${name}: `)).replace(/\r?\n$/, "");
  if (password !== "") return password;
  throw new GatewayError(
    "request.invalid",
    `There is no password. Pipe it in: printf %s "$PASSWORD" | gatehouse users ${command} ${name}`,
  );
}
