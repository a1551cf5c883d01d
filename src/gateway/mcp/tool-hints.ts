import type { Environment } from "../../core/environment.ts";
import type { ListKind } from "../../mcp/federation/merge-entries.ts";
import { listKinds, listShapes } from "../../mcp/federation/merge-entries.ts";
import { readHints } from "../../mcp/read-hints.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import type { ToolHints } from "../../pipeline/held-call.ts";

/** What servers have said of what they offer, as far as lists have passed through this gateway. */
export interface ToolHintMemory {
  /** Takes note of the lists of a result. */
  note(apiId: string, environment: Environment, result: Readonly<Record<string, unknown>>): void;
  of(apiId: string, environment: Environment, tool: string): ToolHints | undefined;
  /** All names in lists of this kind: names of tools and prompts, URIs of resources, templates of URIs. */
  names(kind: ListKind, apiId: string, environment: Environment): readonly string[];
}

/** Entries of one list of one server and environment that are kept; of those beyond nothing is known. */
const mostEntries = 20_000;

/** Nothing heard yet. The last word on a tool counts. */
export function createToolHints(): ToolHintMemory {
  const known = new Map<string, Map<string, ToolHints | undefined>>();
  const listOf = (kind: ListKind, apiId: string, environment: Environment) =>
    known.get(`${apiId}/${environment}/${kind}`);
  return {
    note(apiId, environment, result) {
      for (const kind of listKinds) {
        const { entries, by } = listShapes[kind];
        const listed = result[entries];
        if (!Array.isArray(listed)) continue;
        const own = listOf(kind, apiId, environment) ?? new Map<string, ToolHints | undefined>();
        known.set(`${apiId}/${environment}/${kind}`, own);
        for (const entry of listed) {
          const name: unknown = isObject(entry) ? entry[by] : undefined;
          if (typeof name !== "string" || (own.size >= mostEntries && !own.has(name))) continue;
          own.set(name, kind === "tools" && isObject(entry) ? readHints(entry["annotations"]) : undefined);
        }
      }
    },
    of: (apiId, environment, tool) => listOf("tools", apiId, environment)?.get(tool),
    names: (kind, apiId, environment) => [...(listOf(kind, apiId, environment)?.keys() ?? [])],
  };
}
