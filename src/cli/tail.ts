import { GatewayError } from "../kernel/errors.ts";
import { dataPaths } from "../store/data-directory.ts";
import type { CommonOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import type { Shell } from "./shell.ts";

export interface TailOptions extends CommonOptions {
  readonly follow?: boolean;
}

/** Prints the recorded events, one JSON object a line, oldest first. `--follow` goes on until it is stopped. */
export async function tail({ follow = false, ...options }: TailOptions, shell: Shell): Promise<void> {
  const { tailSpool } = await import("../analytics/tail-spool.ts");
  const { config } = commandConfig(options, shell);
  const stop = new AbortController();
  const forget = shell.onStop(() => stop.abort());
  try {
    const directory = dataPaths(config.dataDir).spoolPath;
    for await (const event of tailSpool({ directory, follow, signal: stop.signal })) shell.out(JSON.stringify(event));
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "resource.not_found") throw error;
    throw new GatewayError("resource.not_found", `${error.message} Name the data directory with --data.`, {
      cause: error,
    });
  } finally {
    forget();
  }
}
