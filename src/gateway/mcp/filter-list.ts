import { GatewayError } from "../../kernel/errors.ts";
import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { TaskOwners } from "../../mcp/task-owners.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Frame } from "../../pipeline/exchange.ts";
import { changeFrame } from "../sse-frame.ts";
import { strictMessage } from "../strict-message.ts";
import { listRights } from "./authorize-mcp.ts";
import { boundAnswer } from "./bound-answer.ts";
import { areInstructionsHeld, hasPins, heldBack } from "./check-pins.ts";
import { mcpLimits, mcpToolHints } from "./compile-mcp.ts";
import { mayReachTask } from "./guard-tasks.ts";
import type { McpSeen } from "./mcp-request.ts";
import { isMetaTool } from "./search/meta-tools.ts";

/** The lists that a result may hold, and by which member an entry of theirs is called. */
const lists = [
  { entries: "tools", by: "name", type: "tool", kind: "tool" },
  { entries: "prompts", by: "name", type: "prompt", kind: "prompt" },
  { entries: "resources", by: "uri", type: "resource", kind: "resource" },
  { entries: "resourceTemplates", by: "uriTemplate", type: "resource", kind: "template" },
  { entries: "tasks", by: "taskId", type: undefined, kind: undefined },
] as const;

/**
 * Throws `upstream.too_large` for a message that is past a limit. The frame without the entries that this caller may not call, and without the tasks of others: a list shows what can be done and no more. A list is
 * known by its looks and not by the request, since a resumed stream carries answers to requests of earlier exchanges.
 * What stands around the list keeps its bytes. Instructions that wait for an approval are emptied. Such a list is one caller's own, so it says `cacheScope: "private"`.
 */
export function filterList(exchange: Exchange, frame: Frame, seen: McpSeen, tasks: TaskOwners): Frame {
  boundAnswer(frame.message(), frame.bytes.byteLength, mcpLimits(exchange.api));
  noteHints(exchange, frame);
  const mayUse = listRights(exchange);
  if (mayUse === undefined && !hasPins(exchange) && !Array.isArray(resultOf(frame.message())?.["tasks"])) return frame;
  const result = resultOf(strictMessage(frame));
  if (result === undefined) return frame;

  let hasList = false;
  const edits: { readonly path: readonly string[]; readonly replacement: string }[] = [];
  for (const { entries, by, type, kind } of lists) {
    const listed = result[entries];
    if (!Array.isArray(listed)) continue;
    const ofServer = kind === "tool" ? listed.filter((entry: unknown) => !isOwn(exchange, entry)) : listed;
    const held = kind && heldBack(exchange, kind, ofServer);
    const kept: unknown[] = listed.filter((entry: unknown) => {
      if (kind === "tool" && isOwn(exchange, entry)) return true;
      if (held?.has(entry) === true) return false;
      const name = isObject(entry) ? entry[by] : undefined;
      if (typeof name !== "string") return false;
      return type === undefined ? mayReachTask(exchange, name, tasks) : mayUse === undefined || mayUse(type, name);
    });
    if (entries === "tools") seen.toolsAfterAuthz = kept.length;
    hasList = true;
    if (kept.length < listed.length) edits.push({ path: ["result", entries], replacement: JSON.stringify(kept) });
  }
  const { instructions } = result;
  if (typeof instructions === "string" && isIntroduction(result) && areInstructionsHeld(exchange, instructions)) {
    edits.push({ path: ["result", "instructions"], replacement: '""' });
  }
  if (hasList && result["cacheScope"] === "public")
    edits.push({ path: ["result", "cacheScope"], replacement: '"private"' });
  if (edits.length === 0) return frame;
  return changeFrame(frame, (json) =>
    spliceBytes(
      json,
      edits.map(({ path, replacement }) => {
        const range = locateJson(json, path);
        if (range === undefined) throw new GatewayError("upstream.invalid", "The MCP server's list cannot be read.");
        return { start: range[0], end: range[1], replacement };
      }),
    ),
  );
}

/** A tool of the gateway's own, which is no secret. */
function isOwn({ api }: Exchange, entry: unknown): boolean {
  return isObject(entry) && typeof entry["name"] === "string" && isMetaTool(api, entry["name"]);
}

/** The answer to `initialize` or `server/discover`. */
function isIntroduction(result: Readonly<Record<string, unknown>>): boolean {
  return isObject(result["serverInfo"]) || Array.isArray(result["supportedVersions"]);
}

/** Policies ask later what the server has said of a tool, and publications what names it has. */
function noteHints({ api, principal }: Exchange, frame: Frame): void {
  const result = resultOf(frame.message());
  if (result !== undefined) mcpToolHints(api)?.note(api.id, principal?.environment ?? "production", result);
}

function resultOf(message: unknown): Readonly<Record<string, unknown>> | undefined {
  const result = isObject(message) ? message["result"] : undefined;
  return isObject(result) ? result : undefined;
}
