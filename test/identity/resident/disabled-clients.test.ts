import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listAllOauthClients, setOauthClientDisabled } from "../../../src/core/manage-oauth-clients.ts";
import { testActor } from "../../kit/gatehouse.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { codeFlow, insecure, startAuthGatehouse } from "./auth-kit.ts";

type Made = Awaited<ReturnType<AuthGatehouse["client"]>>;

const redirectUri = "http://127.0.0.1:4711/callback";
let at: AuthGatehouse;
let upstream: Awaited<ReturnType<typeof startMockUpstream>>;

beforeAll(async () => {
  upstream = await startMockUpstream();
  at = await startAuthGatehouse();
  await at.gatehouse.llm("open", upstream.url, { security: { apiKey: {}, oauth: { registeredClients: true } } });
});

afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** A client that registers itself as MCP applications do. */
async function registered(): Promise<Made> {
  const metadata = { client_name: "Agent", redirect_uris: [redirectUri], token_endpoint_auth_method: "none" };
  const grants = { grant_types: ["authorization_code", "refresh_token"] };
  const answer = await oauth.dynamicClientRegistrationRequest(at.server, { ...metadata, ...grants }, insecure);
  const { client_id: clientId } = await oauth.processDynamicClientRegistrationResponse(answer);
  return { client: { client_id: clientId }, clientId, secret: "", authentication: oauth.None() };
}

async function setDisabled(clientId: string, disabled: boolean): Promise<void> {
  const { context } = at.gatehouse.running;
  const { rows } = await listAllOauthClients(context, { clientId }, { limit: 1 });
  const address = { id: rows[0]?.id ?? "" };
  await setOauthClientDisabled(context, testActor, { address, expectedVersion: undefined }, disabled);
}

const call = async (token: string): Promise<number> => {
  const answer = await fetch(`${at.gatehouse.running.gatewayUrl}/open/v1/models`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.arrayBuffer();
  return answer.status;
};

const refresh = (made: Made, token: string) =>
  oauth.refreshTokenGrantRequest(at.server, made.client, made.authentication, token, insecure);

describe("a client that registered itself and is disabled", () => {
  test("loses its access token at once, its refresh token for ever, and its way to new ones", async () => {
    const made = await registered();
    const flow = { made, redirectUri, resource: `${at.gatehouse.running.gatewayUrl}/open` };
    const { access_token: token, refresh_token: again = "" } = await codeFlow(at, flow);
    expect(await call(token)).toBe(200);
    await setDisabled(made.clientId, true);
    expect(await call(token)).toBe(401);
    expect((await refresh(made, again)).status).toBe(401);
    await expect(codeFlow(at, flow)).rejects.toThrow("no redirect: 400");

    await setDisabled(made.clientId, false);
    expect(await call(token)).toBe(401);
    expect((await refresh(made, again)).status).toBe(400);
    const anew = await codeFlow(at, flow);
    expect(anew.refresh_token).not.toBe(again);
  });

  test("leaves every other client as it was", async () => {
    const [one, other] = [await registered(), await registered()];
    const resource = `${at.gatehouse.running.gatewayUrl}/open`;
    const tokens = await codeFlow(at, { made: other, redirectUri, resource });
    await setDisabled(one.clientId, true);
    expect(await call(tokens.access_token)).toBe(200);
    expect((await refresh(other, tokens.refresh_token ?? "")).status).toBe(200);
  });
});

test("a disabled client of an application gets no token with its right secret", async () => {
  const made = await at.client({});
  const ask = async () =>
    (
      await oauth.clientCredentialsGrantRequest(
        at.server,
        made.client,
        made.authentication,
        { resource: at.chat },
        insecure,
      )
    ).status;
  expect(await ask()).toBe(200);
  await setDisabled(made.clientId, true);
  expect(await ask()).toBe(401);
});
