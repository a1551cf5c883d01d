import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../kit/mock-upstream.ts";

/** Texts that must turn up nowhere but where they belong. */
const canaries = {
  secret: "sk-CANARYsecretvalue0001",
  environmentSecret: "sk-CANARYenvironment0002",
  misplacedSecret: "sk-CANARYmisplaced0003",
  adminToken: "CANARYadmintoken00040004",
  wrongAdminToken: "CANARYwrongadmin00050005",
  wrongKey: "CANARYwrongkey0006",
  prompt: "CANARYprompt0007",
  answer: "CANARYanswer0008",
  query: "CANARYquery0009",
};

/** Makes the regex guardrail refuse; stands in prompts beside the canary. */
const forbidden = "forbidden-word";

let dataDir: string;
let upstream: MockUpstream;
let gatehouse: GatehouseProcess;
/** The secret parts of keys, as the control API has given them. */
const keyParts: string[] = [];
const controlTexts: string[] = [];
const clientTexts: string[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-canary-"));
  upstream = await startMockUpstream();
  gatehouse = await startGatehouseProcess({
    dataDir,
    adminToken: canaries.adminToken,
    env: {
      GATEHOUSE_ENV: "development",
      GATEHOUSE_LOG_LEVEL: "debug",
      OPENAI_API_KEY: canaries.environmentSecret,
      OPENAI_BASE_URL: upstream.url,
    },
  });
  const keys = await administer();
  await callEveryWay(keys);
  await readEverything();
  expect(await gatehouse.end("SIGTERM")).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

test("the traffic was what it was meant to be", () => {
  expect(upstream.seen.map(({ headers }) => headers.authorization)).toContain(`Bearer ${canaries.secret}`);
  expect(upstream.seen.some(({ body }) => body.includes(canaries.prompt))).toBe(true);
  expect(clientTexts.some((text) => text.includes(canaries.answer))).toBe(true);
  expect(new Set(clientTexts.map((text) => text.slice(0, 3)))).toEqual(
    new Set(["200", "400", "401", "403", "404", "413", "422", "500", "502"]),
  );
  expect(keyParts).toHaveLength(4);
});

test("no answer of the control API holds a secret's value, a key, a token or a word of the traffic", () => {
  expect(controlTexts.length).toBeGreaterThan(30);
  expect(found(controlTexts.join("\n"), { ...canaries, ...keysByName() })).toEqual([]);
});

test("no answer to a client holds a credential of the gateway's", () => {
  const { secret, environmentSecret, adminToken } = canaries;
  expect(found(clientTexts.join("\n"), { secret, environmentSecret, adminToken, ...keysByName() })).toEqual([]);
});

test("nothing that the process printed holds one, at the most talkative level", () => {
  const { out, err } = gatehouse.printed;
  expect(err.split("\n").length).toBeGreaterThan(10);
  expect(found(out + err, { ...canaries, ...keysByName() })).toEqual([]);
});

describe("the data directory", () => {
  test("holds rows of the traffic, and neither its words nor a key or a secret in any file", async () => {
    const files = await filesBelow(dataDir);
    const names = files.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["catalog.db", expect.stringMatching(/^spool\/.*ndjson$/)]));
    const rows = files.filter(({ name }) => name.startsWith("spool/")).map(({ bytes }) => bytes.toString());
    expect(rows.join("").split("\n").length).toBeGreaterThan(15);
    const { adminToken, ...others } = canaries;
    for (const { name, bytes } of files) {
      const sought = { ...others, ...keysByName(), ...(name !== "quickstart.json" && { adminToken }) };
      expect({ name, found: found(bytes.toString("latin1"), sought) }).toEqual({ name, found: [] });
    }
  });
});

interface Keys {
  readonly live: string;
  readonly replaced: string;
  readonly regenerated: string;
  readonly revoked: string;
}

/** Resources, secrets and keys, with the mistakes that people make. */
async function administer(): Promise<Keys> {
  await control("PUT", "/secrets/far", { value: canaries.secret }, 201);
  await control("PUT", "/secrets/far", { valu: canaries.secret }, 422);
  await control("PUT", "/secrets/far", { value: [canaries.secret] }, 422);
  await control("PUT", "/secrets/Not-A-Name!", { value: canaries.secret }, 422);
  const provider = (apiKey: string) => ({ use: "openai-compatible", with: { baseUrl: upstream.url, apiKey } });
  await control("POST", "/llm-providers", document("far", provider("${secret:far}")), 201);
  // A value where no schema expects a secret is refused, and the refusal does not repeat it.
  const misplaced = { baseUrl: upstream.url, password: canaries.misplacedSecret };
  await control("POST", "/llm-providers", document("misplaced", { use: "openai-compatible", with: misplaced }), 422);
  const api = {
    context: "/canary",
    limits: { requestBytes: 10_000 },
    upstream: {
      production: { targets: [{ provider: "far" }], breaker: { failures: 0 } },
      sandbox: { sameAs: "production" },
    },
    policies: [{ use: "regex", with: { patterns: [{ pattern: forbidden }] } }],
  };
  await control("POST", "/llm-apis", document("canary", api), 201);
  await control("POST", "/llm-apis/canary/publish", undefined, 200);
  await control("POST", "/llm-apis", document("other", { ...api, context: "/other" }), 201);
  await control("POST", "/llm-apis/other/publish", undefined, 200);
  const live = await keyFrom("/api-keys", keyRequest("live"));
  const replaced = await keyFrom("/api-keys", keyRequest("again"));
  const regenerated = await keyFrom("/api-keys/again/regenerate");
  const revoked = await keyFrom("/api-keys", keyRequest("revoked"));
  await control("POST", "/api-keys/revoked/revoke", undefined, 200);
  const refused = await fetch(`${gatehouse.controlUrl}/api/v1/secrets?token=${canaries.query}`, {
    headers: { authorization: `Bearer ${canaries.wrongAdminToken}` },
  });
  controlTexts.push(await refused.text());
  expect(refused.status).toBe(401);
  return { live, replaced, regenerated, revoked };
}

