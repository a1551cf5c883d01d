import { afterAll, beforeAll, expect, test } from "vitest";
import { mcpServer } from "../../../../src/core/mcp-server.ts";
import { publishApi } from "../../../../src/core/publishing.ts";
import { getResource } from "../../../../src/core/resources.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../../kit/mock-upstream.ts";
import { rpcOf } from "../published-server.ts";
import { modernRequest, petsDescription, publishTools, toolNames } from "./openapi-kit.ts";

let gatehouse: TestGatehouse;
let site: MockUpstream;

beforeAll(async () => {
  site = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const production = () => ({ production: { url: site.url }, sandbox: { sameAs: "production" } });
const namesOf = async (server: Awaited<ReturnType<typeof publishTools>>): Promise<readonly string[]> => {
  const { result } = rpcOf(await server.post(modernRequest(1, "tools/list")));
  return toolNames(result);
};

test("a description is fetched at each publication, kept in the revision, and asked for by no call", async () => {
  site.respond(json(200, petsDescription()));
  const openapi = { url: `${site.url}/openapi.json`, select: ["*Pet"], ...production() };
  const server = await publishTools(gatehouse, "fetched", openapi);
  const { context } = gatehouse.running;
  const before = site.seen.length;
  expect(await namesOf(server)).toEqual(["addPet", "removePet", "getPet", "changePet"]);
  expect(site.seen.length).toBe(before);
  const { id, spec } = await getResource(context, mcpServer, "fetched");
  expect(spec).toMatchObject({ openapi: { url: `${site.url}/openapi.json` } });
  const revision = await context.catalog.read.revisions.latest(id);
  expect(revision?.spec).toMatchObject({
    openapi: { document: petsDescription(), source: { sha256: expect.any(String) } },
  });

  expect(await publishApi(context, testActor, mcpServer, "fetched")).toMatchObject({ revision: 1, changed: false });
  site.respond(json(200, petsDescription({ paths: { "/pets": { get: { operationId: "onePet", responses: {} } } } })));
  expect(await publishApi(context, testActor, mcpServer, "fetched")).toMatchObject({ revision: 2, changed: true });
  expect(await namesOf(server)).toEqual(["onePet"]);
});

test("what cannot be fetched or read publishes nothing, and leaves what serves", async () => {
  const openapi = { url: `${site.url}/gone.json`, select: ["*"], ...production() };
  site.respond(json(404, {}));
  await expect(publishTools(gatehouse, "gone", openapi)).rejects.toThrow("answered with 404");
  site.respond((_, response) => void response.writeHead(200).end("<html>"));
  await expect(publishTools(gatehouse, "gone", openapi)).rejects.toMatchObject({ code: "resource.invalid" });
});

test("other documents are fetched only where that is allowed", async () => {
  const pets = { get: { operationId: "listPets", responses: { 200: { description: "All." } } } };
  const paths = { "/pets": { $ref: "paths.json#/pets" } };
  const both: Respond = (seen, response) =>
    json(200, seen.url === "/paths.json" ? { pets } : petsDescription({ paths }))(seen, response);
  site.respond(both);
  const openapi = { url: `${site.url}/openapi.json`, select: ["*"], ...production() };
  await expect(publishTools(gatehouse, "alone", openapi)).rejects.toThrow("another document");
  const server = await publishTools(gatehouse, "followed", { ...openapi, follow: true });
  expect(await namesOf(server)).toEqual(["listPets"]);
});

test("a fetched description does not choose which hosts are called, nor who gets credentials", async () => {
  const sandbox = { sameAs: "production" };
  const fetched = { url: `${site.url}/openapi.json`, select: ["*"], production: {}, sandbox };
  await expect(publishTools(gatehouse, "own", fetched)).rejects.toThrow("does not choose which hosts");
  const auth = { header: "x-api-key", secret: "${secret:none}" };
  const inline = { document: petsDescription({ servers: [{ url: site.url }] }), select: ["*"], sandbox };
  await expect(publishTools(gatehouse, "own", { ...inline, production: { auth } })).rejects.toThrow("who gets them");
  const server = await publishTools(gatehouse, "own-server", { ...inline, production: {} });
  expect(await namesOf(server)).toContain("getPet");
});
