import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import type { Model } from "oidc-provider";
import { expect, test } from "vitest";
import { maxTokenLength } from "../../../src/identity/jwt-check.ts";
import { refuseTooLong } from "../../../src/identity/resident/token-size.ts";
import { insecure, startAuthGatehouse } from "./auth-kit.ts";

test("a token with as many scopes as an API may ask for opens that API", async () => {
  await using at = await startAuthGatehouse({ "oauth.signingAlgorithm": "RS256" });
  const { client, authentication } = await at.client({});
  const upstream = { production: { targets: [{ provider: "chat" }] }, sandbox: { sameAs: "production" } };
  const scopes = Array.from({ length: 29 }, (_, index) => `${index}:`.padEnd(100, "x"));
  await at.gatehouse.put("LlmApi", "wide", { context: "/wide", upstream, security: { oauth: { scopes } } });
  const resource = `${at.gatehouse.running.gatewayUrl}/wide`;
  const asked = { resource };
  const answer = await oauth.clientCredentialsGrantRequest(at.server, client, authentication, asked, insecure);
  const { access_token: token } = await oauth.processClientCredentialsResponse(at.server, client, answer);
  const called = await fetch(`${resource}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
  await called.arrayBuffer();
  expect(called.status).toBe(200);
});

test("what is not refused is never longer, once it is signed, than what the gateway reads", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 3_072 });
  const issuer = "https://gateway.example.com/auth";
  const outcomes = new Set<boolean>();
  const text = (maxLength: number) => fc.string({ unit: "binary", maxLength });
  const claims = fc.record({
    scope: text(3_000),
    clientId: text(2_048),
    roles: fc.array(text(200), { maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(claims, async ({ scope, clientId, roles }) => {
      const token = { jti: "j".repeat(43), clientId, scope, resourceServer: { audience: `${issuer}/chat` } };
      const extra = { roles, gh_env: "production" };
      let isRefused = false;
      try {
        refuseTooLong(issuer, token as unknown as Model, extra); // what is looked at of one
      } catch (error) {
        expect(error).toMatchObject({ error: "invalid_scope" });
        isRefused = true;
      }
      outcomes.add(isRefused);
      if (isRefused) return;
      const standard = {
        jti: token.jti,
        client_id: clientId,
        sub: clientId,
        scope,
        iss: issuer,
        aud: `${issuer}/chat`,
      };
      const signed = await new SignJWT({ ...standard, ...extra, iat: 1_900_000_000, exp: 1_900_000_000 })
        .setProtectedHeader({ alg: "RS256", typ: "at+jwt", kid: "k".repeat(22) })
        .sign(privateKey);
      expect(signed.length).toBeLessThanOrEqual(maxTokenLength);
    }),
    {
      numRuns: 60,
      examples: [
        [{ scope: "a", clientId: "b", roles: [] }],
        [{ scope: "a".repeat(3_000), clientId: "b".repeat(2_048), roles: ["c".repeat(200), "d".repeat(200)] }],
      ],
    },
  );
  expect(outcomes).toEqual(new Set([false, true]));
}, 30_000);
