import { describe, expect, test } from "vitest";
import { routes } from "../../src/control/routes.ts";
import { errorCodes } from "../../src/kernel/error-codes.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { openControlPlane } from "./control-plane.ts";

const table = routes();
const sample = (path: string): string => path.replace("{name}", "anything");

describe("401", () => {
  test.each(table.filter((route) => route.access !== "public").map(({ method, path }) => ({ method, path })))(
    "$method $path is closed without a token, and with a wrong one",
    async ({ method, path }) => {
      await using plane = await openControlPlane();
      for (const authorization of [null, "Bearer wrong", "Basic dGVzdC1hZG1pbi10b2tlbg=="]) {
        const answer = await plane.send(method.toUpperCase(), sample(path), undefined, { authorization });
        expect(answer.status).toBe(401);
        expect(answer.body.code).toMatch(/^auth\./);
      }
      expect(await plane.context.catalog.read.audit.list({}, { limit: 10 })).toMatchObject({ rows: { length: 3 } });
    },
  );

  test("only these routes are public", () => {
    expect(table.filter((route) => route.access === "public").map((route) => route.path)).toEqual([
      "/",
      "/livez",
      "/readyz",
      "/api/v1/openapi.json",
      "/api/v1/problems",
      "/api/v1/approvals/{id}/answer",
      "/api/v1/session",
      "/api/v1/session/sso",
      "/api/v1/session/sso/{name}",
      "/api/v1/session/sso/{name}/callback",
    ]);
  });

  test.each(["/", "/livez", "/readyz", "/api/v1/openapi.json", "/api/v1/problems"])(
    "%s answers without a token",
    async (path) => {
      await using plane = await openControlPlane();
      expect((await plane.send("GET", path, undefined, { authorization: null })).status).toBe(200);
      expect((await plane.send("GET", `${path}?probe=1`, undefined, { authorization: null })).status).toBe(200);
    },
  );

  test("the challenge names an error only when a token was sent", async () => {
    await using plane = await openControlPlane();
    const without = await plane.send("GET", "/api/v1/teams", undefined, { authorization: null });
    const wrong = await plane.send("GET", "/api/v1/teams", undefined, { authorization: "Bearer wrong" });
    expect(without.headers.get("www-authenticate")).toBe('Bearer realm="gatehouse control"');
    expect(wrong.headers.get("www-authenticate")).toBe('Bearer realm="gatehouse control", error="invalid_token"');
  });

  test("a token in the query opens nothing", async () => {
    await using plane = await openControlPlane();
    const path = "/api/v1/teams?access_token=test-admin-token&token=test-admin-token";
    expect((await plane.send("GET", path, undefined, { authorization: null })).status).toBe(401);
  });

  test("a body is not read before the token is known to be right", async () => {
    await using plane = await openControlPlane();
    let reads = 0;
    const body = new ReadableStream({ pull: () => void (reads += 1) }, { highWaterMark: 0 });
    const headers = { "content-type": "application/json" };
    const request = new Request("http://localhost/api/v1/teams", { method: "POST", body, headers, duplex: "half" });
    expect((await plane.app.request(request)).status).toBe(401);
    expect(reads).toBe(0);
  });
});

describe("403", () => {
  test.each([
    { name: "another Host, as after DNS rebinding", headers: { host: "evil.com" } },
    { name: "a Host that begins like an allowed one", headers: { host: "localhost.evil.com" } },
    { name: "an Origin of another site", headers: { origin: "http://evil.com" } },
    { name: "the Origin null", headers: { origin: "null" } },
    { name: "an Origin on another port of this machine", headers: { origin: "http://localhost:3000" } },
  ])(
    "refuses $name on every route but the probes, also the public ones, before the token is looked at",
    async ({ headers }) => {
      await using plane = await openControlPlane();
      for (const { method, path } of table.filter((route) => route.path !== "/livez" && route.path !== "/readyz")) {
        const sent = { ...headers, authorization: null };
        const answer = await plane.send(method.toUpperCase(), sample(path), undefined, sent);
        expect({ path, status: answer.status, code: answer.body.code }).toEqual({
          path,
          status: 403,
          code: "auth.forbidden_host",
        });
      }
      expect((await plane.send("GET", "/nowhere", undefined, headers)).status).toBe(403);
    },
  );

  test("refuses an absolute request target of another host behind an allowed Host header", async () => {
    await using plane = await openControlPlane();
    const request = new Request("http://evil.com/api/v1/teams", { headers: { host: "localhost" } });
    expect((await plane.app.request(request)).status).toBe(403);
  });

  test("lets a page of the control plane itself call it", async () => {
    await using plane = await openControlPlane();
    const headers = { host: "127.0.0.1:9090", origin: "http://127.0.0.1:9090" };
    expect((await plane.send("GET", "/api/v1/teams", undefined, headers)).status).toBe(200);
  });
});

describe("404", () => {
  test.each([
    "/nowhere",
    "/api",
    "/api/v1",
    "/api/v1/teams/",
    "/api/v1/teams/a/b/c",
    "/api/v2/teams",
    "//api/v1/teams",
  ])("%s is nothing, with a token or without", async (path) => {
    await using plane = await openControlPlane();
    for (const authorization of [undefined, null]) {
      const sent = authorization === null ? { authorization } : {};
      const answer = await plane.send("GET", `http://localhost${path}`, undefined, sent);
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.body.code).toBe("route.not_found");
    }
  });

  test("a handler that was put past the route table is not reached, whatever its method", async () => {
    await using plane = await openControlPlane();
    let reached = 0;
    plane.app.get("/backdoor", () => new Response(String((reached += 1))));
    plane.app.all("/api/v1/teams", () => new Response(String((reached += 1))));
    expect((await plane.send("GET", "/backdoor")).status).toBe(404);
    expect((await plane.send("POST", "/backdoor")).status).toBe(404);
    expect((await plane.send("PATCH", "/api/v1/teams")).status).toBe(404);
    expect(reached).toBe(0);
  });
});

