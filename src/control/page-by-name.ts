import type { Page, PageRequest } from "../core/page.ts";
import { GatewayError } from "../kernel/errors.ts";

/** A page of things that are all at hand, in the order of their names. Throws `request.invalid` for a cursor that is none. */
export function pageByName<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  { limit, cursor }: PageRequest,
): Page<Item> {
  const after = cursor === undefined ? "" : readCursor(cursor);
  const sorted = items
    .filter((item) => nameOf(item) > after)
    .toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  const rows = sorted.slice(0, limit);
  const last = sorted.length > limit ? rows.at(-1) : undefined;
  return { rows, next: last && Buffer.from(`name ${nameOf(last)}`, "utf8").toString("base64url") };
}

function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const isOurs = text.startsWith("name ") && Buffer.from(text, "utf8").toString("base64url") === cursor;
  if (isOurs) return text.slice("name ".length);
  throw new GatewayError("request.invalid", "The cursor is not one of this list; begin again without it.", {
    param: "cursor",
  });
}
