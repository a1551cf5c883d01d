import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

interface ListOptions extends ControlOptions {
  readonly json?: boolean;
  /** `admin`, `dynamic` or `metadata-document`; all when absent. */
  readonly source?: string;
}

/** Prints the clients of every application and of none. */
export async function listAllOauthClients(options: ListOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = options.source === undefined ? undefined : { source: options.source };
  const views = await Array.fromAsync(control.list(collection, query));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { metadata, spec, status } = clientSchema.parse(view);
    const state = status.disabled ? "disabled" : "active";
    return [metadata.id, spec.clientId, spec.displayName ?? "", metadata.application ?? "-", status.source, state];
  });
  const heading = ["ID", "CLIENT ID", "DISPLAY NAME", "APPLICATION", "SOURCE", "STATE"];
  for (const line of printTable(heading, rows)) shell.out(line);
}

/** Disables a client, named by its id or its `client_id`, or enables it again. */
export async function setOauthClientState(
  named: string,
  verb: "disable" | "enable",
  options: ControlOptions,
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("POST", `${await pathOf(control, named)}/${verb}`);
  shell.out(`${verb}d ${named}`);
}

/** Gives a client that registered itself to an application; without one, takes it back from there. */
export async function assignOauthClient(
  named: string,
  application: string | undefined,
  options: ControlOptions,
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const path = await pathOf(control, named);
  if (application === undefined) await control.call("POST", `${path}/dissociate`);
  else await control.call("POST", `${path}/associate`, { application });
  shell.out(application === undefined ? `${named} belongs to no application` : `gave ${named} to ${application}`);
}

/** Deletes a client, named by its id or its `client_id`, whatever it belongs to. */
export async function deleteOauthClient(named: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", await pathOf(control, named), undefined, "*");
  shell.out(`deleted ${named}`);
}

const collection = "/api/v1/oauth-clients";

async function pathOf(control: ControlClient, named: string): Promise<string> {
  if (/^oac_[0-9a-f]{24}$/.test(named)) return `${collection}/${named}`;
  const found = await Array.fromAsync(control.list(collection, { clientId: named }));
  const [only, ...more] = found.map((view) => clientSchema.parse(view).metadata.id);
  if (only === undefined) throw new GatewayError("resource.not_found", `There is no OAuth client ${named}.`);
  if (more.length === 0) return `${collection}/${only}`;
  const ids = [only, ...more].join(", ");
  throw new GatewayError("resource.conflict", `Several key managers have a client ${named}; name one of ${ids}.`);
}

const clientSchema = z.looseObject({
  metadata: z.looseObject({ id: z.string(), application: z.string().nullable() }),
  spec: z.looseObject({ clientId: z.string(), displayName: z.string().optional() }),
  status: z.looseObject({ source: z.string(), disabled: z.boolean() }),
});
