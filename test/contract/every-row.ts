import type { Page, PageRequest } from "../../src/core/catalog.ts";

/** Reads a list to its end, page after page; `between` runs after each page. */
export async function everyRow<Row>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  limit: number,
  between: (pages: number) => Promise<void> = async () => {},
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await list({ limit, cursor });
    rows.push(...page.rows);
    cursor = page.next;
    pages += 1;
    await between(pages);
  } while (cursor !== undefined);
  return rows;
}
