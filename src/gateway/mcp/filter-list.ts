import { GatewayError } from "../../kernel/errors.ts";
import { locateJson, spliceBytes } from "../../kernel/json-scan.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { Exchange, Frame, Operation } from "../../pipeline/exchange.ts";
import { changeFrame } from "../sse-frame.ts";

/** Where each list's entries stand in its result, and by which member an entry is called. */
const lists: Readonly<Record<string, { readonly entries: string; readonly by: "name" | "uri" | "uriTemplate" }>> = {
  "tools/list": { entries: "tools", by: "name" },
  "prompts/list": { entries: "prompts", by: "name" },
  "resources/list": { entries: "resources", by: "uri" },
  "resources/templates/list": { entries: "resourceTemplates", by: "uriTemplate" },
};

/**
 * The frame without the entries that this caller may not call: a list shows what can be done and no more. What
 * stands around the list keeps its bytes. Such a list is one caller's own, so it says `cacheScope: "private"`.
 */
export function filterList(exchange: Exchange, operation: Operation, frame: Frame): Frame {
  const mayCall = exchange.principal?.mayCall;
  const list = lists[operation.kind];
  if (mayCall === undefined || list === undefined) return frame;
  const message = frame.message();
  const result = isObject(message) ? message["result"] : undefined;
  const entries = isObject(result) ? result[list.entries] : undefined;
  if (!isObject(result) || !Array.isArray(entries)) return frame;

  const kept: unknown[] = entries.filter((entry: unknown) => {
    const name = isObject(entry) ? entry[list.by] : undefined;
    return typeof name === "string" && mayCall(name);
  });
  const edits = [{ path: ["result", list.entries], replacement: JSON.stringify(kept) }];
  if (result["cacheScope"] === "public") edits.push({ path: ["result", "cacheScope"], replacement: '"private"' });
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
