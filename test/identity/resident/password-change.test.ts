import * as oauth from "oauth4webapi";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isEndedState } from "../../../src/core/oauth-accounts.ts";
import { changeOwnPassword, getUser, replaceUser, setPassword } from "../../../src/core/users.ts";
import { testActor } from "../../kit/gatehouse.ts";
import type { AuthGatehouse } from "./auth-kit.ts";
import { codeFlow, insecure, password, startAuthGatehouse } from "./auth-kit.ts";
import { createBrowser } from "./browser.ts";

const redirectUri = "http://127.0.0.1:9/callback";
const native = {
  applicationType: "native",
  tokenEndpointAuthMethod: "none",
  grantTypes: ["authorization_code", "refresh_token"],
  redirectUris: ["http://127.0.0.1/callback"],
};

let at: AuthGatehouse;

// Each with an installation of its own: what is issued in the second of a revocation counts as issued before it.
beforeEach(async () => {
  at = await startAuthGatehouse();
});
afterEach(() => at[Symbol.asyncDispose]());

const ada = () => getUser(at.gatehouse.running.context, "ada");

const setDisabled = async (disabled: boolean): Promise<void> => {
  const { version } = await ada();
  await replaceUser(at.gatehouse.running.context, testActor, "ada", { spec: { disabled } }, version);
};

const ways = [
  {
    name: "a password that somebody else has set",
    end: async () => {
      await setPassword(at.gatehouse.running.context, testActor, "ada", { password });
    },
  },
  {
    name: "a password that the user has changed",
    end: async () => {
      const input = { current: password, password };
      await changeOwnPassword(at.gatehouse.running.context, testActor, await ada(), input, "");
    },
  },
  {
    name: "being disabled, also when that is taken back",
    end: async () => {
      await setDisabled(true);
      await setDisabled(false);
    },
  },
];

describe.each(ways)("$name", ({ end }) => {
  test("ends refresh tokens, access tokens, the session and the consent", async () => {
    const made = await at.client(native);
    const browser = createBrowser(new URL(at.issuer).origin);
    const tokens = await codeFlow(at, { made, redirectUri, browser });
    expect(await at.call(tokens.access_token)).toBe(200);
    await end();
    const refresh = tokens.refresh_token ?? "";
    const answer = await oauth.refreshTokenGrantRequest(at.server, made.client, made.authentication, refresh, insecure);
    expect(answer.status).toBe(400);
    expect(await at.call(tokens.access_token)).toBe(401);
    const url = new URL(at.server.authorization_endpoint ?? "");
    url.search = new URLSearchParams({
      client_id: made.clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
      resource: at.chat,
    }).toString();
    const seen = await browser.open(url.href);
    expect(seen.redirect).toBeUndefined();
    expect(seen.html).toContain('name="password"');
    const again = await browser.submit(seen, "log-in", { name: "ada", password });
    expect(again.html).toContain(">Allow<");
  });
});

test("what an account began before its end is not stored again, and what it begins after is", async () => {
  const { catalog, clock } = at.gatehouse.running.context;
  await setPassword(at.gatehouse.running.context, testActor, "ada", { password });
  const { id } = await ada();
  const nowSeconds = Math.floor(clock.now() / 1_000);
  const ended = (accountId: string, since: number) =>
    catalog.transaction((transaction) => isEndedState(transaction, accountId, since));
  expect(await ended(id, nowSeconds - 60)).toBe(true);
  expect(await ended(id, nowSeconds + 1)).toBe(false);
  expect(await ended("usr_gone", nowSeconds + 1)).toBe(true);
});

test("who guesses a password at the authorization server keeps its owner out of nothing at the control plane", async () => {
  const browser = createBrowser(new URL(at.issuer).origin);
  const made = await at.client(native);
  const url = new URL(at.server.authorization_endpoint ?? "");
  const query = {
    client_id: made.clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    code_challenge: "x".repeat(43),
    code_challenge_method: "S256",
    resource: at.chat,
  };
  url.search = new URLSearchParams(query).toString();
  let seen = await browser.open(url.href);
  for (let guess = 0; guess < 6; guess += 1) {
    seen = await browser.submit(seen, "log-in", { name: "ada", password: "a wrong password" });
  }
  expect(seen.status).toBe(429);
  const { controlUrl } = at.gatehouse.running;
  const answer = await fetch(`${controlUrl}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: controlUrl },
    body: JSON.stringify({ name: "ada", password }),
  });
  expect(answer.status).toBe(200);
});
