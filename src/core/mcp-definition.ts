import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";

export const pinKinds = ["tool", "prompt", "resource", "template", "instructions"] as const;
export type PinKind = (typeof pinKinds)[number];

/** What a server says of one thing that it offers, without what may differ from one list to the next. */
export type McpDefinition = Readonly<Record<string, unknown>>;

/** One member that two definitions differ in; `before` or `after` is undefined where it was not there. */
export interface DefinitionChange {
  /** Like `inputSchema.properties.to.description`. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const members: Readonly<Record<PinKind, readonly string[]>> = {
  tool: ["name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons", "execution"],
  prompt: ["name", "title", "description", "arguments", "icons"],
  resource: ["uri", "name", "title", "description", "mimeType", "annotations", "icons"],
  template: ["uriTemplate", "name", "title", "description", "mimeType", "annotations", "icons"],
  instructions: ["instructions"],
};

/** What of an entry is pinned: what a model or a person reads of it, and `_meta` but for the protocol's own keys. */
export function definitionOf(kind: PinKind, entry: McpDefinition): McpDefinition {
  const pinned = members[kind].filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]] as const);
  const { _meta: meta } = entry;
  const own = isObject(meta)
    ? Object.entries(meta).filter(([key]) => !key.startsWith("io.modelcontextprotocol/") && key !== "progressToken")
    : [];
  return Object.fromEntries(own.length === 0 ? pinned : [...pinned, ["_meta", Object.fromEntries(own)]]);
}

/** SHA-256 of the RFC 8785 form, hex: the order of members and white space do not count, every character does. */
export function definitionHash(definition: McpDefinition): string {
  return createHash("sha256").update(canonicalJson(definition)).digest("hex");
}

/** Member by member; lists are compared place by place. At most 200 changes. */
export function diffDefinitions(before: unknown, after: unknown, path = ""): readonly DefinitionChange[] {
  if (
    canonicalJson(before ?? null) === canonicalJson(after ?? null) &&
    (before === undefined) === (after === undefined)
  )
    return [];
  const both = Array.isArray(before) === Array.isArray(after);
  if (!both || !isObject(before) || !isObject(after)) {
    return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  const changes = names.flatMap((name) =>
    diffDefinitions(own(before, name), own(after, name), path === "" ? name : `${path}.${name}`),
  );
  return changes.slice(0, 200);
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
