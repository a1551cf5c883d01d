import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { printPermissions } from "../../src/cli/permission-reference.ts";

test("the committed page of roles is what the tables print", async () => {
  const page = await readFile(new URL("../../docs/reference/permissions.md", import.meta.url), "utf8");
  expect(page).toBe(printPermissions());
});
