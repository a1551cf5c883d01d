import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileOperation } from "../../../src/mcp/openapi/compile-operation.ts";
import { readOpenApi } from "../../../src/mcp/openapi/read-openapi.ts";
import type { ToolsOfOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { toolsFromOpenApi } from "../../../src/mcp/openapi/tools-from-openapi.ts";
import { expectUsable, figures } from "./expect-usable.ts";
import { sampleArguments } from "./sample-arguments.ts";
import { asRead, sentArguments } from "./sent-arguments.ts";

const base = "https://api.example.test/root";

const descriptions = [
  { name: "petstore", operations: 13 },
  { name: "box", operations: 9 },
  { name: "digitalocean", operations: 6 },
  { name: "twilio", operations: 4 },
  { name: "asana", operations: 6 },
  { name: "kubernetes", operations: 5 },
  { name: "adyen", operations: 8 },
];

function toolsOf(name: string): ToolsOfOpenApi {
  const text = readFileSync(join(import.meta.dirname, "fixtures", `${name}.json`), "utf8");
  return toolsFromOpenApi(readOpenApi(text), { select: { include: ["*"] } });
}

describe.each(descriptions)("the description of $name", ({ name, operations }) => {
  const made = toolsOf(name);

  test("gives a tool for each operation, with names and schemas that every client takes", () => {
    process.stdout.write(`${figures(name, made)}\n`);
    expect(made.operations).toBe(operations);
    expect(made.refused).toEqual([]);
    expectUsable(made);
  });

  test.each(made.tools.map((tool) => ({ name: tool.definition.name, tool })))(
    "$name sends what it was given, to the place that it is for",
    async ({ tool }) => {
      const operation = compileOperation(tool, { baseUrl: base });
      await fc.assert(
        fc.asyncProperty(sampleArguments(tool), async (args) => {
          const outcome = operation.toHttpRequest(args);
          if (!("request" in outcome)) throw new Error(JSON.stringify(outcome.faults));
          expect(outcome.request.method).toBe(tool.request.method);
          expect(normal(await sentArguments(tool, outcome.request, base))).toEqual(normal(asRead(tool, args)));
        }),
        { numRuns: 15 },
      );
    },
  );
});

/** An empty list leaves nothing to be read. */
function normal(read: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(read).filter(([, value]) => !(Array.isArray(value) && value.length === 0)));
}
