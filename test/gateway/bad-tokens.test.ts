// long: a row for each way in which a token can be bad, against one gateway
import { createHmac } from "node:crypto";
import { base64url } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findKind } from "../../src/core/kinds.ts";
import { getResource } from "../../src/core/resources.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";
import type { TokenIssuer } from "../kit/token-issuer.ts";
import { clientRecord, createTokenIssuer, residentId, residentRecord } from "../kit/token-issuer.ts";

let gatehouse: TestGatehouse;
let production: MockUpstream;
let sandbox: MockUpstream;
let issuer: TokenIssuer;
let stranger: TokenIssuer;
let chat: string;
let notes: string;

beforeAll(async () => {
  production = await startMockUpstream();
  sandbox = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  issuer = await createTokenIssuer({ alg: "RS256", claims: { client_id: "client-1" } });
  stranger = await createTokenIssuer({ alg: "RS256", claims: { client_id: "client-1" } });
  for (const [name, { url }] of [
    ["production", production],
    ["sandbox", sandbox],
  ] as const) {
    await gatehouse.put("LlmProvider", name, { use: "openai-compatible", with: { baseUrl: `${url}/v1` } });
  }
  await gatehouse.put("LlmApi", "chat", {
    context: "/chat",
    security: { oauth: { registeredClients: true } },
    upstream: {
      production: { targets: [{ provider: "production" }], breaker: { failures: 0 } },
      sandbox: { targets: [{ provider: "sandbox" }] },
    },
  });
  await gatehouse.put("LlmApi", "narrow", {
    context: "/narrow",
    security: { apiKey: false, oauth: { scopes: ["chat:write", "chat:read"], registeredClients: true } },
    upstream: { production: { targets: [{ provider: "production" }] }, sandbox: { sameAs: "production" } },
  });
  await gatehouse.put("McpServer", "notes", {
    context: "/notes",
    security: { oauth: { scopes: ["notes"] } },
    upstream: { production: { url: `${production.url}/mcp` }, sandbox: { sameAs: "production" } },
  });
  const { gatewayUrl, gateway } = gatehouse.running;
  chat = `${gatewayUrl}/chat`;
  notes = `${gatewayUrl}/notes/mcp`;
  gateway.dataPlane.apply({
    type: "identity",
    keyManagers: [residentRecord(issuer)],
    clients: [clientRecord(), clientRecord({ clientId: "try-out", environment: "sandbox" })],
    revocations: [],
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await production[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

const now = () => Math.floor(Date.now() / 1_000);
const token = (claims: object = {}, header: object = {}) => issuer.sign({ aud: chat, ...claims }, { ...header });

function ask(bearer: string, path = "/chat", headers: Record<string, string> = {}) {
  const all = { "content-type": "application/json", authorization: `Bearer ${bearer}`, ...headers };
  return rawHttp(`${gatehouse.running.gatewayUrl}${path}/v1/chat/completions`, { headers: all, body: '{"model":"m"}' });
}

function callTool(bearer: string | undefined) {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  return rawHttp(notes, { headers, body });
}

/** A token put together by hand: its parts as JSON text. */
function raw(header: string, claims: string, signature: string | Buffer = "c2ln"): string {
  const part = (text: string | Buffer): string => base64url.encode(text);
  return `${part(header)}.${part(claims)}.${typeof signature === "string" ? signature : part(signature)}`;
}

const claimsText = (more = "") =>
  `{"iss":"${issuer.issuer}","sub":"u","client_id":"client-1","aud":"${chat}","exp":${now() + 600}${more}}`;
const headerText = (more = "") => `{"alg":"RS256","kid":"key-1","typ":"at+jwt"${more}}`;

const badTokens: readonly {
  readonly name: string;
  readonly make: () => string | Promise<string>;
  readonly why: RegExp;
}[] = [
  { name: "expired", make: () => token({ exp: now() - 31 }), why: /expired/ },
  { name: "not valid yet", make: () => token({ nbf: now() + 90 }), why: /not valid yet/ },
  { name: "issued in the future", make: () => token({ iat: now() + 90 }), why: /future/ },
  { name: "without an end", make: () => token({ exp: null }), why: /when it ends/ },
  { name: "with an end that is no number", make: () => token({ exp: "tomorrow" }), why: /when it ends/ },
  { name: "of another issuer", make: () => token({ iss: "https://evil.example.com" }), why: /issuer/ },
  { name: "of an issuer that differs by a slash", make: () => token({ iss: `${issuer.issuer}/` }), why: /issuer/ },
  { name: "of several issuers", make: () => token({ iss: [issuer.issuer] }), why: /issuer/ },
  { name: "signed by somebody else", make: () => stranger.sign({ aud: chat }), why: /signature/ },
  {
    name: "with alg none",
    make: () => raw('{"alg":"none","typ":"at+jwt"}', claimsText(), "AA"),
    why: /algorithm none/,
  },
  { name: "with alg none and no signature", make: () => raw('{"alg":"none"}', claimsText(), ""), why: /form/ },
  {
    name: "with alg None",
    make: () => raw('{"alg":"None","typ":"at+jwt"}', claimsText(), "AA"),
    why: /algorithm None/,
  },
  {
    name: "signed by HS256 with the public key",
    make: () => {
      const unsigned = raw('{"alg":"HS256","kid":"key-1","typ":"at+jwt"}', claimsText(), "").slice(0, -1);
      return `${unsigned}.${createHmac("sha256", issuer.pem).update(unsigned).digest("base64url")}`;
    },
    why: /algorithm HS256/,
  },
  { name: "with an algorithm that is no text", make: () => raw('{"alg":["RS256"]}', claimsText()), why: /algorithm/ },
  { name: "of an unknown key", make: () => token({}, { kid: "key-2" }), why: /key is not among/ },
  {
    name: "that brings its own key",
    make: () => stranger.sign({ aud: chat }, { jwk: stranger.jwks.keys[0] }),
    why: /signature/,
  },
  {
    name: "that names its own keys",
    make: () => stranger.sign({ aud: chat }, { jku: "http://127.0.0.1:1/keys" }),
    why: /signature/,
  },
  { name: "with crit", make: () => raw(headerText(',"crit":["exp"]'), claimsText()), why: /critical/ },
  {
    name: "with crit and b64",
    make: () => raw(headerText(',"crit":["b64"],"b64":false'), claimsText()),
    why: /critical/,
  },
  { name: "longer than 8 KiB", make: () => token({ padding: "x".repeat(8_000) }), why: /longer/ },
  { name: "that is no token", make: () => "hello", why: /form/ },
  { name: "of two parts", make: () => "eyJhbGciOiJSUzI1NiJ9.e30", why: /form/ },
  { name: "of five parts, as an encrypted one", make: () => "eyJhbGciOiJkaXIifQ..a.b.c", why: /form/ },
  { name: "with other characters", make: async () => `${await token()}=`, why: /form/ },
  { name: "whose header is no JSON", make: () => raw("{", claimsText()), why: /header/ },
  { name: "whose header is a list", make: () => raw("[]", claimsText()), why: /header/ },
  { name: "whose claims are no JSON", make: () => raw(headerText(), "{"), why: /claims/ },
  { name: "whose claims are null", make: () => raw(headerText(), "null"), why: /claims/ },
  {
    name: "whose claims are not UTF-8",
    make: () => `${raw(headerText(), "{}").split(".")[0]}.${base64url.encode(Buffer.from([0x7b, 0xff, 0x7d]))}.AA`,
    why: /claims/,
  },
  { name: "with a claim twice", make: () => raw(headerText(), claimsText(',"aud":"other"')), why: /twice/ },
  { name: "with a header member twice", make: () => raw(headerText(',"alg":"none"'), claimsText()), why: /twice/ },
  {
    name: "nested without end",
    make: () => raw(headerText(), `{"a":${"[".repeat(100)}${"]".repeat(100)}}`),
    why: /nested/,
  },
  {
    name: "whose signature is altered",
    make: async () => (await token()).replace(/.{8}$/, "AAAAAAAA"),
    why: /signature/,
  },
  {
    name: "whose claims are altered",
    make: async () => {
      const [h, , s] = (await token()).split(".");
      return `${h}.${base64url.encode(claimsText())}.${s}`;
    },
    why: /signature/,
  },
  { name: "for another API", make: () => token({ aud: notes }), why: /not meant/ },
  { name: "for the API with a slash behind", make: () => token({ aud: `${chat}/` }), why: /not meant/ },
  { name: "for nobody", make: () => token({ aud: null }), why: /not meant/ },
  { name: "for an audience that is no text", make: () => token({ aud: { url: chat } }), why: /not meant/ },
  { name: "of the wrong type", make: () => token({}, { typ: "JWT" }), why: /type/ },
  { name: "without a type", make: () => token({}, { typ: null }), why: /type/ },
  { name: "that is an identity token", make: () => token({}, { typ: "id_token+jwt" }), why: /type/ },
  { name: "of a client that nobody knows", make: () => token({ client_id: "nobody" }), why: /not registered/ },
  { name: "of no client", make: () => token({ client_id: null }), why: /names no client/ },
  { name: "of a client that is no text", make: () => token({ client_id: ["client-1"] }), why: /names no client/ },
];

describe("a token", () => {
  test.each(badTokens)("$name is 401, and why is in the row and not in the answer", async ({ make, why }) => {
    const before = production.seen.length;
    const answer = await ask(await make());
    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual({
      error: {
        message: "The access token is not valid.",
        type: "authentication_error",
        param: null,
        code: "invalid_api_key",
      },
    });
    const metadata = `${gatehouse.running.gatewayUrl}/.well-known/oauth-protected-resource/chat`;
    expect(answer.headers["www-authenticate"]).toBe(`Bearer error="invalid_token", resource_metadata="${metadata}"`);
    expect(production.seen.length).toBe(before);
    const denial = gatehouse.log.lines.findLast(({ message }) => message === "exchange denied");
    expect(denial?.fields).toMatchObject({
      code: "auth.invalid_credentials",
      by: "oauth",
      detail: expect.stringMatching(why),
    });
  });

  test("that holds is let in, once and again, and goes no further", async () => {
    const good = await token();
    for (const _ of [1, 2]) {
      expect((await ask(good)).status).toBe(200);
      expect(JSON.stringify(production.seen.at(-1)?.headers)).not.toContain(good.slice(0, 30));
    }
  });

  test("that holds is told in the row by its client and secret, and of its subject a hash only", async () => {
    const answer = await ask(await token({ sub: "ann@example.com", gh_sid: "ocs_9" }));
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({
      auth_method: "token",
      key_id: null,
      environment: "production",
      fields: { client_id: "client-1", secret_id: "ocs_9", subject_hash: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(JSON.stringify(row)).not.toContain("ann@");
  });

  test("for several audiences is let in when this API is among them", async () => {
    expect((await ask(await token({ aud: ["https://other.example.com", chat] }))).status).toBe(200);
  });

  test("beside a different key is ambiguous, also when both are right", async () => {
    const key = await gatehouse.key("chat");
    expect((await ask(await token(), "/chat", { apikey: key })).status).toBe(401);
    expect((await ask(key)).status).toBe(200);
  });

  test("of a sandbox client reaches the sandbox only", async () => {
    const [before, tried] = [production.seen.length, sandbox.seen.length];
    expect((await ask(await token({ client_id: "try-out" }))).status).toBe(200);
    expect([production.seen.length - before, sandbox.seen.length - tried]).toEqual([0, 1]);
  });

  test("that lacks a scope is 403, and the challenge names all that are needed", async () => {
    const answer = await ask(
      await issuer.sign({ aud: `${gatehouse.running.gatewayUrl}/narrow`, scope: "chat:write" }),
      "/narrow",
    );
    expect([answer.status, answer.json()]).toMatchObject([
      403,
      { error: { type: "permission_error", code: "insufficient_scope" } },
    ]);
    const metadata = `${gatehouse.running.gatewayUrl}/.well-known/oauth-protected-resource/narrow`;
    expect(answer.headers["www-authenticate"]).toBe(
      `Bearer error="insufficient_scope", resource_metadata="${metadata}", scope="chat:write chat:read"`,
    );
  });

  test.each([
    ["by its id", { type: "token", id: "dead-1" }, { jti: "dead-1" }],
    ["by the secret that it was got with", { type: "secret", id: "ocs_1" }, { gh_sid: "ocs_1" }],
    ["by its client", { type: "client", id: "client-1" }, { iat: now() - 60 }],
    ["by its subject", { type: "subject", id: "user-9" }, { sub: "user-9" }],
  ] as const)("that is revoked %s is 401 from then on, and a later one is not", async (_name, of, claims) => {
    const doomed = await token(claims);
    expect((await ask(doomed)).status).toBe(200);
    const beforeMs = of.type === "client" ? Date.now() - 30_000 : Date.now() + 1_000;
    const record = { ...of, keyManagerId: residentId, beforeMs, expiresAtMs: Date.now() + 3_600_000 };
    gatehouse.running.gateway.dataPlane.apply({ type: "revocation.put", record });
    expect((await ask(doomed)).status).toBe(401);
    expect((await ask(await token({ ...claims, jti: "alive", iat: now() + 5 }))).status).toBe(200);
  });

  test("whose client is removed is 401 from then on", async () => {
    const { dataPlane } = gatehouse.running.gateway;
    dataPlane.apply({ type: "client.put", record: clientRecord({ clientId: "short-lived" }) });
    const theirs = await token({ client_id: "short-lived" });
    expect((await ask(theirs)).status).toBe(200);
    dataPlane.apply({ type: "client.removed", keyManagerId: residentId, clientId: "short-lived" });
    expect((await ask(theirs)).status).toBe(401);
  });

  test("is no good at an API that accepts keys only", async () => {
    const { url } = await gatehouse.llm("keys-only", `${production.url}/v1`);
    const answer = await rawHttp(`${url}/chat/completions`, {
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${await token({ aud: url.slice(0, -3) })}`,
      },
      body: '{"model":"m"}',
    });
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBeUndefined();
  });
});

describe("an MCP server", () => {
  test("tells who comes without a token where to get one", async () => {
    const answer = await callTool(undefined);
    const metadata = `${gatehouse.running.gatewayUrl}/.well-known/oauth-protected-resource/notes/mcp`;
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe(`Bearer resource_metadata="${metadata}", scope="notes"`);
    expect(answer.json()).toMatchObject({
      jsonrpc: "2.0",
      error: { message: expect.stringContaining("access token") },
    });
    const document = await rawHttp(metadata, { method: "GET" });
    expect([document.status, document.json()]).toEqual([
      200,
      {
        resource: notes,
        resource_name: "notes",
        authorization_servers: [issuer.issuer],
        bearer_methods_supported: ["header"],
        scopes_supported: ["notes"],
      },
    ]);
  });

  test("refuses a token for another API in JSON-RPC", async () => {
    const answer = await callTool(await token());
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
    expect(answer.json()).toMatchObject({
      jsonrpc: "2.0",
      id: null,
      error: { message: "The access token is not valid." },
    });
  });

  test("lets in who has one for it", async () => {
    production.respond(json(200, { jsonrpc: "2.0", id: 1, result: { tools: [] } }));
    const answer = await callTool(await issuer.sign({ aud: notes, scope: "notes other" }));
    expect([answer.status, answer.json()]).toMatchObject([200, { result: { tools: [] } }]);
  });
});

describe("metadata", () => {
  test.each(["/nowhere", "", "/", "/chats", "/chat/v1", "/keys-only", "/notes"])("of %s is 404", async (path) => {
    const url = `${gatehouse.running.gatewayUrl}/.well-known/oauth-protected-resource${path}`;
    expect((await rawHttp(url, { method: "GET" })).status).toBe(404);
  });
});

test("the key manager of the installation is there from the beginning", async () => {
  const kind = findKind("KeyManager");
  if (kind === undefined) return expect.unreachable();
  expect((await getResource(gatehouse.running.context, kind, "resident")).spec).toMatchObject({
    use: "resident",
    enabled: true,
  });
});
