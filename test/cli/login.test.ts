import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

const password = "correct horse battery staple";
let gatehouse: TestGatehouse;
let home: string;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  home = await mkdtemp(join(tmpdir(), "gatehouse-home-"));
});
afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** As the operator at the data directory, whose admin token is found there. */
const operator = (args: readonly string[], input = ""): Promise<CommandResult> =>
  command([...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir, input });
/** As somebody elsewhere, who has nothing but the address. */
const somebody = (args: readonly string[], input = "", env: Record<string, string> = {}): Promise<CommandResult> =>
  command([...args, "--control-url", gatehouse.running.controlUrl], { cwd: home, input, env: { HOME: home, ...env } });

describe("people at the command line", () => {
  test("the operator makes the first admin, who signs in, makes another user, and signs out", async () => {
    const made = await operator(["users", "add", "root", "--role", "admin"], password);
    expect(made.out).toEqual(["created User/root"]);
    expect((await somebody(["whoami"])).notes).toContain("gatehouse login");

    const signedIn = await somebody(["login", "root"], `${password}\n`);
    expect(signedIn).toMatchObject({ code: 0, out: [`signed in at ${gatehouse.running.controlUrl} as root`] });
    expect((await somebody(["whoami"])).out).toEqual(["root (admin)"]);
    const file = join(home, ".config", "gatehouse", "credentials.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const kept = await readFile(file, "utf8");
    expect(kept).not.toContain(password);
    expect((await gatehouse.running.context.catalog.read.sessions.list({}, { limit: 10 })).rows).toEqual([]);

    const add = ["users", "add", "ada", "--role", "analyst", "--team-role", "default=api-publisher", "--no-password"];
    expect((await somebody(add)).out).toEqual(["created User/ada"]);
    expect((await somebody(["users", "list"])).out.join("\n")).toContain("analyst, default=api-publisher");
    expect((await somebody(["users", "set-roles", "ada", "--role", "read-only"])).code).toBe(0);

    const token = /gh_pat_\w+/.exec(kept)?.[0] ?? "";
    expect((await somebody(["logout"])).out).toEqual([`signed out at ${gatehouse.running.controlUrl}`]);
    expect((await somebody(["whoami"], "", { GATEHOUSE_TOKEN: token })).code).toBe(1);
    expect(await readFile(file, "utf8")).not.toContain("gh_pat_");
  });

  test("automation uses a token of its own by GATEHOUSE_TOKEN, narrowed and ended from the command line", async () => {
    await operator(["users", "add", "robot", "--role", "api-publisher", "--no-password"]);
    const { out } = await operator([
      "tokens",
      "create",
      "ci",
      "--user",
      "robot",
      "--days",
      "7",
      "--permission",
      "plans:read",
    ]);
    const [token = ""] = out;
    expect(token).toMatch(/^gh_pat_/);
    const list = await operator(["tokens", "list", "--user", "robot", "--json"]);
    const [{ id }] = JSON.parse(list.out.join("\n")) as [{ id: string }];
    const env = { GATEHOUSE_TOKEN: token };
    expect((await somebody(["secrets", "list"], "", env)).notes).toContain("secrets:read");
    expect((await operator(["tokens", "revoke", id])).code).toBe(0);
    expect((await somebody(["secrets", "list"], "", env)).notes).toContain("does not accept the token");
  });

  test("a wrong password keeps nothing", async () => {
    const { code, notes } = await somebody(["login", "root"], "not the password");
    expect(code).toBe(1);
    expect(notes).toContain("The name or the password is not right.");
  });

  test("a token that was given is kept only when it works", async () => {
    expect((await somebody(["login", "--with-token"], "gh_pat_wrong")).code).toBe(1);
    const { out } = await operator(["tokens", "create", "mine", "--user", "robot", "--days", "1"]);
    expect((await somebody(["login", "--with-token"], out[0])).out.join()).toContain("robot (api-publisher)");
    expect((await somebody(["logout"])).code).toBe(0);
    expect((await somebody(["logout"])).out.join()).toContain("not signed in");
  });
});
