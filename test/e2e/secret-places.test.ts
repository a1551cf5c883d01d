import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { resourceKinds } from "../../src/core/kinds.ts";
import { mapSecrets } from "../../src/core/secret-fields.ts";
import { guardrails } from "../../src/guardrails/index.ts";
import { keyManagers } from "../../src/identity/index.ts";
import { policies } from "../../src/policies/index.ts";
import { providers } from "../../src/routing/providers/index.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, json, startMockUpstream } from "../kit/mock-upstream.ts";

const adminToken = "places-admin-token-0123456789";
const bin = fileURLToPath(new URL("../../bin/gatehouse.cjs", import.meta.url));

let dataDir: string;
let upstream: MockUpstream;
let gatehouse: GatehouseProcess;
/** Every canary that was written, by the place that it was written to. */
const canaries: Record<string, string> = {};
const answers: string[] = [];
const files: { readonly name: string; readonly text: string }[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-secret-places-"));
  upstream = await startMockUpstream();
  const env = {
    GATEHOUSE_ENV: "development",
    GATEHOUSE_LOG_LEVEL: "debug",
    GATEHOUSE_NETWORK_ALLOW_CIDRS: "127.0.0.0/8",
  };
  gatehouse = await startGatehouseProcess({ dataDir, adminToken, env });
  await writeEverywhere();
  await callThrough();
  await readEverything();
  await control("POST", "/encryption/rotate", {}, [202]);
  await promisify(execFile)(process.execPath, [bin, "backup", join(dataDir, "backup.db"), "--data", dataDir]);
  await takeFiles("running"); // with the write-ahead log as it is between two checkpoints
  await gatehouse.end("SIGTERM");
  await takeFiles("stopped");
}, 120_000);

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

test("the canaries were written to every place that a schema calls secret, and used", () => {
  expect(Object.keys(canaries)).toEqual(
    expect.arrayContaining([
      "Secret",
      "LlmProvider openai-compatible with.apiKey",
      "McpServer upstream.production.auth.secret",
      "KeyManager oidc with.introspection.clientSecret",
      "KeyManager oidc with.registration.initialAccessToken",
      "KeyManager keycloak with.admin.clientSecret",
      "KeyManager asgardeo with.mgmtClientSecret",
      "User password",
      "OAuth client secret",
      "API key",
      "value sealed for a file",
    ]),
  );
  expect(new Set(Object.values(canaries)).size).toBe(Object.keys(canaries).length);
  const used = upstream.seen.map(({ headers }) => headers.authorization);
  expect(used).toContain(`Bearer ${canaries["LlmProvider openai-compatible with.apiKey"]}`);
  expect(used).toContain(`Bearer ${canaries["McpServer upstream.production.auth.secret"]}`);
});

test("no answer of the control API holds one, neither to those who wrote it nor to those who read", () => {
  expect(answers.length).toBeGreaterThan(60);
  expect(found(answers.join("\n"))).toEqual([]);
  expect(answers.join("\n")).toContain("••••");
});

test("nothing that the process printed holds one", () => {
  expect(found(gatehouse.printed.out + gatehouse.printed.err)).toEqual([]);
});

test("no file holds one: the database, its log, its backup, the spool", () => {
  const names = files.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      "running catalog.db",
      "running catalog.db-wal",
      "stopped catalog.db",
      "stopped backup.db",
      expect.stringMatching(/^stopped spool\/.*ndjson$/),
    ]),
  );
  expect(files.map(({ name, text }) => ({ name, found: found(text) })).filter((file) => file.found.length > 0)).toEqual(
    [],
  );
});

test("every plug-in that takes a credential says so in an example", () => {
  const named = /secret|token$|password|key$/i;
  for (const { id, config, examples } of [...providers, ...policies, ...guardrails, ...keyManagers]) {
    const marked: unknown[] = [];
    for (const example of examples)
      mapSecrets(
        config,
        example,
        () => undefined,
        (text, path) => (marked.push(path.at(-1)), text),
      );
    const references = JSON.stringify(examples).match(/"[^"]*":"\$\{secret:/g) ?? [];
    expect({ id, marked: marked.length }).toEqual({ id, marked: references.length });
    for (const name of marked) expect(String(name)).toMatch(named);
  }
});

function canary(place: string): string {
  canaries[place] ??= `CANARY${Object.keys(canaries).length.toString().padStart(4, "0")}value`;
  return canaries[place];
}

/** The spec with a canary in every place that its kind, or the plug-in that it uses, calls secret. */
function withCanaries(kind: string, label: string, schema: z.ZodType, prefix: string, value: unknown): unknown {
  return mapSecrets(
    schema,
    value,
    () => undefined,
    (_text, path) => canary([kind, label, `${prefix}${path.join(".")}`].filter(Boolean).join(" ")),
  );
}

