import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { McpEra } from "../../src/mcp/wire/legacy.ts";
import { startFixtureServer } from "../conformance/fixture-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  upstream = await startMockUpstream();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function inspect(body: unknown, token = gatehouse.running.adminToken) {
  const answer = await fetch(`${gatehouse.running.controlUrl}/api/v1/mcp-servers:inspect`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }; // a problem or a view
}

describe("200", () => {
  test.each<{ readonly era: McpEra }>([{ era: "legacy" }, { era: "modern" }])(
    "tells all that a $era server shows, and leaves nothing behind there",
    async ({ era }) => {
      await using fixture = await startFixtureServer({ era });
      const { status, body } = await inspect({ url: fixture.url });
      expect([status, body["era"], body["faults"], body["isCut"]]).toEqual([200, era, [], false]);
      expect(body["serverInfo"]).toMatchObject({ name: "gatehouse-conformance-fixture" });
      expect(body["tools"]).toEqual(expect.arrayContaining([expect.objectContaining({ name: "echo" })]));
      expect(body["resourceTemplates"]).toHaveLength(1);
      expect((body["prompts"] as unknown[]).length).toBeGreaterThan(0);
      await expect.poll(() => fixture.sessions).toBe(0);
    },
  );

  test("shows the server the given credential, and keeps it nowhere", async () => {
    upstream.respond((request, response) => {
      const { id, method } = JSON.parse(request.body.toString()) as { id: number; method: string }; // the gateway's
      const discovered = { supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
      const result = method === "server/discover" ? discovered : { tools: [{ name: "a" }], nextCursor: "again" };
      return json(200, { jsonrpc: "2.0", id, result })(request, response);
    });
    const { body } = await inspect({ url: `${upstream.url}/mcp`, authorization: "Bearer canary-credential" });
    expect(upstream.seen.every(({ headers }) => headers.authorization === "Bearer canary-credential")).toBe(true);
    expect([(body["tools"] as unknown[]).length, body["isCut"]]).toEqual([100, true]); // pages without end are cut
    expect(JSON.stringify([body, gatehouse.log.lines])).not.toContain("canary-credential");
  });
});

describe("400 and 401", () => {
  test("refuses what is no address, or says more than is asked", async () => {
    for (const url of ["file:///etc/passwd", "http://user:pass@127.0.0.1/", "no address"]) {
      expect((await inspect({ url })).status).toBe(400);
    }
    expect((await inspect({ url: upstream.url, more: 1 })).status).toBe(400);
    expect((await inspect({ url: upstream.url }, "wrong")).status).toBe(401);
  });
});

describe("502", () => {
  test.each([
    { name: "a metadata address", url: "http://169.254.169.254/mcp", code: "upstream.refused_address" },
    { name: "nobody there", url: "http://127.0.0.1:9/mcp", code: "upstream.unreachable" },
  ])("$name", async ({ url, code }) => {
    const { status, body } = await inspect({ url });
    expect([status, body["code"]]).toEqual([502, code]);
  });

  test("a server that is no MCP server", async () => {
    upstream.respond(json(200, { hello: "world" }));
    const { status, body } = await inspect({ url: upstream.url });
    expect([status, body["code"]]).toEqual([502, "upstream.invalid"]);
  });
});
