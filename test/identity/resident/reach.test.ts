import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findKind } from "../../../src/core/kinds.ts";
import { createOauthClient } from "../../../src/core/oauth-clients.ts";
import { publishApi } from "../../../src/core/publishing.ts";
import { createResource, getResource, replaceResource } from "../../../src/core/resources.ts";
import { testActor } from "../../kit/gatehouse.ts";
import type { TokenIssuer } from "../../kit/token-issuer.ts";
import { clientRecord, createTokenIssuer, residentRecord } from "../../kit/token-issuer.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { codeFlow, insecure, startAuthGatehouse } from "./auth-kit.ts";

let at: AuthGatehouse;
let theirs: Client;

interface Client {
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
}

beforeAll(async () => {
  at = await startAuthGatehouse();
  const { context } = at.gatehouse.running;
  await make("Team", "rivals", "default", {});
  await make("Application", "theirs", "rivals", {});
  const { row, secret } = await createOauthClient(context, testActor, "theirs", {
    spec: { environment: "production" },
  });
  theirs = {
    client: { client_id: row.clientId },
    authentication: oauth.ClientSecretBasic(secret?.secretValue ?? ""),
  };
});

afterAll(() => at[Symbol.asyncDispose]());

async function make(kindName: string, name: string, team: string, spec: object): Promise<void> {
  const kind = findKind(kindName);
  if (kind === undefined) throw new Error(`no kind ${kindName}`);
  await createResource(at.gatehouse.running.context, testActor, kind, { metadata: { name, team }, spec });
}

async function ask({ client, authentication }: Client, resource: string) {
  const answer = await oauth.clientCredentialsGrantRequest(at.server, client, authentication, { resource }, insecure);
  return (await answer.json()) as { access_token?: string; error?: string; error_description?: string };
}

/** Publishes the API `other` with other words on who may call it. */
async function publishOther(words: object): Promise<void> {
  const upstream = { production: { targets: [{ provider: "other" }] }, sandbox: { sameAs: "production" } };
  await at.gatehouse.put("LlmApi", "other", { context: "/other", upstream, security: { apiKey: {}, oauth: words } });
}

describe("a client of another team", () => {
  test("gets no token for an API, and is told as little as of one that is not there", async () => {
    const refused = await ask(theirs, at.other);
    const absent = await ask(theirs, `${at.other}-none`);
    expect(refused).toEqual({ error: "invalid_target", error_description: expect.stringContaining("no API") });
    expect(refused).toEqual(absent);
  });

  test("gets one for an API that is shared, and it is let in until the API is not", async () => {
    await publishOther({ shared: true });
    const { access_token: token = "" } = await ask(theirs, at.other);
    expect(await at.call(token, "other")).toBe(200);
    await publishOther({});
    expect(await at.call(token, "other")).toBe(403);
    expect((await ask(theirs, at.other)).error).toBe("invalid_target");
  });

  test("gets one for an API to which its application is subscribed, until that is blocked", async () => {
    await at.gatehouse.put("Plan", "gold", {});
    const subscribed = { application: "theirs", api: { kind: "LlmApi", name: "chat" }, plan: "gold" };
    await make("Subscription", "theirs-chat", "rivals", subscribed);
    const { access_token: token = "" } = await ask(theirs, at.chat);
    expect(await at.call(token)).toBe(200);
    const kind = findKind("Subscription");
    if (kind === undefined) return expect.unreachable();
    const { context } = at.gatehouse.running;
    const { version } = await getResource(context, kind, "theirs-chat");
    const blocked = { metadata: { name: "theirs-chat", team: "rivals" }, spec: { ...subscribed, state: "blocked" } };
    await replaceResource(context, testActor, kind, "theirs-chat", blocked, version);
    expect(await at.call(token)).toBe(403);
    expect((await ask(theirs, at.chat)).error).toBe("invalid_target");
  });

  test("is refused with a token of a key manager elsewhere too", async () => {
    const issuer: TokenIssuer = await createTokenIssuer({ claims: { client_id: "bot-elsewhere" } });
    const { gateway } = at.gatehouse.running;
    const elsewhere = { ...residentRecord(issuer), id: "km_elsewhere" as never, name: "elsewhere" };
    gateway.dataPlane.apply({ type: "key-manager.put", record: elsewhere });
    const record = { clientId: "bot-elsewhere", keyManagerId: elsewhere.id, applicationId: "app_1" as never };
    gateway.dataPlane.apply({ type: "client.put", record: clientRecord({ ...record, teamId: "team_rivals" }) });
    expect(await at.call(await issuer.sign({ aud: at.chat }))).toBe(403);
    const kind = findKind("Team");
    if (kind === undefined) return expect.unreachable();
    const { id: teamId } = await getResource(at.gatehouse.running.context, kind, "default");
    gateway.dataPlane.apply({ type: "client.put", record: clientRecord({ ...record, teamId }) });
    expect(await at.call(await issuer.sign({ aud: at.chat }))).toBe(200);
  });
});

describe("a client that registered itself", () => {
  const redirectUri = "http://127.0.0.1:9/callback";
  const register = async (): Promise<Parameters<typeof codeFlow>[1]["made"]> => {
    const answer = await fetch(`${at.issuer}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: "none" }),
    });
    const { client_id: clientId } = (await answer.json()) as { client_id: string };
    return { client: { client_id: clientId }, clientId, secret: "", authentication: oauth.None() };
  };

  test("is not taken by an LLM API, unless that says so", async () => {
    const made = await register();
    await expect(codeFlow(at, { made, redirectUri, resource: at.other })).rejects.toThrow();
    await publishOther({ registeredClients: true });
    const { access_token: token } = await codeFlow(at, { made, redirectUri, resource: at.other });
    expect(await at.call(token, "other")).toBe(200);
    await publishOther({});
    expect(await at.call(token, "other")).toBe(403);
  });

  test("is taken by an MCP server, unless that says otherwise", async () => {
    const made = await register();
    const upstream = { production: { url: "http://127.0.0.1:1/mcp" }, sandbox: { sameAs: "production" } };
    await at.gatehouse.put("McpServer", "tools", { context: "/tools", upstream, security: { oauth: {} } });
    const resource = `${new URL(at.issuer).origin}/tools/mcp`;
    expect((await codeFlow(at, { made, redirectUri, resource })).access_token).toMatch(/^ey/);
    const security = { oauth: { registeredClients: false } };
    await at.gatehouse.put("McpServer", "tools", { context: "/tools", upstream, security });
    await expect(codeFlow(at, { made, redirectUri, resource })).rejects.toThrow();
  });
});

test("tokens are had without a look through every API, and an API that has just come is found", async () => {
  const { context } = at.gatehouse.running;
  const { deployments } = context.catalog.read;
  const made = await at.client({});
  expect((await ask(made, at.chat)).access_token).toMatch(/^ey/);
  const { all } = deployments;
  let reads = 0;
  Object.assign(deployments, { all: () => ((reads += 1), all.call(deployments)) });
  try {
    for (let count = 0; count < 3; count += 1) await ask(made, at.chat);
    expect(reads).toBe(0);
  } finally {
    Object.assign(deployments, { all });
  }
  const kind = findKind("LlmApi");
  if (kind === undefined) return expect.unreachable();
  const { spec } = await getResource(context, kind, "chat");
  const late = { ...(spec as object), context: "/late" };
  await make("LlmApi", "late", "default", late);
  await publishApi(context, testActor, kind, "late");
  expect((await ask(made, at.chat.replace("/chat", "/late"))).access_token).toMatch(/^ey/);
});
