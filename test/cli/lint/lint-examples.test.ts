import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseJson } from "../../../src/kernel/parse-json.ts";
import { command } from "../test-shell.ts";

const cwd = fileURLToPath(new URL("../../..", import.meta.url));
const report = z.looseObject({
  documents: z.array(
    z.looseObject({
      rulesets: z.array(z.string()),
      findings: z.array(z.looseObject({ rule: z.string(), severity: z.string() })),
    }),
  ),
});

test("our rulesets find no error in the examples", { timeout: 60_000 }, async () => {
  const { code, out } = await command(["lint", "examples", "--format", "json"], { cwd });
  expect(code).toBe(0);
  const { documents } = report.parse(parseJson(out.join("\n")));
  const used = new Set(documents.flatMap(({ rulesets }) => rulesets));
  for (const name of ["mcp", "mcp-safety", "llm", "api-management", "asyncapi"])
    expect(used).toContain(`gatehouse:${name}`);
  const findings = documents.flatMap((document) => document.findings);
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
});
