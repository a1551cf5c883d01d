import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import { secondsOf } from "./duration.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface ListKeysOptions extends ControlOptions {
  readonly json?: boolean;
}

export interface GenerateKeyOptions extends ControlOptions {
  /** `Kind/name`, or the name of an LlmApi. */
  readonly api: string;
  readonly name?: string;
  readonly team?: string;
  readonly displayName?: string;
  readonly environment: string;
  readonly application?: string;
  /** `30d`, `12h`, `90m`, `3600s`; for ever when absent. */
  readonly validity?: string;
  readonly ip?: readonly string[];
  readonly referrer?: readonly string[];
  readonly allow?: readonly string[];
}

/** Prints the API keys: masked, with what they open, until when, and when they were last used. */
export async function listKeys(options: ListKeysOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const views = await Array.fromAsync(control.list(collection));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { metadata, spec, status } = keySchema.parse(view);
    const api = spec.api === undefined ? "all subscribed" : `${spec.api.kind}/${spec.api.name}`;
    const expires = spec.expiresAt ?? "never";
    const used = status.lastUsedAt ?? "never";
    return [metadata.name, status.masked, api, spec.environment, spec.application ?? "", status.state, expires, used];
  });
  const heading = ["NAME", "KEY", "API", "ENVIRONMENT", "APPLICATION", "STATE", "EXPIRES", "LAST USED"];
  for (const line of printTable(heading, rows)) shell.out(line);
}

/** Makes an API key and prints it, alone on the standard output: it cannot be shown again. */
export async function generateKey(options: GenerateKeyOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const seconds = options.validity === undefined ? undefined : secondsOf("--validity", options.validity);
  const spec = {
    api: apiOf(options.api),
    environment: options.environment,
    ...(options.displayName !== undefined && { displayName: options.displayName }),
    ...(options.application !== undefined && { application: options.application }),
    ...(seconds !== undefined && { validitySeconds: seconds }),
    ...(options.ip !== undefined && { permittedIps: options.ip }),
    ...(options.referrer !== undefined && { permittedReferrers: options.referrer }),
    ...(options.allow !== undefined && { allow: options.allow }),
  };
  const metadata = {
    ...(options.name !== undefined && { name: options.name }),
    ...(options.team !== undefined && { team: options.team }),
  };
  await printKey(control, collection, { metadata, spec }, shell);
}

export interface RegenerateKeyOptions extends ControlOptions {
  /** How long the old value goes on, such as `24h`; not at all when absent. */
  readonly overlap?: string;
}

/** Gives a key a new value and prints it; the old one is dead at once or after an overlap, everything else stays. */
export async function regenerateKey(name: string, options: RegenerateKeyOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = options.overlap === undefined ? "" : `?overlapSeconds=${secondsOf("--overlap", options.overlap)}`;
  await printKey(control, `${collection}/${encodeURIComponent(name)}/regenerate${query}`, undefined, shell);
}

/** Ends a key; gateways refuse it within a second. */
export async function revokeKey(name: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("POST", `${collection}/${encodeURIComponent(name)}/revoke`);
  shell.out(`revoked ApiKey/${name}`);
}

const collection = "/api/v1/api-keys";

const keySchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    api: z.looseObject({ kind: z.string(), name: z.string() }).optional(),
    environment: z.string(),
    application: z.string().optional(),
    expiresAt: z.string().nullish(),
  }),
  status: z.looseObject({ masked: z.string(), state: z.string(), lastUsedAt: z.string().nullish() }),
});

const generatedSchema = z.looseObject({ key: z.string(), metadata: z.looseObject({ name: z.string() }) });

async function printKey(control: ControlClient, path: string, body: unknown, shell: Shell): Promise<void> {
  const { key, metadata } = generatedSchema.parse(await control.call("POST", path, body));
  shell.note(`ApiKey/${metadata.name}. Keep the key: it is not shown again.`);
  shell.out(key);
}

function apiOf(text: string): { readonly kind: string; readonly name: string } {
  const slash = text.indexOf("/");
  return slash < 0 ? { kind: "LlmApi", name: text } : { kind: text.slice(0, slash), name: text.slice(slash + 1) };
}
