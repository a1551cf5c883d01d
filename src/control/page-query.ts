import { z } from "zod";
import type { PageRequest } from "../core/catalog.ts";
import { jsonAnswer } from "./control-route.ts";

/** The query parameters of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(50)
    .meta({ title: "Limit", description: "Items on a page, 1 to 200." }),
  cursor: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .meta({ title: "Cursor", description: "`next` of the page before; the first page when absent." }),
});

/** What the catalog is asked for. */
export function pageRequest({ limit, cursor }: z.output<typeof pageQuery>): PageRequest {
  return { limit, cursor };
}

/** One page, its continuation in the body and in the `Link` header (RFC 8288) with the other parameters kept; `more` stands before it. */
export function pageAnswer(
  url: URL,
  items: readonly unknown[],
  next: string | undefined,
  more: Readonly<Record<string, unknown>> = {},
): Response {
  if (next === undefined) return jsonAnswer(200, { ...more, items });
  const continued = new URL(url);
  continued.searchParams.set("cursor", next);
  const link = `<${continued.pathname}${continued.search}>; rel="next"`;
  return jsonAnswer(200, { ...more, items, next }, { link });
}