/** Requests that go well, are refused, and meet an upstream that fails and tells what it was sent. */
async function callEveryWay({ live, replaced, regenerated, revoked }: Keys): Promise<void> {
  upstream.respond(chatAnswer(canaries.answer));
  await call(live, chat());
  await call(regenerated, chat());
  await call(live, chat(), `/canary/v1/chat/completions?key=${canaries.query}`);
  for (const key of [replaced, revoked, `gh_${canaries.wrongKey}`, ""]) await call(key, chat());
  await call(live, chat(), "/other/v1/chat/completions");
  await call(live, chat(), `/canary/v1/${canaries.query}`);
  await call(live, chat({ messages: [{ role: "user", content: `${canaries.prompt} ${forbidden}` }] }));
  await call(live, `{"model": "m", "messages": ["${canaries.prompt}"`);
  await call(live, chat({ padding: canaries.prompt.repeat(1_000) }));
  upstream.respond(chatAnswer(`${canaries.answer} ${forbidden}`));
  await call(live, chat());
  upstream.respond(events([chunk({ content: canaries.answer }), chunk({}, { finish: "stop" }), done]));
  await call(live, chat({ stream: true }));
  upstream.respond(events([chunk({ content: canaries.answer })]));
  await call(live, chat({ stream: true }));
  // As OpenAI does: the refusal names the key that it was sent.
  const told = { error: { message: `Incorrect API key provided: ${canaries.secret}.`, type: "invalid_request_error" } };
  upstream.respond(json(401, told));
  await call(live, chat());
  upstream.respond(json(500, { error: { message: `cannot handle ${canaries.prompt}` } }));
  await call(live, chat());
  upstream.respond((_request, response) => void response.end(`<html>${canaries.answer}</html>`));
  await call(live, chat());
  upstream.respond((_request, response) => void response.destroy());
  await call(live, chat());
}

async function readEverything(): Promise<void> {
  const lists = ["teams", "applications", "plans", "subscriptions", "llm-providers", "llm-apis", "mcp-servers"];
  for (const path of [...lists, "rest-apis", "gateways", "api-keys", "secrets", "audit"]) {
    await control("GET", `/${path}?limit=200`, undefined, 200);
  }
  for (const path of ["llm-providers/far", "llm-providers/openai", "llm-apis/canary", "llm-apis/canary/revisions"]) {
    await control("GET", `/${path}`, undefined, 200);
  }
  for (const path of ["api-keys/live", "api-keys/again", "api-keys/revoked", "status", "openapi.json"]) {
    await control("GET", `/${path}`, undefined, 200);
  }
}

async function control(method: string, path: string, body: unknown, status: number): Promise<void> {
  const answer = await gatehouse.control(method, path, body);
  expect({ method, path, status: answer.status, text: answer.text }).toMatchObject({ status });
  controlTexts.push(`${JSON.stringify([...answer.headers])} ${answer.text}`);
}

/** A key is told in the answer that makes it, and that answer is no matter of this test. */
async function keyFrom(path: string, body?: unknown): Promise<string> {
  const answer = await gatehouse.control("POST", path, body);
  const { key } = answer.json as { key: string }; // what the OpenAPI document promises
  keyParts.push(key.slice(key.lastIndexOf("_") + 1));
  return key;
}

async function call(key: string, body: string, path = "/canary/v1/chat/completions"): Promise<void> {
  const headers = { "content-type": "application/json", ...(key !== "" && { authorization: `Bearer ${key}` }) };
  const answer = await fetch(`${gatehouse.gatewayUrl}${path}`, { method: "POST", headers, body });
  clientTexts.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
}

function chat(more: object = {}): string {
  return JSON.stringify({ model: "m", messages: [{ role: "user", content: canaries.prompt }], ...more });
}

function keyRequest(name: string): object {
  return { metadata: { name }, spec: { api: { kind: "LlmApi", name: "canary" }, environment: "production" } };
}

function document(name: string, spec: object): object {
  return { metadata: { name }, spec };
}

function keysByName(): Record<string, string> {
  return Object.fromEntries(keyParts.map((part, at) => [`key ${at}`, part]));
}

/** Names of the texts that stand in `haystack`, plain or in an encoding that does not hide them. */
function found(haystack: string, sought: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(sought)
    .filter(([, text]) => [text, encoded(text, "hex"), encoded(text, "base64")].some((form) => haystack.includes(form)))
    .map(([name]) => name);
}

function encoded(text: string, encoding: "hex" | "base64"): string {
  return Buffer.from(text).toString(encoding).replace(/=+$/, "");
}

async function filesBelow(directory: string): Promise<readonly { readonly name: string; readonly bytes: Buffer }[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({ name: file.slice(directory.length + 1), bytes: await readFile(file) })),
  );
}
