import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

/** Prints what users and applications have at upstream servers; no token ever leaves the vault this way. */
export async function listUpstreamCredentials(
  options: ControlOptions & { readonly api?: string; readonly json?: boolean },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = options.api === undefined ? {} : { api: options.api };
  const views = await Array.fromAsync(control.list(collection, query));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { id, api, environment, holder, issuer, scopes, state } = viewSchema.parse(view);
    return [id, api, environment, `${holder.type}/${holder.name}`, issuer, scopes.join(" "), state];
  });
  for (const line of printTable(["ID", "API", "ENVIRONMENT", "HOLDER", "ISSUER", "SCOPES", "STATE"], rows))
    shell.out(line);
}

/** Takes a credential out of the vault, at once and at all gateways. */
export async function revokeUpstreamCredential(id: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", `${collection}/${encodeURIComponent(id)}`);
  shell.out(`revoked UpstreamCredential ${id}`);
}

const collection = "/api/v1/upstream-credentials";

const viewSchema = z.looseObject({
  id: z.string(),
  api: z.string(),
  environment: z.string(),
  holder: z.looseObject({ type: z.string(), name: z.string() }),
  issuer: z.string(),
  scopes: z.array(z.string()),
  state: z.string(),
});
