import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 120_000 });

const bin = join(import.meta.dirname, "../../bin/gatehouse.cjs");

const description = 'openapi: 3.0.0\ninfo: { title: "Orders", version: "1" }\npaths: {}\n';
const provider = "apiVersion: gatehouse/v1\nkind: LlmProvider\nmetadata: { name: openai }\nspec: { use: openai }\n";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gatehouse-lint-loads-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs Node and gives all that it has loaded, a line each. */
async function loadedBy(...args: readonly string[]): Promise<string> {
  const [hook, list] = [join(folder, "hook.mjs"), join(folder, "loaded.txt")];
  await writeFile(
    hook,
    `import { registerHooks } from "node:module";
     import { appendFileSync } from "node:fs";
     const load = (url, context, next) => (appendFileSync(${JSON.stringify(list)}, url + "\\n"), next(url, context));
     registerHooks({ load });`,
  );
  const env = { PATH: process.env["PATH"] ?? "", NODE_OPTIONS: `--import=${pathToFileURL(hook).href}` };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: "ignore" });
  await once(child, "exit");
  return readFile(list, "utf8");
}

async function loadedByLint(text: string): Promise<string> {
  await writeFile(join(folder, "it.yaml"), text);
  return loadedBy(bin, "lint", "it.yaml");
}

test("a description is linted without loading what only resources and servers need", async () => {
  const loaded = await loadedByLint(description);
  expect(loaded).toContain("/cli/lint/evaluate-subject.");
  expect(loaded).not.toMatch(
    /plugin-schemas|\/src\/(?:policies|guardrails|store|gateway)\/|\/node_modules\/(?:undici|kysely|@stoplight|openai)\//,
  );
});

test("a resource is linted without loading what only a running product needs", async () => {
  const loaded = await loadedByLint(provider);
  expect(loaded).toContain("/governance/document-of.");
  expect(loaded).not.toMatch(
    /compose-gateway|\/src\/(?:store|control|gateway|mcp)\/|\/node_modules\/(?:undici|kysely|hono|ioredis|@(?:stoplight|clickhouse|huggingface))\//,
  );
});

test("rules for OpenAPI are loaded without the schemas of AsyncAPI", async () => {
  const names = new URL("../../src/governance/spectral/ruleset-names.ts", import.meta.url).href;
  const script = join(folder, "script.mjs");
  await writeFile(
    script,
    `const { rulesetNames } = await import(${JSON.stringify(names)});
     const { builtIn } = rulesetNames({});
     if (builtIn("spectral:oas").rules === undefined) throw new Error("no rules");`,
  );
  const loaded = await loadedBy(script);
  expect(loaded).toContain("/@stoplight/spectral-rulesets/dist/oas/");
  expect(loaded).not.toContain("/@asyncapi/");
});
