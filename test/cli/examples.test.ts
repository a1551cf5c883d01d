import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { putSecret } from "../../src/core/secrets.ts";
import type { Quickstart } from "../../src/quickstart/quickstart.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { command } from "./test-shell.ts";

const cwd = new URL("../..", import.meta.url).pathname;
const examples = readdirSync(new URL("../../examples", import.meta.url)).map((name) => `examples/${name}`);

let gatehouse: TestGatehouse;
let quickstart: Quickstart;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
  quickstart = await startQuickstart({ ...gatehouse.running, config, progress: () => {} });
  for (const name of ["house-key", "openai-account", "tickets-token"]) {
    await putSecret(gatehouse.running.context, testActor, { name, value: "sk-example", team: "default" });
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await quickstart[Symbol.asyncDispose]();
});

test("there are examples", () => {
  expect(examples.length).toBeGreaterThan(3);
});

test.each(examples)("%s applies on the quickstart, and then changes nothing", async (example) => {
  const apply = (...more: string[]) => command(["apply", "-f", example, "--data", gatehouse.dataDir, ...more], { cwd });
  const dry = await apply("--dry-run");
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.out.every((line) => line.startsWith("created "))).toBe(true);
  expect((await apply()).out).toEqual(dry.out);
  expect((await apply()).out).toEqual(dry.out.map((line) => line.replace("created", "unchanged")));
});

test("all examples apply together", async () => {
  const result = await command(["apply", "-f", "examples", "--dry-run", "--data", gatehouse.dataDir], { cwd });
  expect(result.code).toBe(0);
  expect(result.out.length).toBeGreaterThan(examples.length);
});