describe("405", () => {
  test.each([
    { method: "PATCH", path: "/api/v1/teams", allow: "GET, HEAD, POST" },
    { method: "POST", path: "/api/v1/teams/a", allow: "GET, HEAD, PUT, DELETE" },
    { method: "GET", path: "/api/v1/llm-apis/a/publish", allow: "POST" },
    { method: "OPTIONS", path: "/api/v1/apply", allow: "POST" },
    { method: "DELETE", path: "/livez", allow: "GET, HEAD" },
  ])("$method $path is told what the path takes", async ({ method, path, allow }) => {
    await using plane = await openControlPlane();
    const answer = await plane.send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
    expect(answer.body.code).toBe("route.method_not_allowed");
  });
});

describe("500", () => {
  const failing = {
    core: {
      check: async () => {
        throw new TypeError("cannot read the moon at /srv/secret/path");
      },
    },
  };

  test("an internal fault keeps its text from the caller and tells the log, under the same request id", async () => {
    await using plane = await openControlPlane(failing);
    const answer = await plane.send("POST", "/api/v1/plans", { metadata: { name: "gold" }, spec: {} });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(/moon|secret|TypeError/);
    expect(answer.body.code).toBe("internal");
    const line = plane.logged.find(({ level }) => level === "error");
    expect(line?.fields).toMatchObject({ requestId: answer.body.requestId, code: "internal" });
    expect(JSON.stringify(line?.fields)).toContain("moon");
    expect((await plane.send("GET", "/api/v1/plans/gold")).status).toBe(404);
  });

  test("the operator's detail of our own errors stays with the operator", async () => {
    const check = async () => {
      throw new GatewayError("store.unavailable", "The store is away.", { detail: "disk 7", retryAfterMs: 1_500 });
    };
    await using plane = await openControlPlane({ core: { check } });
    const answer = await plane.send("POST", "/api/v1/plans", { metadata: { name: "gold" }, spec: {} });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("2");
    expect(answer.text).not.toContain("disk 7");
    expect(JSON.stringify(plane.logged)).toContain("disk 7");
  });
});

test("a client that goes away while it sends is no fault of ours", async () => {
  await using plane = await openControlPlane();
  const client = new AbortController();
  const body = new ReadableStream({
    pull(stream) {
      client.abort();
      stream.error(new Error("the socket is closed"));
    },
  });
  const headers = { authorization: "Bearer test-admin-token", "content-type": "application/json" };
  const init = { method: "POST", headers, body, duplex: "half", signal: client.signal } as const;
  const response = await plane.app.request(new Request("http://localhost/api/v1/teams", init));
  expect(response.status).toBe(499);
  expect(plane.logged.filter(({ level }) => level === "error")).toEqual([]);
});

describe("every answer", () => {
  const cases = [
    { name: "a success", method: "GET", path: "/api/v1/teams" },
    { name: "a page", method: "GET", path: "/" },
    { name: "an error", method: "GET", path: "/api/v1/teams/none" },
    { name: "an unknown path", method: "GET", path: "/none" },
    { name: "a wrong method", method: "PATCH", path: "/" },
    { name: "a HEAD request", method: "HEAD", path: "/api/v1/teams" },
  ];

  test.each(cases)("carries its own request id and the security headers: $name", async ({ method, path }) => {
    await using plane = await openControlPlane();
    const first = await plane.send(method, path, undefined, { "x-request-id": "mine" });
    const second = await plane.send(method, path);
    const id = first.headers.get("x-request-id");
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second.headers.get("x-request-id")).not.toBe(id);
    expect(first.headers.get("x-content-type-options")).toBe("nosniff");
    expect(first.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(first.headers.get("cache-control")).toBe("no-store");
    expect(first.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("is logged in one line that holds neither the path as it came, nor the query, nor the token", async () => {
    await using plane = await openControlPlane();
    await plane.send("GET", "/api/v1/teams/hunter2?cursor=hunter3");
    await plane.send("GET", "/hunter4");
    const lines = plane.logged.filter(({ message }) => message === "control request");
    expect(lines.map(({ fields }) => fields)).toMatchObject([
      { method: "GET", route: "/api/v1/teams/:name", status: 400, code: "request.invalid" },
      { method: "GET", route: "none", status: 404, code: "route.not_found" },
    ]);
    expect(JSON.stringify(plane.logged)).not.toMatch(/hunter|test-admin-token/);
  });

  test("of an error is problem+json whose type leads to the public list of codes", async () => {
    await using plane = await openControlPlane();
    const { body, headers } = await plane.send("GET", "/api/v1/teams/none");
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toEqual({
      type: "/api/v1/problems#resource.not_found",
      title: errorCodes["resource.not_found"].title,
      status: 404,
      detail: expect.stringContaining("none"),
      instance: `urn:uuid:${body.requestId}`,
      code: "resource.not_found",
      requestId: headers.get("x-request-id"),
    });
    const problems = await plane.send("GET", "/api/v1/problems");
    expect(problems.body).toEqual(errorCodes);
  });
});
