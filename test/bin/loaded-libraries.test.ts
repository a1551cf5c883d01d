import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";

vi.setConfig({ testTimeout: 30_000 });

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-loaded-"));
});

afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Starts Gatehouse and gives the packages that it has loaded when it is ready, and after one call of the control API. */
async function loadedPackages(): Promise<Loaded> {
  const [hook, list] = [join(dataDir, "hook.mjs"), join(dataDir, "loaded.txt")];
  await writeFile(
    hook,
    `import { registerHooks } from "node:module";
     import { appendFileSync } from "node:fs";
     const load = (url, context, next) => (appendFileSync(${JSON.stringify(list)}, process.pid + " " + url + "\\n"), next(url, context));
     registerHooks({ load });`,
  );
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(hook).href}`, GATEHOUSE_ANALYTICS_MODE: "embedded" };
  await using running = await startGatehouseProcess({ dataDir, adminToken: "t".repeat(32), env });
  const files = async (): Promise<string[]> =>
    (await readFile(list, "utf8")).split("\n").filter((line) => line.startsWith(`${running.pid} `));
  const packages = async (): Promise<Set<string>> =>
    new Set((await files()).flatMap((line) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)?.[1] ?? []));
  const ready = await packages();
  expect((await running.control("GET", "/teams")).status).toBe(200);
  return { ready, called: await packages(), files: await files() };
}

interface Loaded {
  readonly ready: ReadonlySet<string>;
  readonly called: ReadonlySet<string>;
  readonly files: readonly string[];
}

test("a process that is ready has loaded nothing that only other work needs", async () => {
  const { ready, called, files } = await loadedPackages();
  expect(ready).toContain("undici"); // so that an empty list is no success
  for (const name of ready) {
    expect(name).not.toMatch(
      /zod-openapi|asteasolutions|chdb|@clickhouse|@modelcontextprotocol|@stoplight|openai|^yaml$|^openid/,
    );
  }
  expect(called).toContain("@hono/zod-openapi");
  // Its index brings fetch, WebSocket and caches along, some 13 MB.
  expect(files.some((file) => file.endsWith("/undici/lib/dispatcher/pool.js"))).toBe(true);
  expect(files.filter((file) => file.endsWith("/undici/index.js"))).toEqual([]);
});

test("the reader of YAML is loaded where there is a configuration file", async () => {
  await writeFile(join(dataDir, "gatehouse.yaml"), "logLevel: warn\n");
  expect((await loadedPackages()).ready).toContain("yaml");
});
