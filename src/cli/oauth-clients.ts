import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { secondsOf } from "./duration.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

interface ListOptions extends ControlOptions {
  readonly json?: boolean;
}

export interface AddOauthClientOptions extends ControlOptions {
  readonly name?: string;
  readonly environment: string;
  readonly keyManager?: string;
  readonly clientId?: string;
  readonly grant?: readonly string[];
  readonly redirectUri?: readonly string[];
  readonly scope?: readonly string[];
  readonly native?: boolean;
  readonly public?: boolean;
  /** `90d`, `12h`, `90m`, `3600s`; for ever when absent. */
  readonly validity?: string;
}

export interface AddClientSecretOptions extends ControlOptions {
  readonly description?: string;
  readonly validity?: string;
  /** How long the secrets before go on; as long as they were made for when absent. */
  readonly overlap?: string;
}

export interface RevokeClientSecretOptions extends ControlOptions {
  readonly tokens?: boolean;
  readonly force?: boolean;
}

/** Prints an application's clients. */
export async function listOauthClients(application: string, options: ListOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const views = await Array.fromAsync(control.list(collectionOf(application)));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { metadata, spec, status } = clientSchema.parse(view);
    return [metadata.name, spec.clientId, spec.environment, spec.keyManager, spec.grantTypes.join(" "), status.source];
  });
  const heading = ["NAME", "CLIENT ID", "ENVIRONMENT", "KEY MANAGER", "GRANTS", "SOURCE"];
  for (const line of printTable(heading, rows)) shell.out(line);
}

/**
 * Makes a client. Its id and, where it has one, its first secret stand alone on the standard output, a line each: the
 * secret cannot be shown again.
 */
export async function addOauthClient(application: string, options: AddOauthClientOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const spec = {
    environment: options.environment,
    ...(options.keyManager !== undefined && { keyManager: options.keyManager }),
    ...(options.clientId !== undefined && { clientId: options.clientId }),
    ...(options.grant !== undefined && { grantTypes: options.grant }),
    ...(options.redirectUri !== undefined && { redirectUris: options.redirectUri }),
    ...(options.scope !== undefined && { scopes: options.scope }),
    ...(options.native === true && { applicationType: "native" }),
    ...(options.public === true && { tokenEndpointAuthMethod: "none" }),
  };
  const body = {
    metadata: options.name === undefined ? {} : { name: options.name },
    spec,
    ...(options.validity !== undefined && { secret: { expiresInSeconds: secondsOf("--validity", options.validity) } }),
  };
  const made = createdSchema.parse(await control.call("POST", collectionOf(application), body));
  const keep = made.secret === null ? "" : " Keep the secret: it is not shown again.";
  shell.note(
    `OauthClient/${made.metadata.name}: the client id${made.secret === null ? "." : ", then its secret."}${keep}`,
  );
  shell.out(made.spec.clientId);
  if (made.secret !== null) shell.out(made.secret.secretValue);
}

/** Deletes a client; gateways refuse its tokens within a second. */
export async function removeOauthClient(
  application: string,
  clientId: string,
  options: ControlOptions,
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", pathOf(application, clientId), undefined, "*");
  shell.out(`deleted the client ${clientId} of Application/${application}`);
}

/** Prints a client's secrets, masked, with their last use. */
export async function listClientSecrets(
  application: string,
  clientId: string,
  options: ListOptions,
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const list = secretListSchema.parse(await control.call("GET", `${pathOf(application, clientId)}/secrets`));
  if (options.json === true) return shell.out(JSON.stringify(list.items, undefined, 2));
  const rows = list.items.map((item) => [
    item.secretId,
    item.masked,
    item.description ?? "",
    item.state,
    item.expiresAt ?? "never",
    item.lastUsedAt ?? "never",
  ]);
  for (const line of printTable(["ID", "SECRET", "DESCRIPTION", "STATE", "EXPIRES", "LAST USED"], rows))
    shell.out(line);
}

/** Gives a client another secret and prints it, alone on the standard output: it cannot be shown again. */
export async function addClientSecret(
  application: string,
  clientId: string,
  options: AddClientSecretOptions,
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { description, validity, overlap } = options;
  const body = {
    ...(description !== undefined && { description }),
    ...(validity !== undefined && { expiresInSeconds: secondsOf("--validity", validity) }),
    ...(overlap !== undefined && { overlapSeconds: secondsOf("--overlap", overlap) }),
  };
  const answer = await control.call("POST", `${pathOf(application, clientId)}/secrets`, body);
  const { secretId, secretValue } = generatedSchema.parse(answer);
  shell.note(`${secretId ?? "A new secret"}. Keep it: it is not shown again.`);
  shell.out(secretValue);
}

/** Ends a secret, and with `--tokens` what was got with it. */
export async function revokeClientSecret(
  { application, clientId, secretId }: { application: string; clientId: string; secretId: string },
  { tokens = false, force = false, ...options }: RevokeClientSecretOptions,
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = `?revokeTokens=${tokens}&force=${force}`;
  await control.call("DELETE", `${pathOf(application, clientId)}/secrets/${encodeURIComponent(secretId)}${query}`);
  shell.out(`revoked ${secretId}${tokens ? " and its tokens" : ""}`);
}

function collectionOf(application: string): string {
  return `/api/v1/applications/${encodeURIComponent(application)}/oauth-clients`;
}

function pathOf(application: string, clientId: string): string {
  return `${collectionOf(application)}/${encodeURIComponent(clientId)}`;
}

const clientSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    clientId: z.string(),
    environment: z.string(),
    keyManager: z.string(),
    grantTypes: z.array(z.string()),
  }),
  status: z.looseObject({ source: z.string() }),
});

const generatedSchema = z.looseObject({ secretId: z.string().nullable(), secretValue: z.string() });

const createdSchema = clientSchema.extend({ secret: generatedSchema.nullable() });

const secretListSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      secretId: z.string(),
      masked: z.string(),
      description: z.string().nullable(),
      state: z.string(),
      expiresAt: z.string().nullable(),
      lastUsedAt: z.string().nullable(),
    }),
  ),
});
