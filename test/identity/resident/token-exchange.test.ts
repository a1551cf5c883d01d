import { decodeJwt } from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Actor } from "../../../src/core/core-context.ts";
import { findKind } from "../../../src/core/kinds.ts";
import { createOauthClient, replaceOauthClient } from "../../../src/core/oauth-clients.ts";
import { createResource } from "../../../src/core/resources.ts";
import { rightsOfRoles } from "../../../src/core/rights.ts";
import { testActor } from "../../kit/gatehouse.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { codeFlow, insecure, startAuthGatehouse } from "./auth-kit.ts";

const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
const redirectUri = "http://127.0.0.1:9/callback";
const native = {
  applicationType: "native",
  grantTypes: ["authorization_code", "refresh_token", grant],
  redirectUris: ["http://127.0.0.1/callback"],
};
const subscriber: Actor = { type: "user", id: "usr_1", rights: rightsOfRoles({ roles: ["subscriber"], teams: [] }) };

type Made = Awaited<ReturnType<AuthGatehouse["client"]>>;

let at: AuthGatehouse;
/** Of the team that owns the APIs, and of another; both may exchange. */
let ours: Made;
let theirs: Made;

beforeAll(async () => {
  at = await startAuthGatehouse({ "oauth.tokenPersistence": "true" });
  await secure("chat", { scopes: ["read", "write"] });
  await secure("other", { scopes: ["read", "admin"] });
  await make("Team", "rivals", "default", {});
  await make("Application", "theirs", "rivals", {});
  ours = await at.client(native);
  const { context } = at.gatehouse.running;
  const { row, secret } = await createOauthClient(context, testActor, "theirs", {
    spec: { environment: "production", grantTypes: [grant, "client_credentials"] },
  });
  const authentication = oauth.ClientSecretBasic(secret?.secretValue ?? "");
  theirs = { client: { client_id: row.clientId }, clientId: row.clientId, secret: "", authentication };
});

afterAll(() => at[Symbol.asyncDispose]());

async function make(kindName: string, name: string, team: string, spec: object): Promise<void> {
  const kind = findKind(kindName);
  if (kind === undefined) throw new Error(`no kind ${kindName}`);
  await createResource(at.gatehouse.running.context, testActor, kind, { metadata: { name, team }, spec });
}

async function secure(name: "chat" | "other", words: object): Promise<void> {
  const upstream = { production: { targets: [{ provider: name }] }, sandbox: { sameAs: "production" } };
  await at.gatehouse.put("LlmApi", name, { context: `/${name}`, upstream, security: { apiKey: {}, oauth: words } });
}

async function exchange({ client, authentication }: Made, subject: string, more: Record<string, string> = {}) {
  const parameters = {
    subject_token: subject,
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    resource: at.other,
    ...more,
  };
  const answer = await oauth.genericTokenEndpointRequest(
    at.server,
    client,
    authentication,
    grant,
    parameters,
    insecure,
  );
  return (await answer.json()) as { access_token?: string; scope?: string; error?: string };
}

const ada = (scope = "read write") => codeFlow(at, { made: ours, redirectUri, extra: { scope } });

describe("a token is exchanged", () => {
  test("by the client that it was issued to, and never for more than was agreed to", async () => {
    const first = await ada("read");
    const got = await exchange(ours, first.access_token);
    expect([got.scope, decodeJwt(got.access_token ?? "").sub]).toEqual(["read", decodeJwt(first.access_token).sub]);
    expect(await exchange(ours, first.access_token, { scope: "admin" })).toMatchObject({ error: "invalid_scope" });
    const back = await exchange(ours, first.access_token, { resource: at.chat });
    expect(back.scope).toBe("read");
  });

  test("by a client of the team whose API it is for", async () => {
    const backend = await at.client({ grantTypes: [grant] });
    const { access_token: got = "" } = await exchange(backend, (await ada()).access_token);
    expect(decodeJwt(got)).toMatchObject({ aud: at.other, act: { sub: backend.clientId } });
  });

  test("by no client of another team, though it holds it, and though the target is shared", async () => {
    await secure("other", { scopes: ["read", "admin"], shared: true });
    expect(await exchange(theirs, (await ada()).access_token)).toMatchObject({ error: "invalid_grant" });
    const answer = await oauth.clientCredentialsGrantRequest(
      at.server,
      theirs.client,
      theirs.authentication,
      { resource: at.other },
      insecure,
    );
    const { access_token: own } = await oauth.processClientCredentialsResponse(at.server, theirs.client, answer);
    expect(await exchange(theirs, own)).toMatchObject({ error: "invalid_target" });
    await secure("other", { scopes: ["read", "admin"] });
  });
});

describe("an exchanged token ends", () => {
  test("with the grant of the first one", async () => {
    await secure("other", { scopes: ["read"] });
    const first = await ada();
    const { access_token: second = "" } = await exchange(ours, first.access_token);
    const { access_token: third = "" } = await exchange(ours, second, { resource: at.other });
    expect([await at.call(second, "other"), await at.call(third, "other")]).toEqual([200, 200]);
    const { refresh_token: refresh = "" } = first;
    await oauth.revocationRequest(at.server, ours.client, ours.authentication, refresh, insecure);
    expect([await at.call(second, "other"), await at.call(third, "other")]).toEqual([401, 401]);
    expect(await exchange(ours, third)).toMatchObject({ error: "invalid_request" });
  });

  test("with the first one, revoked by itself", async () => {
    const first = await ada();
    const { access_token: second = "" } = await exchange(ours, first.access_token);
    expect(await at.call(second, "other")).toBe(200);
    await oauth.revocationRequest(at.server, ours.client, ours.authentication, first.access_token, insecure);
    expect(await at.call(second, "other")).toBe(401);
  });
});

describe("who may change key managers, and nobody else,", () => {
  const create = (actor: Actor, spec: object) =>
    createOauthClient(at.gatehouse.running.context, actor, "shop", { spec: { environment: "production", ...spec } });

  test("gives a client the right to exchange tokens", async () => {
    await expect(create(subscriber, { grantTypes: [grant] })).rejects.toMatchObject({ code: "auth.forbidden" });
    const { row } = await create(subscriber, {});
    const address = { application: "shop", clientId: row.clientId };
    const { context } = at.gatehouse.running;
    const change = (actor: Actor, grantTypes: string[], version: number) =>
      replaceOauthClient(context, actor, address, { spec: { grantTypes } }, version);
    await expect(change(subscriber, [grant], 1)).rejects.toMatchObject({ code: "auth.forbidden" });
    await change(testActor, [grant], 1);
    expect((await change(subscriber, [grant, "client_credentials"], 2)).version).toBe(3); // it has it already
  });

  test("says of a client id at a key manager elsewhere whose it is", async () => {
    await make("KeyManager", "corp", "default", { use: "oidc", with: { issuer: "https://login.example.com" } });
    const noted = { keyManager: "corp", clientId: "victims-client" };
    await expect(create(subscriber, noted)).rejects.toMatchObject({ code: "auth.forbidden" });
    expect((await create(testActor, noted)).row.clientId).toBe("victims-client");
  });
});
