import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { printAuditActions } from "../../src/cli/audit-actions-reference.ts";
import { putSecret } from "../../src/core/secrets.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command, testShell } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  for (const name of ["one", "two", "three"]) {
    await putSecret(gatehouse.running.context, testActor, { name, value: "canary-4711", team: "default" });
  }
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const audit = (...args: string[]): Promise<CommandResult> =>
  command(["audit", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

describe("tail", () => {
  test("prints what was done as JSON lines, which hold no secret", async () => {
    const { out } = await audit("tail", "--action", "secret.*");
    const lines = out.map((line) => JSON.parse(line) as { resourceName: string; actor: string });
    expect(lines.map(({ resourceName }) => resourceName)).toEqual(["one", "two", "three"]);
    expect(out.join()).not.toContain("canary");
    const later = await audit("tail", "--after", "99999");
    expect(later).toMatchObject({ code: 0, out: [] });
  });

  test("goes on with what comes until it is stopped", async () => {
    const shell = testShell({ cwd: gatehouse.dataDir });
    const { runCommand } = await import("../../src/cli.ts");
    const ended = runCommand(["audit", "tail", "-f", "--kind", "Secret", "--data", gatehouse.dataDir], shell);
    await shell.line(/"three"/, ended);
    await putSecret(gatehouse.running.context, testActor, { name: "four", value: "x", team: "default" });
    await shell.line(/"four"/, ended);
    shell.stop("SIGTERM");
    expect(await ended).toBe(0);
  });
});

describe("verify", () => {
  test("says how many rows there are and what is proved", async () => {
    const { code, out } = await audit("verify");
    expect(code).toBe(0);
    expect(out.join("\n")).toMatch(
      /signed from the first row on[^]*no checkpoint given[^]*\d+ rows, each as it was written/,
    );
  });

  test("with a checkpoint says that nothing was cut off", async () => {
    const file = join(gatehouse.dataDir, "checkpoints");
    expect((await audit("checkpoint", "--file", file)).code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { code, out } = await audit("verify", "--checkpoint", file);
    expect(code).toBe(0);
    expect(out.join("\n")).toMatch(/nothing was cut off up to row \d+/);
    expect((await audit("checkpoint")).out.join()).toMatch(/^gac1\.inst_/);
  });

  test("with checkpoints of before an older database was put back says which rows are gone", async () => {
    const file = join(gatehouse.dataDir, "older-checkpoints");
    await audit("checkpoint", "--file", file);
    const [line = ""] = (await readFile(file, "utf8")).split("\n");
    const [version, installation, row, at, hash, mac] = line.split(".");
    const lost = [version, installation, "987654", at, hash, mac].join(".");
    const other = [version, installation, row, at, "0".repeat(64), mac].join(".");
    await writeFile(file, [lost, "", other, "nonsense", line, ""].join("\n"));
    const { code, out } = await audit("verify", "--checkpoint", file);
    expect(code).toBe(1);
    expect(out.join("\n")).toMatch(/row 987654: checkpoint[^]*row \d+: checkpoint[^]*none: nonsense/);
  });

  test.each([
    { name: "is not there", args: ["verify", "--checkpoint", "nowhere"] },
    { name: "is a directory", args: ["verify", "--checkpoint", "."] },
  ])("refuses a checkpoint file that $name", async ({ args }) => {
    expect(await audit(...args)).toMatchObject({ code: 1 + 1, out: [] });
  });
});

test("verify finds, offline too, what was changed while nobody ran", async () => {
  const other = await startTestGatehouse();
  const at = { cwd: other.dataDir };
  const path = other.running.dataDirectory.catalogPath;
  await other.running[Symbol.asyncDispose]();
  try {
    expect((await command(["audit", "verify", "--offline", "--data", other.dataDir], at)).code).toBe(0);
    {
      using database = new DatabaseSync(path);
      database.exec("drop trigger audit_refuses_update; update audit set actor = 'x' where seq = 2");
    }
    const { code, out, notes } = await command(["audit", "verify", "--offline", "--data", other.dataDir], at);
    expect(code).toBe(1);
    expect(out.join("\n")).toContain("row 2: changed");
    expect(notes).toContain("not as it was written");
  } finally {
    await other[Symbol.asyncDispose]();
  }
});

test("a failed log-in at the control plane is in the audit, with where it came from", async () => {
  await fetch(`${gatehouse.running.controlUrl}/api/v1/teams`, { headers: { authorization: "Bearer wrong-canary" } });
  const failed = async () => (await audit("tail", "--action", "login.failed")).out;
  await eventually("it is written beside the answer", async () => (await failed()).length > 0);
  const out = await failed();
  expect(out.map((line): unknown => JSON.parse(line))).toMatchObject([
    { actor: "anonymous", clientAddress: "127.0.0.1", resourceName: "GET /api/v1/teams", detail: { times: 1 } },
  ]);
  expect(out.join()).not.toContain("canary");
});

test("docs/reference/audit-actions.md is what `gatehouse audit actions` prints", async () => {
  const page = await readFile(new URL("../../docs/reference/audit-actions.md", import.meta.url), "utf8");
  expect(page).toBe(printAuditActions());
});
