import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { deleteApiKey, listApiKeys } from "../../src/core/api-keys.ts";
import { findKind } from "../../src/core/kinds.ts";
import { undeployApi } from "../../src/core/publishing.ts";
import { deleteResource, getResource } from "../../src/core/resources.ts";
import { startDemoModel } from "../../src/quickstart/demo-model.ts";
import { mcpLines } from "../../src/quickstart/print-mcp.ts";
import type { Quickstart } from "../../src/quickstart/quickstart.ts";
import { startQuickstart } from "../../src/quickstart/quickstart.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { connectClient, eras } from "./mcp-client.ts";

let gatehouse: TestGatehouse;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
});

afterEach(() => gatehouse[Symbol.asyncDispose]());

const quickstart = (): Promise<Quickstart> => {
  const config = loadConfig({ flags: { dataDir: gatehouse.dataDir }, env: {}, cwd: gatehouse.dataDir });
  return startQuickstart({ ...gatehouse.running, config, progress: () => {} });
};

const workspaceOf = ({ facts }: Quickstart) => {
  const found = facts.apis.find(({ name }) => name === "workspace");
  if (found === undefined) throw new Error("no workspace among the facts");
  return found;
};

const kind = () => {
  const found = findKind("McpServer");
  if (found === undefined) throw new Error("no such kind");
  return found;
};

describe.each(eras)("an unmodified client in $era", ({ mode }) => {
  test("has the tools of both servers at one address", async () => {
    await using started = await quickstart();
    const { url, apiKey } = workspaceOf(started);
    await using workspace = await connectClient(url, { apikey: apiKey }, mode);
    const names = (await workspace.client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["notes_notes_add", "books_find_books", "books_get_book"]));
    expect(await workspace.call("books_find_books", { words: "austen" })).toEqual({
      books: [{ id: "emma", title: "Emma", author: "Jane Austen", year: 1815 }],
    });
    expect(await workspace.call("books_get_book", { id: "kim" })).toMatchObject({ year: 1901 });
    expect(await workspace.refusal("books_get_book", { id: "none" })).toContain("404");
    await workspace.call("notes_notes_add", { title: "Read", text: "Emma" });
    expect(await workspace.call("notes_notes_search", { query: "read" })).toMatchObject({ total: 1 });
  });
});

test("the printed lines work, pasted as they stand", async () => {
  await using started = await quickstart();
  const commands = mcpLines(workspaceOf(started)).filter((line) => line.startsWith("curl"));
  expect(commands).toHaveLength(2);
  const answers = await Promise.all(
    commands.map(async (line): Promise<unknown> => JSON.parse((await promisify(execFile)("sh", ["-c", line])).stdout)),
  );
  expect(answers[0]).toMatchObject({
    result: { tools: expect.arrayContaining([expect.objectContaining({ name: "books_get_book" })]) },
  });
  expect(answers[1]).toMatchObject({ result: { structuredContent: { books: [{ id: "emma" }] } } });
});

describe("a later start", () => {
  test("leads to where the REST API is now, and changes nothing else", async () => {
    const first = await quickstart();
    const before = workspaceOf(first);
    const port = Number(new URL(await booksUrl()).port);
    await first[Symbol.asyncDispose]();
    await using _squatter = await startDemoModel({ clock: manualClock(), preferredPort: port });
    await using second = await quickstart();
    expect(workspaceOf(second)).toEqual(before);
    expect(new URL(await booksUrl()).port).not.toBe(String(port));
    await using workspace = await connectClient(before.url, { apikey: before.apiKey }, eras[1].mode);
    expect(await workspace.call("books_get_book", { id: "kim" })).toMatchObject({ title: "Kim" });
  });

  test("makes nothing again that its owner has deleted", async () => {
    await (await quickstart())[Symbol.asyncDispose]();
    const { context } = gatehouse.running;
    await undeployApi(context, testActor, kind(), "workspace");
    const bound = await listApiKeys(context, { api: { kind: "McpServer", name: "workspace" } }, { limit: 200 });
    for (const key of bound.rows) await deleteApiKey(context, testActor, key.name, key.version);
    const { version } = await getResource(context, kind(), "workspace");
    await deleteResource(context, testActor, kind(), "workspace", version);
    await using second = await quickstart();
    expect(second.facts.apis.map(({ name }) => name)).toEqual(["demo", "notes"]);
    await expect(getResource(context, kind(), "workspace")).rejects.toMatchObject({ code: "resource.not_found" });
  });
});

async function booksUrl(): Promise<string> {
  const { spec } = await getResource(gatehouse.running.context, kind(), "books");
  return String(Object(spec).openapi.production.url);
}
