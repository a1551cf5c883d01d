import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NotesEndpoint } from "../../../src/quickstart/notes-server/notes-endpoint.ts";
import { startNotesEndpoint } from "../../../src/quickstart/notes-server/notes-endpoint.ts";
import type { ManualClock } from "../../kit/manual-clock.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import { rawHttp, rawSocket } from "../../kit/raw-http.ts";
import type { ConnectedClient } from "../mcp-client.ts";
import { connectClient, eras } from "../mcp-client.ts";

const token = "t".repeat(43);
let folder: string;
let clock: ManualClock;
let endpoint: NotesEndpoint;
let url: string;
let faults: unknown[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gatehouse-notes-"));
  clock = manualClock();
  faults = [];
  const report = (error: unknown): void => void faults.push(error);
  endpoint = await startNotesEndpoint({ workspaceFolder: folder, token, port: 0, anyPort: true, clock, report });
  url = `http://127.0.0.1:${endpoint.port}/mcp`;
});

afterEach(async () => {
  await endpoint[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  expect(faults).toEqual([]);
});

const connect = (mode: (typeof eras)[number]["mode"] = eras[1].mode): Promise<ConnectedClient> =>
  connectClient(url, { authorization: `Bearer ${token}` }, mode);

describe.each(eras)("in $era", ({ mode }) => {
  test("a note that is added is found by its words, read, listed as a resource and deleted", async () => {
    await using notes = await connect(mode);
    const first = await notes.call("notes_add", { title: "Shopping", text: "Milk and Bread", tags: ["home"] });
    clock.advance(1_000);
    const second = await notes.call("notes_add", { title: "Work", text: "Write the report" });
    expect(first).toMatchObject({ title: "Shopping", tags: ["home"], createdAt: "2026-01-01T00:00:00.000Z" });

    expect(await notes.call("notes_search", { query: "MILK home" })).toMatchObject({
      total: 1,
      notes: [{ id: first["id"], excerpt: "Milk and Bread" }],
    });
    const all = await notes.call("notes_search");
    expect(all["notes"]).toMatchObject([{ id: second["id"] }, { id: first["id"] }]);
    expect(await notes.call("notes_get", { id: first["id"] })).toEqual(first);

    const { resources } = await notes.client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(`notes://note/${String(first["id"])}`);
    const page = await notes.client.readResource({ uri: `notes://note/${String(first["id"])}` });
    expect(page.contents[0]).toMatchObject({ text: expect.stringMatching(/^# Shopping\n\nMilk and Bread\n/) });

    expect(await notes.call("notes_delete", { id: first["id"] })).toEqual({ deleted: true });
    expect(await notes.call("notes_delete", { id: first["id"] })).toEqual({ deleted: false });
    expect(await notes.refusal("notes_get", { id: first["id"] })).toMatch(/no note/);
  });

  test("a file that is written is listed and read, as a tool and as a resource", async () => {
    await using files = await connect(mode);
    const text = "Liebe Grüße\n";
    const written = await files.call("files_write", { path: "drafts/letter.md", text });
    expect(written).toEqual({ path: "drafts/letter.md", created: true, bytes: 14 });
    expect(await files.call("files_list")).toMatchObject({
      entries: [{ path: "drafts" }, { path: "drafts/letter.md" }],
    });
    expect(await files.call("files_read", { path: "drafts/letter.md" })).toMatchObject({ text });
    const resource = await files.client.readResource({ uri: "workspace://files/drafts/letter.md" });
    expect(resource.contents[0]).toMatchObject({ text });
    expect(await files.refusal("files_write", { path: "drafts/letter.md", text: "" })).toMatch(/overwrite/);
  });

  test("the prompt brings the notes of its topic and no others", async () => {
    await using notes = await connect(mode);
    await notes.call("notes_add", { title: "Shopping", text: "Milk" });
    await notes.call("notes_add", { title: "Work", text: "Report" });
    const { messages } = await notes.client.getPrompt({ name: "summarize_notes", arguments: { topic: "milk" } });
    const said = JSON.stringify(messages);
    expect(said).toContain("Shopping");
    expect(said).not.toContain("Report");
  });
});

describe("what the tools say of themselves", () => {
  test("those that only read say so, and those that destroy say that", async () => {
    await using notes = await connect();
    const { tools } = await notes.client.listTools();
    const reading = tools.filter(({ annotations }) => annotations?.readOnlyHint === true);
    expect(reading.map(({ name }) => name)).toEqual(["notes_search", "notes_get", "files_list", "files_read"]);
    const destroying = tools.filter(({ annotations }) => annotations?.destructiveHint === true);
    expect(destroying.map(({ name }) => name)).toEqual(["notes_delete", "files_write"]);
    for (const { annotations, outputSchema, description } of tools) {
      expect({ annotations, outputSchema, description }).toMatchObject({
        annotations: { openWorldHint: false },
        outputSchema: { type: "object" },
        description: expect.stringMatching(/\.$/),
      });
    }
  });

  test("arguments outside of their schema are refused", async () => {
    await using notes = await connect();
    for (const [name, args] of [
      ["notes_add", { title: "", text: "x" }],
      ["notes_add", { title: "x", text: "x".repeat(16_385) }],
      ["notes_add", { title: "x", text: "x", color: "red" }],
      ["notes_search", { limit: 51 }],
      ["notes_get", { id: "../../admin" }],
      ["files_write", { path: "large", text: "x".repeat(262_145) }],
    ] as const) {
      const outcome = await notes.refusal(name, args).catch((error: unknown) => String(error));
      expect(outcome).toMatch(/[Ii]nvalid|validation/);
    }
    expect(await notes.call("files_list")).toEqual({ entries: [] });
  });
});

describe("what leads out of the workspace", () => {
  const secret = "canary-outside";
  let outside: string;

  beforeEach(async () => {
    outside = `${folder}-outside.txt`;
    await writeFile(outside, secret);
    await symlink(outside, join(folder, "link.txt"));
    await symlink(join(folder, ".."), join(folder, "up"));
  });

  afterEach(() => rm(outside));

  test("no tool and no resource gives it away, and the refusal names no absolute path", async () => {
    await using files = await connect();
    const name = outside.slice(outside.lastIndexOf("/") + 1);
    for (const path of ["link.txt", `up/${name}`, `../${name}`, outside, "link.txt\u0000", `a/../../${name}`]) {
      const refusals = [
        await files.refusal("files_read", { path }),
        await files.refusal("files_write", { path, text: "overwritten", overwrite: true }),
        await files.client
          .readResource({ uri: `workspace://files/${encodeURIComponent(path)}` })
          .then((read) => JSON.stringify(read), String),
        await files.client
          .readResource({ uri: `workspace://files/${path}` })
          .then((read) => JSON.stringify(read), String),
      ];
      expect(refusals.join("\n")).not.toContain(secret);
      expect(refusals.join("\n")).not.toContain(folder);
      for (const refusal of refusals) expect(refusal).toMatch(/path|no such|Invalid|not found/i);
    }
    expect(await files.call("files_list")).toEqual({ entries: [] });
    expect(await files.refusal("files_list", { path: "up" })).toMatch(/link/);
  });

  test("a note that is a link is no note, and keeps no other from being found", async () => {
    await using notes = await connect();
    const { id } = await notes.call("notes_add", { title: "Mine", text: "x" });
    await symlink(outside, join(folder, "notes", "20200101-000000-000-00000000.json"));
    await writeFile(join(folder, "notes", "20200101-000000-000-00000001.json"), "not JSON");
    expect(await notes.call("notes_search")).toMatchObject({ total: 1, notes: [{ id }] });
    expect(await notes.refusal("notes_get", { id: "20200101-000000-000-00000000" })).toMatch(/link/);
  });
});

describe("who may call", () => {
  const list = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const call = (headers: Record<string, string>, path = "/mcp") =>
    rawHttp(`http://127.0.0.1:${endpoint.port}${path}`, {
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      body: list,
    });

  test.each([
    { name: "nobody without the token", headers: {}, status: 401 },
    { name: "nobody with another token", headers: { authorization: `Bearer ${"u".repeat(43)}` }, status: 401 },
    { name: "nobody with the beginning of it", headers: { authorization: `Bearer ${token.slice(1)}` }, status: 401 },
    { name: "nobody with another scheme", headers: { authorization: `Basic ${token}` }, status: 401 },
    { name: "the holder of the token", headers: { authorization: `Bearer ${token}` }, status: 200 },
    {
      name: "no page whose name leads here",
      headers: { authorization: `Bearer ${token}`, host: "evil.example" },
      status: 403,
    },
    {
      name: "no page of another origin",
      headers: { authorization: `Bearer ${token}`, origin: "https://evil.example" },
      status: 403,
    },
  ])("$name", async ({ headers, status }) => {
    expect((await call(headers)).status).toBe(status);
  });

  test("there is one path", async () => {
    expect((await call({ authorization: `Bearer ${token}` }, "/other")).status).toBe(404);
  });

  test("a stranger is refused before the body is read", async () => {
    const head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n";
    expect(await rawSocket(endpoint.port, head)).toMatch(/^HTTP\/1\.1 401 /);
  });

  test("a body that is too large is refused", async () => {
    const answer = await rawHttp(url, {
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: Buffer.alloc(2_200_000, " "),
    });
    expect(answer.status).toBe(413);
  });
});
