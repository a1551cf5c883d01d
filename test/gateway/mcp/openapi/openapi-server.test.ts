import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { putSecret } from "../../../../src/core/secrets.ts";
import type { ExchangeEvent } from "../../../../src/pipeline/event.ts";
import { eventually } from "../../../kit/eventually.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../../kit/mock-upstream.ts";
import type { PublishedServer } from "../published-server.ts";
import { keyFor, rpcOf, toolCall } from "../published-server.ts";
import { modernRequest, petsDescription, publishTools, toolNames } from "./openapi-kit.ts";

let gatehouse: TestGatehouse;
let service: MockUpstream;
let pets: PublishedServer;

const block = (more: object = {}) => ({
  production: { url: `${service.url}/api`, ...more },
  sandbox: { sameAs: "production" },
});

beforeAll(async () => {
  service = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "pets-key", value: "canary-value", team: "default" });
  const auth = { header: "x-api-key", scheme: "", secret: "${secret:pets-key}" };
  pets = await publishTools(gatehouse, "pets", { document: petsDescription(), select: ["*"], ...block({ auth }) });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

beforeEach(() => service.respond(json(200, { id: 7, name: "Ada" })));

const call = async (name: string, args: object, server = pets) =>
  rpcOf(await server.post(toolCall("modern", 1, name, args)));
const textOf = (answer: Awaited<ReturnType<typeof call>>): string =>
  ((answer.result?.["content"] ?? []) as { text?: string }[]).map(({ text }) => text ?? "").join("\n"); // as MCP has it

describe("tools/list", () => {
  test("shows the selected operations and no other, by pages that follow one another", async () => {
    const openapi = { document: petsDescription(), select: ["tag:pets"], exclude: ["add*"], pageSize: 1, ...block() };
    const server = await publishTools(gatehouse, "some-pets", openapi);
    const first = rpcOf(await server.post(modernRequest(1, "tools/list"))).result;
    const cursor = first?.["nextCursor"];
    const second = rpcOf(await server.post(modernRequest(2, "tools/list", { cursor }))).result;
    const names = [first, second].map((page) => toolNames(page));
    expect(names).toEqual([["listPets"], ["getPet"]]);
    expect(second?.["nextCursor"]).toBeUndefined();
    const other = await keyFor(gatehouse, "some-pets");
    for (const [wrong, key] of [
      ["nonsense", server.key],
      [cursor, other],
    ]) {
      const answer = await server.post(modernRequest(3, "tools/list", { cursor: wrong }), { key: String(key) });
      expect(rpcOf(answer).error?.code).toBe(-32_602);
    }
    expect((await call("addPet", { id: 1, name: "x" }, server)).error?.message).toBe("Tool addPet not found");
  });

  test("says of itself what the description says", async () => {
    const { result } = rpcOf(await pets.post(modernRequest(1, "server/discover")));
    expect(result).toMatchObject({ instructions: "Pets of all kinds.", capabilities: { tools: {} } });
  });
});

