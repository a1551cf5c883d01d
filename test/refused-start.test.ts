import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";
import { findKind } from "../src/core/kinds.ts";
import { publishApi } from "../src/core/publishing.ts";
import { createResource } from "../src/core/resources.ts";
import { GatewayError } from "../src/kernel/errors.ts";
import type { RunningGatehouse } from "../src/main.ts";
import { startGatehouse } from "../src/main.ts";
import { command } from "./cli/test-shell.ts";
import { memoryLog, testActor } from "./kit/gatehouse.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-refused-"));
});

afterEach(() => rm(dataDir, { recursive: true, force: true }));

const production = { GATEHOUSE_ENV: "production" };
const start = (env: Record<string, string> = {}, progress: string[] = []): Promise<RunningGatehouse> => {
  const flags = { dataDir, port: "0", controlPort: "0", "analytics.mode": "off" };
  const options = { log: memoryLog(), progress: (line: string) => void progress.push(line) };
  return startGatehouse(loadConfig({ flags, env, cwd: dataDir }), options);
};
const putKeyless = async ({ context }: RunningGatehouse, name: string): Promise<void> => {
  const kind = findKind("McpServer");
  if (kind === undefined) throw new Error("no McpServer");
  const upstream = { production: { url: "http://127.0.0.1:9/mcp" }, sandbox: { sameAs: "production" } };
  const spec = { context: `/${name}`, upstream, security: { apiKey: false, keyless: true } };
  await createResource(context, testActor, kind, { metadata: { name }, spec });
  await publishApi(context, testActor, kind, name);
};

test("production does not start on keyless APIs of development, until they are taken down or allowed", async () => {
  await using development = await start();
  await putKeyless(development, "one");
  await putKeyless(development, "two");
  await development[Symbol.asyncDispose]();

  const progress: string[] = [];
  const refusal = await start(production, progress).catch((error: unknown) => error);
  if (!(refusal instanceof GatewayError)) return expect.unreachable();
  expect(refusal.code).toBe("config.invalid");
  expect(refusal.message).toContain("gatehouse undeploy McpServer/one McpServer/two --offline");
  expect(refusal.issues.map(({ path }) => path)).toEqual([
    "McpServer/one: spec.security.keyless",
    "McpServer/two: spec.security.keyless",
  ]);
  expect(refusal.issues[0]?.message).toContain("network.allowKeyless");
  expect(progress).not.toContain("snapshot loaded");

  await using allowed = await start({ ...production, GATEHOUSE_NETWORK_ALLOW_KEYLESS: "true" });
  expect(allowed.ready).toBe(true);
  await allowed[Symbol.asyncDispose]();

  const args = ["undeploy", "McpServer/one", "McpServer/two", "--offline", "--data", dataDir];
  const mending = await command(args, { cwd: dataDir, env: production });
  expect(mending).toMatchObject({ code: 0, out: ["undeployed McpServer/one", "undeployed McpServer/two"] });
  // A person reads this: what is wrong in words, and no lines of a log.
  expect(mending.notes).toMatch(
    /^gatehouse: what is deployed cannot be served.*\n {2}McpServer\/one: spec.security.keyless: /,
  );
  expect(mending.notes).not.toContain("{");
  await using mended = await start(production, progress);
  expect(mended.ready).toBe(true);
  expect(progress).toContain("snapshot loaded");
});

test.each([
  { name: "no kind", api: "demo" },
  { name: "a kind that is not deployed", api: "Team/default" },
])("undeploy refuses $name", async ({ api }) => {
  const { code, notes } = await command(["undeploy", api, "--offline", "--data", dataDir], { cwd: dataDir });
  expect([code, notes]).toEqual([1, expect.stringContaining("such as LlmApi/demo")]);
});
