import { beforeEach, describe, expect, test } from "vitest";
import { secretViewSchema } from "../../src/control/secret-routes.ts";
import { readSecret } from "../../src/core/secrets.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const path = "/api/v1/secrets/llm-key";
const canary = "sk-canary-4711";

let plane: ControlPlane;

beforeEach(async () => {
  plane = await openControlPlane();
  return () => plane[Symbol.asyncDispose]();
});

describe("201 and 200", () => {
  test("a value goes in and comes out of no answer, log line or audit row", async () => {
    const answers = [
      await plane.send("PUT", path, { value: canary }),
      await plane.send("PUT", path, { value: `${canary}-2` }),
      await plane.send("GET", "/api/v1/secrets"),
      await plane.send("GET", "/api/v1/audit"),
      await plane.send("PUT", path, { value: canary, team: "none" }),
      await plane.send("PUT", path, { value: canary, [canary]: canary.length }),
      await plane.send("PUT", path, `{"value":"${canary}"`),
      await plane.send("PUT", path, { value: { nested: canary } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 422, 422, 400, 422]);
    expect(await readSecret(plane.context, "llm-key")).toBe(`${canary}-2`);
    for (const at of [0, 1]) expect(secretViewSchema.parse(answers[at]?.body).metadata.version).toBe(at + 1);
    expect(secretViewSchema.array().parse(answers[2]?.body.items)).toHaveLength(1);
    expect(answers[3]?.text).toContain("secret.updated");
    // The name of an unknown field is repeated, so that it can be found; a value never is.
    const shown = answers.filter((_, at) => at !== 5).map(({ text }) => text);
    expect(`${shown.join()}${JSON.stringify(plane.logged)}${JSON.stringify(plane.messages)}`).not.toContain(canary);
    expect(answers.every(({ headers }) => headers.get("cache-control") === "no-store")).toBe(true);
  });

  test("secrets are listed in pages", async () => {
    for (const name of ["a", "b", "c"]) await plane.send("PUT", `/api/v1/secrets/${name}`, { value: "x" });
    const first = await plane.send("GET", "/api/v1/secrets?limit=2");
    const second = await plane.send("GET", `/api/v1/secrets?limit=2&cursor=${first.body.next}`);
    const names = [...first.body.items, ...second.body.items].map((item) => item.metadata.name);
    expect(names).toEqual(["a", "b", "c"]);
    expect(first.body.items[0]?.metadata.team).toBe("default");
  });
});

describe("204", () => {
  test("a deleted secret is gone", async () => {
    await plane.send("PUT", path, { value: canary });
    expect((await plane.send("DELETE", path)).status).toBe(204);
    expect((await plane.send("GET", "/api/v1/secrets")).body.items).toEqual([]);
    expect(plane.messages.at(-1)).toEqual({ type: "secret.changed", name: "llm-key" });
  });
});

describe("404 and 405", () => {
  test("a secret that does not exist is not deleted, and one that does is not read", async () => {
    expect((await plane.send("DELETE", path)).body.code).toBe("resource.not_found");
    await plane.send("PUT", path, { value: canary });
    const read = await plane.send("GET", path);
    expect(read.status).toBe(405);
    expect(read.headers.get("allow")).toBe("PUT, DELETE");
  });
});

describe("409", () => {
  test("a secret in use says by whom and stays", async () => {
    await plane.send("PUT", path, { value: canary });
    const spec = { use: "openai-compatible", with: { apiKey: "${secret:llm-key}" } };
    await plane.send("POST", "/api/v1/llm-providers", { metadata: { name: "openai" }, spec });
    const answer = await plane.send("DELETE", path);
    expect(answer.body).toMatchObject({ status: 409, code: "resource.in_use" });
    expect(answer.body.detail).toContain("LlmProvider/openai");
    expect(await readSecret(plane.context, "llm-key")).toBe(canary);
  });
});

describe("422", () => {
  test.each([
    { name: "an empty value", body: { value: "" } },
    { name: "no value", body: {} },
    { name: "a value beyond its limit", body: { value: "x".repeat(65_537) } },
    { name: "a number", body: { value: 7 } },
  ])("refuses $name", async ({ body }) => {
    const answer = await plane.send("PUT", path, body);
    expect(answer.body).toMatchObject({ code: "resource.invalid", errors: [{ path: "value" }] });
  });

  test("refuses a name that cannot be referred to", async () => {
    expect((await plane.send("PUT", "/api/v1/secrets/Not_A_Name", { value: "x" })).body.code).toBe("resource.invalid");
  });
});

describe("412", () => {
  const tagged = (method: string, tag: string, body?: unknown) => plane.send(method, path, body, { "if-match": tag });

  test("a value that somebody else has set meanwhile is neither overwritten nor deleted", async () => {
    const first = await plane.send("PUT", path, { value: "one" });
    const seen = first.headers.get("etag") ?? "";
    expect(seen).toBe('"1"');
    await plane.send("PUT", path, { value: "two" });
    for (const [method, body] of [["PUT", { value: "three" }], ["DELETE"]] as const) {
      expect((await tagged(method, seen, body)).body.code).toBe("resource.changed");
    }
    expect(await readSecret(plane.context, "llm-key")).toBe("two");
    expect((await tagged("PUT", '"2"', { value: "three" })).headers.get("etag")).toBe('"3"');
    expect((await tagged("DELETE", '"3"')).status).toBe(204);
  });

  test("a secret that is not there has no version to be at", async () => {
    for (const tag of ["*", '"1"']) expect((await tagged("PUT", tag, { value: "one" })).status).toBe(412);
  });
});
