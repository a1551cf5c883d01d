import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const script = join(import.meta.dirname, "../../scripts/setup.cjs");
let checkout = "";

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "gatehouse-setup-"));
  mkdirSync(join(checkout, "scripts"));
  copyFileSync(script, join(checkout, "scripts/setup.cjs"));
  writeFileSync(join(checkout, "package-lock.json"), lock("1.0.0"));
});

afterEach(() => rmSync(checkout, { recursive: true, force: true }));

describe("when nothing is installed", () => {
  test("installs development packages too, whatever NODE_ENV says, and tells megabytes and seconds", () => {
    const run = setup(installing, { NODE_ENV: "production" });
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(npmCalls()).toEqual([{ args: expect.arrayContaining(["ci", "--include=dev"]), nodeEnv: null }]);
    expect(run.stdout).toMatch(/^setup: \[1\/3\] .*\n(.*\n)*setup: \[3\/3\] installed 3 MB in \d+\.\d s\n$/);
  });

  test("is silent and calls no npm the second time", () => {
    setup(installing);
    expect(setup(installing)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(npmCalls()).toHaveLength(1);
  });
});

describe("when something is installed", () => {
  test("accepts an installation that somebody else made, without the optional packages of other platforms", () => {
    install("1.0.0");
    expect(setup(failing("must not run"))).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("installs again when the lock file has moved on", () => {
    setup(installing);
    writeFileSync(join(checkout, "package-lock.json"), lock("1.1.0"));
    expect(setup(installing).status).toBe(0);
    expect(npmCalls()).toHaveLength(2);
  });
});

describe("when npm fails", () => {
  const cases = [
    { name: "an unreachable registry", says: "npm error code ENOTFOUND", hint: "registry cannot be reached" },
    { name: "a refused connection", says: "npm error code ECONNREFUSED", hint: "registry cannot be reached" },
    { name: "a registry without the package", says: "npm error code E404", hint: "does not have a package" },
    { name: "a full disk", says: "npm error code ENOSPC", hint: "disk is full" },
    { name: "a folder of somebody else's", says: "npm error code EACCES", hint: "No permission" },
    { name: "a package that is not the locked one", says: "npm error code EINTEGRITY", hint: "is not the one" },
    { name: "anything else", says: "npm error strange", hint: "could not install" },
  ];
  test.each(cases)("says what to do about $name, and shows what npm said", ({ says, hint }) => {
    const run = setup(failing(says));
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(says);
    expect(run.stderr).toContain(hint);
    expect(existsSync(join(checkout, "node_modules/.gatehouse-setup"))).toBe(false);
  });

  test("lets the lock file follow an edited package.json, but not on a build machine", () => {
    const outOfStep = `if (process.argv.includes("ci")) { console.error("npm error code EUSAGE"); process.exit(1); }\n`;
    expect(setup(outOfStep + installing, { CI: "true" })).toMatchObject({ status: 1 });
    expect(setup(outOfStep + installing, { CI: "" })).toMatchObject({ status: 0 });
    expect(npmCalls().map((call) => call.args[0])).toEqual(["ci", "ci", "install"]);
  });
});

describe("when the lock file was made by a registry that lacks other platforms' packages", () => {
  const incomplete = `
    const missing = "npm error code EUSAGE\\nnpm error Missing: @tool/other-platform@ from lock file";
    if (process.argv.includes("ci")) { console.error(missing + extra); process.exit(1); }
  `;

  test("installs what it names, on a build machine too, and leaves it as it is", () => {
    const changing = `fs.appendFileSync(process.cwd() + "/package-lock.json", "\\n");`;
    const run = setup(`const extra = "";${incomplete}${changing}${installing}`, { CI: "true" });
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(checkout, "package-lock.json"), "utf8")).toBe(lock("1.0.0"));
  });

  test("still refuses it when something else is missing as well", () => {
    const more = `const extra = "\\nnpm error Missing: hono@4.0.0 from lock file";`;
    expect(setup(more + incomplete + installing, { CI: "true" }).status).toBe(1);
  });
});

test("an old Node is not enough when npm was told to run no install steps", () => {
  writeFileSync(join(checkout, "old.cjs"), `Object.defineProperty(process.versions, "node", { value: "20.0.0" });`);
  const run = setup(installing, { NODE_OPTIONS: `--require ${join(checkout, "old.cjs")}` });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("npm rebuild node --ignore-scripts=false");
});

/** What stands in for npm: it notes how it was called, then does this. */
const installing = `
  const modules = process.cwd() + "/node_modules";
  fs.mkdirSync(modules + "/somewhere", { recursive: true });
  fs.writeFileSync(modules + "/somewhere/big.bin", Buffer.alloc(3_000_000));
  fs.copyFileSync(process.cwd() + "/package-lock.json", modules + "/.package-lock.json");
`;

function failing(message: string): string {
  return `console.error(${JSON.stringify(message)}); process.exit(1);`;
}

function setup(npm: string, env: Readonly<Record<string, string>> = {}) {
  const cli = join(checkout, "npm-cli.js");
  const note = `fs.appendFileSync(${JSON.stringify(join(checkout, "calls.ndjson"))},
    JSON.stringify({ args: process.argv.slice(2), nodeEnv: process.env.NODE_ENV ?? null }) + "\\n");`;
  writeFileSync(cli, `const fs = require("fs");\n${note}\n${npm}`);
  return spawnSync(process.execPath, [join(checkout, "scripts/setup.cjs")], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], npm_execpath: cli, ...env },
  });
}

function npmCalls(): readonly { args: readonly string[]; nodeEnv: string | null }[] {
  const lines = readFileSync(join(checkout, "calls.ndjson"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as { args: string[]; nodeEnv: string | null }); // written above
}

function install(version: string): void {
  mkdirSync(join(checkout, "node_modules"));
  const installed = JSON.parse(lock(version)) as { packages: Record<string, unknown> }; // made by `lock`
  delete installed.packages["node_modules/elsewhere"];
  writeFileSync(join(checkout, "node_modules/.package-lock.json"), JSON.stringify(installed));
}

function lock(version: string): string {
  const packages = {
    "": { name: "x" },
    "node_modules/somewhere": { version, optionalDependencies: { "@tool/other-platform": "1.0.0" } },
    "node_modules/elsewhere": { version, optional: true },
  };
  return JSON.stringify({ lockfileVersion: 3, packages });
}
