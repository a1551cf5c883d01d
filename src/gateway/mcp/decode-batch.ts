import { locateAll } from "../../kernel/locate-all.ts";
import { readJsonRpc } from "../../mcp/wire/json-rpc.ts";
import { batchVersion, defaultLegacyVersion } from "../../mcp/wire/legacy.ts";
import { claimedVersion } from "../../mcp/wire/modern.ts";
import type { Batch } from "../../pipeline/adapter.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import { mcpLimits } from "./compile-mcp.ts";
import type { MessageContext } from "./decode-message.ts";
import { decodeMessage } from "./decode-message.ts";
import { refuseOver } from "./over-limit.ts";

/** Methods that answer for a whole connection, and cannot be one answer among others. */
const alone: ReadonlySet<string> = new Set(["initialize", "subscriptions/listen"]);

/**
 * A batch as one operation for each of its messages, so that every one of them is permitted, limited and recorded like
 * a message of its own. Undefined where the version in use has no batches: only 2025-03-26 does. A batch with a message
 * that cannot be read is refused whole, for nobody could tell which answer is whose.
 * @see 2025-03-26, basic/index, "Batching"
 */
export function decodeBatch(
  exchange: Exchange,
  values: readonly unknown[],
  body: Buffer,
  context: Omit<MessageContext, "place">,
): Batch | Deny | undefined {
  if (!hasBatches(context)) return undefined;
  if (values.length === 0) return refusal("it is empty");
  const limits = mcpLimits(exchange.api);
  if (values.length > limits.batchMessages) {
    return refuseOver(
      { code: "request.invalid", what: "The batch holds too many messages", limit: "batchMessages" },
      limits,
    );
  }
  const operations: Operation[] = [];
  const ranges = locateAll(
    body,
    values.map((_, place) => [place]),
  );
  const ids = new Set<string | number>();
  for (const [place, value] of values.entries()) {
    const message = readJsonRpc(value);
    if (message.type === "invalid") return refusal(`of message ${place + 1}, ${message.reason}`);
    if (message.type !== "response") {
      if (alone.has(message.method)) return refusal(`\`${message.method}\` must stand alone`);
      const claimed = claimedVersion(message);
      if (claimed !== undefined && claimed !== batchVersion) return refusal(`${claimed} has no batches`);
    }
    if (message.type === "request") {
      if (ids.has(message.id)) return refusal("two of its requests have the same id");
      ids.add(message.id);
    }
    const [start, end] = ranges[place] ?? [0, 0];
    const operation = decodeMessage(exchange, message, body.subarray(start, end), { ...context, place });
    if ("type" in operation) return operation;
    operations.push(operation);
  }
  return { batch: operations };
}

// The session's own version counts more than a header, which anybody may set; without both it is the default.
function hasBatches({ version, session }: Omit<MessageContext, "place">): boolean {
  const settled = session !== undefined && "id" in session ? session.protocolVersion : undefined;
  return (version ?? batchVersion) === batchVersion && (settled ?? version ?? defaultLegacyVersion) === batchVersion;
}

function refusal(why: string): Deny {
  return deny("request.invalid", `The batch is refused: ${why}.`);
}
