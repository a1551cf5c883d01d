import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { modernRequest, petsDescription, publishTools, toolNames } from "./openapi/openapi-kit.ts";
import type { PublishedServer } from "./published-server.ts";
import { rpcOf, serverAt, toolCall } from "./published-server.ts";
import { request, requestCases } from "./request-limits.ts";
import { publishVirtual } from "./virtual/virtual-kit.ts";

let gatehouse: TestGatehouse;
let service: MockUpstream;

beforeAll(async () => {
  service = await startMockUpstream(json(200, { id: 7, name: "Ada" }));
  gatehouse = await startTestGatehouse();
  await publishPets("pets", { pageSize: 1 });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const publishPets = (name: string, more: object = {}, spec: object = {}): Promise<PublishedServer> => {
  const block = { production: { url: `${service.url}/api` }, sandbox: { sameAs: "production" } };
  return publishTools(gatehouse, name, { document: petsDescription(), select: ["*"], ...block, ...more }, spec);
};
let count = 0;
const forms = {
  async openapi(limits: object): Promise<PublishedServer> {
    count += 1;
    return publishPets(`limited-${count}`, {}, { limits });
  },
  async virtual(limits: object): Promise<PublishedServer> {
    count += 1;
    const { url, key } = await publishVirtual(
      gatehouse,
      `limited-${count}`,
      { servers: [{ server: "pets" }] },
      { limits },
    );
    return serverAt(url, key);
  },
};

describe.each(["openapi", "virtual"] as const)("a request to a server of the form %s", (form) => {
  test.each(requestCases)("is refused one past $limit, by its name", async ({ limit, value, of, status }) => {
    const server = await forms[form]({ [limit]: value });
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } };
    const begun = await server.post(request("initialize", params));
    const headers = { "mcp-session-id": String(begun.headers["mcp-session-id"]) };
    const taken = await server.post(of(value), { headers });
    expect(JSON.stringify(rpcOf(taken).error ?? {})).not.toContain("spec.limits");
    const before = service.seen.length;
    const refused = await server.post(of(value + 1), { headers });
    expect(refused.status).toBe(status);
    expect(rpcOf(refused).error?.data).toMatchObject({ limit: `spec.limits.${limit}`, value });
    expect(service.seen.length).toBe(before);
  });
});

describe("a list of a virtual server", () => {
  const tools = 5;

  test("is read to its end where its pages are as many as listPages", async () => {
    const server = await forms.virtual({ listPages: tools });
    const { result } = rpcOf(await server.post(modernRequest(1, "tools/list"), { era: "modern" }));
    expect(toolNames(result)).toHaveLength(tools);
  });

  test("is refused by the limit's name where a server has a page more, and there is no other", async () => {
    const server = await forms.virtual({ listPages: tools - 1 });
    const { error } = rpcOf(await server.post(modernRequest(1, "tools/list"), { era: "modern" }));
    expect(error?.data).toMatchObject({ limit: "spec.limits.listPages", value: tools - 1 });
  });
});

test("an answer of a service is whole up to responseBytes, and is cut after them", async () => {
  const description = { document: petsDescription(), select: ["*"] };
  const server = await publishPets("short-pets", description, { limits: { responseBytes: 1_000 } });
  const textOf = async (size: number): Promise<string> => {
    service.respond(
      (_, response) => void response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(size)),
    );
    return JSON.stringify(rpcOf(await server.post(toolCall("modern", 1, "listPets"), { era: "modern" })).result);
  };
  expect(await textOf(1_000)).not.toContain("cut here");
  expect(await textOf(1_001)).toContain("cut here, after 1000 bytes");
});

test("what checking arguments takes is bounded by schemaSteps, and what is over it is not sent", async () => {
  const list = { type: "array", items: { type: "integer" } };
  const body = { content: { "application/json": { schema: { type: "object", properties: { list } } } } };
  const post = { operationId: "sum", requestBody: body, responses: { 200: { description: "The sum." } } };
  const document = { openapi: "3.1.0", info: { title: "Sums", version: "1" }, paths: { "/sum": { post } } };
  const server = await publishPets("short-checks", { document }, { limits: { schemaSteps: 1_000 } });
  const called = async (length: number) => {
    const args = { list: Array.from({ length }, (_, at) => at) };
    return rpcOf(await server.post(toolCall("modern", 1, "sum", args), { era: "modern" })).result;
  };
  expect(await called(200)).not.toHaveProperty("isError");
  const before = service.seen.length;
  expect(JSON.stringify(await called(2_000))).toContain("too large to be checked");
  expect(service.seen.length).toBe(before);
});
