import { copyFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../src/cli.ts";
import type { DemoModel } from "../../src/quickstart/demo-model.ts";
import { startDemoModel } from "../../src/quickstart/demo-model.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import type { CommandResult } from "./test-shell.ts";
import { command, testShell } from "./test-shell.ts";

let gatehouse: TestGatehouse;
let model: DemoModel;

beforeAll(async () => {
  model = await startDemoModel({ clock: manualClock() });
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

const run = (args: readonly string[], data = gatehouse.dataDir): Promise<CommandResult> =>
  command([...args, "--data", data], { cwd: gatehouse.dataDir });

test("the events of the gateway are printed, one JSON object a line", async () => {
  const { url, key } = await gatehouse.llm("tailed", model.baseUrl);
  await fetch(`${url}/models`, { headers: { apikey: key } });
  await gatehouse.running.spool.flush();
  const { code, out } = await run(["tail"]);
  expect(code).toBe(0);
  expect(out.map((line): unknown => JSON.parse(line))).toContainEqual(expect.objectContaining({ api_name: "tailed" }));
  expect(out.join()).not.toContain(key);
});

test("following goes on with what comes, until it is stopped", async () => {
  const { url, key } = await gatehouse.llm("followed", model.baseUrl);
  const shell = testShell({ cwd: gatehouse.dataDir });
  const ended = runCommand(["tail", "--follow", "--data", gatehouse.dataDir], shell);
  await fetch(`${url}/models`, { headers: { apikey: key } });
  await gatehouse.running.spool.flush();
  await shell.line(/followed/, ended);
  shell.stop("SIGINT");
  expect(await ended).toBe(0);
});

test("where no gateway has run, tail says so and how to name another directory", async () => {
  expect(await run(["tail"], join(gatehouse.dataDir, "none"))).toMatchObject({
    code: 1,
    notes: expect.stringContaining("--data"),
  });
});

test("a backup is taken while running, is its owner's alone, and is not written over a file", async () => {
  const file = join(gatehouse.dataDir, "first.backup");
  expect(await run(["backup", file])).toMatchObject({ code: 0, notes: expect.stringContaining("encryption key") });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await run(["backup", file])).toMatchObject({ code: 1, notes: expect.stringContaining("there already") });
  expect((await readdir(gatehouse.dataDir)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("a restored catalog holds what the backup held, and nothing later", async () => {
  const elsewhere = join(gatehouse.dataDir, "elsewhere");
  await gatehouse.put("Plan", "kept", {});
  await run(["backup", "second.backup"]);
  await gatehouse.put("Plan", "later", {});
  expect(await run(["restore", join(gatehouse.dataDir, "second.backup")], elsewhere)).toMatchObject({ code: 0 });
  const missing = await run(["keys", "list", "--offline"], elsewhere);
  expect(missing).toMatchObject({ code: 2, notes: expect.stringContaining("encryption.key") });
  const { encryptionKeyPath } = gatehouse.running.dataDirectory;
  await copyFile(encryptionKeyPath, join(elsewhere, "encryption.key"));
  const plan = (name: string): string => `{apiVersion: gatehouse/v1, kind: Plan, metadata: {name: ${name}}, spec: {}}`;
  const applied = await command(["apply", "-f", "-", "--dry-run", "--offline", "--data", elsewhere], {
    cwd: gatehouse.dataDir,
    input: `${plan("kept")}\n---\n${plan("later")}\n`,
  });
  expect(applied.out).toEqual(["unchanged Plan/kept", "created Plan/later"]);
});

test("a catalog is not replaced while Gatehouse runs, nor without --force", async () => {
  await run(["backup", "third.backup"]);
  expect(await run(["restore", "third.backup", "--force"])).toMatchObject({
    code: 1,
    notes: expect.stringContaining(`process ${process.pid}`),
  });
  const other = join(gatehouse.dataDir, "other");
  expect(await run(["restore", "third.backup"], other)).toMatchObject({ code: 0 });
  expect(await run(["restore", "third.backup"], other)).toMatchObject({
    code: 1,
    notes: expect.stringContaining("--force"),
  });
  expect(await run(["restore", "third.backup", "--force"], other)).toMatchObject({ code: 0 });
});

test("a file that is no backup restores nothing", async () => {
  expect(await run(["restore", import.meta.filename], join(gatehouse.dataDir, "fresh"))).toMatchObject({
    code: 2,
    notes: expect.stringContaining("not a sound backup"),
  });
});
