import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileOperation } from "../../src/mcp/openapi/compile-operation.ts";
import { readOpenApi } from "../../src/mcp/openapi/read-openapi.ts";
import { toolsFromOpenApi } from "../../src/mcp/openapi/tools-from-openapi.ts";
import { expectUsable, figures } from "../mcp/openapi/expect-usable.ts";
import { sampleArguments } from "../mcp/openapi/sample-arguments.ts";
import { asRead, sentArguments } from "../mcp/openapi/sent-arguments.ts";
import { clientFile, clientsAreInstalled } from "./install-clients.ts";

describe.skipIf(!clientsAreInstalled())("GitHub's description, of more than a thousand operations", () => {
  const made = () => {
    const text = readFileSync(clientFile("@octokit/openapi/generated/api.github.com.json"), "utf8");
    return toolsFromOpenApi(readOpenApi(text), { select: { include: ["*"] } });
  };

  test("gives a tool for each of them, the same each time", () => {
    const one = made();
    process.stdout.write(`${figures("github", one)}\n`);
    expect(one.operations).toBeGreaterThan(1_000);
    expect(one.refused).toEqual([]);
    expectUsable(one);
    expect(JSON.stringify(made())).toBe(JSON.stringify(one));
  });

  test("and every tool sends what it was given, to the place that it is for", async () => {
    const base = "https://api.example.test/root";
    for (const tool of made().tools) {
      const operation = compileOperation(tool, { baseUrl: base });
      await fc.assert(
        fc.asyncProperty(sampleArguments(tool), async (args) => {
          const outcome = operation.toHttpRequest(args);
          if (!("request" in outcome)) throw new Error(`${tool.definition.name}: ${JSON.stringify(outcome.faults)}`);
          const [read, given] = [await sentArguments(tool, outcome.request, base), asRead(tool, args)];
          for (const [name, value] of Object.entries(read)) expect([name, value]).toEqual([name, given[name]]);
        }),
        { numRuns: 2 },
      );
    }
  });
});
