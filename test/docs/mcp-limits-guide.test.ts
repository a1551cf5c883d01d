import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { mcpLimitsSchema } from "../../src/core/mcp-limits.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/mcp-limits.md"), "utf8");

test("the guide names every limit of an MCP server, and none beside", () => {
  const { properties = {} } = z.toJSONSchema(mcpLimitsSchema, { io: "input" });
  const named = [...guide.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);
  expect(named.toSorted()).toEqual(Object.keys(properties).toSorted());
});
