import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;
beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  const windows = [{ requests: 8, window: "month" }];
  await gatehouse.put("Application", "bot", { policies: [{ use: "quota", with: { windows } }] });
  await gatehouse.put("Application", "free", {});
});
afterAll(() => gatehouse[Symbol.asyncDispose]());

const budgets = (...args: string[]): Promise<CommandResult> =>
  command(["budgets", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("budgets are listed with what is used and left of them", async () => {
  const { code, out } = await budgets("list", "bot", "--kind", "Application");
  expect(code).toBe(0);
  expect(out[0]).toMatch(/^NAME +LIMIT +USED +RESERVED +LEFT +BURNT +BY THE END +ENDS AT$/);
  expect(out.slice(1)).toEqual([expect.stringMatching(/^bot +8 requests a month +0 +0 +8 +0% +(0%|-) +20/)]);
  const { out: json } = await budgets("list", "--kind", "Application", "--json");
  expect(JSON.parse(json.join("\n"))).toMatchObject([{ holder: { kind: "Application", name: "bot" }, limit: 8 }]);
});

test("a reset prints how they stood, and says where there was nothing to reset", async () => {
  const done = await budgets("reset", "bot", "--kind", "Application");
  expect([done.code, done.out.length]).toEqual([0, 2]);
  const nothing = await budgets("reset", "free", "--kind", "Application");
  expect([nothing.code, nothing.notes]).toMatchObject([0, expect.stringContaining("no limits of its own")]);
  expect((await budgets("reset", "nobody")).code).not.toBe(0);
  expect((await budgets("list", "--kind", "Plan")).code).not.toBe(0);
});
