import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface CreateTokenOptions extends ControlOptions {
  readonly user?: string;
  readonly days: string;
  readonly permission?: readonly string[];
  readonly team?: readonly string[];
}

/** Makes an access token and prints it, alone on the standard output: it cannot be shown again. */
export async function createToken(name: string, options: CreateTokenOptions, shell: Shell): Promise<void> {
  const { user, permission, team } = options;
  if (!/^\d{1,4}$/.test(options.days)) {
    throw new GatewayError("request.invalid", `--days ${options.days}: write a number of days, such as 90.`);
  }
  await using control = await openControlClient(options, shell);
  const made = await control.call("POST", collection, {
    name,
    expiresInDays: Number(options.days),
    ...(user !== undefined && { user }),
    ...(permission !== undefined && { permissions: permission }),
    ...(team !== undefined && { teams: team }),
  });
  const { id, token, expiresAt } = madeSchema.parse(made);
  shell.note(`AccessToken ${id}, until ${expiresAt}; it cannot be shown again.`);
  shell.out(token);
}

/** Prints access tokens: masked, with their ends. */
export async function listTokens(
  options: ControlOptions & { readonly user?: string; readonly json?: boolean },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = options.user === undefined ? {} : { user: options.user };
  const views = await Array.fromAsync(control.list(collection, query));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { id, name, user, masked, state, expiresAt, lastUsedAt } = tokenSchema.parse(view);
    return [id, name, user, masked, state, expiresAt, lastUsedAt ?? "never"];
  });
  for (const line of printTable(["ID", "NAME", "USER", "TOKEN", "STATE", "EXPIRES", "LAST USED"], rows))
    shell.out(line);
}

/** Ends an access token, at once and for good. */
export async function revokeToken(id: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", `${collection}/${encodeURIComponent(id)}`);
  shell.out(`revoked AccessToken ${id}`);
}

const collection = "/api/v1/access-tokens";

const madeSchema = z.looseObject({ id: z.string(), token: z.string(), expiresAt: z.string() });

const tokenSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  user: z.string(),
  masked: z.string(),
  state: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
