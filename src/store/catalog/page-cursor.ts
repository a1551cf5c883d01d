import type { Page, PageRequest } from "../../core/catalog.ts";
import { GatewayError } from "../../kernel/errors.ts";

const maxPageRows = 200;

/**
 * Reads a page request of the list called `list`. `after` is the position of the last row that the caller has, or
 * undefined for a first page. Throws `request.invalid` for a limit outside of 1 to 200 and for a cursor that this list
 * did not give out.
 */
export function openPage(list: string, request: PageRequest): { readonly after: string | undefined } {
  if (!Number.isInteger(request.limit) || request.limit < 1 || request.limit > maxPageRows) {
    throw new GatewayError("request.invalid", `limit must be a whole number from 1 to ${maxPageRows}.`, {
      param: "limit",
    });
  }
  if (request.cursor === undefined) return { after: undefined };
  const [, name, position] = /^([a-z-]+) (\S{1,200})$/.exec(decode(request.cursor)) ?? [];
  if (name !== list || position === undefined) throw unreadable();
  return { after: position };
}

/** As `openPage`, for lists whose positions are whole numbers; 0 stands before the first row. */
export function openNumberedPage(list: string, request: PageRequest): { readonly after: number } {
  const { after } = openPage(list, request);
  const position = Number(after ?? 0);
  if (!Number.isSafeInteger(position) || position < 0 || String(position) !== (after ?? "0")) throw unreadable();
  return { after: position };
}

/**
 * The page of `found`, of which one row more than the limit was asked, so that the end is known without counting.
 * `position` is what the next page begins after.
 */
export function closePage<Found, Row>(
  list: string,
  request: PageRequest,
  found: readonly Found[],
  read: { readonly row: (found: Found) => Row; readonly position: (found: Found) => string | number },
): Page<Row> {
  const shown = found.slice(0, request.limit);
  const last = found.length > request.limit ? shown.at(-1) : undefined;
  const next = last === undefined ? undefined : encode(`${list} ${read.position(last)}`);
  return { rows: shown.map(read.row), next };
}

function encode(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

function decode(cursor: string): string {
  const text = cursor.length > 400 ? "" : Buffer.from(cursor, "base64url").toString("utf8");
  return encode(text) === cursor ? text : "";
}

function unreadable(): GatewayError {
  return new GatewayError("request.invalid", "The cursor is not one of this list; begin again without it.", {
    param: "cursor",
  });
}
