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

/** The printed command that offers tools, if there is one. */
async function filteredCall(): Promise<{ readonly line: string | undefined } & AsyncDisposable> {
  const started = await quickstart();
  const [demo] = started.facts.apis;
  const lines = demo === undefined ? [] : llmLines(demo, "demo-1", { cwd: gatehouse.dataDir, node: "node" });
  const line = lines.find((each) => each.includes("get_weather"));
  return { line, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
}

test("a printed line has the tools filtered that it offers, and its row tells what that has saved", async () => {
  await using call = await filteredCall();
  const { stdout } = await promisify(execFile)("sh", ["-c", call.line ?? "false"]);
  expect(stdout).toMatch(/^x-gatehouse-tools: 8;kept=3/m);
  const [row] = await gatehouse.events();
  expect(row).toMatchObject({ fields: { tools_total: 8, tools_after_filter: 3, filter_reason: "filtered" } });
  const { list_tokens_before: before, list_tokens_after: after } = row?.type === "exchange" ? row.fields : {};
  expect(Number(after)).toBeLessThan(Number(before));
});

test("nothing of it is printed for an API whose owner has taken the filter off", async () => {
  await (await quickstart())[Symbol.asyncDispose]();
  const upstream = { production: { targets: [{ provider: "demo" }] }, sandbox: { sameAs: "production" } };
  await gatehouse.put("LlmApi", "demo", { context: "/demo", upstream });
  await using call = await filteredCall();
  expect(call.line).toBeUndefined();
});
