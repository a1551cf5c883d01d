import { describe, expect, test } from "vitest";
import { createLoginGate } from "../../src/core/login-gate.ts";
import { makeUser, ownPage, password, signIn } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";

const path = "/api/v1/session";
const noToken = { authorization: null } as const;

describe("200", () => {
  test("signing in gives a cookie that scripts cannot read and other sites cannot use, and who one is", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"] });
    const answer = await plane.send("POST", path, { name: "ada", password }, noToken);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(/^gatehouse=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(JSON.parse(answer.text)).toMatchObject({ user: { name: "ada" }, roles: ["analyst"], session: {} });
  });

  test("with https the cookie is this host's alone and never sent without it", async () => {
    await using plane = await openControlPlane({ controlUrl: "https://control.example.com" });
    await makeUser(plane, "ada", {});
    const answer = await plane.send("POST", path, { name: "ada", password }, noToken);
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-gatehouse=[\w-]{43}; Path=\/; HttpOnly; .*; Secure$/);
    const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect((await plane.send("GET", path, undefined, { ...noToken, cookie })).status).toBe(200);
    const tossed = cookie.replace("__Host-", "");
    expect((await plane.send("GET", path, undefined, { ...noToken, cookie: tossed })).status).toBe(401);
  });

  test("a session may do what its user may, and only while the user may", async () => {
    await using plane = await openControlPlane();
    const user = await makeUser(plane, "ada", { roles: ["read-only"] });
    const browser = await signIn(plane, "ada");
    expect((await browser.send("GET", "/api/v1/users")).status).toBe(200);
    const spec = { roles: ["analyst"] };
    await plane.send("PUT", "/api/v1/users/ada", { spec }, { "if-match": `"${user.version}"` });
    expect((await browser.send("GET", "/api/v1/users")).status).toBe(403);
  });

  test("an admin token and an access token can ask who they are", async () => {
    await using plane = await openControlPlane();
    const answer = await plane.send("GET", path);
    expect(JSON.parse(answer.text)).toMatchObject({ user: null, session: null });
  });
});

describe("204", () => {
  test("signing out ends the session here, whoever has kept the cookie", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const browser = await signIn(plane, "ada");
    const answer = await browser.send("DELETE", path);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("set-cookie")).toMatch(/^gatehouse=; .*Max-Age=0/);
    expect((await browser.send("GET", path)).status).toBe(401);
  });

  test("a new password of one's own ends the other sessions and keeps this one", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const [here, there] = [await signIn(plane, "ada"), await signIn(plane, "ada")];
    const next = "another long password";
    const wrong = await here.send("POST", `${path}/password`, { current: "guessed it?", password: next });
    expect(wrong.status).toBe(403);
    expect((await here.send("POST", `${path}/password`, { current: password, password: next })).status).toBe(204);
    expect((await here.send("GET", path)).status).toBe(200);
    expect((await there.send("GET", path)).status).toBe(401);
    expect((await signIn(plane, "ada", next)).csrf).not.toBe(here.csrf);
  });
});

