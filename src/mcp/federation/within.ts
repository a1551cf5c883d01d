import { Cancellation } from "../../kernel/cancellation.ts";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { McpContext } from "../backend.ts";
import { jsonRpcCodes } from "../wire/json-rpc.ts";

/**
 * Work for a list that many may wait for: it ends with nobody's call, tells and asks nobody, and is given up after `ms`
 * with `upstream.timeout`.
 */
export function within<Value>(
  ms: number,
  clock: Clock,
  context: McpContext,
  work: (context: McpContext) => Promise<Value>,
): Promise<Value> {
  const cancellation = new Cancellation();
  const late = new GatewayError("upstream.timeout", "The MCP server did not answer in time.");
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => {
      cancellation.cancel(late);
      reject(late);
    });
    work(aside(context, cancellation)).then(resolve, reject).finally(stop);
  });
}

/** The context of a call with nobody behind it. */
export function aside(context: McpContext, cancellation: Cancellation): McpContext {
  return {
    ...context,
    cancellation,
    progressToken: undefined,
    notify: () => undefined,
    ask: () => Promise.resolve({ error: { code: jsonRpcCodes.methodNotFound, message: "Nobody can be asked now." } }),
  };
}
