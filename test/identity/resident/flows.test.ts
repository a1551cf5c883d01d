import { decodeJwt, decodeProtectedHeader } from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuthGatehouse, CodeFlow } from "./auth-kit.ts";
import { codeFlow, insecure, startAuthGatehouse } from "./auth-kit.ts";

let at: AuthGatehouse;

beforeAll(async () => {
  at = await startAuthGatehouse();
});

afterAll(() => at[Symbol.asyncDispose]());

const redirectUri = "http://127.0.0.1:9/callback";
const native = {
  applicationType: "native",
  tokenEndpointAuthMethod: "none",
  grantTypes: ["authorization_code", "refresh_token"],
  redirectUris: ["http://127.0.0.1/callback"],
};
type Made = Awaited<ReturnType<AuthGatehouse["client"]>>;

async function clientToken(made: Made, resource = at.chat): Promise<oauth.TokenEndpointResponse> {
  const answer = await oauth.clientCredentialsGrantRequest(
    at.server,
    made.client,
    made.authentication,
    { resource },
    insecure,
  );
  return oauth.processClientCredentialsResponse(at.server, made.client, answer);
}

const codeToken = (flow: Omit<CodeFlow, "redirectUri">): Promise<oauth.TokenEndpointResponse> =>
  codeFlow(at, { redirectUri, ...flow });

async function refresh(made: Made, token: string): Promise<oauth.TokenEndpointResponse> {
  const answer = await oauth.refreshTokenGrantRequest(at.server, made.client, made.authentication, token, insecure);
  return oauth.processRefreshTokenResponse(at.server, made.client, answer);
}

describe("client credentials", () => {
  test("get a JWT for one API, which opens that one and no other", async () => {
    const made = await at.client({});
    const { access_token: token, expires_in } = await clientToken(made);
    expect(expires_in).toBe(3_600);
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: "at+jwt", alg: "ES256", kid: expect.any(String) });
    expect(decodeJwt(token)).toMatchObject({
      iss: at.issuer,
      sub: made.clientId,
      client_id: made.clientId,
      aud: at.chat,
      gh_env: "production",
      gh_sid: expect.stringMatching(/^ocs_/),
      jti: expect.any(String),
    });
    expect(await at.call(token)).toBe(200);
    expect(await at.call(token, "other")).toBe(401);
  });

  test("need an API that is there, and one at a time", async () => {
    const made = await at.client({});
    await expect(clientToken(made, `${at.chat}/`)).rejects.toMatchObject({ error: "invalid_target" });
    const none = await oauth.clientCredentialsGrantRequest(at.server, made.client, made.authentication, {}, insecure);
    expect(await none.json()).toMatchObject({ error: "invalid_target" });
    const two = new URLSearchParams([
      ["resource", at.chat],
      ["resource", at.other],
    ]);
    const both = await oauth.clientCredentialsGrantRequest(at.server, made.client, made.authentication, two, insecure);
    expect(await both.json()).toMatchObject({ error: "invalid_target" });
  });

  test("with a wrong secret are refused, and after many of them for a while with the right one too", async () => {
    const made = await at.client({});
    const wrong = { ...made, authentication: oauth.ClientSecretBasic(`${made.secret.slice(0, -1)}!`) };
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await expect(clientToken(wrong)).rejects.toMatchObject({ status: 401 });
    }
    await expect(clientToken(made)).rejects.toMatchObject({ status: 429 });
  });
});

describe("the authorization code", () => {
  test("comes with PKCE, an issuer and a person's consent, and its token opens the API", async () => {
    const made = await at.client(native);
    const tokens = await codeToken({ made });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: at.chat, sub: expect.stringMatching(/^usr_/) });
    expect(tokens.refresh_token).toMatch(/^[\w-]{43}$/); // opaque
    expect(await at.call(tokens.access_token)).toBe(200);
  });

  test("is refused without PKCE, and with a plain challenge", async () => {
    const made = await at.client(native);
    await expect(codeToken({ made, extra: { code_challenge_method: "plain" } })).rejects.toMatchObject({
      error: "invalid_request",
    });
    await expect(codeToken({ made, extra: { code_challenge: "", code_challenge_method: "" } })).rejects.toMatchObject({
      error: "invalid_request",
    });
  });

  test("works with an ID token when openid is asked for", async () => {
    const made = await at.client(native);
    const tokens = await codeToken({ made, extra: { scope: "openid profile" } });
    expect(decodeJwt(tokens.id_token ?? "")).toMatchObject({ iss: at.issuer, aud: made.clientId });
    expect(await at.call(tokens.access_token)).toBe(200);
  });
});

