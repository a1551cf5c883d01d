import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuthGatehouse } from "../identity/resident/auth-kit.ts";
import { startAuthGatehouse } from "../identity/resident/auth-kit.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { RawAnswer } from "../kit/raw-http.ts";
import { rawHttp } from "../kit/raw-http.ts";

let at: AuthGatehouse;
let base: string;

beforeAll(async () => {
  at = await startAuthGatehouse({ allowedHosts: "inspector.example.com" });
  base = at.gatehouse.running.gatewayUrl;
  await publish(at.gatehouse, "notes", "/team/notes");
});

afterAll(() => at[Symbol.asyncDispose]());

async function publish(gatehouse: TestGatehouse, name: string, context: string, keyManager?: string): Promise<void> {
  const oauth = { scopes: ["notes"], ...(keyManager !== undefined && { keyManagers: [keyManager] }) };
  await gatehouse.put("McpServer", name, {
    context,
    upstream: { production: { url: "http://127.0.0.1:9/mcp" }, sandbox: { sameAs: "production" } },
    security: { apiKey: false, oauth },
  });
}

const get = (path: string, method = "GET", headers: Record<string, string> = {}): Promise<RawAnswer> =>
  rawHttp(base + path, { method, headers });

const spellings = [
  "/.well-known/oauth-protected-resource/team/notes/mcp",
  "/.well-known/oauth-protected-resource/team/notes/mcp/",
  "/team/notes/mcp/.well-known/oauth-protected-resource",
  "/team/notes/mcp/.well-known/oauth-protected-resource/",
];

describe("the metadata of an MCP server", () => {
  test.each(spellings)("is at %s, and names the server exactly", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      resource: `${base}/team/notes/mcp`,
      resource_name: "notes",
      authorization_servers: [at.issuer],
      bearer_methods_supported: ["header"],
      scopes_supported: ["notes"],
    });
  });

  test("is told to a page of any origin, also to one that has to ask first; the host is still checked", async () => {
    const [path = ""] = spellings;
    const headers = { origin: "https://anywhere.example.com", "access-control-request-method": "GET" };
    const asked = await get(path, "OPTIONS", { ...headers, "access-control-request-headers": "mcp-protocol-version" });
    expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([204, "*"]);
    expect(asked.headers["access-control-allow-headers"]).toContain("mcp-protocol-version");
    const answer = await get(path, "GET", { ...headers, "mcp-protocol-version": "2025-11-25" });
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, "*"]);
    expect((await get(path, "GET", { host: "evil.example.com" })).status).toBe(403);
  });

  test("has the same headers for HEAD, and no body", async () => {
    const [path = ""] = spellings;
    const [head, whole] = [await get(path, "HEAD"), await get(path)];
    expect([head.status, head.text, head.headers["content-length"]]).toEqual([
      200,
      "",
      whole.headers["content-length"],
    ]);
  });

  test.each([
    "/.well-known/oauth-protected-resource/team/notes",
    "/.well-known/oauth-protected-resource/team/notes/mcp//",
    "/.well-known/oauth-protected-resource/team/notes/MCP",
    "/.well-known/oauth-protected-resource/team%2Fnotes/mcp",
    "/team/notes/.well-known/oauth-protected-resource/mcp",
    "/team/notes/mcp/.well-known/oauth-protected-resource/more",
    "/team/notes/mcp/.well-known/anything",
  ])("is not at %s", async (path) => {
    expect((await get(path)).status).toBeGreaterThanOrEqual(400);
  });

  test("is at the root only where one API takes tokens: else nobody could say of whom it is", async () => {
    expect((await get("/.well-known/oauth-protected-resource")).status).toBe(404);
    await using single = await startTestGatehouse();
    await publish(single, "only", "/only");
    const answer = await rawHttp(`${single.running.gatewayUrl}/.well-known/oauth-protected-resource`, {
      method: "GET",
    });
    expect(answer.json()).toMatchObject({ resource: `${single.running.gatewayUrl}/only/mcp` });
  });
});

describe("the authorization server's metadata, asked for at the resource", () => {
  test.each([
    "/.well-known/oauth-authorization-server/team/notes/mcp",
    "/.well-known/openid-configuration/team/notes/mcp",
    "/team/notes/mcp/.well-known/openid-configuration",
    "/team/notes/mcp/.well-known/oauth-authorization-server",
  ])("is at %s too", async (path) => {
    const answer = await get(path);
    expect(answer.json()).toMatchObject({ issuer: at.issuer, token_endpoint: `${at.issuer}/token` });
  });

  test("leads to the key manager elsewhere where tokens come from there", async () => {
    const issuer = "https://login.example.com/realm";
    await at.gatehouse.put("KeyManager", "far", { use: "oidc", with: { issuer } });
    await publish(at.gatehouse, "far-notes", "/far", "far");
    const [oauth, openid] = [
      await get("/.well-known/oauth-authorization-server/far/mcp"),
      await get("/far/mcp/.well-known/openid-configuration"),
    ];
    expect([oauth.status, oauth.headers.location]).toEqual([
      307,
      "https://login.example.com/.well-known/oauth-authorization-server/realm",
    ]);
    expect([openid.status, openid.headers.location]).toEqual([
      307,
      "https://login.example.com/.well-known/openid-configuration/realm",
    ]);
  });
});

describe("a page that calls an MCP server", () => {
  const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "mcp-param-a" };

  test("may where its origin is allowed, and reads the challenge", async () => {
    const headers = { origin: "http://inspector.example.com" };
    const asked = await get("/team/notes/mcp", "OPTIONS", { ...headers, ...preflight });
    expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([204, headers.origin]);
    expect(asked.headers["access-control-allow-headers"]).toBe("mcp-param-a");
    const refused = await get("/team/notes/mcp", "POST", { ...headers, "content-type": "application/json" });
    expect(refused.status).toBe(401);
    expect(refused.headers["access-control-allow-origin"]).toBe(headers.origin);
    expect(refused.headers["access-control-expose-headers"]).toContain("www-authenticate");
    expect(refused.headers["www-authenticate"]).toBe(
      `Bearer resource_metadata="${base}/.well-known/oauth-protected-resource/team/notes/mcp", scope="notes"`,
    );
  });

  test.each(["https://evil.example.com", "null"])("may not from %s", async (origin) => {
    const asked = await get("/team/notes/mcp", "OPTIONS", { origin, ...preflight });
    expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
    const posted = await get("/team/notes/mcp", "POST", { origin, "content-type": "application/json" });
    expect([posted.status, posted.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
  });
});
