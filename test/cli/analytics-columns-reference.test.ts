import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { adHocTables } from "../../src/analytics/ad-hoc-reader.ts";
import { printAnalyticsColumns } from "../../src/cli/analytics-columns-reference.ts";
import { command } from "./test-shell.ts";

test("the committed page of columns is what the command prints", async () => {
  const page = await readFile(new URL("../../docs/reference/analytics-columns.md", import.meta.url), "utf8");
  expect(page).toBe(printAnalyticsColumns());
  const { out } = await command(["analytics", "columns"], { cwd: "." });
  expect(out.join("\n")).toBe(page.trimEnd());
});

test("each column is told in one sentence, and no cell breaks the page's tables", () => {
  for (const { columns } of Object.values(adHocTables)) {
    for (const [name, meaning] of Object.entries(columns)) {
      expect([name, /^[A-Z`][^|\n]{6,180}\.$/.test(meaning)]).toEqual([name, true]);
    }
  }
});