describe("tools/call", () => {
  test.each([
    { tool: "getPet", args: { petId: "a/b ?" }, method: "GET", url: "/api/pets/a%2Fb%20%3F", body: "" },
    { tool: "listPets", args: { limit: 5 }, method: "GET", url: "/api/pets?limit=5", body: "" },
    { tool: "addPet", args: { id: 1, name: "x" }, method: "POST", url: "/api/pets", body: '{"id":1,"name":"x"}' },
    { tool: "removePet", args: { petId: "1" }, method: "DELETE", url: "/api/pets/1", body: "" },
  ])("sends $method for $tool, with the gateway's credential and nothing of the client's", async (row) => {
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const headers = { cookie: "a=b", "x-custom": "mine", traceparent: trace };
    await pets.post(toolCall("modern", 1, row.tool, row.args), { headers });
    const seen = service.seen.at(-1);
    expect([seen?.method, seen?.url, String(seen?.body)]).toEqual([row.method, row.url, row.body]);
    expect(seen?.headers).toMatchObject({ "x-api-key": "canary-value", traceparent: trace });
    for (const name of ["authorization", "cookie", "x-custom", "mcp-name"])
      expect(seen?.headers).not.toHaveProperty(name);
  });

  test("gives the answer as text and as structured content where the description says what it is", async () => {
    const { result } = await call("getPet", { petId: "7" });
    expect(result).toMatchObject({
      structuredContent: { id: 7, name: "Ada" },
      _meta: { "gatehouse/http": { status: 200 } },
    });
    expect(result?.["isError"]).toBeUndefined();
  });

  test("sends nothing for arguments that do not fit, and tells the model why", async () => {
    const before = service.seen.length;
    const answer = await call("listPets", { limit: 500, colour: "red" });
    expect(answer.result?.["isError"]).toBe(true);
    expect(textOf(answer)).toContain("limit");
    expect(textOf(answer)).toContain("colour");
    expect(service.seen.length).toBe(before);
  });

  test.each([{ path: ".." }, { path: "." }])("does not climb with $path", async ({ path }) => {
    const before = service.seen.length;
    expect((await call("getPet", { petId: path })).result?.["isError"]).toBe(true);
    expect(service.seen.length).toBe(before);
  });

  test.each([
    { status: 404, about: "no such pet" },
    { status: 429, about: "slow down" },
    { status: 503, about: "later" },
  ])("an answer of $status is an error of the tool with status and text", async ({ status, about }) => {
    service.respond(json(status, { message: about }));
    const { result } = await call("getPet", { petId: "1" });
    expect(result).toMatchObject({ isError: true, _meta: { "gatehouse/http": { status } } });
    expect(JSON.stringify(result)).toContain(about);
  });

  test("follows no redirect, and says where it would have led", async () => {
    service.respond((_, response) => void response.writeHead(302, { location: "http://169.254.169.254/" }).end());
    const before = service.seen.length;
    const answer = await call("getPet", { petId: "1" });
    expect(textOf(answer)).toContain("Location: http://169.254.169.254/ (not followed)");
    expect(service.seen.length).toBe(before + 1);
  });

  test("passes an answer of ten megabytes on", async () => {
    const name = "x".repeat(10_000_000);
    service.respond(json(200, { id: 1, name }));
    const { result } = await call("getPet", { petId: "1" });
    expect(result?.["structuredContent"]).toEqual({ id: 1, name });
  });

  test("cuts an answer at the API's bound, says so, and lets go of the rest", async () => {
    const openapi = { document: petsDescription(), select: ["*"], ...block() };
    const limits = { responseBytes: 1_000 };
    const server = await publishTools(gatehouse, "short-pets", openapi, { limits });
    let isGone = false;
    service.respond((_, response) => {
      response.on("close", () => {
        isGone = true;
      });
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("x".repeat(5_000)); // and no end
    });
    expect(textOf(await call("listPets", {}, server))).toContain("(cut here, after 1000 bytes)");
    await eventually("the service is let go", () => isGone);
  });

  test("refuses what is compressed without being asked", async () => {
    service.respond((_, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end("zz"));
    expect((await call("getPet", { petId: "1" })).error?.data?.["code"]).toBe("upstream.invalid");
  });

  test("a service that is not there, or says nothing in time, is an error that names it", async () => {
    const dead = await publishTools(gatehouse, "dead-pets", {
      document: petsDescription(),
      select: ["*"],
      production: { url: "http://127.0.0.1:9" },
      sandbox: { sameAs: "production" },
    });
    expect((await call("getPet", { petId: "1" }, dead)).error?.data?.["code"]).toBe("upstream.unreachable");
    expect(rpcOf(await dead.post(modernRequest(1, "tools/list"))).result).toBeDefined();
    const timeouts = { firstByteMs: 50 };
    const slow = await publishTools(gatehouse, "slow-pets", {
      document: petsDescription(),
      select: ["*"],
      ...block({ timeouts }),
    });
    service.respond(() => {});
    expect((await call("getPet", { petId: "1" }, slow)).error?.data?.["code"]).toBe("upstream.timeout");
  });

  test("a client that leaves takes its request to the service along", async () => {
    service.respond(() => {});
    const before = service.seen.length;
    const leaving = new AbortController();
    const answer = fetch(pets.url, {
      method: "POST",
      signal: leaving.signal,
      headers: {
        authorization: `Bearer ${pets.key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "getPet",
      },
      body: JSON.stringify(toolCall("modern", 1, "getPet", { petId: "1" })),
    });
    await eventually("the service is asked", () => service.seen.length > before);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await service.seen.at(-1)?.aborted;
  });

  test("each environment has its own service", async () => {
    const server = await publishTools(gatehouse, "two-pets", {
      document: petsDescription(),
      select: ["*"],
      production: { url: `${service.url}/live` },
      sandbox: { url: `${service.url}/test` },
    });
    await call("getPet", { petId: "1" }, server);
    expect(service.seen.at(-1)?.url).toBe("/live/pets/1");
    const key = await keyFor(gatehouse, "two-pets", { environment: "sandbox" });
    await server.post(toolCall("modern", 1, "getPet", { petId: "1" }), { key });
    expect(service.seen.at(-1)?.url).toBe("/test/pets/1");
  });
});

test("rules, pins, held calls and rows hold for tools of a description as for any other", async () => {
  const server = await publishTools(
    gatehouse,
    "ruled-pets",
    { document: petsDescription(), select: ["*"], ...block() },
    {
      authorization: { default: "deny", rules: [{ on: { tools: ["getPet", "removePet"] } }] },
      pins: { mode: "quarantine" },
      policies: [{ use: "hold", with: { waitMs: 0, hints: { destructiveHint: true, readOnlyHint: false } } }],
    },
  );
  const { result } = rpcOf(await server.post(modernRequest(1, "tools/list")));
  expect(toolNames(result)).toEqual(["removePet", "getPet"]);
  expect((await call("addPet", { id: 1, name: "x" }, server)).error?.message).toBe("Tool addPet not found");
  expect((await call("getPet", { petId: "7" }, server)).result?.["structuredContent"]).toBeDefined();
  expect((await call("removePet", { petId: "7" }, server)).result?.["resultType"]).toBe("input_required");
  const rows = (await gatehouse.events()).filter(
    (event): event is ExchangeEvent => event.type === "exchange" && event.api_name === "ruled-pets",
  );
  const row = rows.find(({ operation_name: name, outcome }) => name === "getPet" && outcome === "ok");
  expect(row).toMatchObject({ operation_kind: "tools/call", attempts: 1 });
});

test("what a held call destroys is known before any list has passed through", async () => {
  const server = await publishTools(
    gatehouse,
    "unlisted-pets",
    { document: petsDescription(), select: ["*"], ...block() },
    {
      offer: { tools: [{ name: "getPet", as: "look" }, { match: "*" }] },
      policies: [{ use: "hold", with: { waitMs: 0, hints: { readOnlyHint: false } } }],
    },
  );
  expect((await call("look", { petId: "7" }, server)).result?.["structuredContent"]).toBeDefined();
  expect((await call("removePet", { petId: "7" }, server)).result?.["resultType"]).toBe("input_required");
});

test("a service that fails is left alone for a while, and rows and the list of upstreams say how it answered", async () => {
  const name = "ill-pets";
  const breaker = { failures: 2, openMs: 3_600_000 };
  const openapi = { document: petsDescription(), select: ["*"], ...block({ breaker }) };
  const server = await publishTools(gatehouse, name, openapi);
  service.respond(json(404, {}), json(503, {}));
  await call("getPet", { petId: "1" }, server);
  for (const _ of [1, 2]) await call("getPet", { petId: "1" }, server);
  const before = service.seen.length;
  const refused = await call("getPet", { petId: "1" }, server);
  expect(refused.error?.data).toMatchObject({ code: "upstream.unavailable" });
  expect(service.seen.length).toBe(before);
  await eventually("the control plane has heard of it", async () => {
    const { controlUrl, adminToken } = gatehouse.running;
    const headers = { authorization: `Bearer ${adminToken}` };
    const told = await (await fetch(`${controlUrl}/api/v1/upstreams`, { headers })).text();
    return told.includes(name) && told.includes("status 503") && told.includes('"open"');
  });
  const statuses = (await gatehouse.events()).flatMap((event) =>
    event.type === "attempt" && event.target === name ? [event.status] : [],
  );
  expect(statuses).toEqual([404, 503, 503]);
});

test.each([
  { name: "nothing is selected", openapi: { document: petsDescription(), select: [] }, says: "no operation" },
  {
    name: "what is given is no description",
    openapi: { document: { openapi: "1.0" }, select: ["*"] },
    says: "version 1.0",
  },
  {
    name: "two tools would have one name",
    openapi: { document: petsDescription(), select: ["*"], overrides: { getPet: { name: "listPets" } } },
    says: "listPets",
  },
])("it is refused at publish when $name", async ({ openapi, says }) => {
  const publishing = publishTools(gatehouse, "wrong-pets", { ...openapi, ...block() });
  await expect(publishing).rejects.toMatchObject({ code: "publish.refused", message: expect.stringContaining(says) });
});
