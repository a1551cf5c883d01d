import { describe, expect, test } from "vitest";
import { openControlPlane } from "./control-plane.ts";

describe("bad input", () => {
  const valid = '{"metadata":{"name":"red"},"spec":{}}';
  test.each([
    { name: "malformed JSON", body: '{"metadata":', status: 400, code: "request.malformed_json" },
    { name: "no JSON type", body: valid, type: "text/plain", status: 415, code: "request.unsupported_media_type" },
    {
      name: "a type that only mentions JSON",
      body: valid,
      type: "text/plain; was=application/json",
      status: 415,
      code: "request.unsupported_media_type",
    },
    { name: "an oversize body", body: `"${"x".repeat(5_000)}"`, status: 413, code: "request.too_large" },
    { name: "deep nesting", body: "[".repeat(2_000), status: 400, code: "request.too_deep" },
    { name: "a polluting name", body: '{"__proto__":{"spec":{}}}', status: 400, code: "request.invalid" },
    { name: "a value that is no object", body: "[1]", status: 422, code: "resource.invalid" },
    {
      name: "an unknown field",
      body: '{"metadata":{"name":"red"},"spec":{"x":1}}',
      status: 422,
      code: "resource.invalid",
    },
  ])("$name is $status, and the process goes on", async ({ body, type, status, code }) => {
    await using plane = await openControlPlane({ maxBodyBytes: 4_000 });
    const headers = type === undefined ? {} : { "content-type": type };
    const answer = await plane.send("POST", "/api/v1/teams", body, headers);
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect((await plane.send("POST", "/api/v1/teams", valid)).status).toBe(201);
  });

  test("invalid UTF-8 is refused rather than repaired", async () => {
    await using plane = await openControlPlane();
    const body = Buffer.concat([
      Buffer.from('{"metadata":{"name":"'),
      Buffer.from([0xff]),
      Buffer.from('"},"spec":{}}'),
    ]);
    const headers = { authorization: "Bearer test-admin-token", "content-type": "application/json" };
    const response = await plane.app.request("/api/v1/teams", { method: "POST", headers, body });
    expect(response.status).toBe(400);
  });

  test.each([
    "limit=0",
    "limit=201",
    "limit=1.5",
    "limit=x",
    "limit=1&limit=2",
    "colour=red",
    "cursor=garbage",
    "__proto__=1",
  ])("the query %s is refused, naming the parameter", async (query) => {
    await using plane = await openControlPlane();
    const answer = await plane.send("GET", `/api/v1/teams?${query}`);
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 400, code: "request.invalid" });
  });
});
