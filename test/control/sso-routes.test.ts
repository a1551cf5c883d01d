import { createSecretKey, randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import type { KeyManagerConnector } from "../../src/core/key-manager-connector.ts";
import type { KeyManagerRecord } from "../../src/core/plane-message.ts";
import type { SsoSettings } from "../../src/core/sign-in-settings.ts";
import { defaultSignIn } from "../../src/core/sign-in-settings.ts";
import { createSsoClient } from "../../src/identity/sso/sso-client.ts";
import { createSsoStates } from "../../src/identity/sso/sso-state.ts";
import { createNetworkPolicy, developmentReach } from "../../src/kernel/network-policy.ts";
import { createSafeFetch } from "../../src/kernel/safe-fetch.ts";
import { makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import type { LoginServer } from "./login-server.ts";
import { startLoginServer } from "./login-server.ts";

const path = "/api/v1/session/sso/corp";
const disposables: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of disposables.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

interface Sso {
  readonly plane: ControlPlane;
  readonly server: LoginServer;
  /** Sends a browser to the server; what it has to bring back, and its cookie. */
  begin(query?: string): Promise<{ readonly url: URL; readonly cookie: string }>;
  /** Comes back with what the server answers. */
  finish(
    begun: { readonly url: URL; readonly cookie: string },
    changes?: Record<string, string | null>,
  ): ReturnType<ControlPlane["send"]>;
}

async function openSso(settings: Partial<SsoSettings> = {}): Promise<Sso> {
  const server = await startLoginServer();
  disposables.push(server);
  const sso: SsoSettings = {
    clientId: "gatehouse",
    clientSecret: "client-s3cret",
    scopes: ["openid", "profile"],
    rolesClaim: "groups",
    roles: { analysts: ["analyst"], admins: ["admin"] },
    teams: { blues: [{ team: "default", roles: ["subscriber"] }] },
    createUsers: true,
    ...settings,
  };
  const fetch = createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: developmentReach }) });
  disposables.push(fetch);
  const open = (record: KeyManagerRecord): KeyManagerConnector => {
    const { issuer } = record.with as { readonly issuer?: string }; // as this test has written it
    const issuers = issuer === undefined ? [] : [issuer];
    return { issuers, reaches: [], test: async () => ({ ok: true, steps: [] }), [Symbol.asyncDispose]: async () => {} };
  };
  const states = createSsoStates(createSecretKey(randomBytes(32)), server.clock);
  const plane = await openControlPlane({
    core: {
      clock: server.clock,
      signIn: { ...defaultSignIn, sso: { corp: sso, other: sso } },
      keyManagers: { issues: () => [], open },
    },
    sso: createSsoClient({ fetch, clock: server.clock, states }),
  });
  disposables.push(plane);
  for (const name of ["corp", "other"]) {
    const issuer = name === "corp" ? server.issuer : `${server.issuer}/other`;
    const spec = { use: "oidc", with: { issuer }, enabled: name === "corp" };
    await plane.send("POST", "/api/v1/key-managers", { metadata: { name }, spec });
  }
  return {
    plane,
    server,
    async begin(query = "") {
      const answer = await plane.send("GET", `${path}${query}`, undefined, { authorization: null });
      expect(answer.status).toBe(302);
      const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
      return { url: new URL(answer.headers.get("location") ?? ""), cookie };
    },
    async finish({ url, cookie }, changes = {}) {
      const back = new URLSearchParams(server.authorize(url));
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) back.delete(name);
        else back.set(name, value);
      }
      return plane.send("GET", `${path}/callback?${back.toString()}`, undefined, { authorization: null, cookie });
    },
  };
}

const sessionOf = (headers: Headers): string =>
  headers
    .getSetCookie()
    .find((line) => line.startsWith("gatehouse="))
    ?.split(";")[0] ?? "";

describe("200", () => {
  test("somebody signs in with PKCE, state and nonce, gets roles by claims, and comes back to where they were", async () => {
    const sso = await openSso();
    sso.server.person = { sub: "u-1", preferred_username: "Ada.L", name: "Ada L.", groups: ["analysts", "blues", "x"] };
    const begun = await sso.begin("?return_to=/apis%3Fa%3D1%26b");
    expect(Object.fromEntries(begun.url.searchParams)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: "http://127.0.0.1:9090/api/v1/session/sso/corp/callback",
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const answer = await sso.finish(begun);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('url=/apis?a=1&#38;b"');
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^gatehouse=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^gatehouse-sso=; .*Max-Age=0$/),
    ]);
    const cookie = sessionOf(answer.headers);
    const me = await sso.plane.send("GET", "/api/v1/session", undefined, { authorization: null, cookie });
    expect(JSON.parse(me.text)).toMatchObject({ user: { name: "ada-l", displayName: "Ada L." }, roles: ["analyst"] });
    expect(JSON.parse(me.text).permissions.teams.default).toContain("keys:write");
  });

  test("the next time it is the same user, with the roles of then", async () => {
    const sso = await openSso();
    sso.server.person = { sub: "u-1", preferred_username: "ada", groups: ["admins"] };
    await sso.finish(await sso.begin());
    sso.server.person = { sub: "u-1", preferred_username: "renamed", groups: ["analysts"] };
    expect((await sso.finish(await sso.begin())).status).toBe(200);
    const { rows } = await sso.plane.context.catalog.read.users.list({ limit: 10 });
    expect(rows).toMatchObject([{ name: "ada", roles: ["analyst"], ssoSubject: "u-1" }]);
  });

  test("a name that a user has already leads to no other user's rights", async () => {
    const sso = await openSso();
    await makeUser(sso.plane, "root", { roles: ["admin"] });
    sso.server.person = { sub: "u-9", preferred_username: "root", groups: ["analysts"] };
    await sso.finish(await sso.begin());
    const { rows } = await sso.plane.context.catalog.read.users.list({ limit: 10 });
    expect(rows.map(({ name, roles }) => ({ name, roles }))).toEqual([
      { name: "root", roles: ["admin"] },
      { name: expect.stringMatching(/^root-[0-9a-f]{10}$/), roles: ["analyst"] },
    ]);
  });

  test("the ways to sign in are told to everybody", async () => {
    const { plane } = await openSso();
    const answer = await plane.send("GET", "/api/v1/session/sso", undefined, { authorization: null });
    expect(JSON.parse(answer.text).items).toContainEqual({ keyManager: "corp", path });
  });
});

