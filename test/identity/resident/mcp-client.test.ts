import type { OAuthClientMetadata, OAuthClientProvider, StoredOAuthTokens } from "@modelcontextprotocol/client";
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../../conformance/fixture-server.ts";
import { startFixtureServer } from "../../conformance/fixture-server.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { agree, startAuthGatehouse } from "./auth-kit.ts";
import { createBrowser } from "./browser.ts";

let at: AuthGatehouse;
let fixture: FixtureServer;
let url: URL;

beforeAll(async () => {
  fixture = await startFixtureServer();
  at = await startAuthGatehouse();
  await at.gatehouse.put("McpServer", "fixture", {
    context: "/fixture",
    displayName: "Fixture <b>tools</b>",
    upstream: { production: { url: fixture.url }, sandbox: { sameAs: "production" } },
    security: { apiKey: false, oauth: { scopes: ["fixture:use"] } },
  });
  url = new URL(`${at.gatehouse.running.gatewayUrl}/fixture/mcp`);
});

afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

const redirectUrl = "http://127.0.0.1:4711/callback";

/** What an MCP application keeps for one user, and the browser that it opens. */
function createApplication(metadata: Partial<OAuthClientMetadata> = {}) {
  const kept: { client?: unknown; tokens?: StoredOAuthTokens; verifier?: string; asked?: URL } = {};
  const provider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata: { client_name: "Test <i>agent</i>", redirect_uris: [redirectUrl], ...metadata },
    clientInformation: () => kept.client as never,
    saveClientInformation: (client) => {
      kept.client = client;
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => {
      kept.tokens = tokens;
    },
    redirectToAuthorization: (asked) => {
      kept.asked = asked;
    },
    saveCodeVerifier: (verifier) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier ?? "",
  };
  return { provider, kept };
}

async function connect(provider: OAuthClientProvider): Promise<Client> {
  const client = new Client({ name: "agent", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: provider }));
  return client;
}

const kinds = [
  { name: "a public client", metadata: { token_endpoint_auth_method: "none" } },
  { name: "one with a secret in the body", metadata: { token_endpoint_auth_method: "client_secret_post" } },
  { name: "one that says nothing of itself", metadata: {} },
];

describe.each(kinds)("the SDK's client, as $name", ({ metadata }) => {
  test("finds its way from a 401 to a tool by itself, asking a person once", async () => {
    const { provider, kept } = createApplication(metadata);
    await expect(connect(provider)).rejects.toThrow(UnauthorizedError);
    expect(kept.asked?.searchParams.get("resource")).toBe(url.href);
    const browser = createBrowser(url.origin);
    const seen = await agree(browser, kept.asked?.href ?? "");
    expect(seen.redirect?.href.startsWith(redirectUrl)).toBe(true);
    expect(seen.redirect?.searchParams.get("iss")).toBe(at.issuer);

    const transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
    await transport.finishAuth(seen.redirect?.searchParams ?? new URLSearchParams());
    const client = await connect(provider);
    const { content } = await client.callTool({ name: "echo", arguments: { text: "hello" } });
    expect(content).toEqual([{ type: "text", text: "hello" }]);
    await client.close();
    expect(decodeJwt(kept.tokens?.access_token ?? "")).toMatchObject({ aud: url.href, scope: "fixture:use" });
    expect(kept.tokens?.refresh_token).toBeDefined();
  });
});

test("the SDK's client refreshes a dead token by itself", async () => {
  const { provider, kept } = createApplication({ token_endpoint_auth_method: "none" });
  await expect(connect(provider)).rejects.toThrow(UnauthorizedError);
  const seen = await agree(createBrowser(url.origin), kept.asked?.href ?? "");
  const transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
  await transport.finishAuth(seen.redirect?.searchParams ?? new URLSearchParams());
  const before = kept.tokens;
  if (before === undefined) throw new Error("no tokens");
  kept.tokens = { ...before, access_token: `${before.access_token.slice(0, -4)}AAAA` };
  const client = await connect(provider);
  expect((await client.listTools()).tools.length).toBeGreaterThan(0);
  await client.close();
  expect(kept.tokens.refresh_token).not.toBe(before.refresh_token);
});

test("the person is told who asks, for what, and where the answer goes, all of it escaped", async () => {
  const { provider, kept } = createApplication({ token_endpoint_auth_method: "none" });
  await expect(connect(provider)).rejects.toThrow(UnauthorizedError);
  const browser = createBrowser(url.origin);
  const logIn = await browser.open(kept.asked?.href ?? "");
  expect(logIn.html).not.toContain("<script");
  const consent = await browser.submit(logIn, "log-in", { name: "ada", password: "correct horse battery staple" });
  expect(consent.html).toContain("Test &#60;i&#62;agent&#60;/i&#62;");
  expect(consent.html).toContain("Fixture &#60;b&#62;tools&#60;/b&#62;");
  for (const text of [url.href, "127.0.0.1:4711", "fixture:use", "Ada L.", "registered itself"]) {
    expect(consent.html).toContain(text);
  }
  expect(consent.html).not.toMatch(/<(script|i|b|img|link)\b/);
  expect(consent.headers.get("content-security-policy")).toBe(
    `default-src 'none'; style-src '${/style-src '([^']+)'/.exec(consent.headers.get("content-security-policy") ?? "")?.[1]}'; form-action 'self' http://127.0.0.1:4711; frame-ancestors 'none'; base-uri 'none'`,
  );
  expect(consent.headers.get("x-frame-options")).toBe("DENY");
  const denied = await browser.submit(consent, "deny");
  expect(denied.redirect?.searchParams.get("error")).toBe("access_denied");
});
