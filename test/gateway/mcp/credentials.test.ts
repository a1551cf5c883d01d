import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putSecret } from "../../../src/core/secrets.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, messageOf, publishServer, rpcOf, textResult, toolCall } from "./published-server.ts";

const upstreamSecret = "upstream-canary-5b1f";
const clientSecret = "client-canary-77a0";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
  await putSecret(gatehouse.running.context, testActor, { name: "far", value: upstreamSecret });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const withAuth = (name: string, auth: object): Promise<PublishedServer> =>
  publishServer(gatehouse, name, `${upstream.url}/mcp`, {
    upstream: { auth: { secret: "${secret:far}", ...auth }, breaker: { failures: 0 } },
  });

describe("the upstream's credential from the vault", () => {
  test.each([
    { name: "bearer", auth: {}, header: "authorization", value: `Bearer ${upstreamSecret}` },
    { name: "api-key", auth: { header: "X-Api-Key", scheme: "" }, header: "x-api-key", value: upstreamSecret },
    {
      name: "own-header",
      auth: { header: "X-Far", scheme: "Token" },
      header: "x-far",
      value: `Token ${upstreamSecret}`,
    },
  ])("goes up as $header ($name)", async ({ name, auth, header, value }) => {
    const server = await withAuth(name, auth);
    await server.post(toolCall("legacy", 1, "echo"));
    expect(upstream.seen.at(-1)?.headers[header]).toBe(value);
  });

  test("is seen as changed by the next call", async () => {
    const server = await withAuth("changing", {});
    await putSecret(gatehouse.running.context, testActor, { name: "far", value: "renewed" });
    await server.post(toolCall("legacy", 1, "echo"));
    expect(upstream.seen.at(-1)?.headers.authorization).toBe("Bearer renewed");
    await putSecret(gatehouse.running.context, testActor, { name: "far", value: upstreamSecret });
  });

  test("goes up without the line break that a file ends with", async () => {
    const server = await withAuth("from-a-file", {});
    await putSecret(gatehouse.running.context, testActor, { name: "far", value: `${upstreamSecret}\n` });
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    await putSecret(gatehouse.running.context, testActor, { name: "far", value: upstreamSecret });
    expect([answer.status, upstream.seen.at(-1)?.headers.authorization]).toEqual([200, `Bearer ${upstreamSecret}`]);
  });

  test("that no header can carry is the operator's to mend: no upstream is blamed and none is left alone", async () => {
    const spec = { upstream: { auth: { secret: "${secret:far}" }, breaker: { failures: 1, openMs: 60_000 } } };
    const server = await publishServer(gatehouse, "broken-secret", `${upstream.url}/mcp`, spec);
    await putSecret(gatehouse.running.context, testActor, { name: "far", value: "two\nlines" });
    const seen = upstream.seen.length;
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    await putSecret(gatehouse.running.context, testActor, { name: "far", value: upstreamSecret });
    expect([answer.status, upstream.seen.length]).toEqual([500, seen]);
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ error_code: "config.invalid", outcome: "failed" });
    expect((await server.post(toolCall("legacy", 2, "echo"))).status).toBe(200);
  });

  test("that the upstream refuses is the operator's matter: the caller gets no challenge and no 401", async () => {
    const server = await withAuth("refused", {});
    upstream.respond(json(401, { error: upstreamSecret }, { "www-authenticate": `Bearer error="${upstreamSecret}"` }));
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    upstream.respond(answering("fine"));
    expect([answer.status, rpcOf(answer).error?.code]).toEqual([502, 1_502]);
    expect(JSON.stringify(answer.headers) + answer.text).not.toContain(upstreamSecret);
  });
});

const clientHeaders: Record<string, string> = {
  cookie: `session=${clientSecret}`,
  "proxy-authorization": `Basic ${clientSecret}`,
  "x-api-key": clientSecret,
  "api-key": clientSecret,
  "x-auth-token": clientSecret,
  "x-session-id": clientSecret,
  forwarded: `for=${clientSecret}`,
  "x-forwarded-for": clientSecret,
  referer: `https://example.com/${clientSecret}`,
};

test("nothing by which the client shows itself goes up, and what belongs to the protocol does", async () => {
  const server = await withAuth("plain", {});
  const kept = {
    "mcp-param-token": "an argument",
    "mcp-future": "kept",
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  };
  await server.post(toolCall("modern", 1, "echo", { token: "an argument" }), {
    era: "modern",
    headers: { ...clientHeaders, apikey: server.key, ...kept },
  });
  const sent = upstream.seen.at(-1)?.headers ?? {};
  const text = JSON.stringify(sent);
  expect(text).not.toContain(clientSecret);
  expect(text).not.toContain(server.key);
  expect(sent).toMatchObject({
    ...kept,
    "mcp-method": "tools/call",
    "mcp-name": "echo",
    "mcp-protocol-version": "2026-07-28",
  });
});

test("no credential comes down, and none is in a log line, an event or any file", async () => {
  const server = await withAuth("canary", {});
  upstream.respond((request, response) => {
    // An upstream that tells on itself in everything that is not the result.
    const headers = { "set-cookie": upstreamSecret, "www-authenticate": upstreamSecret, server: upstreamSecret };
    return json(200, textResult(messageOf(request).id, "fine"), headers)(request, response);
  });
  const headers = { ...clientHeaders, "mcp-session-id": clientSecret };
  const good = await server.post(toolCall("legacy", 1, "echo", { password: clientSecret }), { headers: clientHeaders });
  const bad = await server.post(toolCall("legacy", 1, "echo", { password: clientSecret }), { headers });
  upstream.respond((_request, response) => void response.destroy());
  const broken = await server.post(toolCall("legacy", 1, "echo", { password: clientSecret }), {
    headers: clientHeaders,
  });
  upstream.respond(answering("fine"));
  expect([good.status, bad.status, broken.status]).toEqual([200, 404, 502]);
  const told = [good, bad, broken].map((answer) => JSON.stringify(answer.headers) + answer.text).join("");
  const logged = JSON.stringify(gatehouse.log.lines, (_key, value: unknown) =>
    value instanceof Error ? String(value.stack) : value,
  );
  const events = JSON.stringify(await gatehouse.events());
  for (const secret of [upstreamSecret, clientSecret, server.key]) {
    expect([told.includes(secret), logged.includes(secret), events.includes(secret)]).toEqual([false, false, false]);
  }
  expect(events).toContain('"arg_keys":["password"]');
  const files = await filesBelow(gatehouse.dataDir);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const bytes = await readFile(file);
    expect([file, bytes.includes(upstreamSecret), bytes.includes(clientSecret)]).toEqual([file, false, false]);
  }
});

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