async function writeEverywhere(): Promise<void> {
  await control("PUT", "/secrets/plain", { value: canary("Secret") }, [201]);
  const own = { baseUrl: upstream.url, apiKey: "x" };
  for (const { id, config, examples } of providers) {
    const all = id === "openai-compatible" ? [own] : examples;
    for (const [index, example] of all.entries()) {
      const spec = { use: id, with: withCanaries("LlmProvider", id, config, "with.", example) };
      await control("POST", "/llm-providers", { metadata: { name: `${id}-${index}` }, spec }, [201]);
    }
  }
  for (const { id, config, examples } of keyManagers.filter((plugin) => plugin.id !== "resident")) {
    for (const [index, example] of examples.entries()) {
      const spec = { use: id, with: withCanaries("KeyManager", id, config, "with.", example), enabled: false };
      await control("POST", "/key-managers", { metadata: { name: `${id}-${index}` }, spec }, [201, 422]);
    }
  }
  const mcp = resourceKinds.find(({ kind }) => kind === "McpServer");
  if (mcp === undefined) throw new Error("no kind McpServer");
  const block = { url: `${upstream.url}/mcp`, auth: { secret: "x" } };
  const spec = withCanaries("McpServer", "", mcp.spec, "", {
    context: "/tools",
    upstream: { production: block, sandbox: { sameAs: "production" } },
  });
  await control("POST", "/mcp-servers", { metadata: { name: "tools" }, spec }, [201]);
  await control("POST", "/mcp-servers/tools/publish", undefined, [200]);
  // Mistakes: a value where no schema expects one is refused, and the refusal does not repeat it.
  const misplaced = { baseUrl: upstream.url, password: canary("misplaced password") };
  await control(
    "POST",
    "/llm-providers",
    { metadata: { name: "misplaced" }, spec: { use: "openai-compatible", with: misplaced } },
    [422],
  );
  const mistyped = { use: "openai-compatible", with: { ...own, apiKey: `\${secret ${canary("mistyped reference")}}` } };
  await control("POST", "/llm-providers", { metadata: { name: "mistyped" }, spec: mistyped }, [422]);
  const unknown = { use: "no-such-plugin", with: { apiKey: canary("plug-in that is not there") } };
  await control("POST", "/llm-providers", { metadata: { name: "unknown" }, spec: unknown }, [422]);
  await writeIdentities();
}

async function writeIdentities(): Promise<void> {
  const user = { metadata: { name: "ada" }, spec: {}, password: canary("User password") };
  await control("POST", "/users", user, [201]);
  await control("POST", "/applications", { metadata: { name: "bot" }, spec: {} }, [201]);
  const client = { metadata: { name: "bot-client" }, spec: { environment: "production" } };
  // What is told this once is a canary from here on.
  const made = await gatehouse.control("POST", "/applications/bot/oauth-clients", client);
  expect(made).toMatchObject({ status: 201 });
  canaries["OAuth client secret"] = secretPart(/"secretValue":"([^"]+)"/.exec(made.text)?.[1]);
  const sealed = await gatehouse.control("POST", "/encryption/seal", { value: canary("value sealed for a file") });
  expect(sealed).toMatchObject({ status: 200 });
  answers.push(sealed.text);
  const api = {
    context: "/chat",
    upstream: { production: { targets: [{ provider: "openai-compatible-0" }] }, sandbox: { sameAs: "production" } },
  };
  await control("POST", "/llm-apis", { metadata: { name: "chat" }, spec: api }, [201]);
  await control("POST", "/llm-apis/chat/publish", undefined, [200]);
}

async function callThrough(): Promise<void> {
  for (const [kind, name, path, body] of [
    ["LlmApi", "chat", "/chat/v1/chat/completions", { model: "m", messages: [{ role: "user", content: "hi" }] }],
    ["McpServer", "tools", "/tools/mcp", { jsonrpc: "2.0", id: 1, method: "ping" }],
  ] as const) {
    const made = await gatehouse.control("POST", "/api-keys", {
      spec: { api: { kind, name }, environment: "production" },
    });
    const { key } = made.json as { key: string }; // as documented
    canaries["API key"] ??= secretPart(key);
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${key}`,
    };
    // The second answer is a refusal that names the credential, as upstreams do.
    for (const answer of [chatAnswer("hello"), json(401, { error: { message: Object.values(canaries).join(" ") } })]) {
      upstream.respond(answer);
      await (
        await fetch(`${gatehouse.gatewayUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) })
      ).text();
    }
  }
}

/** Every list, and everything that is in one. */
async function readEverything(): Promise<void> {
  const document = await gatehouse.control("GET", "/openapi.json");
  answers.push(document.text);
  const { paths } = document.json as { paths: Record<string, Record<string, unknown>> }; // an OpenAPI document
  const readable = Object.entries(paths).filter(([, methods]) => "get" in methods);
  const names = [
    ...new Set(answers.flatMap((text) => [...text.matchAll(/"name":"([a-z0-9-]+)"/g)].map((match) => match[1] ?? ""))),
  ];
  for (const [path] of readable) {
    const short = path.replace("/api/v1", "");
    if (!path.startsWith("/api/v1/")) continue;
    if (!short.includes("{")) await control("GET", short, undefined, [200, 400, 401, 422, 501]);
    else
      for (const name of names)
        await control("GET", short.replace(/\{\w+\}/g, name), undefined, [200, 400, 401, 404, 422, 501]);
  }
}

async function control(method: string, path: string, body: unknown, statuses: readonly number[]): Promise<void> {
  const answer = await gatehouse.control(method, path, body);
  expect({
    method,
    path,
    status: answer.status,
    text: answer.text,
    ok: statuses.includes(answer.status),
  }).toMatchObject({ ok: true });
  answers.push(`${JSON.stringify([...answer.headers])} ${answer.text}`);
}

async function takeFiles(when: string): Promise<void> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.alloc(0)); // a file of a process that runs may go away
    files.push({ name: `${when} ${path.slice(dataDir.length + 1)}`, text: bytes.toString("latin1") });
  }
}

/** The places whose canary stands in the text, plain or in an encoding that does not hide it. */
function found(text: string): readonly string[] {
  return Object.entries(canaries)
    .filter(([, value]) => [value, encoded(value, "hex"), encoded(value, "base64")].some((form) => text.includes(form)))
    .map(([place]) => place);
}

function encoded(text: string, encoding: "hex" | "base64"): string {
  return Buffer.from(text).toString(encoding).replace(/=+$/, "");
}

function secretPart(credential: string | undefined): string {
  if (credential === undefined) throw new Error("no credential");
  return credential.slice(credential.lastIndexOf("_") + 1);
}
