import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { TokenIssuer } from "../../kit/token-issuer.ts";
import { clientRecord, createTokenIssuer, residentRecord } from "../../kit/token-issuer.ts";
import type { Era, PublishedServer } from "./published-server.ts";
import { answering, messageOf, publishServer, rpcOf, sse, sseMessages, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let issuer: TokenIssuer;
let secret: PublishedServer;
let told: PublishedServer;

const rules = [
  { id: "payers", on: { tools: ["pay_*"] }, scopes: ["pay", "money"] },
  { id: "small", on: { tools: ["lend"] }, when: "arguments.amount <= 100" },
  { id: "files", on: { resources: ["file:*"] }, keyTypes: ["sandbox"] },
  { id: "prompts", on: { prompts: ["private"] }, claims: { dept: "finance" } },
  { id: "no-levels", on: { methods: ["logging/*"] }, keyTypes: ["sandbox"] },
];

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  issuer = await createTokenIssuer({ alg: "RS256", claims: { client_id: "client-1" } });
  const security = { oauth: { scopes: ["mcp"] } };
  secret = await publishServer(gatehouse, "secret", `${upstream.url}/mcp`, { security, authorization: { rules } });
  told = await publishServer(gatehouse, "told", `${upstream.url}/mcp`, {
    security,
    authorization: { rules, hidden: false },
  });
  gatehouse.running.gateway.dataPlane.apply({
    type: "identity",
    keyManagers: [residentRecord(issuer)],
    clients: [clientRecord()],
    revocations: [],
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

beforeEach(() => upstream.respond(answering("fine")));

const request = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const token = (server: PublishedServer, scope: string, claims: object = {}) =>
  issuer.sign({ aud: server.url, scope, ...claims });

describe("a target that the caller may not use", () => {
  const denied: readonly { readonly name: string; readonly message: object; readonly text: string }[] = [
    { name: "a tool", message: toolCall("legacy", 1, "pay_all"), text: "Tool pay_all not found" },
    {
      name: "a tool, for its arguments",
      message: toolCall("legacy", 1, "lend", { amount: 101 }),
      text: "Tool lend not found",
    },
    { name: "a prompt", message: request("prompts/get", { name: "private" }), text: "Prompt private not found" },
    { name: "a resource", message: request("resources/read", { uri: "file:a" }), text: "Resource file:a not found" },
    {
      name: "a subscription",
      message: request("resources/subscribe", { uri: "file:a" }),
      text: "Resource file:a not found",
    },
    {
      name: "a completion",
      message: request("completion/complete", { ref: { type: "ref/prompt", name: "private" }, argument: {} }),
      text: "Prompt private not found",
    },
    {
      name: "a completion of a resource",
      message: request("completion/complete", { ref: { type: "ref/resource", uri: "file:{p}" }, argument: {} }),
      text: "Resource file:{p} not found",
    },
  ];

  test.each(denied)(
    "$name is answered as one that is not there, and the upstream hears nothing",
    async ({ message, text }) => {
      const before = upstream.seen.length;
      const answer = await secret.post(message);
      expect([answer.status, rpcOf(answer).error]).toEqual([200, { code: -32602, message: text }]);
      expect(upstream.seen.length).toBe(before);
    },
  );

  test("a method that the caller may not use is none", async () => {
    const answer = await secret.post(request("logging/setLevel", { level: "info" }));
    expect([answer.status, rpcOf(answer).error]).toEqual([200, { code: -32601, message: "Method not found" }]);
  });

  test("may be used where the arguments are within bounds", async () => {
    const answer = await secret.post(toolCall("modern", 1, "lend", { amount: 100 }), { era: "modern" });
    expect(rpcOf(answer).result).toBeDefined();
  });

  test("the row says which rule refused it, and at which stage", async () => {
    await secret.post(toolCall("legacy", 1, "pay_all"));
    const row = (await gatehouse.events()).filter(({ type }) => type === "exchange").at(-1) as ExchangeEvent; // filtered
    expect([row.denied_by, row.fields["stage"]]).toEqual(["authorize", "authz"]);
    expect(row.decisions).toMatchObject([
      { policy: "authorization", step: "authz", action: "deny", detail: "by payers" },
    ]);
    expect(row.decisions[0]?.place).toMatch(/\/authorization\/payers$/);
  });
});

describe("lists", () => {
  const entries = {
    tools: ["pay_all", "lend", "look"].map((name) => ({ name, inputSchema: {} })),
    prompts: ["private", "public"].map((name) => ({ name })),
    resources: ["file:a", "http:b"].map((uri) => ({ uri })),
    resourceTemplates: ["file:{p}", "http:{q}"].map((uriTemplate) => ({ uriTemplate })),
  };
  const bodyOf = (id: number | string) => ({ jsonrpc: "2.0", id, result: { ...entries, more: { kept: 1 } } });
  const left = { tools: 2, prompts: 1, resources: 1, resourceTemplates: 1 };
  const counts = (message: unknown) => {
    const { result } = message as { result: Record<string, unknown[]> }; // the list above
    return Object.fromEntries(Object.keys(left).map((list) => [list, result[list]?.length]));
  };

  test("show what may be used, as a whole answer and in a stream", async () => {
    upstream.respond((seen, response) => json(200, bodyOf(messageOf(seen).id))(seen, response));
    const whole = await secret.post(request("tools/list"));
    expect(counts(whole.json())).toEqual(left);
    upstream.respond((seen, response) => events([sse(bodyOf(messageOf(seen).id))])(seen, response));
    const stream = await secret.post(request("tools/list"));
    expect(sseMessages(stream.text).map(counts)).toEqual([left]);
  });

  test("keep every byte where nothing is taken out", async () => {
    const text = '{"jsonrpc":"2.0",  "id":1,"result":{"tools":[ {"name":"look" , "n":1.0} ]}}';
    upstream.respond((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(text);
    });
    expect((await secret.post(request("tools/list"))).text).toBe(text);
  });

  test("show what more scopes would open, where refusals are told", async () => {
    upstream.respond((seen, response) => json(200, bodyOf(messageOf(seen).id))(seen, response));
    const answer = await told.post(request("tools/list"), { key: await token(told, "mcp") });
    expect(counts(answer.json())).toEqual({ ...left, tools: 3 });
  });
});

describe("where refusals are told", () => {
  test.each(["legacy", "modern"] as readonly Era[])(
    "a %s token that lacks scopes gets one challenge with all that are needed",
    async (era) => {
      const answer = await told.post(toolCall(era, 7, "pay_all"), { era, key: await token(told, "mcp pay") });
      expect([answer.status, rpcOf(answer).id, rpcOf(answer).error?.data?.["scopes"]]).toEqual([
        403,
        7,
        ["money", "pay"],
      ]);
      const challenge = String(answer.headers["www-authenticate"]);
      expect(challenge.match(/Bearer /g)).toHaveLength(1);
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toContain('scope="mcp money pay"');
      expect(challenge).toContain("/.well-known/oauth-protected-resource/told/mcp");
    },
  );

  test("and with them it is served, and the row has them", async () => {
    const answer = await told.post(toolCall("legacy", 7, "pay_all"), { key: await token(told, "mcp pay money") });
    expect(rpcOf(answer).result).toBeDefined();
    const row = (await gatehouse.events()).find(({ exchange_id: id }) => id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({ fields: { scopes: ["mcp", "pay", "money"] } });
  });

  test("a key, which has no scopes to get, is forbidden", async () => {
    const answer = await told.post(toolCall("legacy", 7, "pay_all"));
    expect([answer.status, rpcOf(answer).error?.code]).toEqual([403, 1_403]);
    expect(answer.headers["www-authenticate"]).toBeUndefined();
  });
});

test("the metadata names the scopes of the rules after those of the server", async () => {
  const answer = await fetch(`${gatehouse.running.gatewayUrl}/.well-known/oauth-protected-resource/secret/mcp`);
  expect(await answer.json()).toMatchObject({ scopes_supported: ["mcp", "money", "pay"] });
});

test("a condition that is no CEL refuses the publish with its place", async () => {
  const authorization = { rules: [{ on: { tools: ["a"] }, when: "arguments.a.matches('x')" }] };
  await expect(publishServer(gatehouse, "broken", `${upstream.url}/mcp`, { authorization })).rejects.toThrow(
    /spec\.authorization|rules\[0\]\.when/,
  );
});
