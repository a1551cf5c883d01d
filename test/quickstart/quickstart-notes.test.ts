import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { findKind } from "../../src/core/kinds.ts";
import { undeployApi } from "../../src/core/publishing.ts";
import { getResource } from "../../src/core/resources.ts";
import { readSecret } from "../../src/core/secrets.ts";
import type { Quickstart } from "../../src/quickstart/quickstart.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { rawHttp } from "../kit/raw-http.ts";
import { connectClient, eras } from "./mcp-client.ts";

let gatehouse: TestGatehouse;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
});

afterEach(() => gatehouse[Symbol.asyncDispose]());

const quickstart = (progress: (line: string) => void = () => {}): Promise<Quickstart> => {
  const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
  return startQuickstart({ ...gatehouse.running, config, progress });
};
const notesOf = ({ facts }: Quickstart): { url: string; apiKey: string } => {
  const found = facts.apis.find(({ kind }) => kind === "McpServer");
  if (found === undefined) throw new Error("no MCP server among the facts");
  return found;
};
const mcpServer = async () => {
  const kind = findKind("McpServer");
  if (kind === undefined) throw new Error("no such kind");
  return { kind, stored: await getResource(gatehouse.running.context, kind, "notes") };
};
const upstreamUrl = async (): Promise<string> =>
  String(Object((await mcpServer()).stored.spec).upstream.production.url);

describe.each(eras)("an unmodified client in $era", ({ mode }) => {
  test.each([
    { header: "authorization", value: (key: string) => `Bearer ${key}` },
    { header: "apikey", value: (key: string) => key },
  ])("lists and calls with the key as $header, and each call is recorded", async ({ header, value }) => {
    await using started = await quickstart();
    const { url, apiKey } = notesOf(started);
    await using notes = await connectClient(url, { [header]: value(apiKey) }, mode);
    const { tools } = await notes.client.listTools();
    expect(tools.map(({ name }) => name)).toContain("notes_add");
    const added = await notes.call("notes_add", { title: "Hello", text: "x" });
    expect(await notes.call("notes_search", { query: "hello" })).toMatchObject({ notes: [{ id: added["id"] }] });
    expect(await notes.refusal("files_read", { path: "../quickstart.json" })).toMatch(/\.\./);
    const calls = (await gatehouse.events()).map((event) => JSON.stringify(event)).join("\n");
    expect(calls).toContain("notes_add");
  });
});

test("the notes are in the workspace of the data directory, and later starts find them with the same key", async () => {
  const first = await quickstart();
  const { url, apiKey } = notesOf(first);
  const headers = { authorization: `Bearer ${apiKey}` };
  await using before = await connectClient(url, headers, eras[1].mode);
  await before.call("notes_add", { title: "Kept", text: "x" });
  await first[Symbol.asyncDispose]();
  expect(await readdir(join(gatehouse.dataDir, "workspace", "notes"))).toHaveLength(1);
  await using second = await quickstart();
  expect(notesOf(second)).toEqual(notesOf(first));
  await using after = await connectClient(url, headers, eras[1].mode);
  expect(await after.call("notes_search")).toMatchObject({ total: 1 });
});

test("nobody passes the gateway by: the server takes no key of the gateway, and its token is in the vault only", async () => {
  await using started = await quickstart();
  const token = await readSecret(gatehouse.running.context, "notes-token");
  const direct = (credential: string) =>
    rawHttp(upstreamUrlNow, { headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" } });
  const upstreamUrlNow = await upstreamUrl();
  expect((await direct(notesOf(started).apiKey)).status).toBe(401);
  expect((await direct(token)).status).not.toBe(401);
  const { stored } = await mcpServer();
  expect(JSON.stringify([stored, started.facts, gatehouse.log.lines, await gatehouse.events()])).not.toContain(token);
});

test("when the server's process is killed, a call soon after works again and nothing else has changed", async () => {
  await using started = await quickstart();
  const { url, apiKey } = notesOf(started);
  const before = await mcpServer();
  const pid = started.notesPid();
  if (pid === undefined) throw new Error("no process runs");
  process.kill(pid, "SIGKILL");
  await eventually("another process runs", () => ![undefined, pid].includes(started.notesPid()), 5_000);
  const list = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const headers = {
    authorization: `Bearer ${apiKey}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  await eventually(
    "the gateway reaches it",
    async () => (await rawHttp(url, { headers, body: list })).status === 200,
    10_000,
  );
  expect((await mcpServer()).stored).toEqual(before.stored);
});

test("when the server cannot start, the rest of the quickstart does without, and says so", async () => {
  await writeFile(join(gatehouse.dataDir, "workspace"), "a file where the folder should be");
  const told: string[] = [];
  await using started = await quickstart((line) => told.push(line));
  expect(started.facts.apis.map(({ name }) => name)).toEqual(["demo"]);
  expect(told.join("\n")).toMatch(/no MCP server this time: .*workspace/);
  expect(gatehouse.log.lines).toContainEqual(expect.objectContaining({ level: "error" }));
});

describe("what its owner has changed", () => {
  test("a port that another has taken meanwhile is left, and the API leads to the new one", async () => {
    const first = await quickstart();
    await first[Symbol.asyncDispose]();
    const old = await upstreamUrl();
    const squatter = createServer().listen(Number(new URL(old).port), "127.0.0.1");
    await once(squatter, "listening");
    await using second = await quickstart();
    expect(await upstreamUrl()).not.toBe(old);
    const { url, apiKey } = notesOf(second);
    await using notes = await connectClient(url, { apikey: apiKey }, eras[1].mode);
    expect(await notes.call("files_list")).toEqual({ entries: [] });
    squatter.close();
  });

  test("a server that leads elsewhere is not ours any more: no process is started for it", async () => {
    await (await quickstart())[Symbol.asyncDispose]();
    const production = { url: "http://127.0.0.1:9/other" };
    await gatehouse.put("McpServer", "notes", {
      context: "/mine",
      upstream: { production, sandbox: { sameAs: "production" } },
    });
    await using second = await quickstart();
    expect(second.notesPid()).toBeUndefined();
    expect(notesOf(second).url).toBe(`${gatehouse.running.gatewayUrl}/mine/mcp`);
    expect(await upstreamUrl()).toBe("http://127.0.0.1:9/other");
  });

  test("what was taken down stays down, also when the server has moved", async () => {
    await (await quickstart())[Symbol.asyncDispose]();
    const { kind } = await mcpServer();
    await undeployApi(gatehouse.running.context, testActor, kind, "notes");
    const squatter = createServer().listen(Number(new URL(await upstreamUrl()).port), "127.0.0.1");
    await once(squatter, "listening");
    await using second = await quickstart();
    expect(second.facts.apis.map(({ name }) => name)).toEqual(["demo", "workspace"]);
    squatter.close();
  });
});
