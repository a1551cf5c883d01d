import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const bin = join(import.meta.dirname, "../../bin");
let copy = "";

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "gatehouse-bin-"));
  cpSync(bin, join(copy, "bin"), { recursive: true });
  mkdirSync(join(copy, "src"));
  writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(copy, "src/cli.ts"),
    'export function runCli(argv: readonly string[]): void {\n  console.log("ran", argv.slice(2).join(" "));\n}\n',
  );
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

describe("a Node below the floor", () => {
  test.each(["0.12.18", "18.20.0", "22.22.0", "24.11.1"])(
    "%s is told which one is needed, before any import",
    (version) => {
      writeFileSync(join(copy, "src/cli.ts"), 'console.log("imported");\n');
      const run = gatehouse(version, []);
      expect(run).toMatchObject({ status: 1, stdout: "" });
      expect(run.stderr).toContain(`gatehouse needs Node 24.12 or later; this is Node ${version}.`);
      expect(run.stderr).toContain("nvm install 24");
    },
  );
});

describe("a Node at or above the floor", () => {
  test.each(["24.12.0", "26.0.0"])("%s runs the command line with its arguments", (version) => {
    expect(gatehouse(version, ["doctor", "--data", "x"])).toMatchObject({ status: 0, stdout: "ran doctor --data x\n" });
  });

  test("runs the built JavaScript where there is one", () => {
    mkdirSync(join(copy, "dist"));
    writeFileSync(join(copy, "dist/cli.js"), 'export const runCli = () => console.log("built");\n');
    expect(gatehouse("24.12.0", [])).toMatchObject({ status: 0, stdout: "built\n" });
  });

  test("ends with 1 when the program cannot be loaded", () => {
    writeFileSync(join(copy, "src/cli.ts"), "const broken: = 1;\n");
    expect(gatehouse("24.12.0", [])).toMatchObject({ status: 1, stdout: "" });
  });
});

test("the launcher is written in the JavaScript of 2009, which every Node can parse", () => {
  const code = readFileSync(join(bin, "gatehouse.cjs"), "utf8")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/"[^"\n]*"/g, '""');
  expect(code).toContain("process.exit(1)");
  expect(code).not.toMatch(/=>|\b(const|let|class|async|await|import)\b|`|\?\?|\?\.|\.\.\.|,\s*\)/);
});

/** Runs the copied launcher under this Node, which claims to be another version. */
function gatehouse(version: string, args: readonly string[]) {
  const claim = join(copy, "claim.cjs");
  writeFileSync(claim, `Object.defineProperty(process.versions, "node", { value: "${version}" });`);
  return spawnSync(process.execPath, ["--require", claim, join(copy, "bin/gatehouse.cjs"), ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
}
