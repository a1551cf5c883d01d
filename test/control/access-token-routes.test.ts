import { describe, expect, test } from "vitest";
import { bearer, makeToken, makeUser, signIn } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = "/api/v1/access-tokens";
const days = 86_400_000;

describe("201", () => {
  test("a token is shown once, is of a form that scanners know, and may what its user may", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    const browser = await signIn(plane, "ada");
    const { token } = await makeToken(browser.send, {});
    expect(token).toMatch(/^gh_pat_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
    expect((await browser.send("GET", path)).text).not.toContain(token);
    expect((await plane.send("GET", "/api/v1/plans", undefined, bearer(token))).status).toBe(200);
    expect((await plane.send("GET", "/api/v1/users", undefined, bearer(token))).status).toBe(403);
    const audit = await plane.context.catalog.read.audit.list({}, { limit: 200 });
    expect(JSON.stringify(audit)).not.toContain(token);
  });

  test("a token with permissions may those alone", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    const { token } = await makeToken((await signIn(plane, "ada")).send, { permissions: ["plans:read"] });
    expect((await plane.send("GET", "/api/v1/plans", undefined, bearer(token))).status).toBe(200);
    expect((await plane.send("GET", "/api/v1/teams", undefined, bearer(token))).status).toBe(403);
    expect((await plane.send("GET", path, undefined, bearer(token))).status).toBe(403);
  });

  test("a token for a team sees and changes that team's resources alone", async () => {
    await using plane = await openControlPlane();
    await createTeam(plane, "blue");
    await createTeam(plane, "red");
    await makeUser(plane, "ada", { roles: ["admin"] });
    for (const team of ["blue", "red"]) {
      await plane.send("POST", "/api/v1/applications", { metadata: { name: `app-${team}`, team }, spec: {} });
    }
    const { token } = await makeToken((await signIn(plane, "ada")).send, { teams: ["blue"] });
    const get = (at: string) => plane.send("GET", at, undefined, bearer(token));
    expect((await get("/api/v1/applications")).body.items.map(({ metadata }) => metadata.name)).toEqual(["app-blue"]);
    expect((await get("/api/v1/applications/app-red")).status).toBe(404);
    expect((await get("/api/v1/users")).status).toBe(403);
  });

  test("automation gets a user of its own, whose tokens an admin makes", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "deployer", { roles: ["api-publisher"] }, {});
    const { token } = await makeToken(plane.send, { user: "deployer" });
    const made = await plane.send("POST", "/api/v1/plans", { metadata: { name: "gold" }, spec: {} }, bearer(token));
    expect(made.status).toBe(201);
    const { rows } = await plane.context.catalog.read.audit.list({ action: "plan.created" }, { limit: 10 });
    expect(rows).toMatchObject([{ actorType: "token", actor: expect.stringMatching(/^pat_/) }]);
  });
});

describe("204", () => {
  test("a revoked token is refused at once, and stays in the list", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    const browser = await signIn(plane, "ada");
    const { id, token } = await makeToken(browser.send, {});
    expect((await browser.send("DELETE", `${path}/${id}`)).status).toBe(204);
    expect((await plane.send("GET", "/api/v1/plans", undefined, bearer(token))).status).toBe(401);
    expect(JSON.parse((await browser.send("GET", path)).text)).toMatchObject({ items: [{ id, state: "revoked" }] });
  });
});

