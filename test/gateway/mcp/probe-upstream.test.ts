import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createProbeTimes } from "../../../src/gateway/mcp/probe-times.ts";
import { startProbe } from "../../../src/gateway/mcp/probe-upstream.ts";
import { createUpstreamClient } from "../../../src/gateway/upstream.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { eventually } from "../../kit/eventually.ts";
import type { ManualClock } from "../../kit/manual-clock.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { messageOf, sse } from "./published-server.ts";

let far: MockUpstream;
let clock: ManualClock;
let found: (string | undefined)[];
let stop: () => void;
const upstream = createUpstreamClient({
  lookup: (_host, _options, done) => done(null, "127.0.0.1", 4),
  assertHost: () => undefined,
  clock: systemClock,
});

beforeAll(async () => {
  far = await startMockUpstream();
});

afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
  await far[Symbol.asyncDispose]();
});

beforeEach(() => {
  clock = manualClock();
  found = [];
  stop = startProbe({
    endpoint: {
      origin: far.url,
      path: "/mcp",
      credential: { show: async () => ({ headers: { authorization: "Bearer probe-secret" } }) },
    },
    everyMs: 30_000,
    timeouts: { connectMs: 1_000, firstByteMs: 60_000, idleMs: 60_000 },
    upstream,
    clock,
    time: createProbeTimes().hold("far"),
    found: (failure) => found.push(failure),
  });
});

afterEach(() => stop());

async function probes(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const before = found.length;
    clock.advance(30_000);
    await eventually("the probe has ended", () => found.length > before);
  }
}

const methodsFrom = (from: number): readonly string[] =>
  far.seen.slice(from).map((request) => {
    if (request.method !== "POST") return request.method;
    return (JSON.parse(String(request.body)) as { method: string }).method; // the probe sends messages
  });

const discovered: Respond = (request, response) =>
  json(200, { jsonrpc: "2.0", id: messageOf(request).id, result: { supportedVersions: ["2026-07-28"] } })(
    request,
    response,
  );

/** A server with sessions that answers by streams, as those of the SDK do. */
const withSessions: Respond = (request, response) => {
  if (request.method === "DELETE") return void response.writeHead(200).end();
  const { id, method } = JSON.parse(String(request.body)) as { id?: number; method: string }; // the probe sends messages
  if (method === "notifications/initialized") return void response.writeHead(202).end();
  const isStart = method === "initialize";
  if (!isStart && request.headers["mcp-session-id"] !== "s-1")
    return json(400, { jsonrpc: "2.0", id: null, error: { code: -32_000, message: "no session" } })(request, response);
  return events([": hello\n\n", sse({ jsonrpc: "2.0", id, result: {} })], isStart ? { "mcp-session-id": "s-1" } : {})(
    request,
    response,
  );
};

describe("a probe", () => {
  test("asks a stateless server to introduce itself, with the gateway's credential", async () => {
    far.respond(discovered);
    const from = far.seen.length;
    await probes(2);
    expect(found).toEqual([undefined, undefined]);
    expect(methodsFrom(from)).toEqual(["server/discover", "server/discover"]);
    expect(far.seen.at(-1)?.headers).toMatchObject({
      authorization: "Bearer probe-secret",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "server/discover",
    });
  });

  test("pings a server with sessions in one of its own, and ends it", async () => {
    far.respond(withSessions);
    const from = far.seen.length;
    await probes(3);
    expect(found).toEqual([undefined, undefined, undefined]);
    stop();
    await eventually("the session is ended", () => far.seen.at(-1)?.method === "DELETE");
    const wanted = ["server/discover", "initialize", "notifications/initialized", "ping", "ping", "DELETE"];
    expect(methodsFrom(from)).toEqual(wanted);
    expect(far.seen.at(-1)?.headers["mcp-session-id"]).toBe("s-1");
  });

  test("begins a new session when the server has forgotten its own", async () => {
    far.respond(withSessions);
    await probes(1);
    const from = far.seen.length;
    far.respond((_request, response) => void response.writeHead(404).end(), withSessions);
    await probes(1);
    expect(found).toEqual([undefined, undefined]);
    expect(methodsFrom(from)).toEqual(["ping", "initialize", "notifications/initialized"]);
  });

  const ill: readonly { readonly name: string; readonly respond: Respond; readonly failure: string }[] = [
    { name: "answers 503", respond: json(503, {}), failure: "status 503" },
    { name: "refuses the credential", respond: json(401, {}), failure: "upstream.credentials" },
    { name: "redirects", respond: json(302, {}, { location: "/elsewhere" }), failure: "status 302" },
    {
      name: "closes the connection",
      respond: (_request, response) => void response.destroy(),
      failure: "upstream.reset",
    },
    {
      name: "answers in HTML",
      respond: (_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<p>hi"),
      failure: "upstream.invalid",
    },
  ];

  test.each(ill)(
    "says that a server is not well that $name, and hears when it is again",
    async ({ respond, failure }) => {
      far.respond(respond);
      await probes(1);
      far.respond(discovered);
      await probes(1);
      expect(found).toEqual([failure, undefined]);
    },
  );

  test("does not wait longer than ten seconds for an answer, and asks one question at a time", async () => {
    far.respond(() => undefined);
    const from = far.seen.length;
    clock.advance(30_000);
    await eventually("the question is there", () => far.seen.length > from);
    clock.advance(9_999);
    expect(found).toEqual([]);
    clock.advance(1);
    await far.seen.at(-1)?.aborted;
    await eventually("the probe has ended", () => found.length > 0);
    expect(found).toEqual(["upstream.timeout"]);
    expect(far.seen.length).toBe(from + 1);
  });

  test("asks nothing any more when it was stopped", async () => {
    far.respond(discovered);
    stop();
    const from = far.seen.length;
    clock.advance(300_000);
    await new Promise(setImmediate);
    expect([far.seen.length - from, found]).toEqual([0, []]);
  });
});
