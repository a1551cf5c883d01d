import type { OAuthClientMetadata, OAuthClientProvider, StoredOAuthTokens } from "@modelcontextprotocol/client";
import { auth, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
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
  await at.gatehouse.put("McpServer", "tools", {
    context: "/tools",
    upstream: { production: { url: fixture.url }, sandbox: { sameAs: "production" } },
    security: { apiKey: false, oauth: { scopes: ["tools:use"] } },
  });
  url = new URL(`${at.gatehouse.running.gatewayUrl}/tools/mcp`);
}, 60_000);

afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

/** How well-known applications register and where they want to be answered, as they do it in public. */
const applications: readonly {
  readonly name: string;
  readonly metadata: OAuthClientMetadata;
  /** The redirect URI of the authorization request; loopback ones have the port of the day (RFC 8252, 7.3). */
  readonly redirectUrl: string;
}[] = [
  {
    name: "Claude Code",
    metadata: {
      client_name: "Claude Code (tools)",
      redirect_uris: ["http://localhost:54545/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    redirectUrl: "http://localhost:54545/callback",
  },
  {
    name: "VS Code",
    metadata: {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      redirect_uris: [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
      ],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "native",
    },
    redirectUrl: "http://127.0.0.1:51337/",
  },
  {
    name: "the MCP Inspector",
    metadata: {
      client_name: "MCP Inspector",
      client_uri: "https://github.com/modelcontextprotocol/inspector",
      redirect_uris: ["http://localhost:6274/oauth/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    redirectUrl: "http://localhost:6274/oauth/callback",
  },
];

describe.each(applications)("$name", ({ metadata, redirectUrl }) => {
  test("finds its way from the 401 to a tool, in the order of the specification, unmodified", async () => {
    const paths: string[] = [];
    const watched: typeof fetch = (input, init) => {
      const target = new URL(input instanceof Request ? input.url : input);
      paths.push(`${init?.method ?? "GET"} ${target.pathname}`);
      return fetch(input, init);
    };
    const { provider, kept } = application(metadata, redirectUrl);
    const first = await watched(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    const challenge = first.headers.get("www-authenticate") ?? "";
    const resourceMetadataUrl = new URL(/resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "");
    const scope = /scope="([^"]+)"/.exec(challenge)?.[1] ?? "";
    expect([first.status, scope]).toEqual([401, "tools:use"]);

    expect(await auth(provider, { serverUrl: url, resourceMetadataUrl, scope, fetchFn: watched })).toBe("REDIRECT");
    expect(paths).toEqual([
      "POST /tools/mcp",
      "GET /.well-known/oauth-protected-resource/tools/mcp",
      "GET /.well-known/oauth-authorization-server/auth",
      "POST /auth/register",
    ]);
    expect(Object.fromEntries(kept.asked?.searchParams ?? [])).toMatchObject({
      resource: url.href,
      code_challenge_method: "S256",
      redirect_uri: redirectUrl,
      scope: expect.stringContaining("tools:use"),
    });

    const seen = await agree(createBrowser(url.origin), kept.asked?.href ?? "");
    expect(seen.redirect?.href.startsWith(redirectUrl)).toBe(true);
    const answer = seen.redirect?.searchParams;
    const authorizationCode = answer?.get("code") ?? "";
    const iss = answer?.get("iss") ?? "";
    expect(
      await auth(provider, { serverUrl: url, resourceMetadataUrl, authorizationCode, iss, fetchFn: watched }),
    ).toBe("AUTHORIZED");
    const client = new Client({ name: "agent", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(url, { authProvider: provider }));
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await client.close();
  });
});

function application(clientMetadata: OAuthClientMetadata, redirectUrl: string) {
  const kept: { client?: unknown; tokens?: StoredOAuthTokens; verifier?: string; asked?: URL; discovery?: unknown } =
    {};
  const provider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata,
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
    saveDiscoveryState: (state) => {
      kept.discovery = state;
    },
    discoveryState: () => kept.discovery as never,
  };
  return { provider, kept };
}
