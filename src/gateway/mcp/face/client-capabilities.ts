import type { McpCall, McpObject } from "../../../mcp/backend.ts";
import { isObject } from "../../../mcp/wire/json-rpc.ts";

/** The capability that a client must have declared to be asked this; undefined where it has. */
export function missingCapability({ method, params }: McpCall, declared: McpObject): string | undefined {
  const needed = neededFor(method, params);
  if (needed === undefined) return undefined;
  const [name, mode] = needed;
  const own = declared[name];
  if (!isObject(own)) return name;
  return mode !== undefined && own[mode] === undefined ? `${name}.${mode}` : undefined;
}

/** The same as an object of capabilities, as 2026-07-28 wants it in its error -32021. */
export function capabilityObject(path: string): McpObject {
  const [name = path, mode] = path.split(".");
  return { [name]: mode === undefined ? {} : { [mode]: {} } };
}

/** Whether it is something that a server may ask a client at all. */
export function isQuestion(method: string): boolean {
  return neededFor(method, {}) !== undefined;
}

function neededFor(method: string, params: McpObject): readonly [name: string, mode?: string] | undefined {
  switch (method) {
    case "elicitation/create":
      return params["mode"] === "url" ? ["elicitation", "url"] : ["elicitation"];
    case "sampling/createMessage":
      return ["sampling"];
    case "roots/list":
      return ["roots"];
    default:
      return undefined;
  }
}
