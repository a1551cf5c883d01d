import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../../kit/mock-upstream.ts";
import { connectClient, eras } from "../../../quickstart/mcp-client.ts";
import { petsDescription, publishTools } from "./openapi-kit.ts";

let gatehouse: TestGatehouse;
let service: MockUpstream;

beforeAll(async () => {
  service = await startMockUpstream(json(200, { id: 7, name: "Ada" }));
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const block = () => ({ production: { url: service.url }, sandbox: { sameAs: "production" } });

describe.each(eras)("an unmodified client of $era", ({ mode }) => {
  test("lists the tools, calls one, and reads a refusal", async () => {
    const name = `sdk-${typeof mode === "string" ? mode : "modern"}`;
    const { url, key } = await publishTools(gatehouse, name, {
      document: petsDescription(),
      select: ["*"],
      ...block(),
    });
    await using connected = await connectClient(url, { authorization: `Bearer ${key}` }, mode);
    const { tools } = await connected.client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(["listPets", "addPet", "removePet", "getPet", "changePet"]);
    expect(await connected.call("getPet", { petId: "7" })).toEqual({ id: 7, name: "Ada" });
    service.respond(json(404, { message: "no such pet" }), json(200, { id: 7, name: "Ada" }));
    expect(await connected.refusal("getPet", { petId: "8" })).toContain("no such pet");
  });
});

const fixtures = ["petstore", "box", "digitalocean", "twilio", "asana", "kubernetes", "adyen"];

test.each(fixtures)("the public description %s is served: every tool of it is listed", async (name) => {
  const file = join(import.meta.dirname, "../../../mcp/openapi/fixtures", `${name}.json`);
  const document: unknown = JSON.parse(readFileSync(file, "utf8"));
  const openapi = { document, select: ["*"], pageSize: 2, ...block() };
  const { url, key } = await publishTools(gatehouse, `public-${name}`, openapi);
  await using connected = await connectClient(url, { authorization: `Bearer ${key}` }, { pin: "2026-07-28" });
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await connected.client.listTools(cursor === undefined ? {} : { cursor });
    names.push(...page.tools.map((tool) => tool.name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(names.length).toBeGreaterThan(3);
  expect(new Set(names).size).toBe(names.length);
});
