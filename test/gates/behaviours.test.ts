import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lessons } from "../lessons.ts";
import { limitInputs } from "../limit-inputs.ts";
import { mcpBehaviours } from "../mcp-behaviours.ts";

describe.each([
  { table: "of MCP", rows: mcpBehaviours, count: 32 },
  { table: "learnt from others", rows: lessons, count: 18 },
  { table: "of limits under bad input", rows: limitInputs, count: 6 },
])("the behaviours $table", ({ rows, count }) => {
  test("are numbered without a gap", () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
  });

  test.each(rows)("$number: $behaviour", ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, name] of tests) expect([file, name, holds(file, name)]).toEqual([file, name, true]);
  });
});

/** Whether a file has a text in quotes that is that name: of a test, or of a row of its table. */
function holds(file: string, name: string): boolean {
  return existsSync(file) && ['"', "`", "'"].some((quote) => readFileSync(file, "utf8").includes(quote + name + quote));
}
