import { decodeJwt, importJWK, SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config.ts";
import { openSigningKeys } from "../../../src/core/signing-keys.ts";
import { noteIssued } from "../../../src/identity/resident/issued-tokens.ts";
import { createOwnTokens } from "../../../src/identity/resident/own-tokens.ts";
import { startGatehouse } from "../../../src/main.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
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

async function logOut(at: AuthGatehouse, browser: ReturnType<typeof createBrowser>): Promise<void> {
  const seen = await browser.open(`${at.issuer}/logout`);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(seen.html)?.[1] ?? "";
  const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
  const body = new URLSearchParams({ xsrf, logout: "yes" });
  const headers = { cookie, origin: new URL(at.issuer).origin };
  const answer = await fetch(`${at.issuer}/logout/confirm`, { method: "POST", body, redirect: "manual", headers });
  expect(answer.status).toBe(303);
}

const refresh = async (at: AuthGatehouse, made: Awaited<ReturnType<AuthGatehouse["client"]>>, token = "") => {
  const answer = await oauth.refreshTokenGrantRequest(at.server, made.client, made.authentication, token, insecure);
  return answer.status;
};

describe("by default", () => {
  let at: AuthGatehouse;
  beforeAll(async () => {
    at = await startAuthGatehouse();
  });
  afterAll(() => at[Symbol.asyncDispose]());

  test("logging out ends the session, and neither access nor refresh tokens", async () => {
    const made = await at.client(native);
    const browser = createBrowser(new URL(at.issuer).origin);
    const tokens = await codeFlow(at, { made, redirectUri, browser });
    await logOut(at, browser);
    expect(await at.call(tokens.access_token)).toBe(200);
    expect(await refresh(at, made, tokens.refresh_token)).toBe(200);
  });

  test("a form without its proof, or with another page's, changes nothing", async () => {
    const made = await at.client(native);
    const query = new URLSearchParams({
      client_id: made.clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      code_challenge: "x".repeat(43),
      code_challenge_method: "S256",
      resource: at.chat,
    });
    const browser = createBrowser(new URL(at.issuer).origin);
    const seen = await browser.open(`${at.issuer}/authorize?${query.toString()}`);
    const forged = await browser.submit(seen, "log-in", { csrf: "x", name: "ada", password });
    expect(forged.status).toBe(403);
    const stranger = createBrowser(new URL(at.issuer).origin);
    const stolen = await stranger.submit(seen, "log-in", { name: "ada", password });
    expect(stolen.status).toBe(400); // another browser has not the cookie of the page
    const wrong = await browser.submit(seen, "log-in", { name: "ada", password: "wrong" });
    expect([wrong.status, wrong.html.includes("is wrong")]).toEqual([401, true]);
  });

  test("claims with several values stay lists when a token is exchanged", async () => {
    const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    const made = await at.client({ grantTypes: [grant] });
    const { context } = at.gatehouse.running;
    const { active } = await openSigningKeys(context, "ES256");
    const subject = await new SignJWT({ roles: ["a", "b"], groups: ["one"], client_id: made.clientId, jti: "j" })
      .setProtectedHeader({ alg: "ES256", kid: active.kid, typ: "at+jwt" })
      .setIssuer(at.issuer)
      .setAudience(at.chat)
      .setSubject("usr_x")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(await importJWK({ ...active.privateJwk } as never, "ES256"));
    const parameters = {
      subject_token: subject,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      resource: at.other,
    };
    const answer = await oauth.genericTokenEndpointRequest(
      at.server,
      made.client,
      made.authentication,
      grant,
      parameters,
      insecure,
    );
    const got = await oauth.processGenericTokenEndpointResponse(at.server, made.client, answer);
    expect(decodeJwt(got.access_token)).toMatchObject({ roles: ["a", "b"], groups: ["one"], sub: "usr_x" });
  });

  test("a revocation survives a restart", async () => {
    const made = await at.client({});
    const get = async () => {
      const request = { resource: at.chat };
      const answer = await oauth.clientCredentialsGrantRequest(
        at.server,
        made.client,
        made.authentication,
        request,
        insecure,
      );
      return (await oauth.processClientCredentialsResponse(at.server, made.client, answer)).access_token;
    };
    const [dead, alive] = [await get(), await get()];
    await oauth.revocationRequest(at.server, made.client, made.authentication, dead, insecure);
    const { dataDir, running } = at.gatehouse;
    const { port } = new URL(running.gatewayUrl);
    await running[Symbol.asyncDispose]();
    const flags = { dataDir, port, controlPort: "0", "analytics.mode": "off" };
    await using again = await startGatehouse(loadConfig({ flags, env: {}, cwd: dataDir }), { log: memoryLog() });
    expect(again.gatewayUrl).toBe(running.gatewayUrl);
    expect([await at.call(dead), await at.call(alive)]).toEqual([401, 200]);
    const resident = await again.context.catalog.read.resources.find("KeyManager", "resident");
    const keys = await openSigningKeys(again.context, "ES256");
    const own = createOwnTokens(again.context, at.issuer, (resident?.id ?? "") as never, keys);
    expect([await own.read(dead), (await own.read(alive))?.client_id]).toEqual([undefined, made.clientId]);
  });
});

test("with revokeOnLogout, logging out ends what was granted in the session", async () => {
  await using at = await startAuthGatehouse({ "oauth.revokeOnLogout": "true" });
  const made = await at.client(native);
  const browser = createBrowser(new URL(at.issuer).origin);
  const tokens = await codeFlow(at, { made, redirectUri, browser });
  expect(await at.call(tokens.access_token)).toBe(200);
  await logOut(at, browser);
  expect(await at.call(tokens.access_token)).toBe(401);
  expect(await refresh(at, made, tokens.refresh_token)).toBe(400);
});

test("with tokenPersistence, a replayed refresh token ends the access tokens of its family too", async () => {
  await using at = await startAuthGatehouse({ "oauth.tokenPersistence": "true" });
  const made = await at.client(native);
  const tokens = await codeFlow(at, { made, redirectUri });
  expect(await refresh(at, made, tokens.refresh_token)).toBe(200);
  expect(await at.call(tokens.access_token)).toBe(200);
  expect(await refresh(at, made, tokens.refresh_token)).toBe(400);
  expect(await at.call(tokens.access_token)).toBe(401);
});

test("with tokenPersistence, no access token outlives a refresh token that several used at once", async () => {
  await using at = await startAuthGatehouse({ "oauth.tokenPersistence": "true" });
  const made = await at.client(native);
  for (let race = 0; race < 5; race += 1) {
    const { refresh_token: token = "" } = await codeFlow(at, { made, redirectUri });
    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { client, authentication } = made;
        const answer = await oauth.refreshTokenGrantRequest(at.server, client, authentication, token, insecure);
        return (await answer.json()) as { access_token?: string };
      }),
    );
    const got = answers.flatMap(({ access_token: access }) => access ?? []);
    for (const access of got) expect(await at.call(access)).toBe(401);
  }
});

test("no access token comes out of a grant that has ended while it was being made", async () => {
  await using at = await startAuthGatehouse({ "oauth.tokenPersistence": "true" });
  const { context } = at.gatehouse.running;
  const token = { jti: "late", expiresAtMs: context.clock.now() + 60_000 };
  await expect(noteIssued(context, "grant-that-ended", token)).rejects.toMatchObject({ error: "invalid_grant" });
});
