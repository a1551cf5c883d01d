import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publishServer } from "../gateway/mcp/published-server.ts";
import type { PublishedVirtual } from "../gateway/mcp/virtual/virtual-kit.ts";
import { connect, publishVirtual } from "../gateway/mcp/virtual/virtual-kit.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { startEverything } from "./child-server.ts";
import { clientFile, clientsAreInstalled } from "./install-clients.ts";
import { connectLegacyClient } from "./legacy-client.ts";

describe.skipIf(!clientsAreInstalled())("servers of others as one", () => {
  const owned = new AsyncDisposableStack();
  let gatehouse: TestGatehouse;
  let server: PublishedVirtual;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "gatehouse-memory-"));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const args = [clientFile("@modelcontextprotocol/server-memory/dist/index.js")];
    const env = { MEMORY_FILE_PATH: join(folder, "memory.jsonl") };
    const commands = { memory: { command: process.execPath, args, env } };
    gatehouse = owned.use(await startTestGatehouse({ "mcp.stdio": JSON.stringify(commands) }));
    const everything = owned.use(await startEverything());
    await publishServer(gatehouse, "memory", "", { upstream: { url: undefined, stdio: "memory" } });
    await publishServer(gatehouse, "everything", everything.url, { upstream: { bridge: { park: true } } });
    const servers = [{ server: "memory" }, { server: "everything", tools: ["echo", "trigger-*"] }];
    server = await publishVirtual(gatehouse, "all", { servers });
  });

  afterAll(() => owned.disposeAsync());

  const entity = { name: "Ada", entityType: "person", observations: ["wrote the first program"] };

  test.each(["legacy", "modern"] as const)("a %s client remembers, and calls the other one", async (era) => {
    const client = await connect(server, era);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("memory_create_entities");
    expect(names).toContain("everything_echo");
    expect(names).not.toContain("everything_get-sum");
    await client.callTool({ name: "memory_create_entities", arguments: { entities: [entity] } });
    const graph = await client.callTool({ name: "memory_read_graph", arguments: {} });
    expect(graph.structuredContent).toMatchObject({ entities: [entity] });
    const echoed = await client.callTool({ name: "everything_echo", arguments: { message: "hello" } });
    expect(JSON.stringify(echoed.content)).toContain("hello");
    await client.callTool({ name: "memory_delete_entities", arguments: { entityNames: ["Ada"] } });
    await client.close();
  });

  test("a client of the SDK's 1.x is told of progress, and asked for samples and forms", async () => {
    const client = await connectLegacyClient(server.url, server.key);
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
    const long = { name: "everything_trigger-long-running-operation", arguments: { duration: 0.2, steps: 4 } };
    await client.callTool(long, undefined, { onprogress });
    expect(heard).toEqual([1, 2, 3, 4]);
    const sample = { name: "everything_trigger-sampling-request", arguments: { prompt: "Capital?" } };
    expect(JSON.stringify((await client.callTool(sample)).content)).toContain("Paris");
    const form = { name: "everything_trigger-elicitation-request", arguments: {} };
    expect(JSON.stringify((await client.callTool(form)).content)).toContain("ada");
    await client.close();
  });
});
