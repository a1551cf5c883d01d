import { GatewayError } from "../../kernel/errors.ts";
import type { ListedServer } from "./server-document.ts";
import { registryName, serverDocument } from "./server-document.ts";

/** What is asked of the registry. */
export type RegistryQuestion =
  | { readonly type: "list"; readonly query: URLSearchParams }
  | { readonly type: "versions"; readonly name: string }
  | { readonly type: "version"; readonly name: string; readonly version: string };

/** The question in a request's path and query; undefined where there is none. `url` is as it stands on the wire. */
export function registryQuestion(url: string): RegistryQuestion | undefined {
  const [path = "", query = ""] = url.split(/\?(.*)/s, 2);
  const [root, version, servers, name, versions, which, ...more] = path.split("/").map(decoded);
  if (root !== "" || version !== "v0.1" || servers !== "servers" || more.length > 0) return undefined;
  if (name === undefined) return { type: "list", query: new URLSearchParams(query) };
  if (versions !== "versions") return undefined;
  return which === undefined ? { type: "versions", name } : { type: "version", name, version: which };
}

const defaultLimit = 30;
const maxLimit = 100;

/**
 * The registry's answer (MCP registry API, v0.1) about these servers, sorted by name; undefined where what was asked for
 * is not there. Each server has one version, the one that is served. Throws `request.invalid` for a cursor or limit that
 * is none.
 */
export function registryAnswer(
  question: RegistryQuestion,
  servers: readonly ListedServer[],
  publicUrl: string,
): object | undefined {
  const entry = (server: ListedServer): object => ({ server: serverDocument(server, publicUrl), _meta: {} });
  if (question.type === "list") return listed(question.query, servers, publicUrl, entry);
  const found = servers.find(({ name }) => registryName(name, publicUrl) === question.name);
  if (found === undefined) return undefined;
  if (question.type === "versions") return { servers: [entry(found)], metadata: { count: 1 } };
  return question.version === "latest" || question.version === found.version ? entry(found) : undefined;
}

function listed(
  query: URLSearchParams,
  servers: readonly ListedServer[],
  publicUrl: string,
  entry: (server: ListedServer) => object,
): object {
  const limit = limitOf(query.get("limit"));
  const after = afterOf(query.get("cursor"));
  const search = query.get("search")?.toLowerCase() ?? "";
  const version = query.get("version") ?? "latest";
  const matching = servers
    .filter((server) => registryName(server.name, publicUrl).toLowerCase().includes(search))
    .filter((server) => version === "latest" || server.version === version)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .filter(({ name }) => after === undefined || name > after);
  const page = matching.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = matching.length > page.length && last !== undefined ? cursorAt(last.name) : undefined;
  return {
    servers: page.map(entry),
    metadata: { count: page.length, ...(nextCursor !== undefined && { nextCursor }) },
  };
}

function limitOf(text: string | null): number {
  if (text === null) return defaultLimit;
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0) {
    throw new GatewayError("request.invalid", "`limit` must be a number of at least 1.");
  }
  return Math.min(Number(text), maxLimit);
}

// Safe in a query as it is: VS Code puts it there without encoding it.
function cursorAt(name: string): string {
  return Buffer.from(name).toString("base64url");
}

function afterOf(cursor: string | null): string | undefined {
  if (cursor === null || cursor === "") return undefined;
  const name = Buffer.from(cursor, "base64url").toString();
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw new GatewayError("request.invalid", "`cursor` is none that was given here.");
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