describe("400", () => {
  test.each([
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/%0d%0aset-cookie",
    "javascript:1",
    "\\\\evil",
    "",
    "/a\\b",
  ])("return_to leads nowhere else: %s", async (to) => {
    const { plane } = await openSso();
    const query = to.startsWith("/%") ? "/\r\nset-cookie" : to;
    const answer = await plane.send("GET", `${path}?return_to=${encodeURIComponent(query)}`, undefined, {
      authorization: null,
    });
    expect(answer.status).toBe(400);
  });
});

describe("403", () => {
  test.each([
    { name: "another state", changes: { state: "AAAA" } },
    { name: "no state", changes: { state: null } },
    { name: "another issuer's answer", changes: { iss: "https://other.example.com" } },
    { name: "no code", changes: { code: null } },
    { name: "a code of nobody", changes: { code: "made-up" } },
    { name: "a refusal of the server", changes: { code: null, error: "access_denied" } },
  ])("$name signs nobody in", async ({ changes }) => {
    const sso = await openSso();
    const answer = await sso.finish(await sso.begin(), changes);
    expect(answer.status).toBe(403);
    expect(sessionOf(answer.headers)).toBe("");
  });

  test("an answer is good in the browser that began, with the server it began with, once, and for ten minutes", async () => {
    const sso = await openSso();
    const begun = await sso.begin();
    const other = await sso.begin();
    expect((await sso.finish({ ...begun, cookie: "" })).status).toBe(403);
    expect((await sso.finish({ ...begun, cookie: other.cookie })).status).toBe(403);
    const back = sso.server.authorize(begun.url);
    const come = () =>
      sso.plane.send("GET", `${path}/callback?${back}`, undefined, { authorization: null, cookie: begun.cookie });
    expect((await come()).status).toBe(200);
    sso.server.forgetCodes();
    expect((await come()).status).toBe(403);
    sso.server.clock.advance(600_000);
    expect((await sso.finish(other)).status).toBe(403);
  });

  test("what was begun with one key manager is no answer of another", async () => {
    const sso = await openSso();
    const begun = await sso.begin();
    await sso.plane.send(
      "PUT",
      "/api/v1/key-managers/other",
      { metadata: { name: "other" }, spec: { use: "oidc", with: { issuer: `${sso.server.issuer}/other` } } },
      { "if-match": "*" },
    );
    const back = sso.server.authorize(begun.url);
    const at = `/api/v1/session/sso/other/callback?${back}`;
    expect((await sso.plane.send("GET", at, undefined, { authorization: null, cookie: begun.cookie })).status).toBe(
      403,
    );
  });

  test.each([
    { name: "another nonce", claims: { nonce: "AAAA" } },
    { name: "no nonce", claims: { nonce: undefined } },
    { name: "another audience", claims: { aud: "somebody-else" } },
    { name: "several audiences and another party", claims: { aud: ["gatehouse", "x"], azp: "x" } },
    { name: "another issuer", claims: { iss: "https://evil.example" } },
    { name: "no end", claims: { exp: undefined } },
    { name: "an end that has passed", claims: { exp: 1 } },
    { name: "no subject", claims: { sub: undefined } },
  ])("an identity token with $name signs nobody in", async ({ claims }) => {
    const sso = await openSso();
    sso.server.idTokenChanges = claims;
    expect((await sso.finish(await sso.begin())).status).toBe(403);
  });

  test.each(["none", "HS256", "other-key"] as const)("nor one that is signed by %s", async (signedBy) => {
    const sso = await openSso();
    sso.server.signedBy = signedBy;
    expect((await sso.finish(await sso.begin())).status).toBe(403);
  });

  test("who gets no role, is disabled, or may not be made does not get in", async () => {
    const sso = await openSso();
    sso.server.person = { sub: "u-1", preferred_username: "ada", groups: ["constructor"] };
    expect((await sso.finish(await sso.begin())).status).toBe(403);
    sso.server.person = { sub: "u-1", preferred_username: "ada", groups: ["analysts"] };
    expect((await sso.finish(await sso.begin())).status).toBe(200);
    await sso.plane.send("PUT", "/api/v1/users/ada", { spec: { disabled: true } }, { "if-match": "*" });
    expect((await sso.finish(await sso.begin())).status).toBe(403);
    const closed = await openSso({ createUsers: false });
    expect((await closed.finish(await closed.begin())).status).toBe(403);
    const { rows } = await closed.plane.context.catalog.read.users.list({ limit: 10 });
    expect(rows).toEqual([]);
  });
});

describe("404", () => {
  test.each(["/api/v1/session/sso/other", "/api/v1/session/sso/resident", "/api/v1/session/sso/constructor"])(
    "%s: a key manager that is off, not set up or not there",
    async (at) => {
      const { plane } = await openSso();
      expect((await plane.send("GET", at, undefined, { authorization: null })).status).toBe(404);
    },
  );
});
