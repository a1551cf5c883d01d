import type { McpObject } from "../backend.ts";
import { foldName, isReservedName } from "./public-names.ts";

/** The lists of the protocol. */
export const listKinds = ["tools", "prompts", "resources", "templates"] as const;
export type ListKind = (typeof listKinds)[number];

/** How each list is asked for, where its entries stand, and by which member an entry is known. */
export const listShapes = {
  tools: { method: "tools/list", entries: "tools", by: "name", capability: "tools" },
  prompts: { method: "prompts/list", entries: "prompts", by: "name", capability: "prompts" },
  resources: { method: "resources/list", entries: "resources", by: "uri", capability: "resources" },
  templates: {
    method: "resources/templates/list",
    entries: "resourceTemplates",
    by: "uriTemplate",
    capability: "resources",
  },
} as const satisfies Readonly<Record<ListKind, object>>;

/** What one server offers, as it says it. */
export interface MemberEntries {
  readonly member: string;
  readonly entries: readonly McpObject[];
  /** Whether this of it is taken, by its own name. */
  takes(name: string): boolean;
  /** What it is called to clients. */
  rename(name: string): string;
}

/** Whose a public name is, and what it is called there. */
export interface Owned {
  readonly member: string;
  readonly name: string;
}

/** A name that two servers claim, or the gateway itself: the one that is not shown. */
export interface DroppedEntry extends Owned {
  readonly why: "taken" | "reserved";
  /** Who has the name that was taken. */
  readonly by?: string;
}

/** Several servers' lists as one. */
export interface MergedEntries {
  readonly entries: readonly McpObject[];
  readonly owners: ReadonlyMap<string, Owned>;
  readonly dropped: readonly DroppedEntry[];
}

/**
 * One list in the order given: who comes first keeps a name that others claim too, also in other case or in letters that
 * look alike. An entry without a name is left out.
 */
export function mergeEntries(kind: ListKind, lists: readonly MemberEntries[]): MergedEntries {
  const { by } = listShapes[kind];
  const entries: McpObject[] = [];
  const owners = new Map<string, Owned>();
  const folded = new Map<string, string>();
  const dropped: DroppedEntry[] = [];
  for (const { member, entries: own, takes, rename } of lists) {
    for (const entry of own) {
      const name = entry[by];
      if (typeof name !== "string" || name === "" || !takes(name)) continue;
      const shown = rename(name);
      const fold = foldName(shown);
      const holder = folded.get(fold);
      if (by === "name" && isReservedName(shown)) dropped.push({ member, name, why: "reserved" });
      // What one server calls alike by itself is its own affair, as long as it is not the same.
      else if (holder !== undefined && (holder !== member || owners.has(shown))) {
        dropped.push({ member, name, why: "taken", by: holder });
      } else {
        folded.set(fold, member);
        owners.set(shown, { member, name });
        entries.push(shown === name ? entry : { ...entry, [by]: shown });
      }
    }
  }
  return { entries, owners, dropped };
}
