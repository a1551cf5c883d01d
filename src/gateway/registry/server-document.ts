import { isIP } from "node:net";
import { unsaidVersion } from "../../core/api-spec.ts";
import { keyNeedOf } from "../../core/mcp-client-config.ts";
import type { McpServerSpec } from "../../core/mcp-server.ts";

/** What of an MCP server's spec a registry tells. */
export interface Listing {
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly version: string;
  /** `optional`: tokens are taken too, which clients get by themselves. */
  readonly apiKey: "required" | "optional" | "none";
}

/** An MCP server and where it is. */
export interface ListedServer extends Listing {
  /** Its resource name, unique among MCP servers. */
  readonly name: string;
  /** Where clients reach it. */
  readonly url: string;
}

/** What of a server's spec a registry tells. */
export function listingOf({ displayName, description, version = unsaidVersion, security }: McpServerSpec): Listing {
  return { title: displayName, description, version, apiKey: keyNeedOf(security) };
}

const schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
const longestText = 100;

/** The `server.json` of a server (schema of 2025-12-11): where it is, and which header is to be filled in. */
export function serverDocument(server: ListedServer, publicUrl: string): object {
  const { name, title, description, version, url, apiKey } = server;
  const shown = title === undefined || title.trim() === "" ? undefined : cut(title.trim());
  const about = description === undefined || description.trim() === "" ? (shown ?? name) : description.trim();
  return {
    $schema: schema,
    name: registryName(name, publicUrl),
    ...(shown !== undefined && { title: shown }),
    description: cut(about.replace(/\s+/g, " ")),
    version,
    remotes: [{ type: "streamable-http", url, ...(apiKey !== "none" && { headers: [keyHeader(apiKey)] }) }],
  };
}

/** `com.example.gateway/notes` for the server `notes` of https://gateway.example.com. */
export function registryName(name: string, publicUrl: string): string {
  return `${namespaceOf(publicUrl)}/${name}`;
}

/** The host's labels in reverse; addresses and names without a dot have none that could be anybody's. */
function namespaceOf(publicUrl: string): string {
  const { hostname } = new URL(publicUrl);
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
  if (isAddress || !hostname.includes(".")) return "local.gatehouse";
  return hostname.split(".").toReversed().join(".").slice(0, 120);
}

function keyHeader(apiKey: "required" | "optional"): object {
  const description = "An API key for this server, from whoever runs the gateway.";
  return {
    name: "Authorization",
    description,
    isRequired: apiKey === "required",
    isSecret: true,
    value: "Bearer {api_key}",
    variables: { api_key: { description, isRequired: true, isSecret: true } },
  };
}

function cut(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1).toWellFormed()}…`;
}
