import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { barLine, isMissed } from "../../scripts/eval/bar.ts";
import { isHeldBack, readToolSets } from "../../scripts/eval/read-sets.ts";

const script = join(import.meta.dirname, "../../scripts/eval/eval-tools.ts");

test("the sample is measured, and what the model was trained on is told", () => {
  const run = spawnSync(process.execPath, [script, "--no-speed"], { encoding: "utf8", env: {} });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  expect(run.stdout).toMatch(/sealtools .*\n.*trained on these very requests/);
  expect(run.stdout).toMatch(/seed 5/);
});

test("on whole sets, a bar that is missed is named and ends the run with 1", () => {
  const folder = join(import.meta.dirname, "../../scripts/eval/fixtures");
  const run = spawnSync(process.execPath, [script, "--no-speed", "--data", folder], { encoding: "utf8", env: {} });
  expect(run.stdout).toMatch(/met {4} +routing accuracy/);
  expect(run.stderr).toMatch(/^missed: recall@5 gained by five requests per tool/);
  expect(run.status).toBe(1);
});

test("a figure that is no number misses its bar", () => {
  expect(isMissed({ name: "", value: Number.NaN, unit: "", least: 1 })).toBe(true);
  expect(isMissed({ name: "", value: Number.NaN, unit: "", most: 1 })).toBe(true);
  expect(barLine({ name: "speed", value: 2, unit: "ms", most: 3 })).toBe("met     speed: 2.000 ms (at most 3)");
});

test("a quarter of the requests is held back", () => {
  const sets = readToolSets(join(import.meta.dirname, "../../scripts/eval/fixtures"));
  const held = sets.flatMap(({ requests }) => requests.map(({ text }) => Number(isHeldBack(text))));
  const share = held.reduce((sum, each) => sum + each, 0) / held.length;
  expect(Math.abs(share - 0.25)).toBeLessThan(0.06);
});
