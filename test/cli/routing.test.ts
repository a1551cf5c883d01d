import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { costQuality } from "../../src/routing/strategies/cost-quality.ts";
import { asCsv, twoKinds } from "../routing/cost-quality/outcomes.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-routing-"));
  writeFileSync(join(folder, "outcomes.csv"), `${asCsv(twoKinds())}alone,large,1,1\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const routing = (...args: readonly string[]): Promise<CommandResult> =>
  command(["routing", ...args, "--data", folder], { cwd: folder });

test("outcomes give a strategy that can be pasted, and what each quality costs", async () => {
  const { code, out, notes } = await routing("train", "outcomes.csv", "--out", "strategy.yaml");
  expect({ code, notes }).toEqual({ code: 0, notes: expect.stringContaining("1 prompts are left out") });
  expect(out[0]).toBe("100 prompts, 2 models, 5 kinds");
  expect(out.slice(2).map((line) => line.split(/ +/)[0])).toEqual(["0.90", "0.95", "1.00", "1.02"]);
  const written: unknown = parse(readFileSync(join(folder, "strategy.yaml"), "utf8"));
  expect(written).toMatchObject({ use: "cost-quality", with: { quality: 1 } });
  expect(costQuality.config.safeParse((written as { with: unknown }).with).success).toBe(true);
});

test("outcomes judge a router: at several qualities, beside one model for all and the oracle, and by the gap", async () => {
  const { code, out } = await routing("eval", "outcomes.csv", "--folds", "4");
  expect(code).toBe(0);
  expect(out[0]).toBe("100 prompts, 2 models, 4 folds");
  expect(out.find((line) => line.startsWith("always large"))).toMatch(/0\.9000 +10\.00/);
  expect(out.find((line) => line.startsWith("oracle"))).toMatch(/0\.9000 +5\.500/);
  expect(out.at(-1)).toMatch(/^APGR 0\.[6-9]\d\d, CPT\(50\) [23]\d\.\d %/);
});

test("what cannot be read is refused in words", async () => {
  expect((await routing("train", "none.csv")).notes).toContain("none.csv cannot be read");
  expect((await routing("eval", "outcomes.csv", "--folds", "1")).notes).toContain("--folds");
  writeFileSync(join(folder, "bad.csv"), "prompt,model,score,cost\na,m,7,1\n");
  expect(await routing("train", "bad.csv")).toMatchObject({ code: 1, notes: expect.stringContaining("Outcome 1") });
});
