import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { ReplayServer } from "../kit/replay-server.ts";
import { startReplayServer } from "../kit/replay-server.ts";

let gatehouse: TestGatehouse;
let server: ReplayServer;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
  server = await startReplayServer();
});

afterEach(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function call(method: string, path: string, body?: unknown) {
  const { controlUrl, adminToken } = gatehouse.running;
  const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(`${controlUrl}/api/v1/key-managers${path}`, init);
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text), etag: answer.headers.get("etag") };
}

const elsewhere = (more: object = {}) => ({
  metadata: { name: "far" },
  spec: { use: "oidc", with: { issuer: server.url, ...more } },
});

describe("201", () => {
  test("makes a key manager whose keys the gateway fetches at once, and whose test tells what it finds", async () => {
    expect((await call("POST", "", elsewhere({ jwksUrl: `${server.url}/keys` }))).status).toBe(201);
    await expect.poll(() => server.asked.map(({ url }) => url)).toContain("/keys");
    server.play([{ url: "/keys", answer: { keys: [{}] } }]);
    expect(await call("POST", "/far/test")).toMatchObject({
      status: 200,
      body: { ok: true, steps: [{ name: "keys", ok: true, detail: `1 keys at ${server.url}/keys` }] },
    });
  });
});

describe("200", () => {
  test("a test of a server that is not there says so", async () => {
    await call("POST", "", elsewhere());
    const { body } = await call("POST", "/far/test");
    expect(body).toMatchObject({ ok: false, steps: [{ name: "discovery", ok: false }] });
  });
});

describe("404", () => {
  test("there is nothing to test", async () => {
    expect((await call("POST", "/nothing/test")).status).toBe(404);
  });
});

describe("409", () => {
  test("the resident key manager stays, and so does one that an API names", async () => {
    const resident = await call("GET", "/resident");
    const headers = { "if-match": resident.etag ?? "", authorization: `Bearer ${gatehouse.running.adminToken}` };
    const url = `${gatehouse.running.controlUrl}/api/v1/key-managers`;
    expect((await fetch(`${url}/resident`, { method: "DELETE", headers })).status).toBe(409);
    const far = await call("POST", "", elsewhere());
    await gatehouse.llm("chat", server.url, { security: { oauth: { keyManagers: ["far"] } } });
    const own = { ...headers, "if-match": far.etag ?? "" };
    const refused = await fetch(`${url}/far`, { method: "DELETE", headers: own });
    expect([refused.status, await refused.text()]).toEqual([409, expect.stringContaining("LlmApi/chat")]);
  });
});

describe("422", () => {
  test.each([
    ["an unknown kind", { use: "okta", with: {} }, "spec.use"],
    ["an option that there is not", { use: "oidc", with: { issuer: "https://x.example.com", nope: 1 } }, "spec.with"],
    [
      "a shared secret's algorithm",
      { use: "oidc", with: { issuer: "https://x.example.com", algorithms: ["HS256"] } },
      "spec.with.algorithms.0",
    ],
  ])("refuses %s", async (_name, spec, path) => {
    const { status, body } = await call("POST", "", { metadata: { name: "far" }, spec });
    expect([status, body.issues?.[0]?.path ?? body.errors?.[0]?.path]).toEqual([422, path]);
  });

  test("refuses a second one of the same issuer", async () => {
    await call("POST", "", elsewhere());
    const second = await call("POST", "", { ...elsewhere(), metadata: { name: "again" } });
    expect([second.status, JSON.stringify(second.body)]).toEqual([
      422,
      expect.stringContaining("KeyManager/far has the issuer"),
    ]);
  });

  test("refuses to make scopes where the key manager cannot", async () => {
    await call("POST", "", elsewhere());
    expect((await call("POST", "/far/scopes", { scopes: [{ name: "a" }] })).status).toBe(422);
  });

  test("refuses an API that names a key manager that is not there", async () => {
    await expect(
      gatehouse.llm("chat", server.url, { security: { oauth: { keyManagers: ["nobody"] } } }),
    ).rejects.toMatchObject({
      code: "resource.invalid",
      issues: [{ path: "spec.security.oauth.keyManagers[0]" }],
    });
  });
});