describe("400", () => {
  test("nobody signs in over plain http from elsewhere", async () => {
    await using plane = await openControlPlane({ allowedHosts: ["gate.example.com"] });
    await makeUser(plane, "ada", {});
    const headers = { ...noToken, host: "gate.example.com" };
    const answer = await plane.send(
      "POST",
      "http://gate.example.com/api/v1/session",
      { name: "ada", password },
      headers,
    );
    expect(answer.status).toBe(400);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("the own password asks for a session, not a token", async () => {
    await using plane = await openControlPlane();
    const answer = await plane.send("POST", `${path}/password`, { current: "x", password: "another long password" });
    expect(answer.status).toBe(400);
  });
});

describe("401", () => {
  test("a wrong name, a wrong password, no password and a disabled user get the same answer", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    await makeUser(plane, "robot", {}, {});
    await makeUser(plane, "gone", { disabled: true });
    const tries = [
      { name: "ada", password: "wrong password" },
      { name: "nobody", password },
      { name: "robot", password },
      { name: "gone", password },
    ];
    const answers = await Promise.all(tries.map((body) => plane.send("POST", path, body, noToken)));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(new Set(answers.map(({ body }) => `${body.code} ${body.detail}`)).size).toBe(1);
    expect(answers.every(({ headers }) => headers.get("set-cookie") === null)).toBe(true);
  });

  test("a session that somebody put into the browser before is not the one that is signed in", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const planted = "gatehouse=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const body = { name: "ada", password };
    const answer = await plane.send("POST", path, body, { ...noToken, cookie: planted });
    expect(answer.headers.get("set-cookie")).not.toContain(planted);
    expect((await plane.send("GET", path, undefined, { ...noToken, cookie: planted })).status).toBe(401);
  });

  test("signing in again ends the session of before", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const before = await signIn(plane, "ada");
    await plane.send("POST", path, { name: "ada", password }, { ...noToken, cookie: before.cookie });
    expect((await before.send("GET", path)).status).toBe(401);
  });

  test("two different cookies of the name count as none", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const { cookie } = await signIn(plane, "ada");
    const answer = await plane.send("GET", path, undefined, { ...noToken, cookie: `gatehouse=tossed; ${cookie}` });
    expect(answer.status).toBe(401);
  });

  test("a session ends an hour after its last use, and twelve hours after its beginning in any case", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const idle = await signIn(plane, "ada");
    plane.clock.advance(60 * 60_000);
    expect((await idle.send("GET", path)).status).toBe(401);
    const busy = await signIn(plane, "ada");
    for (let halfHours = 1; halfHours < 24; halfHours += 1) {
      plane.clock.advance(30 * 60_000);
      expect((await busy.send("GET", path)).status).toBe(200);
    }
    plane.clock.advance(30 * 60_000);
    expect((await busy.send("GET", path)).status).toBe(401);
  });

  test.each([
    { name: "is disabled", method: "PUT", to: "", body: { spec: { disabled: true } }, after: 401 },
    { name: "is deleted", method: "DELETE", to: "", body: undefined, after: 401 },
    { name: "gets a password", method: "POST", to: "/password", body: { password: "another long one" }, after: 401 },
  ])("a user who $name is signed out at once", async ({ method, to, body, after }) => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const browser = await signIn(plane, "ada");
    await plane.send(method, `/api/v1/users/ada${to}`, body, { "if-match": "*" });
    expect((await browser.send("GET", path)).status).toBe(after);
  });

  test("what is stored of a session does not let anybody in", async () => {
    await using plane = await openControlPlane();
    const user = await makeUser(plane, "ada", {});
    const browser = await signIn(plane, "ada");
    const { rows } = await plane.context.catalog.read.sessions.list({ userId: user.id }, { limit: 10 });
    expect(JSON.stringify(rows)).not.toContain(browser.cookie.slice("gatehouse=".length));
    const cookie = `gatehouse=${rows[0]?.idHash}`;
    expect((await plane.send("GET", path, undefined, { ...noToken, cookie })).status).toBe(401);
  });
});

describe("403", () => {
  const crossSite = [
    { name: "another site's page", headers: { "sec-fetch-site": "cross-site", origin: "http://localhost" } },
    { name: "a page of a sibling host", headers: { "sec-fetch-site": "same-site", origin: "http://localhost" } },
    { name: "an address that was typed", headers: { "sec-fetch-site": "none", origin: null } },
    {
      name: "a page of another origin, by a browser that says no more",
      headers: { "sec-fetch-site": null, origin: "http://localhost:1" },
    },
    { name: "whoever says nothing", headers: { "sec-fetch-site": null, origin: null } },
    { name: "a page without the token", headers: { "x-csrf-token": null } },
    { name: "a page with a made-up token", headers: { "x-csrf-token": "AAAA" } },
  ];

  test.each(crossSite)("a cookie changes nothing for $name", async ({ headers }) => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    const browser = await signIn(plane, "ada");
    const answer = await browser.send("POST", "/api/v1/teams", { metadata: { name: "new" }, spec: {} }, headers);
    expect(answer.status).toBe(403);
    expect((await browser.send("GET", "/api/v1/teams/new")).status).toBe(404);
  });

  test("the token of another session is worth nothing", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    const [one, two] = [await signIn(plane, "ada"), await signIn(plane, "ada")];
    const answer = await one.send("DELETE", path, undefined, { "x-csrf-token": two.csrf });
    expect(answer.status).toBe(403);
  });

  test("another site's page cannot sign a browser in", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const headers = { ...noToken, ...ownPage, "sec-fetch-site": "cross-site" };
    const answer = await plane.send("POST", path, { name: "ada", password }, headers);
    expect(answer.status).toBe(403);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("a header that names a token counts, and the cookie beside it does not", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    const { cookie } = await signIn(plane, "ada");
    expect((await plane.send("GET", path, undefined, { authorization: "Bearer wrong", cookie })).status).toBe(401);
  });
});

