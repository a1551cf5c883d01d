import { describe, expect, test } from "vitest";
import { bearer, makeToken, makeUser, signIn } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

/** A token that may change users and nothing else; its owner is an admin. */
async function userManager(plane: ControlPlane) {
  await makeUser(plane, "root", { roles: ["admin"] });
  await makeUser(plane, "manager", { roles: ["admin"] }, {});
  const permissions = ["account:self", "users:read", "users:write", "teams:read"];
  const { token } = await makeToken(plane.send, { user: "manager", permissions });
  const headers = { ...bearer(token), "if-match": "*" };
  return (method: string, path: string, body?: unknown) => plane.send(method, path, body, headers);
}

describe("who may change users but not everything", () => {
  const tries = [
    {
      name: "makes an admin",
      method: "POST",
      to: "",
      body: { metadata: { name: "mine" }, spec: { roles: ["admin"] } },
    },
    {
      name: "makes somebody with a role for a team",
      method: "POST",
      to: "",
      body: { metadata: { name: "mine" }, spec: { teams: [{ team: "default", roles: ["admin"] }] } },
    },
    { name: "makes an admin of somebody", method: "PUT", to: "/bob", body: { spec: { roles: ["admin"] } } },
    { name: "makes an analyst of somebody", method: "PUT", to: "/bob", body: { spec: { roles: ["analyst"] } } },
    { name: "takes an admin's password", method: "POST", to: "/root/password", body: { password: "now it is mine" } },
    {
      name: "takes an admin's sign-in",
      method: "PUT",
      to: "/root",
      body: { spec: { sso: { issuer: "https://login.example.com", subject: "me" } } },
    },
    { name: "disables an admin", method: "PUT", to: "/root", body: { spec: { disabled: true } } },
    { name: "takes an admin's roles", method: "PUT", to: "/root", body: { spec: { roles: [] } } },
    { name: "deletes an admin", method: "DELETE", to: "/root", body: undefined },
  ];

  test.each(tries)("never $name", async ({ method, to, body }) => {
    await using plane = await openControlPlane();
    await makeUser(plane, "bob", {});
    const send = await userManager(plane);
    const before = await plane.context.catalog.read.users.list({ limit: 50 });
    expect((await send(method, `/api/v1/users${to}`, body)).status).toBe(403);
    expect(await plane.context.catalog.read.users.list({ limit: 50 })).toEqual(before);
  });

  test("does what is left", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "bob", {});
    const send = await userManager(plane);
    expect((await send("PUT", "/api/v1/users/bob", { spec: { disabled: true } })).status).toBe(200);
    expect((await send("POST", "/api/v1/users", { metadata: { name: "new" } })).status).toBe(201);
  });

  test("ends no session and no token of an admin", async () => {
    await using plane = await openControlPlane();
    const send = await userManager(plane);
    const root = await signIn(plane, "root");
    const { id } = await makeToken(root.send, {});
    const sessions = JSON.parse((await root.send("GET", "/api/v1/sessions")).text) as { items: { id: string }[] };
    expect((await send("DELETE", `/api/v1/sessions/${sessions.items[0]?.id}`)).status).toBe(403);
    expect((await send("DELETE", `/api/v1/access-tokens/${id}`)).status).toBe(403);
  });
});

describe("users", () => {
  test("keep their roles and rights when somebody changes the rest of them", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["analyst"], teams: [{ team: "default", roles: ["subscriber"] }] });
    const answer = await plane.send(
      "PUT",
      "/api/v1/users/ada",
      { spec: { email: "a@example.com" } },
      { "if-match": "*" },
    );
    expect(answer.body.spec).toMatchObject({
      roles: ["analyst"],
      teams: [{ team: "default", roles: ["subscriber"] }],
    });
  });

  test("cannot change themselves upward", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["read-only"], teams: [{ team: "default", roles: ["admin"] }] });
    const browser = await signIn(plane, "ada");
    const spec = { roles: ["admin"] };
    expect((await browser.send("PUT", "/api/v1/users/ada", { spec }, { "if-match": "*" })).status).toBe(403);
  });

  test.each([
    { name: "a role that there is not", spec: { roles: ["root"] } },
    { name: "a role of an object", spec: { roles: ["constructor"] } },
    { name: "a team that there is not", spec: { teams: [{ team: "nowhere", roles: ["admin"] }] } },
    {
      name: "a team twice",
      spec: {
        teams: [
          { team: "default", roles: ["admin"] },
          { team: "default", roles: ["analyst"] },
        ],
      },
    },
    { name: "permissions of their own", spec: { permissions: ["users:write"] } },
  ])("have no $name", async ({ spec }) => {
    await using plane = await openControlPlane();
    const answer = await plane.send("POST", "/api/v1/users", { metadata: { name: "ada" }, spec });
    expect(answer.status).toBe(422);
  });
});

