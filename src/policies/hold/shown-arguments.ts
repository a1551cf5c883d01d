import type { HoldConfig } from "./hold-config.ts";

const longestText = 500;
const mostMembers = 100;
const deepest = 6;

/** What approvers may see of a call's arguments, bounded in length, members and depth; null is nothing. */
export function shownArguments(
  given: Readonly<Record<string, unknown>>,
  { show, mask }: Pick<HoldConfig, "show" | "mask">,
): Readonly<Record<string, unknown>> | null {
  if (show === "nothing") return null;
  const hidden = new Set(mask);
  if (show === "names") return mapMembers(given, (value) => kindOf(value));
  const shown = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return value.length > longestText ? `${value.slice(0, longestText)}…` : value;
    if (typeof value !== "object" || value === null) return value;
    if (depth >= deepest) return kindOf(value);
    if (Array.isArray(value)) return value.slice(0, mostMembers).map((item) => shown(item, depth + 1));
    return mapMembers(value, (member, name) => (hidden.has(name) ? "(masked)" : shown(member, depth + 1)));
  };
  return mapMembers(given, (value, name) => (hidden.has(name) ? "(masked)" : shown(value, 1)));
}

function mapMembers(value: object, map: (member: unknown, name: string) => unknown): Readonly<Record<string, unknown>> {
  const members = Object.entries(value).slice(0, mostMembers);
  return Object.fromEntries(members.map(([name, member]) => [name.slice(0, longestText), map(member, name)]));
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return `(text of ${value.length} characters)`;
  if (Array.isArray(value)) return `(list of ${value.length})`;
  return value === null ? "(null)" : `(${typeof value})`;
}
