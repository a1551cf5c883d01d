import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface GatewayTokenOptions extends ControlOptions {
  readonly gateway: string;
}

/** Makes a token for a gateway process and prints it, alone on the standard output: it cannot be shown again. */
export async function addGatewayToken(options: GatewayTokenOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { id, token } = madeSchema.parse(await control.call("POST", pathOf(options)));
  shell.note(`Token ${id} of Gateway/${options.gateway}. Keep it: it is not shown again.`);
  shell.out(token);
}

/** Prints the live tokens of a gateway, without their values. */
export async function listGatewayTokens(options: GatewayTokenOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { items } = listSchema.parse(await control.call("GET", pathOf(options)));
  const rows = items.map(({ id, createdAt }) => [id, createdAt]);
  for (const line of printTable(["ID", "CREATED"], rows)) shell.out(line);
}

/** Ends a token of a gateway. */
export async function revokeGatewayToken(id: string, options: GatewayTokenOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", `${pathOf(options)}/${encodeURIComponent(id)}`);
  shell.out(`revoked token ${id} of Gateway/${options.gateway}`);
}

const madeSchema = z.looseObject({ id: z.string(), token: z.string() });
const listSchema = z.looseObject({ items: z.array(z.looseObject({ id: z.string(), createdAt: z.string() })) });

function pathOf({ gateway }: GatewayTokenOptions): string {
  return `/api/v1/gateways/${encodeURIComponent(gateway)}/tokens`;
}