describe("the last admin", () => {
  test.each([
    { name: "be disabled", method: "PUT", body: { spec: { disabled: true } } },
    { name: "lose the role", method: "PUT", body: { spec: { roles: ["analyst"] } } },
    { name: "be deleted", method: "DELETE", body: undefined },
  ])("cannot $name, and can once there is another", async ({ method, body }) => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] }, {});
    await makeUser(plane, "gone", { roles: ["admin"], disabled: true }, {});
    const change = () => plane.send(method, "/api/v1/users/ada", body, { "if-match": "*" });
    expect((await change()).status).toBe(409);
    await makeUser(plane, "bob", { roles: ["admin"] }, {});
    expect((await change()).status).toBeLessThan(300);
  });

  test("two admins who take each other's role at once: one of them stays", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", { roles: ["admin"] });
    await makeUser(plane, "bob", { roles: ["admin"] });
    const [ada, bob] = [await signIn(plane, "ada"), await signIn(plane, "bob")];
    const spec = { roles: [] };
    const match = { "if-match": '"1"' };
    await Promise.all([
      ada.send("PUT", "/api/v1/users/bob", { spec }, match),
      bob.send("PUT", "/api/v1/users/ada", { spec }, match),
    ]);
    expect(await plane.context.catalog.read.users.admins(10)).toHaveLength(1);
  });

  test("two admins who change a user at once: the second is told", async () => {
    await using plane = await openControlPlane();
    await makeUser(plane, "ada", {});
    const put = (roles: string[]) => plane.send("PUT", "/api/v1/users/ada", { spec: { roles } }, { "if-match": '"1"' });
    const answers = await Promise.all([put(["analyst"]), put(["subscriber"])]);
    expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 412]);
    expect((await plane.send("PUT", "/api/v1/users/ada", { spec: {} })).status).toBe(428);
  });
});

describe("a team that is made again under its name", () => {
  test("has none of the members of before", async () => {
    await using plane = await openControlPlane();
    await plane.send("POST", "/api/v1/teams", { metadata: { name: "blue" }, spec: {} });
    await makeUser(plane, "ada", { teams: [{ team: "blue", roles: ["admin"] }] });
    const browser = await signIn(plane, "ada");
    await plane.send("DELETE", "/api/v1/teams/blue", undefined, { "if-match": "*" });
    await plane.send("POST", "/api/v1/teams", { metadata: { name: "blue" }, spec: {} });
    await plane.send("POST", "/api/v1/plans", { metadata: { name: "gold", team: "blue" }, spec: {} });
    expect((await browser.send("GET", "/api/v1/plans/gold")).status).toBe(404);
    expect((await plane.send("GET", "/api/v1/users/ada")).body.spec).toMatchObject({ teams: [] });
  });
});

describe("who may use an application and its keys but not change limits", () => {
  const policies = [{ use: "rate-limit", with: { requests: 5 } }];

  async function subscriber(plane: ControlPlane, role: string) {
    await makeUser(plane, "somebody", { roles: [role] }, {});
    const { token } = await makeToken(plane.send, { user: "somebody" });
    const headers = { ...bearer(token), "if-match": "*" };
    return (path: string, body: unknown) => plane.send("PUT", path, body, headers);
  }

  test.each([
    { role: "subscriber", status: 403 },
    { role: "admin", status: 200 },
  ])("as $role, the limits of an application: $status, and its name in any case", async ({ role, status }) => {
    await using plane = await openControlPlane();
    const path = "/api/v1/applications/bot";
    await plane.send("POST", "/api/v1/applications", { metadata: { name: "bot" }, spec: { policies } });
    const send = await subscriber(plane, role);
    const renamed = await send(path, { metadata: { name: "bot" }, spec: { policies, displayName: "Bot" } });
    expect([renamed.status, renamed.text]).toEqual([200, renamed.text]);
    expect((await send(path, { metadata: { name: "bot" }, spec: {} })).status).toBe(status);
  });
});
