import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { userViewSchema } from "../../src/control/user-routes.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

let plane: ControlPlane;
const users = "/api/v1/users";
const alice = { metadata: { name: "alice" }, spec: { displayName: "Alice" }, password: "correct horse battery" };

beforeEach(async () => {
  plane = await openControlPlane();
});

afterEach(() => plane[Symbol.asyncDispose]());

test("a user is made, read, changed, given a password and deleted; no answer holds the password", async () => {
  const created = await plane.send("POST", users, alice);
  expect([created.status, created.headers.get("location")]).toEqual([201, `${users}/alice`]);
  const read = await plane.send("GET", `${users}/alice`);
  expect(userViewSchema.parse(read.body)).toMatchObject({ status: { hasPassword: true }, spec: { disabled: false } });
  const changed = await plane.send("PUT", `${users}/alice`, read.body, { "if-match": read.headers.get("etag") });
  expect(changed.status).toBe(200);
  const password = await plane.send("POST", `${users}/alice/password`, { password: "another long one" });
  expect([password.status, password.text]).toEqual([204, ""]);
  const list = await plane.send("GET", users);
  expect(list.body.items.map(({ metadata }) => metadata.name)).toEqual(["alice"]);
  for (const { text } of [created, read, changed, list]) expect(text).not.toMatch(/horse|scrypt/);
  expect(JSON.stringify(plane.logged)).not.toContain("horse");
  expect((await plane.send("DELETE", `${users}/alice`, undefined, { "if-match": "*" })).status).toBe(204);
  expect((await plane.send("GET", `${users}/alice`)).status).toBe(404);
});

describe("refused", () => {
  test.each([
    { name: "a password that is too short", method: "POST", path: "", body: { ...alice, password: "x" }, status: 422 },
    { name: "a password that is no text", method: "POST", path: "", body: { ...alice, password: 12 }, status: 422 },
    {
      name: "a password in the spec",
      method: "POST",
      path: "",
      body: { ...alice, spec: { password: "x" } },
      status: 422,
    },
    {
      name: "a password for nobody",
      method: "POST",
      path: "/bob/password",
      body: { password: "long enough ones" },
      status: 404,
    },
    { name: "a change unread", method: "PUT", path: "/alice", body: { spec: {} }, status: 428 },
    { name: "an end unread", method: "DELETE", path: "/alice", body: undefined, status: 428 },
  ])("$name", async ({ method, path, body, status }) => {
    const answer = await plane.send(method, `${users}${path}`, body);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("horse");
  });

  test("whoever has no admin token", async () => {
    expect((await plane.send("GET", users, undefined, { authorization: null })).status).toBe(401);
    expect((await plane.send("POST", users, alice, { authorization: null })).status).toBe(401);
  });
});
