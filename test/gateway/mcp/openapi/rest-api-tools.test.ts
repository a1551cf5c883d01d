import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { deleteResource } from "../../../../src/core/resources.ts";
import { restApi } from "../../../../src/core/rest-api.ts";
import { putSecret } from "../../../../src/core/secrets.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../../kit/mock-upstream.ts";
import type { PublishedServer } from "../published-server.ts";
import { keyFor, rpcOf, toolCall } from "../published-server.ts";
import { modernRequest, petsDescription, publishTools, toolNames } from "./openapi-kit.ts";

let gatehouse: TestGatehouse;
let service: MockUpstream;

beforeAll(async () => {
  service = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "pets-key", value: "canary", team: "default" });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

beforeEach(() => service.respond(json(200, { id: 7, name: "Ada" })));

/** A REST API `{name}` and an MCP server `{name}-tools` made of it. */
async function held(name: string, spec: object = {}): Promise<PublishedServer> {
  const production = { url: `${service.url}/live`, auth: { secret: "${secret:pets-key}" } };
  await gatehouse.put("RestApi", name, {
    context: `/${name}`,
    definition: petsDescription(),
    upstream: { production, sandbox: { url: `${service.url}/test` } },
    ...spec,
  });
  return publishTools(gatehouse, `${name}-tools`, { api: name, select: ["*"] });
}

const call = async (server: PublishedServer, name: string, args: object) =>
  rpcOf(await server.post(toolCall("modern", 1, name, args)));

test("tools of a REST API call its upstream with its credential, in the caller's environment", async () => {
  const server = await held("pets");
  expect(toolNames(rpcOf(await server.post(modernRequest(1, "tools/list"))).result)).toContain("getPet");
  const { result } = await call(server, "getPet", { petId: "a b" });
  expect(result).toMatchObject({ structuredContent: { id: 7 }, _meta: { "gatehouse/http": { status: 200 } } });
  const seen = service.seen.at(-1);
  expect([seen?.method, seen?.url, seen?.headers.authorization]).toEqual(["GET", "/live/pets/a%20b", "Bearer canary"]);
  await call(server, "addPet", { id: 1, name: "x" });
  expect([service.seen.at(-1)?.method, String(service.seen.at(-1)?.body)]).toEqual(["POST", '{"id":1,"name":"x"}']);
  const key = await keyFor(gatehouse, "pets-tools", { environment: "sandbox" });
  await server.post(toolCall("modern", 1, "getPet", { petId: "1" }), { key });
  expect(service.seen.at(-1)?.url).toBe("/test/pets/1");
  service.respond(json(404, { message: "no such pet" }));
  expect((await call(server, "getPet", { petId: "1" })).result).toMatchObject({ isError: true });
});

test("there is no way around the API's own limits, policies and subscription", async () => {
  const limited = await held("limited", {
    policies: [{ use: "rate-limit", with: { requests: 1, windowMs: 3_600_000 }, on: ["GET /pets/{petId}"] }],
  });
  expect((await call(limited, "getPet", { petId: "1" })).result).toBeDefined();
  const before = service.seen.length;
  expect((await call(limited, "getPet", { petId: "2" })).error?.data?.["code"]).toBe("limit.exceeded");
  expect(service.seen.length).toBe(before);
  expect((await call(limited, "listPets", {})).result).toBeDefined();

  const patterns = [{ pattern: "forbidden", action: "deny" }];
  const guarded = await held("guarded", { policies: [{ use: "regex", with: { patterns } }] });
  const sent = service.seen.length;
  expect((await call(guarded, "addPet", { id: 1, name: "forbidden" })).error?.data?.["code"]).toBe("guardrail.denied");
  expect((await call(guarded, "getPet", { petId: "forbidden" })).error?.data?.["code"]).toBe("guardrail.denied");
  expect(service.seen.length).toBe(sent);
  service.respond(json(200, { id: 1, name: "forbidden" }));
  expect((await call(guarded, "getPet", { petId: "1" })).error?.data?.["code"]).toBe("guardrail.denied");

  const closed = await held("closed", { security: { apiKey: {}, subscription: "required" } });
  expect((await call(closed, "getPet", { petId: "1" })).error?.data?.["code"]).toBe("auth.forbidden");
});

test("an API that is not deployed publishes no tools, and one that has tools is not deleted", async () => {
  const openapi = { api: "missing", select: ["*"] };
  await expect(publishTools(gatehouse, "no-tools", openapi)).rejects.toThrow(/RestApi/);
  await held("kept");
  const { context } = gatehouse.running;
  await expect(deleteResource(context, testActor, restApi, "kept", 1)).rejects.toMatchObject({
    code: "resource.in_use",
  });
});

test("at its own context a REST API is not served, and says so", async () => {
  await held("direct");
  const answer = await fetch(`${gatehouse.running.gatewayUrl}/direct/pets`);
  expect([answer.status, await answer.json()]).toMatchObject([501, { code: "route.not_served" }]);
});
