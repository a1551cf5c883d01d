import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { Shell } from "./shell.ts";

/**
 * The log of an installation that lives for one command: its errors are lines for the person at the terminal, with the
 * fields at fault below them; what is no error is left out.
 */
export function commandLog(shell: Shell): Log {
  const nothing = (): void => {};
  return {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error(fields, message) {
      if (!("err" in fields)) {
        shell.note(`gatehouse: ${message}`);
        return;
      }
      const fault = toGatewayError(fields.err);
      const isRefused = fault.code === "publish.refused";
      shell.note(`gatehouse: ${isRefused ? refused : `${message}: ${fault.message}`}`);
      for (const { path, message: text } of fault.issues) shell.note(`  ${path}: ${text}`);
    },
  };
}

// Nothing goes on serving here, as the gateway's own sentence has it.
const refused = "what is deployed cannot be served as it is, and stays so unless this command mends it";
