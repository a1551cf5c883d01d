import type { IncomingHttpHeaders } from "node:http";
import type { JsonRpcNotification, JsonRpcRequest } from "./json-rpc.ts";
import { isObject } from "./json-rpc.ts";
import type { McpEra } from "./legacy.ts";

/** Stateless versions, newest first. */
export const modernVersions = ["2026-07-28"] as const;

/** Keys of `params._meta` that the protocol reserves. */
export const metaKeys = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  logLevel: "io.modelcontextprotocol/logLevel",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;

/** Error codes that 2026-07-28 defines (basic/index, "Error codes"). */
export const modernCodes = {
  headerMismatch: -32_020,
  missingCapability: -32_021,
  unsupportedVersion: -32_022,
} as const;

/** True for a version of the stateless era. */
export function isModernVersion(version: string): boolean {
  return modernVersions.some((known) => known === version);
}

/** The version that a message claims in `params._meta`; undefined when it claims none. */
export function claimedVersion(message: JsonRpcRequest | JsonRpcNotification): string | undefined {
  const meta = message.params["_meta"];
  const version = isObject(meta) ? meta[metaKeys.protocolVersion] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** Which member of `params` the header `Mcp-Name` repeats, by method. */
export const namedBy: Readonly<Record<string, "name" | "uri">> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

/**
 * Why the headers do not agree with the body, or undefined when they do, so that nobody on the way can be told another
 * story than the server. What both say must be equal in every era; the stateless one also wants version, method and
 * name said. An argument's header must repeat some value of the arguments: which one only the tool's schema tells.
 * @see 2026-07-28, basic/transports/streamable-http, "Standard headers"
 */
export function headerMismatch(
  headers: IncomingHttpHeaders,
  message: JsonRpcRequest | JsonRpcNotification,
  era: McpEra,
): string | undefined {
  const version = single(headers["mcp-protocol-version"]);
  const claimed = claimedVersion(message);
  if (version !== undefined && claimed !== undefined && claimed !== version) {
    return "MCP-Protocol-Version and the version in _meta differ";
  }
  const standard = era === "modern" ? standardMismatch(headers, message, version) : undefined;
  return standard ?? argumentMismatch(headers, message.params["arguments"]);
}

function standardMismatch(
  headers: IncomingHttpHeaders,
  message: JsonRpcRequest | JsonRpcNotification,
  version: string | undefined,
): string | undefined {
  if (version === undefined) return "the header MCP-Protocol-Version is missing";
  if (message.type === "notification") return undefined;
  const method = single(headers["mcp-method"]);
  if (method === undefined) return "the header Mcp-Method is missing";
  if (method !== message.method) return "Mcp-Method and the body's method differ";
  const member = namedBy[message.method];
  if (member === undefined) return undefined;
  const sent = single(headers["mcp-name"]);
  if (sent === undefined) return "the header Mcp-Name is missing";
  const name = decodeHeaderValue(sent);
  if (name === undefined) return "Mcp-Name is not a valid value";
  return name === message.params[member] ? undefined : `Mcp-Name and params.${member} differ`;
}

function argumentMismatch(headers: IncomingHttpHeaders, given: unknown): string | undefined {
  const names = Object.keys(headers).filter((name) => name.startsWith("mcp-param-"));
  if (names.length === 0) return undefined;
  const said = new Set(leavesOf(given));
  const wrong = names.find((name) => {
    const value = single(headers[name]);
    const text = value === undefined ? undefined : decodeHeaderValue(value);
    return text === undefined || !said.has(text);
  });
  return wrong === undefined ? undefined : `the header ${wrong} repeats no argument`;
}

/** Every text, number and boolean below a value, as a header says it. */
function leavesOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(leavesOf) : [];
}

/**
 * A mirrored value as its sender meant it: `=?base64?…?=` holds UTF-8 that a header cannot carry, anything else stands
 * for itself. Undefined for a sentinel that does not decode, or characters that may not be in a header.
 */
export function decodeHeaderValue(value: string): string | undefined {
  const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/i.exec(value);
  if (sentinel?.[1] === undefined) {
    if (/^=\?base64\?/i.test(value)) return undefined;
    return /^[\x20-\x7e\t]*$/.test(value) ? value : undefined;
  }
  const bytes = Buffer.from(sentinel[1], "base64");
  if (bytes.toString("base64") !== sentinel[1]) return undefined; // one text, one sentinel
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** A text as a mirrored header carries it: as it is where a header can, else as a sentinel of its UTF-8. */
export function encodeHeaderValue(text: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?/i.test(text);
  return isPlain ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header.trim() : undefined;
}
