import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layers, whyNotImport } from "../../scripts/lint/boundaries.ts";
import type { LintRun } from "./lint.ts";
import { runLint } from "./lint.ts";
import { plants, soil } from "./planted-violations.ts";
import { gitFiles, projectFiles, projectRoot } from "./project-files.ts";

describe("a planted violation is caught", () => {
  let garden = "";
  let run: LintRun = { files: 0, findings: [] };

  beforeAll(() => {
    garden = mkdtempSync(join(tmpdir(), "gatehouse-plants-"));
    for (const part of ["oxlint.config.ts", "tsconfig.json", "scripts/lint"]) {
      cpSync(join(projectRoot, part), join(garden, part), { recursive: true });
    }
    symlinkSync(join(projectRoot, "node_modules"), join(garden, "node_modules"));
    for (const { file, source } of [...soil, ...plants]) {
      mkdirSync(dirname(join(garden, file)), { recursive: true });
      writeFileSync(join(garden, file), source);
    }
    run = runLint(garden, ["src", "test"]);
  });

  afterAll(() => rmSync(garden, { recursive: true, force: true }));

  test("the linter read every planted file", () => {
    expect(run.files).toBe(soil.length + plants.length);
  });

  test.each(plants.filter((plant) => plant.rule !== undefined))("$rule names $name", ({ file, rule }) => {
    expect(rulesFor(run, file)).toContain(rule);
  });

  test.each(plants.filter((plant) => plant.rule === undefined))("nothing is said of $name", ({ file }) => {
    expect(rulesFor(run, file)).toEqual([]);
  });
});

describe("the table of layers", () => {
  const sources = projectFiles(/^src\/.*\.ts$/);

  test("covers every source file, and git knows of no other", () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(sources).toEqual(gitFiles(/^src\/.*\.ts$/) ?? sources);
    const homeless = sources.filter((file) => whyNotImport(file.slice("src/".length), "kernel/x.ts") !== undefined);
    expect(homeless).toEqual([]);
  });

  test("lets no lower layer see a higher one", () => {
    const members = layers.flatMap((layer) => layer.members.map((member) => ({ member, level: layer.level })));
    const upward = members.flatMap((from) => members.filter((to) => to.level > from.level).map((to) => ({ from, to })));
    expect(upward.length).toBeGreaterThan(0);
    const allowed = upward.filter(({ from, to }) => whyNotImport(fileOf(from.member), fileOf(to.member)) === undefined);
    expect(allowed).toEqual([]);
  });
});

test("the linter reads every file that it is meant to read", () => {
  const meant = projectFiles(/^(src|test|scripts)\/.*\.(ts|cjs|mjs)$/).filter((file) => !file.includes("/fixtures/"));
  expect(meant.length).toBeGreaterThan(0);
  expect(runLint(projectRoot, ["src", "test", "scripts"]).files).toBe(meant.length);
});

function rulesFor(run: LintRun, file: string): readonly string[] {
  return [...new Set(run.findings.filter((finding) => finding.file === file).map((finding) => finding.rule))];
}

function fileOf(member: string): string {
  return member === "*.ts" ? "main.ts" : `${member}/x.ts`;
}
