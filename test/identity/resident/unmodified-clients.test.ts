import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import OpenAI, { AuthenticationError, PermissionDeniedError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../../conformance/fixture-server.ts";
import { startFixtureServer } from "../../conformance/fixture-server.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { codeFlow, startAuthGatehouse } from "./auth-kit.ts";

let at: AuthGatehouse;
let fixture: FixtureServer;

beforeAll(async () => {
  fixture = await startFixtureServer();
  at = await startAuthGatehouse();
  await at.gatehouse.put("McpServer", "tools", {
    context: "/tools",
    upstream: { production: { url: fixture.url }, sandbox: { sameAs: "production" } },
    security: { apiKey: false, oauth: { scopes: ["tools:use"] } },
  });
}, 60_000);

afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

describe("the MCP SDK's client with a client's credentials", () => {
  const connect = async (clientId: string, clientSecret: string): Promise<Client> => {
    const client = new Client({ name: "agent", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    const authProvider = new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: at.issuer });
    const url = new URL(`${at.gatehouse.running.gatewayUrl}/tools/mcp`);
    await client.connect(new StreamableHTTPClientTransport(url, { authProvider }));
    return client;
  };

  test("gets a token for the server by itself, after the 401, and calls a tool", async () => {
    const { clientId, secret } = await at.client({});
    const client = await connect(clientId, secret);
    const { content } = await client.callTool({ name: "echo", arguments: { text: "hello" } });
    expect(content).toEqual([{ type: "text", text: "hello" }]);
    await client.close();
  });

  test("is told that its secret is wrong", async () => {
    const { clientId } = await at.client({});
    await expect(connect(clientId, "ghs_wrong")).rejects.toThrow(/invalid_client|client authentication failed/i);
  });
});

describe("the openai client with a person's token", () => {
  const redirectUri = "https://portal.example.com/callback";
  const personToken = async (extra: Record<string, string> = {}): Promise<string> => {
    const made = await at.client({ grantTypes: ["authorization_code"], redirectUris: [redirectUri] });
    return (await codeFlow(at, { made, redirectUri, extra })).access_token;
  };
  const ask = (client: OpenAI) =>
    client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "hi" }] });

  test("that came through the authorization code flow chats", async () => {
    const client = new OpenAI({ baseURL: `${at.chat}/v1`, apiKey: await personToken(), maxRetries: 0 });
    expect((await ask(client)).choices[0]?.message.content).toBe("Hello.");
  });

  test("of another API, or altered, is refused as the client knows it", async () => {
    const token = await personToken();
    const elsewhere = new OpenAI({ baseURL: `${at.other}/v1`, apiKey: token, maxRetries: 0 });
    const altered = new OpenAI({ baseURL: `${at.chat}/v1`, apiKey: `${token.slice(0, -4)}AAAA`, maxRetries: 0 });
    for (const client of [elsewhere, altered]) {
      const error: unknown = await ask(client).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(AuthenticationError);
      expect(error).not.toBeInstanceOf(PermissionDeniedError);
    }
  });
});
