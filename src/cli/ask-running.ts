import type { z } from "zod";
import type { CommonOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

/** What the control API of the running process answers at `path`; undefined when it gives no answer of that shape. */
export async function askRunning<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  options: CommonOptions,
  shell: Shell,
): Promise<z.output<Schema> | undefined> {
  try {
    await using control = await openControlClient(options, shell);
    return schema.parse(await control.call("GET", path));
  } catch {
    return undefined;
  }
}
