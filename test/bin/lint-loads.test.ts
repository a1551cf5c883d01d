import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const bin = join(import.meta.dirname, "../../bin/gatehouse.cjs");

test("a description is linted without loading what only resources and servers need", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "gatehouse-lint-loads-"));
  try {
    const [hook, list] = [join(folder, "hook.mjs"), join(folder, "loaded.txt")];
    await writeFile(
      hook,
      `import { registerHooks } from "node:module";
       import { appendFileSync } from "node:fs";
       const load = (url, context, next) => (appendFileSync(${JSON.stringify(list)}, url + "\\n"), next(url, context));
       registerHooks({ load });`,
    );
    await writeFile(join(folder, "api.yaml"), 'openapi: 3.0.0\ninfo: { title: "Orders", version: "1" }\npaths: {}\n');
    const env = { PATH: process.env["PATH"] ?? "", NODE_OPTIONS: `--import=${pathToFileURL(hook).href}` };
    const args = [bin, "lint", "api.yaml", "--fail-severity", "error"];
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: "ignore" });
    await once(child, "exit");
    const loaded = await readFile(list, "utf8");
    expect(loaded).toContain("/cli/lint/evaluate-subject.");
    expect(loaded).not.toMatch(
      /plugin-schemas|\/src\/(?:policies|guardrails|store|gateway)\/|\/node_modules\/(?:undici|kysely|@stoplight|openai)\//,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
