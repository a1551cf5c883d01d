import { decodeProtectedHeader } from "jose";
import * as oauth from "oauth4webapi";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyManagerRecord } from "../../../src/core/key-managers.ts";
import { rotateSigningKey } from "../../../src/core/signing-keys.ts";
import { createNetworkPolicy } from "../../../src/kernel/network-policy.ts";
import { createSafeFetch } from "../../../src/kernel/safe-fetch.ts";
import { testActor } from "../../kit/gatehouse.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { insecure, startAuthGatehouse } from "./auth-kit.ts";
import { serveResident } from "./serve-resident.ts";

let at: AuthGatehouse;

beforeAll(async () => {
  at = await startAuthGatehouse({ "oauth.accessTokenSeconds": "120" });
});

afterAll(() => at[Symbol.asyncDispose]());

async function tokenFor(spec: object = {}): Promise<string> {
  const { client, authentication } = await at.client(spec);
  const answer = await oauth.clientCredentialsGrantRequest(
    at.server,
    client,
    authentication,
    { resource: at.chat },
    insecure,
  );
  return (await oauth.processClientCredentialsResponse(at.server, client, answer)).access_token;
}

async function control(method: string, path: string): Promise<Response> {
  const { controlUrl, adminToken } = at.gatehouse.running;
  return fetch(controlUrl + path, { method, headers: { authorization: `Bearer ${adminToken}` } });
}

test("a rotation makes another key sign, and the tokens of the one before stay good", async () => {
  const before = await tokenFor();
  const answer = await control("POST", "/api/v1/key-managers/resident/rotate?overlapSeconds=0");
  expect(answer.status).toBe(200);
  const { kid, published } = (await answer.json()) as { kid: string; published: string[] }; // as the API documents it
  expect(published).toHaveLength(2);
  const after = await tokenFor();
  expect(decodeProtectedHeader(after).kid).toBe(kid);
  expect(decodeProtectedHeader(before).kid).not.toBe(kid);
  expect([await at.call(before), await at.call(after)]).toEqual([200, 200]);
  const jwks = (await (await fetch(`${at.issuer}/jwks`)).json()) as { keys: { kid: string; d?: string }[] };
  expect(jwks.keys.map((key) => key.kid).sort()).toEqual([...published].sort());
  expect(jwks.keys.every((key) => key.d === undefined)).toBe(true);
});

test("a key that waits for its time signs from that moment on, without a restart", async () => {
  const made = await at.client({});
  const { context } = at.gatehouse.running;
  let aheadMs = 0;
  const clock = { ...context.clock, now: () => context.clock.now() + aheadMs };
  await using outside = createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: [] }) });
  await using served = await serveResident(at.gatehouse, { context: { ...context, clock }, fetch: outside });
  const kidOf = async (): Promise<string | undefined> => {
    const answer = await fetch(`${served.issuer}/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "client_credentials", resource: at.chat }),
      headers: { authorization: `Basic ${Buffer.from(`${made.clientId}:${made.secret}`).toString("base64")}` },
    });
    const { access_token: token } = (await answer.json()) as { access_token: string }; // RFC 6749, 5.1
    return decodeProtectedHeader(token).kid;
  };
  const before = await kidOf();
  const { kid } = await rotateSigningKey(context, testActor, undefined, { overlapSeconds: 60 });
  const resident = await context.catalog.read.resources.find("KeyManager", "resident");
  if (resident === undefined) throw new Error("there is no resident key manager");
  const record = await keyManagerRecord(context, context.catalog.read, resident);
  served.server.apply({ type: "key-manager.put", record });
  expect(await kidOf()).toBe(before);
  aheadMs = 61_000;
  expect(await kidOf()).toBe(kid);
});

test("the openai SDK works with a client's token", async () => {
  const client = new OpenAI({ baseURL: `${at.chat}/v1`, apiKey: await tokenFor() });
  const answer = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "hi" }] });
  expect(answer.choices[0]?.message.content).toBe("Hello.");
});

test("the metadata is found at every address that clients look at, and is the same", async () => {
  const { origin } = new URL(at.issuer);
  const addresses = [
    `${origin}/.well-known/oauth-authorization-server/auth`,
    `${origin}/.well-known/openid-configuration/auth`,
    `${at.issuer}/.well-known/openid-configuration`,
    `${at.issuer}/.well-known/oauth-authorization-server`,
  ];
  for (const address of addresses) {
    const metadata = (await (await fetch(address)).json()) as Record<string, unknown>; // looked at below
    expect(metadata).toMatchObject({
      issuer: at.issuer,
      authorization_endpoint: `${at.issuer}/authorize`,
      token_endpoint: `${at.issuer}/token`,
      registration_endpoint: `${at.issuer}/register`,
      code_challenge_methods_supported: ["S256"],
      response_types_supported: ["code"],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    });
  }
});

test("a name in the Host header does not get into the metadata, and one that is not allowed is refused", async () => {
  const { port } = new URL(at.issuer);
  const localhost = await fetch(`http://localhost:${port}/auth/.well-known/openid-configuration`);
  expect(await localhost.json()).toMatchObject({ token_endpoint: `${at.issuer}/token` });
  const { rawHttp } = await import("../../kit/raw-http.ts");
  const evil = await rawHttp(`${at.issuer}/jwks`, { headers: { host: "evil.example" } });
  expect(evil.status).toBe(403);
});

const registrations = [
  { name: "javascript:", body: { redirect_uris: ["javascript:alert(1)"] } },
  { name: "a fragment", body: { redirect_uris: ["https://app.example.com/cb#x"] } },
  { name: "a wildcard", body: { redirect_uris: ["https://*.example.com/cb"] } },
  { name: "http elsewhere", body: { redirect_uris: ["http://app.example.com/cb"] } },
  { name: "no redirect", body: { redirect_uris: [] } },
  { name: "a grant without a person", body: { redirect_uris: [], grant_types: ["client_credentials"] } },
  { name: "a name that is a list", body: { redirect_uris: ["https://app.example.com/cb"], client_name: ["x"] } },
  { name: "no list of redirects", body: { redirect_uris: "https://app.example.com/cb" } },
];

test.each(registrations)("a client that registers itself with $name is refused", async ({ body }) => {
  const answer = await fetch(`${at.issuer}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toMatch(
    /^invalid_(redirect_uri|client_metadata|request)$/,
  );
});

test("a client that registers itself cannot give itself what administrators give", async () => {
  const answer = await fetch(`${at.issuer}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      redirect_uris: ["https://app.example.com/cb"],
      gatehouse: { environment: "sandbox", name: "admin" },
      scope: "everything",
    }),
  });
  expect(answer.status).toBe(201);
  const { client_id: clientId } = (await answer.json()) as { client_id: string };
  const { context } = at.gatehouse.running;
  const rows = (await context.catalog.read.oauthClients.list({}, { limit: 200 })).rows;
  const row = rows.find((each) => each.clientId === clientId);
  expect(row).toMatchObject({ environment: "production", applicationId: null });
});

test("an address registers so many clients, and no more", async () => {
  let last = 0;
  for (let count = 0; count < 25; count += 1) {
    const answer = await fetch(`${at.issuer}/register`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    last = answer.status;
    await answer.arrayBuffer();
  }
  expect(last).toBe(429);
});
