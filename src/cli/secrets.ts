import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface SetSecretOptions extends ControlOptions {
  readonly team?: string;
}

/**
 * Puts a value into the vault: from the standard input, or asked for at a terminal. Never from an argument, which other
 * users of the machine could read. One line break at the end is not part of it.
 */
export async function setSecret(name: string, options: SetSecretOptions, shell: Shell): Promise<void> {
  const value = (await shell.readSecret(`Value of ${name}: `)).replace(/\r?\n$/, "");
  if (value === "") {
    throw new GatewayError(
      "request.invalid",
      `There is no value. Pipe it in: printf %s "$VALUE" | gatehouse secrets set ${name}`,
    );
  }
  await using control = await openControlClient(options, shell);
  const body = { value, ...(options.team !== undefined && { team: options.team }) };
  const { metadata } = secretSchema.parse(await control.call("PUT", pathOf(name), body));
  shell.out(`${metadata.version === 1 ? "created" : "changed"} Secret/${name}`);
}

/** Prints the secrets' names and ages; no value ever leaves the vault this way. */
export async function listSecrets(options: ControlOptions & { readonly json?: boolean }, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const views = await Array.fromAsync(control.list(collection));
  if (options.json === true) return shell.out(JSON.stringify(views, undefined, 2));
  const rows = views.map((view) => {
    const { metadata } = secretSchema.parse(view);
    return [metadata.name, metadata.team, String(metadata.version), metadata.updatedAt];
  });
  for (const line of printTable(["NAME", "TEAM", "VERSION", "UPDATED"], rows)) shell.out(line);
}

/** Deletes a secret; refused, with the holders' names, while something refers to it. */
export async function removeSecret(name: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  await control.call("DELETE", pathOf(name));
  shell.out(`deleted Secret/${name}`);
}

/** The names of all secrets. */
export async function secretNames(control: ControlClient): Promise<ReadonlySet<string>> {
  const views = await Array.fromAsync(control.list(collection));
  return new Set(views.map((view) => secretSchema.parse(view).metadata.name));
}

const collection = "/api/v1/secrets";

const secretSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), team: z.string(), version: z.int(), updatedAt: z.string() }),
});

function pathOf(name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}
