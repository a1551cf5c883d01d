import { isObject } from "./json-rpc.ts";
import { encodeHeaderValue } from "./modern.ts";

/** A property of a tool's arguments that its calls repeat in the header `Mcp-Param-{name}`. */
export interface ParamHeader {
  readonly path: readonly string[];
  readonly name: string;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const mirroredTypes: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
const maxDeclarations = 64;
const maxDepth = 16;

/**
 * What of a tool's arguments its input schema wants in headers (`x-mcp-header`), reached by `properties` alone. Undefined
 * where a declaration is invalid: a client must not offer such a tool.
 * @see 2026-07-28, basic/transports/streamable-http, "Custom headers"
 */
export function paramHeadersOf(inputSchema: unknown): readonly ParamHeader[] | undefined {
  const found: ParamHeader[] = [];
  const names = new Set<string>();
  const visit = (schema: unknown, path: readonly string[]): boolean => {
    if (!isObject(schema) || path.length > maxDepth) return true;
    const name = schema["x-mcp-header"];
    if (name !== undefined) {
      if (typeof name !== "string" || !token.test(name) || path.length === 0) return false;
      if (!mirroredTypes.has(schema["type"]) || names.has(name.toLowerCase())) return false;
      if (names.size >= maxDeclarations) return false;
      names.add(name.toLowerCase());
      found.push({ path, name });
    }
    const properties = schema["properties"];
    return !isObject(properties) || Object.entries(properties).every(([key, child]) => visit(child, [...path, key]));
  };
  return visit(inputSchema, []) ? found : undefined;
}

/** The headers that repeat these arguments, by lower-case names; arguments that are not given have none. */
export function paramHeaders(declared: readonly ParamHeader[], given: unknown): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const { path, name } of declared) {
    const value = path.reduce<unknown>(
      (at, step) => (isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined),
      given,
    );
    if (typeof value === "string" || typeof value === "boolean" || Number.isInteger(value)) {
      headers[`mcp-param-${name.toLowerCase()}`] = encodeHeaderValue(String(value));
    }
  }
  return headers;
}