describe("415", () => {
  test("a form, which any page can send, signs nobody in", async () => {
    await using plane = await openControlPlane();
    const headers = { ...noToken, "content-type": "text/plain" };
    expect((await plane.send("POST", path, '{"name":"ada","password":"x"}', headers)).status).toBe(415);
  });
});

describe("429", () => {
  test("a name is guessed at a few times, and an address too, whatever the names", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const gates = { loginGate: createLoginGate(plane.clock), addressGate: createLoginGate(plane.clock, 8) };
    await using guarded = await openControlPlane({ core: { ...plane.context, ...gates } });
    const guess = async (name: string, at: string): Promise<number> => {
      const body = JSON.stringify({ name, password: "a wrong guess" });
      const headers = { "content-type": "application/json", host: "localhost" };
      const incoming = { url: "/api/v1/session", socket: { remoteAddress: at }, headers: {} };
      return (await guarded.app.request("/api/v1/session", { method: "POST", headers, body }, { incoming })).status;
    };
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push(await guess("ada", "192.0.2.1"));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect(await guess("ada", "192.0.2.2")).toBe(401);
    for (let tries = 0; tries < 8; tries += 1) expect(await guess(`user-${tries}`, "198.51.100.7")).toBe(401);
    expect(await guess("user-9", "198.51.100.7")).toBe(429);
    expect(await guess("user-9", "198.51.100.8")).toBe(401);
  });
});

describe("sessions", () => {
  test("users list and end their own; of others they see nothing", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    await makeUser(plane, "bob", { roles: ["analyst"] });
    const [here, there, bob] = [await signIn(plane, "ada"), await signIn(plane, "ada"), await signIn(plane, "bob")];
    const list = JSON.parse((await here.send("GET", "/api/v1/sessions")).text) as {
      items: { id: string; current: boolean }[];
    };
    expect(list.items.map(({ current }) => current)).toEqual([true, false]);
    const other = list.items[1]?.id ?? "";
    expect((await bob.send("GET", "/api/v1/sessions?user=ada")).status).toBe(403);
    expect((await bob.send("DELETE", `/api/v1/sessions/${other}`)).status).toBe(404);
    expect((await here.send("DELETE", `/api/v1/sessions/${other}`)).status).toBe(204);
    expect((await there.send("GET", path)).status).toBe(401);
    expect((await here.send("GET", path)).status).toBe(200);
  });

  test("who may change users ends those of users that may do no more", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    const browser = await signIn(plane, "ada");
    const list = await plane.send("GET", "/api/v1/sessions?user=ada");
    const [session] = (JSON.parse(list.text) as { items: { id: string }[] }).items;
    expect((await plane.send("DELETE", `/api/v1/sessions/${session?.id}`)).status).toBe(204);
    expect((await browser.send("GET", path)).status).toBe(401);
  });

  test("beginning and end are audited with the user and the address", async () => {
    await using plane = await openControlPlane();
    const user = await makeUser(plane, "ada", {});
    const browser = await signIn(plane, "ada");
    await browser.send("DELETE", path);
    const { rows } = await plane.context.catalog.read.audit.list({ kind: "Session" }, { limit: 10 });
    expect(rows).toMatchObject([
      { action: "session.started", actor: user.id, actorType: "user" },
      { action: "session.ended", actor: user.id, actorType: "user" },
    ]);
  });
});