describe("refresh tokens", () => {
  test("are rotated, and one that comes twice ends the whole family", async () => {
    const made = await at.client(native);
    const first = await codeToken({ made });
    const second = await refresh(made, first.refresh_token ?? "");
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await at.call(second.access_token)).toBe(200);
    await expect(refresh(made, first.refresh_token ?? "")).rejects.toMatchObject({ error: "invalid_grant" });
    await expect(refresh(made, second.refresh_token ?? "")).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("of which one is used twice at the same time: at most one answer is good, and the family ends", async () => {
    const made = await at.client(native);
    const first = await codeToken({ made });
    const both = await Promise.allSettled([
      refresh(made, first.refresh_token ?? ""),
      refresh(made, first.refresh_token ?? ""),
    ]);
    const good = both.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(good.length).toBeLessThanOrEqual(1);
    for (const { refresh_token = "" } of good) {
      await expect(refresh(made, refresh_token)).rejects.toMatchObject({ error: "invalid_grant" });
    }
  });

  test("are not in the database, and neither are access tokens", async () => {
    const made = await at.client(native);
    const tokens = await codeToken({ made });
    const { DatabaseSync } = await import("node:sqlite");
    using database = new DatabaseSync(at.gatehouse.running.dataDirectory.catalogPath, { readOnly: true });
    const rows = JSON.stringify(database.prepare("select * from oauth_state").all());
    expect(rows).toContain("RefreshToken");
    expect(rows).not.toContain(tokens.refresh_token);
    expect(rows).not.toContain(tokens.access_token);
    expect(rows).not.toMatch(/"model":"(AccessToken|ClientCredentials)"/);
  });
});

describe("revocation and introspection", () => {
  const introspect = async (made: Made, token: string) => {
    const answer = await oauth.introspectionRequest(at.server, made.client, made.authentication, token, insecure);
    return oauth.processIntrospectionResponse(at.server, made.client, answer);
  };

  test("a revoked token is dead at the gateway and in introspection", async () => {
    const made = await at.client({});
    const { access_token: token } = await clientToken(made);
    const { access_token: sibling } = await clientToken(made);
    expect(await introspect(made, token)).toMatchObject({ active: true, client_id: made.clientId, aud: at.chat });
    expect(await at.call(token)).toBe(200);
    const answer = await oauth.revocationRequest(at.server, made.client, made.authentication, token, insecure);
    await oauth.processRevocationResponse(answer);
    expect(await at.call(token)).toBe(401);
    expect(await introspect(made, token)).toEqual({ active: false });
    expect(await at.call(sibling)).toBe(200);
  });

  test("a client cannot revoke another's token, and garbage is not active", async () => {
    const [made, stranger] = [await at.client({}), await at.client({})];
    const { access_token: token } = await clientToken(made);
    const answer = await oauth.revocationRequest(at.server, stranger.client, stranger.authentication, token, insecure);
    expect(answer.status).toBe(400);
    expect(await at.call(token)).toBe(200);
    expect(await introspect(made, `${token.slice(0, -4)}AAAA`)).toEqual({ active: false });
    expect(await introspect(made, "nonsense")).toEqual({ active: false });
  });

  test("revoking a refresh token ends its family", async () => {
    const made = await at.client(native);
    const tokens = await codeToken({ made });
    const token = tokens.refresh_token ?? "";
    const answer = await oauth.revocationRequest(at.server, made.client, made.authentication, token, insecure);
    await oauth.processRevocationResponse(answer);
    await expect(refresh(made, token)).rejects.toMatchObject({ error: "invalid_grant" });
  });
});

describe("token exchange", () => {
  const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
  const exchange = async (made: Made, parameters: Record<string, string>) => {
    const answer = await oauth.genericTokenEndpointRequest(
      at.server,
      made.client,
      made.authentication,
      grant,
      { subject_token_type: "urn:ietf:params:oauth:token-type:access_token", resource: at.other, ...parameters },
      insecure,
    );
    return oauth.processGenericTokenEndpointResponse(at.server, made.client, answer);
  };

  test("gives a token for another API in the same subject's name, and says who acts", async () => {
    const person = await codeToken({ made: await at.client(native) });
    const made = await at.client({ grantTypes: [grant] });
    const got = await exchange(made, { subject_token: person.access_token });
    expect(got["issued_token_type"]).toBe("urn:ietf:params:oauth:token-type:access_token");
    const claims = decodeJwt(got.access_token);
    expect(claims).toMatchObject({
      sub: decodeJwt(person.access_token).sub,
      aud: at.other,
      client_id: made.clientId,
      act: { sub: made.clientId },
    });
    expect(claims.exp).toBeLessThanOrEqual(decodeJwt(person.access_token).exp ?? 0);
    expect(await at.call(got.access_token, "other")).toBe(200);
    expect(await at.call(got.access_token)).toBe(401);
  });

  test("is refused for a client without the grant, for a token that is none, and from sandbox to production", async () => {
    const { access_token: token } = await clientToken(await at.client({}));
    await expect(exchange(await at.client({}), { subject_token: token })).rejects.toMatchObject({ status: 400 });
    const made = await at.client({ grantTypes: [grant] });
    await expect(exchange(made, { subject_token: "nonsense" })).rejects.toMatchObject({ error: "invalid_request" });
    const sandbox = await clientToken(await at.client({ environment: "sandbox" }));
    await expect(exchange(made, { subject_token: sandbox.access_token })).rejects.toMatchObject({ status: 400 });
  });
});
