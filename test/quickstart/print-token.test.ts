import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { printQuickstart } from "../../src/quickstart/print-quickstart.ts";
import { tokenLines } from "../../src/quickstart/print-token.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import { retireQuickstart } from "../../src/quickstart/retire-quickstart.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";

let gatehouse: TestGatehouse;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
});

afterEach(() => gatehouse[Symbol.asyncDispose]());

const start = () => {
  const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
  return startQuickstart({ ...gatehouse.running, config, progress: () => {} });
};

test("the printed lines get a token and call with it, pasted as they stand", async () => {
  await using started = await start();
  const { client, apis } = started.facts;
  if (client === undefined) throw new Error("no client");
  const lines = tokenLines(client, apis);
  const place = { cwd: process.cwd(), node: process.execPath };
  const printed = printQuickstart(started.facts, gatehouse.running.dataDirectory, place, { hasAnalytics: false });
  expect(printed.join("\n")).toContain(lines.join("\n"));
  const { stdout } = await promisify(execFile)("sh", ["-c", lines.join("\n")]);
  expect(JSON.parse(stdout)).toMatchObject({ object: "chat.completion" });
});

test("a second start keeps the client, and production takes it away", async () => {
  const first = await start();
  await first[Symbol.asyncDispose]();
  const second = await start();
  await second[Symbol.asyncDispose]();
  expect(second.facts.client).toEqual(first.facts.client);
  const { context, dataDirectory } = gatehouse.running;
  await retireQuickstart({ context, quickstartPath: dataDirectory.quickstartPath, progress: () => {} });
  expect((await context.catalog.read.oauthClients.list({}, { limit: 10 })).rows).toEqual([]);
});
