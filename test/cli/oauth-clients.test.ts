import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authenticateClient } from "../../src/core/authenticate-client.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  await gatehouse.put("Application", "bot", {});
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const clients = (...args: readonly string[]): Promise<CommandResult> =>
  command(["oauth-clients", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });
const secretIdOf = async (clientId: string, secret: string) =>
  (await authenticateClient(gatehouse.running.context, clientId, secret))?.secretId;

describe("OAuth clients from the command line", () => {
  test("a new client's id and secret stand alone on the standard output, and the secret lets it in", async () => {
    const { code, out, notes } = await clients("add", "bot", "--name", "backend", "--validity", "90d");
    expect(code).toBe(0);
    expect(out).toEqual([expect.stringMatching(/^[0-9a-f]{30}$/), expect.stringMatching(/^ghs_/)]);
    expect(notes).toContain("OauthClient/backend");
    expect(await secretIdOf(out[0] ?? "", out[1] ?? "")).toMatch(/^ocs_/);
    expect((await clients("list", "bot")).out.join("\n")).toMatch(/backend +[0-9a-f]{30} +production +resident/);
  });

  test("secrets are added, listed masked, rotated and revoked", async () => {
    const [id = "", first = ""] = (await clients("add", "bot", "--name", "rotated")).out;
    const [second = ""] = (await clients("add-secret", "bot", id, "--description", "laptop", "--overlap", "1h")).out;
    expect([await secretIdOf(id, first), await secretIdOf(id, second)]).not.toContain(undefined);
    const listed = (await clients("secrets", "bot", id)).out.join("\n");
    expect(listed).toMatch(/laptop +active +never/);
    expect(listed).not.toContain(second.slice(12));
    const secretId = (await secretIdOf(id, second)) ?? "";
    expect(await clients("revoke-secret", "bot", id, secretId)).toMatchObject({
      code: 1,
      notes: expect.stringContaining("newest"),
    });
    expect((await clients("revoke-secret", "bot", id, secretId, "--force", "--tokens")).code).toBe(0);
    expect([(await secretIdOf(id, first)) === undefined, await secretIdOf(id, second)]).toEqual([false, undefined]);
  });

  test("a public native client has an id and no secret, and is deleted", async () => {
    const native = ["--native", "--public", "--grant", "authorization_code", "--redirect-uri", "http://127.0.0.1/cb"];
    const { out } = await clients("add", "bot", ...native);
    expect(out).toHaveLength(1);
    expect((await clients("rm", "bot", out[0] ?? "")).code).toBe(0);
    expect((await clients("rm", "bot", out[0] ?? "")).code).toBe(1);
  });

  test("the doctor tells of a secret that ends soon", async () => {
    await clients("add", "bot", "--name", "ending", "--validity", "2h");
    const { out } = await command(["doctor", "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });
    expect(out.join("\n")).toMatch(/hint +OauthClientSecret\/bot\/ending ends at .*, never used/);
  });

  test("a time that is none is refused, with the flag's name", async () => {
    expect(await clients("add", "bot", "--validity", "soon")).toMatchObject({
      code: 1,
      notes: expect.stringContaining("--validity soon"),
    });
  });
});

describe("clients that registered themselves, from the command line", () => {
  const register = async (): Promise<string> => {
    const answer = await fetch(`${gatehouse.running.gatewayUrl}/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: "Agent",
        redirect_uris: ["http://127.0.0.1/cb"],
        token_endpoint_auth_method: "none",
      }),
    });
    return String(((await answer.json()) as { client_id: string }).client_id); // RFC 7591, 3.2.1
  };

  test("are listed among all, disabled, enabled, given away, taken back and deleted", async () => {
    const id = await register();
    const line = async () => (await clients("list", "--source", "dynamic")).out.find((row) => row.includes(id));
    expect(await line()).toMatch(/^oac_[0-9a-f]{24} +dyn_[0-9a-f]{32} +Agent +- +dynamic +active/);
    const steps = [
      { args: ["disable", id], seen: /- +dynamic +disabled/ },
      { args: ["enable", id], seen: /- +dynamic +active/ },
      { args: ["associate", id, "bot"], seen: /bot +dynamic +active/ },
      { args: ["dissociate", id], seen: /- +dynamic +active/ },
    ];
    for (const { args, seen } of steps) {
      expect((await clients(...args)).code).toBe(0);
      expect(await line()).toMatch(seen);
    }
    const [own = ""] = (await line())?.split(" ") ?? [];
    expect((await clients("delete", own)).code).toBe(0);
    expect(await line()).toBeUndefined();
    expect(await clients("delete", id)).toMatchObject({ code: 1, notes: expect.stringContaining(id) });
  });
});

describe("users from the command line", () => {
  const users = (args: readonly string[], input = ""): Promise<CommandResult> =>
    command(["users", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir, input });

  test("are added with a password from the standard input, listed and deleted", async () => {
    expect(await users(["add", "alice", "--email", "a@example.com"], "correct horse battery\n")).toMatchObject({
      code: 0,
      out: ["created User/alice"],
    });
    expect((await users(["passwd", "alice"], "another long one")).code).toBe(0);
    const { out } = await users(["list"]);
    expect(out[1]).toMatch(/^alice +a@example.com +active$/);
    expect((await users(["rm", "alice"])).code).toBe(0);
    expect(JSON.stringify(gatehouse.log.lines)).not.toContain("horse");
  });

  test("without a password or with a short one none is made", async () => {
    expect(await users(["add", "bob"], "\n")).toMatchObject({ code: 1, notes: expect.stringContaining("printf %s") });
    expect((await users(["add", "bob"], "short")).code).toBe(1);
    expect((await users(["list"])).out).toHaveLength(1);
  });
});
