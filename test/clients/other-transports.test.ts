import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PublishedServer } from "../gateway/mcp/published-server.ts";
import { publishServer } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { ChildServer } from "./child-server.ts";
import { startEverything } from "./child-server.ts";
import { clientFile, clientsAreInstalled } from "./install-clients.ts";
import { connectLegacyClient } from "./legacy-client.ts";

async function connectModern({ url, key }: PublishedServer): Promise<Client> {
  const capabilities = { sampling: {}, elicitation: {} };
  const versionNegotiation = { mode: { pin: "2026-07-28" } };
  const client = new Client({ name: "new-client", version: "1" }, { capabilities, versionNegotiation });
  client.setRequestHandler("sampling/createMessage", () => ({
    model: "m",
    role: "assistant",
    content: { type: "text", text: "Paris" },
  }));
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

/** What every way to the demonstration server gives to a client of each era. */
async function tryEverything(server: PublishedServer): Promise<void> {
  const legacy = await connectLegacyClient(server.url, server.key);
  const echo = { name: "echo", arguments: { message: "hello" } };
  expect(JSON.stringify((await legacy.callTool(echo)).content)).toContain("hello");
  const heard: number[] = [];
  const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
  const long = { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 4 } };
  await legacy.callTool(long, undefined, { onprogress });
  expect(heard).toEqual([1, 2, 3, 4]);
  const sampled = await legacy.callTool({ name: "trigger-sampling-request", arguments: { prompt: "Capital?" } });
  expect(JSON.stringify(sampled.content)).toContain("Paris");
  await legacy.close();
  const modern = await connectModern(server);
  expect(JSON.stringify((await modern.callTool(echo)).content)).toContain("hello");
  const asked = { name: "trigger-sampling-request", arguments: { prompt: "Capital?" } };
  expect(JSON.stringify((await modern.callTool(asked)).content)).toContain("Paris");
  expect((await modern.listResources()).resources.length).toBeGreaterThan(0);
  await modern.close();
}

describe.skipIf(!clientsAreInstalled())("servers of others that do not speak streamable HTTP", () => {
  let gatehouse: TestGatehouse;
  let everything: ChildServer;
  let folder = "";
  const park = { bridge: { park: true } };

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "gatehouse-files-")));
    await writeFile(join(folder, "note.txt"), "written before");
    const script = (name: string) => clientFile(`@modelcontextprotocol/server-${name}/dist/index.js`);
    const commands = {
      everything: { command: process.execPath, args: [script("everything"), "stdio"] },
      files: { command: process.execPath, args: [script("filesystem"), folder] },
    };
    gatehouse = await startTestGatehouse({ "mcp.stdio": JSON.stringify(commands) });
    everything = await startEverything("sse");
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await everything[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("server-everything on its standard streams serves clients of both eras", async () => {
    const upstream = { url: undefined, stdio: "everything", ...park };
    await tryEverything(await publishServer(gatehouse, "everything", "", { upstream }));
  });

  test("server-everything by HTTP+SSE, with the SDK's own transport, serves clients of both eras", async () => {
    const upstream = { transport: "http+sse", ...park };
    await tryEverything(await publishServer(gatehouse, "old", everything.url, { upstream }));
  });

  test("server-filesystem on its standard streams reads below its folder, and nowhere else", async () => {
    const server = await publishServer(gatehouse, "files", "", { upstream: { url: undefined, stdio: "files" } });
    const read = (path: string) => ({ name: "read_text_file", arguments: { path } });
    const legacy = await connectLegacyClient(server.url, server.key);
    expect((await legacy.listTools()).tools.map(({ name }) => name)).toContain("write_file");
    const found = await legacy.callTool(read(join(folder, "note.txt")));
    expect(JSON.stringify(found.content)).toContain("written before");
    expect((await legacy.callTool(read("/etc/passwd"))).isError).toBe(true);
    await legacy.close();
    const modern = await connectModern(server);
    const again = await modern.callTool(read(join(folder, "note.txt")));
    expect(JSON.stringify(again.content)).toContain("written before");
    await modern.close();
  });
});
