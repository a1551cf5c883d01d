import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { llmLines } from "../../src/quickstart/print-llm.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";

let gatehouse: TestGatehouse;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
});

afterEach(() => gatehouse[Symbol.asyncDispose]());

const quickstart = () => {
  const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
  return startQuickstart({ ...gatehouse.running, config, progress: () => {} });
};

/** The printed command that asks why, if there is one. */
async function routedCall(): Promise<{ readonly line: string | undefined } & AsyncDisposable> {
  const started = await quickstart();
  const [demo] = started.facts.apis;
  const lines = demo === undefined ? [] : llmLines(demo, "demo-1", { cwd: gatehouse.dataDir, node: "node" });
  const line = lines.find((each) => each.includes("x-gatehouse-explain"));
  return { line, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
}

test("a printed line has a model chosen by what is asked, and is told why; its row tells the same, and the cost", async () => {
  await using call = await routedCall();
  const { stdout } = await promisify(execFile)("sh", ["-c", call.line ?? "false"]);
  expect(stdout).toMatch(/^x-gatehouse-route: strategy=content;route=code;reason=matched/m);
  expect(stdout).toContain('"model":"demo-2"');
  const rows = await gatehouse.events();
  expect(rows).toMatchObject([
    {
      type: "exchange",
      operation_name: "auto",
      config_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      fields: { route_strategy: "content", route_name: "code", route_reason: "matched" },
      cost: expect.stringMatching(/^0\.0\d+$/),
      cost_source: "actual",
    },
    { type: "attempt", target: "demo/demo-2", model: "demo-2" },
  ]);
});

test("nothing of it is printed for an API that its owner has changed", async () => {
  await (await quickstart())[Symbol.asyncDispose]();
  const upstream = { production: { targets: [{ provider: "demo" }] }, sandbox: { sameAs: "production" } };
  await gatehouse.put("LlmApi", "demo", { context: "/demo", upstream });
  await using call = await routedCall();
  expect(call.line).toBeUndefined();
});