describe("401", () => {
  test("a token that has ended, one that was altered and one of nobody get the same answer", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    const { token } = await makeToken((await signIn(plane, "ada")).send, { expiresInDays: 1 });
    const altered = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
    plane.clock.advance(days);
    const unknown = "gh_pat_0000000000000000_0000000000000000000000000000000000000000000000000";
    const answers = await Promise.all(
      [token, altered, unknown].map((text) => plane.send("GET", "/api/v1/plans", undefined, bearer(text))),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(new Set(answers.map(({ body }) => body.detail)).size).toBe(1);
  });

  test.each([
    { name: "is disabled", method: "PUT", body: { spec: { disabled: true, roles: ["analyst"] } } },
    { name: "is deleted", method: "DELETE", body: undefined },
  ])("the tokens of a user who $name are dead at once, and stay so", async ({ method, body }) => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    const { token } = await makeToken((await signIn(plane, "ada")).send, {});
    await plane.send(method, "/api/v1/users/ada", body, { "if-match": "*" });
    expect((await plane.send("GET", "/api/v1/plans", undefined, bearer(token))).status).toBe(401);
    await plane.send("PUT", "/api/v1/users/ada", { spec: { disabled: false } }, { "if-match": "*" });
    expect((await plane.send("GET", "/api/v1/plans", undefined, bearer(token))).status).toBe(401);
  });
});

describe("403", () => {
  test("a token cannot be wider than its user, nor than the token that makes it, nor last longer", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    const browser = await signIn(plane, "ada");
    const make = (input: object, headers: Record<string, string> = {}) =>
      browser.send("POST", path, { name: "wide", expiresInDays: 30, ...input }, headers);
    expect((await make({ permissions: ["users:write"] })).status).toBe(403);
    const narrow = await makeToken(browser.send, { permissions: ["account:self", "plans:read"], expiresInDays: 10 });
    const by = bearer(narrow.token);
    expect((await plane.send("POST", path, { name: "x", expiresInDays: 5 }, by)).status).toBe(403);
    const scoped = { name: "x", permissions: ["plans:read"] };
    expect((await plane.send("POST", path, { ...scoped, expiresInDays: 11 }, by)).status).toBe(403);
    expect((await plane.send("POST", path, { ...scoped, expiresInDays: 9 }, by)).status).toBe(201);
  });

  test("nobody makes tokens for somebody who may do more, or who can sign in", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "root", { roles: ["admin"] }, {});
    await makeUser(plane, "ada", { roles: ["admin"] });
    await makeUser(plane, "bob", { roles: ["analyst"] });
    const bob = await signIn(plane, "bob");
    expect((await bob.send("POST", path, { name: "x", user: "root", expiresInDays: 1 })).status).toBe(404);
    const weak = await makeToken((await signIn(plane, "ada")).send, {
      permissions: ["account:self", "users:write", "users:read"],
    });
    const asRoot = { name: "x", user: "root", expiresInDays: 1 };
    expect((await plane.send("POST", path, asRoot, bearer(weak.token))).status).toBe(403);
    expect((await plane.send("POST", path, { name: "x", user: "bob", expiresInDays: 1 })).status).toBe(422);
  });
});

describe("404", () => {
  test("others' tokens are not there for users, and cannot be revoked", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    await makeUser(plane, "bob", { roles: ["analyst"] });
    const { id, token } = await makeToken((await signIn(plane, "ada")).send, {});
    const bob = await signIn(plane, "bob");
    expect((await bob.send("DELETE", `${path}/${id}`)).status).toBe(404);
    expect((await bob.send("GET", `${path}?user=ada`)).status).toBe(403);
    expect((await plane.send("GET", "/api/v1/plans", undefined, bearer(token))).status).toBe(200);
  });
});

describe("422", () => {
  test.each([
    { name: "no end", input: { name: "x" } },
    { name: "an end beyond the longest", input: { name: "x", expiresInDays: 367 } },
    { name: "a permission that there is not", input: { name: "x", expiresInDays: 1, permissions: ["all"] } },
    { name: "a team that there is not", input: { name: "x", expiresInDays: 1, teams: ["nowhere"] } },
  ])("refuses $name", async ({ input }) => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    expect((await (await signIn(plane, "ada")).send("POST", path, input)).status).toBe(422);
  });

  test("the admin token has no tokens of its own", async () => {
    await using plane = await openControlPlane();
    expect((await plane.send("POST", path, { name: "x", expiresInDays: 1 })).status).toBe(422);
  });
});
