import { readFile, rm, stat } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Config } from "../../src/config.ts";
import { loadConfig } from "../../src/config.ts";
import { deleteApiKey, listApiKeys, revokeApiKey } from "../../src/core/api-keys.ts";
import { findKind } from "../../src/core/kinds.ts";
import { undeployApi } from "../../src/core/publishing.ts";
import { deleteResource, getResource } from "../../src/core/resources.ts";
import { listSecrets, readSecret } from "../../src/core/secrets.ts";
import type { DemoModel } from "../../src/quickstart/demo-model.ts";
import { startDemoModel } from "../../src/quickstart/demo-model.ts";
import type { Quickstart } from "../../src/quickstart/quickstart.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import type { QuickstartApi } from "../../src/quickstart/quickstart-file.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";

let gatehouse: TestGatehouse;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
});

afterEach(() => gatehouse[Symbol.asyncDispose]());

const configWith = (env: Record<string, string>): Config =>
  loadConfig({ flags: { dataDir: gatehouse.dataDir }, env, cwd: gatehouse.dataDir });
const quickstart = (env: Record<string, string> = {}, lines: string[] = []): Promise<Quickstart> =>
  startQuickstart({ ...gatehouse.running, config: configWith(env), progress: (line) => void lines.push(line) });
const factsOf = async (env: Record<string, string> = {}): Promise<Quickstart["facts"]> => {
  await using started = await quickstart(env);
  return started.facts;
};
const ask = async (api: QuickstartApi | undefined): Promise<number> => {
  const response = await fetch(`${api?.url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api?.apiKey}` },
    body: JSON.stringify({ model: api?.model, messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.text();
  return response.status;
};
const kindOf = (name: string) => {
  const kind = findKind(name);
  if (kind === undefined) throw new Error(name);
  return kind;
};
const versions = async (): Promise<unknown> => {
  const { context } = gatehouse.running;
  const [provider, api, server] = [
    await getResource(context, kindOf("LlmProvider"), "demo"),
    await getResource(context, kindOf("LlmApi"), "demo"),
    await getResource(context, kindOf("McpServer"), "notes"),
  ];
  const [secret] = (await listSecrets(context, { limit: 10 })).rows;
  return {
    provider: provider.version,
    api: api.version,
    server: server.version,
    secret: secret?.version,
    keys: (await keys()).length,
  };
};
const deleteApi = async (kind: string, name: string): Promise<void> => {
  const { context } = gatehouse.running;
  await undeployApi(context, testActor, kindOf(kind), name);
  const bound = await listApiKeys(context, { api: { kind, name } }, { limit: 200 });
  for (const key of bound.rows) await deleteApiKey(context, testActor, key.name, key.version);
  const api = await getResource(context, kindOf(kind), name);
  await deleteResource(context, testActor, kindOf(kind), name, api.version);
};
const keys = async () => (await listApiKeys(gatehouse.running.context, {}, { limit: 200 })).rows;

describe("the first start", () => {
  test("the facts lead to an API that answers, and are their owner's alone", async () => {
    await using started = await quickstart();
    const path = gatehouse.running.dataDirectory.quickstartPath;
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(started.facts);
    expect(started.facts).toMatchObject({
      gatewayUrl: gatehouse.running.gatewayUrl,
      controlUrl: gatehouse.running.controlUrl,
      adminToken: gatehouse.running.adminToken,
      apis: [
        { kind: "LlmApi", name: "demo", url: `${gatehouse.running.gatewayUrl}/demo/v1`, model: "demo-1" },
        { kind: "McpServer", name: "notes", url: `${gatehouse.running.gatewayUrl}/notes/mcp` },
        { kind: "McpServer", name: "workspace", url: `${gatehouse.running.gatewayUrl}/workspace/mcp` },
      ],
    });
    expect(await ask(started.facts.apis[0])).toBe(200);
  });

  test("the API says of itself that it is a demonstration", async () => {
    await factsOf();
    const api = await getResource(gatehouse.running.context, kindOf("LlmApi"), "demo");
    expect(JSON.stringify(api.spec)).toMatch(/[Dd]emonstration/);
  });
});

describe("a later start", () => {
  test("changes nothing and gives the same key", async () => {
    const first = await factsOf();
    const before = await versions();
    expect(await factsOf()).toEqual(first);
    expect(await versions()).toEqual(before);
  });

  test("finds another port for the model when the old one is taken, and the API goes on", async () => {
    const first = await factsOf();
    const spec: unknown = (await getResource(gatehouse.running.context, kindOf("LlmProvider"), "demo")).spec;
    const port = Number(new URL(Object(spec).with.baseUrl).port);
    await using _squatter = await startDemoModel({ clock: manualClock(), preferredPort: port });
    await using second = await quickstart();
    expect(second.facts).toEqual(first);
    const moved: unknown = (await getResource(gatehouse.running.context, kindOf("LlmProvider"), "demo")).spec;
    expect(Object(moved).with.baseUrl).not.toBe(Object(spec).with.baseUrl);
    expect(await ask(second.facts.apis[0])).toBe(200);
  });

  test.each([
    { name: "the file is gone", lose: () => rm(gatehouse.running.dataDirectory.quickstartPath) },
    {
      name: "the key was revoked",
      lose: async () => revokeApiKey(gatehouse.running.context, testActor, (await keys())[0]?.name ?? ""),
    },
  ])("gives a new key that works when $name", async ({ lose }) => {
    const [old] = (await factsOf()).apis;
    await lose();
    await using second = await quickstart();
    expect(second.facts.apis[0]?.apiKey).not.toBe(old?.apiKey);
    expect(await ask(second.facts.apis[0])).toBe(200);
  });

  test("leaves what its owner has changed as it is", async () => {
    await factsOf();
    const upstream = { production: { targets: [{ provider: "demo" }] }, sandbox: { sameAs: "production" } };
    await gatehouse.put("LlmApi", "demo", { context: "/moved", displayName: "Mine", upstream });
    await using second = await quickstart();
    expect(second.facts.apis[0]?.url).toBe(`${gatehouse.running.gatewayUrl}/moved/v1`);
    expect(await getResource(gatehouse.running.context, kindOf("LlmApi"), "demo")).toMatchObject({
      spec: { displayName: "Mine" },
    });
    expect(await ask(second.facts.apis[0])).toBe(200);
  });

  test("does not put up again what was taken down, and speaks of no API that is not there", async () => {
    await factsOf();
    await undeployApi(gatehouse.running.context, testActor, kindOf("LlmApi"), "demo");
    for (const name of ["workspace", "notes"]) {
      await undeployApi(gatehouse.running.context, testActor, kindOf("McpServer"), name);
    }
    expect((await factsOf()).apis).toEqual([]);
  });

  test("makes a new key for an API that its owner has made again under the old name", async () => {
    const [old] = (await factsOf()).apis;
    await deleteApi("LlmApi", "demo");
    const upstream = { production: { targets: [{ provider: "demo" }] }, sandbox: { sameAs: "production" } };
    await gatehouse.put("LlmApi", "demo", { context: "/demo", upstream });
    await using second = await quickstart();
    expect(second.facts.apis[0]?.apiKey).not.toBe(old?.apiKey);
    expect(await ask(second.facts.apis[0])).toBe(200);
  });
});

describe("what its owner has done otherwise", () => {
  const upstream = { production: { targets: [{ provider: "mine" }] }, sandbox: { sameAs: "production" } };

  test.each([
    { kind: "LlmApi", name: "demo", left: ["notes", "workspace"] },
    { kind: "McpServer", name: "notes", left: ["demo"] },
  ])("$kind/$name that was deleted stays away", async ({ kind, name, left }) => {
    await factsOf();
    if (name === "notes") await deleteApi(kind, "workspace"); // which offers what is of `notes`
    await deleteApi(kind, name);
    expect((await factsOf()).apis.map((api) => api.name)).toEqual(left);
    await expect(getResource(gatehouse.running.context, kindOf(kind), name)).rejects.toMatchObject({
      code: "resource.not_found",
    });
  });

  test.each([
    { name: "demo", left: ["notes", "workspace"], says: /no LLM API demo this time: .*\/demo/ },
    { name: "notes", left: ["demo"], says: /no MCP server notes this time: .*\/notes/ },
  ])("an own API at /$name is left alone, the line says so, and the rest stands", async ({ name, left, says }) => {
    await gatehouse.put("LlmProvider", "mine", { use: "openai-compatible", with: { baseUrl: "http://127.0.0.1:9" } });
    await gatehouse.put("LlmApi", "mine", { context: `/${name}`, upstream });
    const lines: string[] = [];
    await using started = await quickstart({}, lines);
    expect(started.facts.apis.map((api) => api.name)).toEqual(left);
    expect(lines.join("\n")).toMatch(says);
  });
});

describe("with a key of OpenAI in the environment", () => {
  let upstream: DemoModel;

  beforeEach(async () => {
    upstream = await startDemoModel({ clock: manualClock() });
  });

  afterEach(() => upstream[Symbol.asyncDispose]());

  test("a second API stands beside the demonstration, and the key is in the vault only", async () => {
    const env = { OPENAI_API_KEY: "sk-canary-1", OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: "demo-1" };
    await using started = await quickstart(env);
    expect(started.facts.apis.map(({ name }) => name)).toEqual(["demo", "openai", "notes", "workspace"]);
    expect(await ask(started.facts.apis[1])).toBe(200);
    expect(await readSecret(gatehouse.running.context, "openai-key")).toBe("sk-canary-1");
    const provider = await getResource(gatehouse.running.context, kindOf("LlmProvider"), "openai");
    expect(JSON.stringify([provider, started.facts, gatehouse.log.lines])).not.toContain("canary");
  });

  test.each([
    { name: "a query", url: "https://api.example.com/v1?key=canary" },
    { name: "a user", url: "https://canary:canary@api.example.com/v1" },
    { name: "no URL in it", url: "api.example.com canary" },
    { name: "another scheme", url: "ftp://canary.example.com/v1" },
  ])("an address with $name is told in one line without repeating it, and the rest stands", async ({ url }) => {
    const lines: string[] = [];
    await using started = await quickstart({ OPENAI_API_KEY: "sk-1", OPENAI_BASE_URL: url }, lines);
    expect(started.facts.apis.map(({ name }) => name)).toEqual(["demo", "notes", "workspace"]);
    expect(lines.filter((line) => line.includes("OPENAI_BASE_URL"))).toHaveLength(1);
    expect(lines.join("\n")).not.toContain("canary");
  });

  test("another key and another address are taken over at the next start, and the API key stays", async () => {
    const [, first] = (await factsOf({ OPENAI_API_KEY: "sk-1", OPENAI_BASE_URL: "http://127.0.0.1:9/v1" })).apis;
    const env = { OPENAI_API_KEY: "sk-2", OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: "demo-1" };
    await using started = await quickstart(env);
    expect(started.facts.apis[1]?.apiKey).toBe(first?.apiKey);
    expect(await readSecret(gatehouse.running.context, "openai-key")).toBe("sk-2");
    expect(await ask(started.facts.apis[1])).toBe(200);
  });
});
