import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface ClientConfigOptions extends ControlOptions {
  readonly client: string;
  /** False: without a key. */
  readonly key?: boolean;
}

/** Prints what goes into a client's configuration; where it belongs is a note beside it, so that the text can be piped. */
export async function printClientConfig(server: string, options: ClientConfigOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = new URLSearchParams({ client: options.client, ...(options.key === false && { auth: "none" }) });
  const path = `/api/v1/mcp-servers/${encodeURIComponent(server)}/client-config?${query.toString()}`;
  const { title, file, text, variable } = configSchema.parse(await control.call("GET", path));
  shell.note(`${title}: ${file}${variable === null ? "" : `; put the API key into ${variable}`}`);
  shell.out(text);
}

const configSchema = z.looseObject({
  title: z.string(),
  file: z.string(),
  text: z.string(),
  variable: z.string().nullable(),
});
